//! Reads the event stream from a position on. A batch is gapless and in order, or it is an error;
//! after an error the consumer is opened again from the caller's own checkpoint.

use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull};
use catalog_events::{Position, ProductEvent, STREAM, decode};
use futures_util::{FutureExt as _, StreamExt as _};

const PULL_MESSAGES_MAX: usize = 1_000;
const PULL_EXPIRES_SECONDS: u64 = 10;
/// A connection that is half open is noticed after two missed ones.
const HEARTBEAT_SECONDS: u64 = 2;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ConsumerError {
    #[error("the stream {STREAM}: {0}")]
    Stream(String),
    #[error("position {found} came after {last}: events are missing")]
    Gap { last: Position, found: Position },
    #[error("the stream of events ended")]
    Ended,
}

/// One position of the log.
#[derive(Debug)]
pub(crate) enum Received {
    Event(Box<ProductEvent>),
    /// A message that is no product event: reported, passed over, and healed by the product's next
    /// event, which carries its whole state.
    Unreadable(Position),
}

impl Received {
    pub(crate) fn position(&self) -> Position {
        match self {
            Received::Event(event) => event.position,
            Received::Unreadable(position) => *position,
        }
    }

    pub(crate) fn event(&self) -> Option<&ProductEvent> {
        match self {
            Received::Event(event) => Some(event),
            Received::Unreadable(_) => None,
        }
    }
}

pub(crate) struct EventConsumer {
    messages: pull::Stream,
    last: Position,
}

impl EventConsumer {
    /// Delivers what comes after `from`.
    pub(crate) async fn open(
        jetstream: &jetstream::Context,
        from: Position,
    ) -> Result<Self, ConsumerError> {
        let failed = |err: &dyn std::fmt::Display| ConsumerError::Stream(err.to_string());
        let stream = jetstream
            .get_stream(STREAM)
            .await
            .map_err(|err| failed(&err))?;
        let config = pull::Config {
            description: Some("catalog-query projection".to_owned()),
            deliver_policy: DeliverPolicy::ByStartSequence {
                start_sequence: from.next().0,
            },
            // The checkpoint lies with the data; an acknowledgement would add nothing.
            ack_policy: AckPolicy::None,
            memory_storage: true,
            num_replicas: 1,
            inactive_threshold: Duration::from_secs(3 * PULL_EXPIRES_SECONDS),
            ..pull::Config::default()
        };
        let consumer: PullConsumer = stream
            .create_consumer(config)
            .await
            .map_err(|err| failed(&err))?;
        let messages = consumer
            .stream()
            .max_messages_per_batch(PULL_MESSAGES_MAX)
            .expires(Duration::from_secs(PULL_EXPIRES_SECONDS))
            .heartbeat(Duration::from_secs(HEARTBEAT_SECONDS))
            .messages()
            .await
            .map_err(|err| failed(&err))?;
        Ok(Self {
            messages,
            last: from,
        })
    }

    /// Waits for the next event and returns it with those that are there already, `max` at most.
    pub(crate) async fn next_batch(&mut self, max: usize) -> Result<Vec<Received>, ConsumerError> {
        loop {
            let message = self.messages.next().await;
            let mut batch = Vec::new();
            self.accept(message, &mut batch)?;
            self.drain(max, &mut batch)?;
            if !batch.is_empty() {
                return Ok(batch);
            }
        }
    }

    /// Adds what is there already, without waiting, until the batch holds `max`.
    fn drain(&mut self, max: usize, batch: &mut Vec<Received>) -> Result<(), ConsumerError> {
        while batch.len() < max {
            match self.messages.next().now_or_never() {
                Some(message) => self.accept(message, batch)?,
                None => break,
            }
        }
        Ok(())
    }

    fn accept(
        &mut self,
        message: Option<Result<jetstream::Message, pull::MessagesError>>,
        batch: &mut Vec<Received>,
    ) -> Result<(), ConsumerError> {
        let message = message.ok_or(ConsumerError::Ended)?;
        let message = message.map_err(|err| ConsumerError::Stream(err.to_string()))?;
        let info = message
            .info()
            .map_err(|err| ConsumerError::Stream(err.to_string()))?;
        let position = Position(info.stream_sequence);
        // A server that lost its tail delivers the refilled positions again.
        if position <= self.last {
            return Ok(());
        }
        if position != self.last.next() {
            return Err(ConsumerError::Gap {
                last: self.last,
                found: position,
            });
        }
        self.last = position;
        batch.push(read(&message, position));
        Ok(())
    }
}

fn read(message: &jetstream::Message, position: Position) -> Received {
    match decode(message.headers.as_ref(), &message.payload) {
        Ok(event) if event.position == position => Received::Event(Box::new(event)),
        Ok(event) => {
            tracing::error!(%position, says = %event.position, "event at a foreign position");
            Received::Unreadable(position)
        }
        Err(err) => {
            tracing::error!(%position, "unreadable event: {:#}", anyhow::Error::new(err));
            Received::Unreadable(position)
        }
    }
}
