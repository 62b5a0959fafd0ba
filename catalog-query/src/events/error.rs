//! Why events cannot be received.

use catalog_events::Position;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ConsumerError {
    #[error("the stream {0}: {1}")]
    Stream(&'static str, String),
    #[error("position {found} came after {last}: events are missing")]
    Gap { last: Position, found: Position },
    #[error("the stream of events ended")]
    Ended,
    #[error(
        "position {wanted} is wanted, the stream begins at {first}, and the event log cannot be \
         asked: set CATALOG_QUERY_COMMAND_GRPC_TARGET to the gRPC address of catalog-command"
    )]
    Expired { wanted: Position, first: Position },
    #[error("events that the stream does not hold cannot be read from the event log")]
    Log(#[from] LogError),
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    #[error("the event log has not reached position {0}")]
    NotThereYet(Position),
    #[error("the write service does not answer: {0}")]
    Unavailable(String),
    #[error("the write service answers with what is no {0}")]
    Answer(&'static str),
}
