//! Looks after a stream, which is a cache of its log: creates it, notices what it lost or
//! should never have held, and empties it where only filling it again helps.
//! Invariant: what is published behind a position that [`StreamCare::open`] or [`StreamCare::look`]
//! returned continues the same log.

use async_nats::jetstream::context::{GetStreamError, GetStreamErrorKind};
use async_nats::jetstream::stream::{Config, RawMessageErrorKind, State, Stream};
use async_nats::jetstream::{self, ErrorCode};
use catalog_events::Position;
use sqlx::PgPool;

use crate::relay::error::RelayError;
use crate::relay::log::Log;
use crate::relay::memory::Memory;
use crate::status::RelayProgress;
use crate::store::{self, Epoch};

/// Looks after the stream of one log.
pub(crate) struct StreamCare {
    pub(crate) log: Log,
    pub(crate) pool: PgPool,
    pub(crate) jetstream: jetstream::Context,
    pub(crate) progress: RelayProgress,
}

impl StreamCare {
    /// The last position that the stream holds, after the more thorough look that a new leader and an
    /// error ask for: the definition is as configured, and the last message is the event of the log.
    pub(crate) async fn open(
        &self,
        epoch: Epoch,
        memory: &mut Memory,
    ) -> Result<Position, RelayError> {
        if let Some(stream) = self.find().await? {
            match self.refuse_another(&stream).await {
                Ok(()) => {
                    memory.set_back = None;
                    self.apply_limits(&stream).await?;
                }
                Err(why @ (RelayError::StreamAhead { .. } | RelayError::ForeignStream { .. })) => {
                    self.mend_set_back(&stream, epoch, memory, why).await?
                }
                Err(err) => return Err(err),
            }
        }
        self.look(epoch, memory).await
    }

    /// The last position that the stream holds. It is created if it is missing, and created anew if two
    /// looks in a row found events missing inside.
    pub(crate) async fn look(
        &self,
        epoch: Epoch,
        memory: &mut Memory,
    ) -> Result<Position, RelayError> {
        let state = match self.find().await? {
            None => self.create_missing(epoch, memory).await?,
            Some(stream) => {
                self.refuse_ahead(&stream.cached_info().state).await?;
                memory.replicas = stream.cached_info().config.num_replicas;
                self.mend_holes(&stream, epoch, memory).await?
            }
        };
        let last = Position(state.last_sequence);
        memory.holds(last);
        self.progress.looked(Position(state.first_sequence), last);
        Ok(last)
    }

    /// Fails where the stream holds what is not in the log.
    async fn refuse_another(&self, stream: &Stream) -> Result<(), RelayError> {
        self.refuse_ahead(&stream.cached_info().state).await?;
        self.refuse_foreign(stream).await
    }

    /// Fails where the stream is ahead of the log.
    async fn refuse_ahead(&self, state: &State) -> Result<(), RelayError> {
        let stream = Position(state.last_sequence);
        // Read after the stream: the log is ahead of it or level.
        let log = self.log;
        let head = log.head(&self.pool).await?;
        if stream > head {
            return Err(RelayError::StreamAhead { log, stream, head });
        }
        Ok(())
    }

    async fn find(&self) -> Result<Option<Stream>, RelayError> {
        match self.jetstream.get_stream(self.log.stream()).await {
            Ok(stream) => Ok(Some(stream)),
            Err(err) if is_missing(&err) => Ok(None),
            Err(err) => Err(stream_error(err)),
        }
    }

    /// Creates the stream, and tells of a loss where there should have been one.
    async fn create_missing(&self, epoch: Epoch, memory: &mut Memory) -> Result<State, RelayError> {
        let log = self.log.head(&self.pool).await?;
        // The first leader of a catalog finds no stream and has lost nothing, even if a writer was
        // quicker than it.
        let lost = memory.held.is_some() || (epoch != Epoch::FIRST && log > Position::START);
        let state = self.create(memory.replicas).await?;
        if lost {
            memory.holds(memory.held.unwrap_or(log));
            let first = state.last_sequence + 1;
            tracing::error!(
                stream = self.log.stream(),
                first,
                log = log.0,
                "the stream was gone: filling a new one"
            );
            self.progress.add_stream_recreation();
        }
        Ok(state)
    }

    /// Creates a stream with holes anew. The expected sequence fences only the end of the stream: what a
    /// server lost inside is never published again. The log has it all, so a new stream is filled from
    /// there.
    async fn mend_holes(
        &self,
        stream: &Stream,
        epoch: Epoch,
        memory: &mut Memory,
    ) -> Result<State, RelayError> {
        let state = stream.cached_info().state.clone();
        let State {
            messages,
            first_sequence: first,
            last_sequence: last,
            ..
        } = state;
        let seen_before = std::mem::replace(&mut memory.holed, has_holes(first, last, messages));
        if !memory.holed {
            return Ok(state);
        }
        if !seen_before || !store::is_current(&self.pool, epoch).await? {
            tracing::warn!(
                stream = self.log.stream(),
                first,
                last,
                messages,
                "events are missing inside the stream"
            );
            return Ok(state);
        }
        self.refuse_foreign(stream).await?;
        tracing::error!(
            stream = self.log.stream(),
            first,
            last,
            messages,
            "events are missing inside the stream: creating it anew from the log"
        );
        self.make_anew(stream, memory, Position(last)).await
    }

