//! Reads a stream of events from a position on. A batch is gapless and in order, or it is an error;
//! after an error the consumer is opened again from the caller's own checkpoint.

use std::marker::PhantomData;
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull};
use catalog_events::Position;
use futures_util::{FutureExt as _, StreamExt as _};

use crate::events::error::ConsumerError;
use crate::events::received::{BATCH_BYTES_MAX, Delivered, Received};

const PULL_MESSAGES_MAX: usize = 1_000;
/// The most bytes of messages that wait here while the database is slow; as many again may be on
/// their way.
const PULL_BYTES_MAX: usize = 8 << 20;
const PULL_EXPIRES_SECONDS: u64 = 10;
/// How often the server shows that it is there: a half-open connection is noticed after two missed
/// heartbeats.
const HEARTBEAT_SECONDS: u64 = 2;

pub(crate) struct EventConsumer<D = Received> {
    messages: pull::Stream,
    last: Position,
    /// The error that came after the last batch; the next call returns it.
    failed: Option<ConsumerError>,
    delivers: PhantomData<fn() -> D>,
}

impl<D: Delivered> EventConsumer<D> {
    /// Opens a consumer of what comes after `from`.
    pub(crate) async fn open(
        jetstream: &jetstream::Context,
        from: Position,
    ) -> Result<Self, ConsumerError> {
        let failed = |err: &dyn std::fmt::Display| failed::<D>(err);
        let stream = jetstream
            .get_stream(D::STREAM)
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
            .max_bytes_per_batch(PULL_BYTES_MAX)
            .expires(Duration::from_secs(PULL_EXPIRES_SECONDS))
            .heartbeat(Duration::from_secs(HEARTBEAT_SECONDS))
            .messages()
            .await
            .map_err(|err| failed(&err))?;
        Ok(Self {
            messages,
            last: from,
            failed: None,
            delivers: PhantomData,
        })
    }

    /// Waits for the next event and returns it with those that are there already: at most `max`, and
    /// no more once they have [`BATCH_BYTES_MAX`].
    pub(crate) async fn next_batch(&mut self, max: usize) -> Result<Vec<D>, ConsumerError> {
        if let Some(err) = self.failed.take() {
            return Err(err);
        }
        loop {
            let message = self.messages.next().await;
            let mut batch = Vec::new();
            let bytes = self.accept(message, &mut batch)?;
            let drained = self.drain(max, bytes, &mut batch);
            if !batch.is_empty() {
                self.failed = drained.err();
                return Ok(batch);
            }
            drained?;
        }
    }

    /// Adds the messages that are there already, without waiting, until the batch is full.
    fn drain(
        &mut self,
        max: usize,
        mut bytes: usize,
        batch: &mut Vec<D>,
    ) -> Result<(), ConsumerError> {
        while batch.len() < max && bytes < BATCH_BYTES_MAX {
            match self.messages.next().now_or_never() {
                Some(message) => bytes += self.accept(message, batch)?,
                None => break,
            }
        }
        Ok(())
    }

    /// Adds a message to the batch and returns its bytes: 0 for a position that was delivered before.
    fn accept(
        &mut self,
        next: Option<Result<jetstream::Message, pull::MessagesError>>,
        batch: &mut Vec<D>,
    ) -> Result<usize, ConsumerError> {
        let message = next
            .ok_or(ConsumerError::Ended)?
            .map_err(|err| failed::<D>(&err))?;
        let info = message.info().map_err(|err| failed::<D>(&err))?;
        let position = Position(info.stream_sequence);
        // A server that lost its tail delivers the refilled positions again.
        if position <= self.last {
            return Ok(0);
        }
        if position != self.last.next() {
            return Err(ConsumerError::Gap {
                last: self.last,
                found: position,
            });
        }
        self.last = position;
        batch.push(D::read(position, &message));
        Ok(message.payload.len())
    }
}

fn failed<D: Delivered>(err: &dyn std::fmt::Display) -> ConsumerError {
    ConsumerError::Stream(D::STREAM, err.to_string())
}
