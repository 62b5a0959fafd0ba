//! Gives projections their events: from the stream, or from the event log where the stream does not
//! hold them (before its first message, in a hole of it, or while it is gone).
//! Invariant: events come gapless and in order, wherever they are from.

use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};

use async_nats::jetstream;
use async_nats::jetstream::context::GetStreamErrorKind;
use catalog_events::{Position, STREAM};

use crate::events::consumer::EventConsumer;
use crate::events::error::{ConsumerError, LogError};
use crate::events::log_client::{LogClient, LogReader};
use crate::events::received::Received;

/// The source of the events of one projection.
pub(crate) struct EventSource {
    jetstream: jetstream::Context,
    log: Option<LogClient>,
    /// The last position before a gap that was met in the stream; `u64::MAX` when there was none. A
    /// gap that a new consumer meets again is in the stream itself.
    gap_after: AtomicU64,
}

/// Where to read next.
enum Next {
    Stream,
    /// The event log, up to a position or else to its head.
    Log(Option<Position>),
}

/// Delivers the events after the position that it was opened at.
pub(crate) struct EventReader<'a> {
    source: &'a EventSource,
    from: From,
    last: Position,
    /// Events that came at once and were more than asked for.
    rest: Vec<Received>,
}

enum From {
    Stream(Box<EventConsumer>),
    Log(Box<LogReader>, Option<Position>),
}

impl EventSource {
    pub(crate) fn new(jetstream: jetstream::Context, log: Option<LogClient>) -> Self {
        Self {
            jetstream,
            log,
            gap_after: AtomicU64::new(u64::MAX),
        }
    }

    /// Opens a reader of the events after `from`.
    pub(crate) async fn open(&self, from: Position) -> Result<EventReader<'_>, ConsumerError> {
        let next = self.next_after(from).await?;
        Ok(EventReader {
            source: self,
            from: self.start(from, next).await?,
            last: from,
            rest: Vec::new(),
        })
    }

    async fn next_after(&self, last: Position) -> Result<Next, ConsumerError> {
        let stream = match self.jetstream.get_stream(STREAM).await {
            Ok(stream) => stream,
            // The relay makes the stream again from the log; there is no need to wait for it.
            Err(err) if self.log.is_some() && is_missing(&err) => return Ok(Next::Log(None)),
            Err(err) => return Err(ConsumerError::Stream(STREAM, err.to_string())),
        };
        let first = Position(stream.cached_info().state.first_sequence);
        if last.next() >= first {
            return Ok(Next::Stream);
        }
        match self.log {
            Some(_) => Ok(Next::Log(Some(Position(first.0 - 1)))),
            None => Err(ConsumerError::Expired {
                wanted: last.next(),
                first,
            }),
        }
    }

    async fn start(&self, last: Position, next: Next) -> Result<From, ConsumerError> {
        match (next, &self.log) {
            (Next::Log(up_to), Some(log)) => {
                tracing::info!(after = %last, "reading from the event log: the stream lacks events");
                let reader = log.read(last, up_to).await?;
                Ok(From::Log(Box::new(reader), up_to))
            }
            (Next::Stream | Next::Log(_), _) => {
                let consumer = EventConsumer::open(&self.jetstream, last).await?;
                Ok(From::Stream(Box::new(consumer)))
            }
        }
    }

    /// Reads on behind a gap. The first time a gap is an error, so that the consumer is opened anew; if
    /// it is still there, it is in the stream, and the log has the events.
    async fn cross_gap(&self, last: Position, found: Position) -> Result<From, ConsumerError> {
        let met_before = self.gap_after.swap(last.0, Ordering::Relaxed) == last.0;
        if !met_before || self.log.is_none() {
            return Err(ConsumerError::Gap { last, found });
        }
        let before = Position(found.0 - 1);
        self.start(last, Next::Log(Some(before))).await
    }
}

impl EventReader<'_> {
    /// Waits for the next events: at most `max`, and bounded in bytes.
    pub(crate) async fn next_batch(&mut self, max: usize) -> Result<Vec<Received>, ConsumerError> {
        let mut batch = match mem::take(&mut self.rest) {
            rest if rest.is_empty() => self.receive(max).await?,
            rest => rest,
        };
        if batch.len() > max {
            self.rest = batch.split_off(max);
        }
        self.last = batch.last().map_or(self.last, Received::position);
        Ok(batch)
    }

    async fn receive(&mut self, max: usize) -> Result<Vec<Received>, ConsumerError> {
        loop {
            match &mut self.from {
                From::Stream(consumer) => match consumer.next_batch(max).await {
                    Err(ConsumerError::Gap { last, found }) => {
                        self.from = self.source.cross_gap(last, found).await?;
                    }
                    batch => return batch,
                },
                From::Log(reader, up_to) => match (reader.next().await?, *up_to) {
                    (Some(batch), _) => return Ok(batch),
                    (None, Some(up_to)) if self.last < up_to => {
                        return Err(LogError::NotThereYet(up_to).into());
                    }
                    (None, up_to) => self.go_on(up_to).await?,
                },
            }
        }
    }

    /// Reads on after the end of what was asked of the log.
    async fn go_on(&mut self, read_to: Option<Position>) -> Result<(), ConsumerError> {
        let next = self.source.next_after(self.last).await?;
        if let (Next::Log(None), None) = (&next, read_to) {
            // All of the log was read: the next events come by the stream.
            return Err(ConsumerError::Stream(
                STREAM,
                "it does not exist".to_owned(),
            ));
        }
        self.from = self.source.start(self.last, next).await?;
        Ok(())
    }
}

pub(crate) fn is_missing(err: &jetstream::context::GetStreamError) -> bool {
    use async_nats::jetstream::ErrorCode;
    matches!(
        err.kind(),
        GetStreamErrorKind::JetStream(err) if err.error_code() == ErrorCode::STREAM_NOT_FOUND
    )
}
