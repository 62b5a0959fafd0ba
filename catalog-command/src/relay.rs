//! The relay publishes the event log to the stream. It keeps no checkpoint: the stream's own last
//! sequence says what is missing, and every batch is fenced by it, so that `position == stream
//! sequence` holds through crashes, lost tails and a second relay.

mod atomic_batch;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream;
use catalog_events::{EncodedMessage, Position, STREAM, encode, stream_config};
use sqlx::PgPool;
use tokio::sync::Notify;

use crate::relay::atomic_batch::{PublishError, publish_batch};
use crate::status::WriteProgress;
use crate::store;

/// The server takes at most 1,000 messages in one atomic batch.
const BATCH_EVENTS_MAX: i64 = 500;
const BATCH_BYTES_MAX: i64 = 4 * 1024 * 1024;
const POLL_EVERY_MS: u64 = 100;
const LOOK_EVERY_MS: u64 = 2_000;
/// One failure is a broker that restarts; from here on `status` says what is wrong.
const FAILURES_SHOWN_FROM: u32 = 3;
/// A relay that must not go on looks again this often whether a person has mended it.
const STOPPED_RETRY_MS: u64 = 5_000;

pub(crate) struct Relay {
    pub(crate) pool: PgPool,
    pub(crate) client: async_nats::Client,
    pub(crate) jetstream: jetstream::Context,
    pub(crate) sequenced: Arc<Notify>,
    pub(crate) progress: WriteProgress,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum RelayError {
    /// The database was restored from a backup, or the stream belongs to another catalog. Going on
    /// would give two meanings to one position.
    #[error(
        "the stream {STREAM} is at {stream}, ahead of the event log at {log}: restore the log or \
         delete the stream, which is then filled from the log"
    )]
    StreamAhead { stream: Position, log: Position },
    #[error("the event at position {0} cannot be published: the row is corrupt")]
    CorruptRow(Position),
    #[error("event log")]
    Database(#[from] sqlx::Error),
    #[error("stream: {0}")]
    Stream(String),
    #[error("publish")]
    Publish(#[from] PublishError),
}

impl RelayError {
    fn pause(&self, failures: u32) -> Duration {
        match self {
            RelayError::StreamAhead { .. } | RelayError::CorruptRow(_) => {
                Duration::from_millis(STOPPED_RETRY_MS)
            }
            RelayError::Database(_) | RelayError::Stream(_) | RelayError::Publish(_) => {
                service_kit::backoff(failures)
            }
        }
    }
}

impl Relay {
    /// Publishes for as long as it is polled; any error leads back to reading the last sequence.
    pub(crate) async fn run(&self) {
        let mut failures = 0;
        loop {
            let Err(err) = self.publish_until_error(&mut failures).await;
            failures += 1;
            let pause = err.pause(failures);
            let err = format!("{:#}", anyhow::Error::new(err));
            tracing::warn!(failures, "relay: {err}");
            if failures >= FAILURES_SHOWN_FROM {
                self.progress.set_relay_error(Some(err));
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn publish_until_error(&self, failures: &mut u32) -> Result<Infallible, RelayError> {
        let mut last = self.resync().await?;
        let mut looked = Instant::now();
        loop {
            let next = self.publish_next(last).await?;
            if *failures > 0 {
                *failures = 0;
                self.progress.set_relay_error(None);
            }
            if next != last {
                last = next;
                continue;
            }
            let poll = Duration::from_millis(POLL_EVERY_MS);
            let _ = tokio::time::timeout(poll, self.sequenced.notified()).await;
            // A stream that lost its tail, or is gone, says nothing of it to an idle relay.
            if looked.elapsed() > Duration::from_millis(LOOK_EVERY_MS) {
                last = self.resync().await?;
                looked = Instant::now();
            }
        }
    }

    /// Where the stream stands, created if it is missing.
    pub(crate) async fn resync(&self) -> Result<Position, RelayError> {
        let found = self.jetstream.get_stream(STREAM).await;
        let stream = match found {
            Ok(stream) => stream,
            Err(_) => {
                let config = stream_config(Position::START.next());
                let created = self.jetstream.get_or_create_stream(config).await;
                created.map_err(|err| RelayError::Stream(err.to_string()))?
            }
        };
        let last = Position(stream.cached_info().state.last_sequence);
        let log = store::head_position(&self.pool).await?;
        if last > log {
            let err = RelayError::StreamAhead { stream: last, log };
            self.progress.set_relay_error(Some(err.to_string()));
            return Err(err);
        }
        self.progress.resynced(last);
        Ok(last)
    }

    /// Publishes the events after `last` as one atomic batch; returns the new last position.
    pub(crate) async fn publish_next(&self, last: Position) -> Result<Position, RelayError> {
        let rows = store::read_events(&self.pool, last, BATCH_EVENTS_MAX, BATCH_BYTES_MAX).await?;
        if rows.is_empty() {
            return Ok(last);
        }
        let mut messages: Vec<EncodedMessage> = Vec::with_capacity(rows.len());
        let mut expected = last;
        for row in rows {
            expected = expected.next();
            let corrupt = || RelayError::CorruptRow(expected);
            let (event_type, event) = row.into_event().ok_or_else(corrupt)?;
            if event.position != expected {
                return Err(corrupt());
            }
            messages.push(encode(event_type, &event).map_err(|_| corrupt())?);
        }
        let count = messages.len() as u64;
        let reached = publish_batch(&self.client, last, messages).await?;
        if reached != expected {
            return Err(RelayError::StreamAhead {
                stream: reached,
                log: expected,
            });
        }
        self.progress.published(reached, count);
        Ok(reached)
    }
}
