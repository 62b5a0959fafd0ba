//! A relay publishes a log, that of products or that of search rules, to its stream. It keeps no
//! checkpoint: the stream's own last sequence says what is missing, and every batch is fenced by it,
//! so that `position == stream sequence` holds through crashes, lost tails and a second relay.

mod log;
mod atomic_batch;
mod set_back;
mod stream_care;
mod memory;
mod error;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::{Client, jetstream};
use catalog_events::{EncodedMessage, Position};
use service_kit::{MessageOperation, MessageSteps, Retry};
use sqlx::PgPool;
use tokio::sync::{Mutex, Notify};

use crate::relay::atomic_batch::publish_batch;
use crate::relay::error::RelayError;
pub(crate) use crate::relay::log::Log;
use crate::relay::memory::Memory;
use crate::relay::stream_care::StreamCare;
use crate::status::RelayProgress;
use crate::store::Epoch;

const POLL_EVERY_MS: u64 = 100;
const LOOK_EVERY_MS: u64 = 2_000;
/// A relay that must not go on looks again this often whether a person has mended it.
const STOPPED_RETRY_MS: u64 = 5_000;

/// Publishes one log to its stream.
pub(crate) struct Relay {
    log: Log,
    pool: PgPool,
    client: Client,
    care: StreamCare,
    /// What is known of the stream outlives the lease, so that what was lost meanwhile is noticed.
    memory: Mutex<Memory>,
    extended: Arc<Notify>,
    progress: RelayProgress,
}

impl Relay {
    /// `extended` is notified when this instance has extended the log.
    pub(crate) fn new(
        log: Log,
        pool: &PgPool,
        client: &Client,
        extended: Arc<Notify>,
        progress: RelayProgress,
    ) -> Self {
        Self {
            log,
            pool: pool.clone(),
            client: client.clone(),
            care: StreamCare {
                log,
                pool: pool.clone(),
                jetstream: jetstream::new(client.clone()),
                progress: progress.clone(),
            },
            memory: Mutex::default(),
            extended,
            progress,
        }
    }

    /// Publishes for as long as it is polled; any error leads back to reading the last sequence.
    pub(crate) async fn run(&self, epoch: Epoch) {
        let mut memory = self.memory.lock().await;
        let mut retry = Retry::new(self.log.relay_name());
        loop {
            let published = self.publish_until_error(epoch, &mut memory, &mut retry);
            let Err(err) = published.await;
            let needs_a_person = err.needs_a_person();
            let mut failure = retry.failed(err);
            if needs_a_person || failure.lasts() {
                self.progress.set_error(Some(failure.message.clone()));
            }
            if needs_a_person {
                failure.pause = Duration::from_millis(STOPPED_RETRY_MS);
            }
            failure.wait().await;
        }
    }

    async fn publish_until_error(
        &self,
        epoch: Epoch,
        memory: &mut Memory,
        retry: &mut Retry,
    ) -> Result<Infallible, RelayError> {
        let mut last = self.care.open(epoch, memory).await?;
        let mut looked = Instant::now();
        loop {
            let next = self.publish_next(last, memory).await?;
            if retry.succeeded() {
                self.progress.set_error(None);
            }
            if next == last {
                let poll = Duration::from_millis(POLL_EVERY_MS);
                let _ = tokio::time::timeout(poll, self.extended.notified()).await;
            }
            last = next;
            // A stream that lost its tail, or is gone, says nothing of it to an idle relay; one
            // with a hole not even to a busy one.
            if looked.elapsed() > Duration::from_millis(LOOK_EVERY_MS) {
                last = self.care.look(epoch, memory).await?;
                looked = Instant::now();
            }
        }
    }

    /// Publishes the events after `last` as one atomic batch; returns the new last position.
    async fn publish_next(
        &self,
        last: Position,
        memory: &mut Memory,
    ) -> Result<Position, RelayError> {
        let (messages, expected) = self.log.messages_after(&self.pool, last).await?;
        if messages.is_empty() {
            return Ok(last);
        }
        let count = messages.len() as u64;
        let stream = self.log.stream();
        let mut steps = self.steps(&messages);
        let published = publish_batch(&self.client, stream, last, messages).await;
        let reached = published.inspect_err(|err| steps.fail(err))?;
        drop(steps);
        if reached != expected {
            return Err(RelayError::StreamAhead {
                log: self.log,
                stream: reached,
                head: expected,
            });
        }
        self.progress
            .published(reached, count, memory.held_before(last, reached));
        memory.holds(reached);
        Ok(reached)
    }

    /// The steps of the traces that the messages belong to.
    fn steps(&self, messages: &[EncodedMessage]) -> MessageSteps {
        let traceparents = messages.iter().map(EncodedMessage::traceparent);
        let (relay, stream) = (self.log.relay_name(), self.log.stream());
        MessageSteps::begin(MessageOperation::Send, relay, stream, traceparents)
    }
}