    /// Deletes the stream, which held the events of the log up to `held`, and creates it again.
    pub(super) async fn make_anew(
        &self,
        stream: &Stream,
        memory: &mut Memory,
        held: Position,
    ) -> Result<State, RelayError> {
        memory.held = Some(held);
        let deleted = self.jetstream.delete_stream(self.log.stream()).await;
        deleted.map_err(stream_error)?;
        let replicas = stream.cached_info().config.num_replicas;
        let state = self.create(replicas).await?;
        memory.holed = false;
        self.progress.add_stream_recreation();
        Ok(state)
    }

    /// Creates the stream on at least so many servers.
    async fn create(&self, replicas: usize) -> Result<State, RelayError> {
        let config = self.log.stream_config(&self.pool).await?;
        let config = Config {
            num_replicas: config.num_replicas.max(replicas),
            ..config
        };
        let created = self
            .jetstream
            .get_or_create_stream(config)
            .await
            .map_err(|err| RelayError::Stream(err.to_string()))?;
        Ok(created.cached_info().state.clone())
    }

    /// Gives a stream that is there its present limits. A stream that was bound in another way, or full, goes on.
    async fn apply_limits(&self, stream: &Stream) -> Result<(), RelayError> {
        let found = &stream.cached_info().config;
        let wanted = self.log.limited(found);
        if wanted == *found {
            return Ok(());
        }
        tracing::info!(
            stream = self.log.stream(),
            was = %limits_of(found),
            now = %limits_of(&wanted),
            "changing what the stream keeps"
        );
        let updated = self.jetstream.update_stream(wanted).await;
        updated.map_err(|err| RelayError::Stream(err.to_string()))?;
        Ok(())
    }

    /// Fails where the last message of the stream is not the event of the log. Sequences cannot tell a
    /// stream of another catalog from ours; the ids of its events can.
    async fn refuse_foreign(&self, stream: &Stream) -> Result<(), RelayError> {
        let state = &stream.cached_info().state;
        let last = Position(state.last_sequence);
        if state.messages == 0 {
            return Ok(());
        }
        let message = match stream.get_raw_message(last.0).await {
            Ok(message) => message,
            // The message was the oldest too, and its time was over.
            Err(err) if err.kind() == RawMessageErrorKind::NoMessageFound => return Ok(()),
            Err(err) => return Err(RelayError::Stream(err.to_string())),
        };
        let Some(in_log) = self.log.event_id_at(&self.pool, last).await? else {
            // Ahead of the log, which is told apart by the look that follows.
            return Ok(());
        };
        let in_stream = message.headers.get("ce-id").map(|id| id.as_str());
        if in_stream == Some(in_log.to_string().as_str()) {
            return Ok(());
        }
        Err(RelayError::ForeignStream {
            log: self.log,
            position: last,
            in_stream: in_stream.unwrap_or("without an id").to_owned(),
            in_log,
        })
    }
}

fn limits_of(config: &Config) -> String {
    let (hours, bytes) = (config.max_age.as_secs() / 3_600, config.max_bytes);
    let (discard, replicas) = (config.discard, config.num_replicas);
    format!("{hours} hours, {bytes} bytes, discard {discard:?}, {replicas} replicas")
}

/// Whether messages are missing between the first and the last. An empty stream has its first sequence
/// after its last, or none of either.
fn has_holes(first: u64, last: u64, messages: u64) -> bool {
    let span = match first {
        0 => 0,
        first => (last + 1).saturating_sub(first),
    };
    messages != span
}

fn is_missing(err: &GetStreamError) -> bool {
    matches!(err.kind(), GetStreamErrorKind::JetStream(err)
        if err.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

fn stream_error(err: GetStreamError) -> RelayError {
    RelayError::Stream(err.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_is_told_from_an_empty_and_from_a_shortened_stream() {
        for (first, last, messages) in [(0, 0, 0), (1, 0, 0), (1, 3, 3), (8, 7, 0), (4, 7, 4)] {
            assert!(
                !has_holes(first, last, messages),
                "{first} {last} {messages}"
            );
        }
        for (first, last, messages) in [(1, 3, 2), (4, 7, 0), (1, 3, 4)] {
            assert!(
                has_holes(first, last, messages),
                "{first} {last} {messages}"
            );
        }
    }
}
