//! What one client is told: first what it has missed, read from the log, then what the tail has.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use catalog_events::{FeedFilter, ProductId};
use catalog_proto::v1;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

use crate::events::cursor::Cursor;
use crate::events::follow::told;
use crate::events::live::LiveEvent;
use crate::events::tail::{Tail, Taken};
use crate::upstream::EventClient;

/// How long a browser waits before it connects again.
const RETRY_MS: u64 = 2_000;
/// The bytes of one chunk, beyond which an event waits for the next one.
const CHUNK_BYTES_MAX: usize = 64 << 10;

/// What all clients share.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) tail: Arc<Tail>,
    pub(super) client: EventClient,
    pub(super) heartbeat: Duration,
    /// Ends all streams, which would go on for ever and hold up the stop.
    pub(super) end: CancellationToken,
}

/// Why events are not told now.
#[derive(Debug)]
pub(crate) enum NotNow {
    /// The service stops.
    Stopping,
    /// The write service has not been heard yet.
    Silent,
    /// As many clients read old events as may.
    Busy,
    /// What the write service answered.
    Upstream(Status),
}

/// One client.
pub(crate) struct Reader {
    source: Source,
    news: watch::Receiver<Option<u64>>,
    filter: FeedFilter,
    /// All that was told, and all that was passed over.
    cursor: Cursor,
    begun: bool,
    stage: Stage,
    /// Events that are to be told next.
    pending: VecDeque<Arc<LiveEvent>>,
}

enum Stage {
    Log(Box<CatchingUp>),
    /// The number of the next event of the tail.
    Tail(u64),
}

struct CatchingUp {
    answers: Option<Streaming<v1::FollowEventsResponse>>,
    /// The place that the pending events reach.
    reached: Cursor,
    _turn: Option<OwnedSemaphorePermit>,
}

impl Reader {
    pub(super) fn new(source: Source, cursor: Cursor, filter: FeedFilter) -> Self {
        Self {
            news: source.tail.news(),
            source,
            filter,
            cursor,
            begun: false,
            stage: Stage::Log(Box::new(CatchingUp {
                answers: None,
                reached: cursor,
                _turn: None,
            })),
            pending: VecDeque::new(),
        }
    }

    /// Goes on with the tail, if that has all that is still to be told.
    pub(super) fn join(&mut self) -> bool {
        let number = self.source.tail.join(self.cursor);
        if let Some(number) = number {
            self.stage = Stage::Tail(number);
        }
        number.is_some()
    }

    /// Reads from the log what the client has missed.
    pub(super) async fn catch_up(&mut self, turn: OwnedSemaphorePermit) -> Result<(), NotNow> {
        let request = v1::FollowEventsRequest {
            after_position: Some(self.cursor.products),
            after_rule_position: Some(self.cursor.rules),
            product_ids: self.filter.ids().map(ProductId::to_string).collect(),
            types: self
                .filter
                .types()
                .iter()
                .map(ToString::to_string)
                .collect(),
        };
        let answers = self.source.client.follow_events(request).await;
        self.stage = Stage::Log(Box::new(CatchingUp {
            answers: Some(answers.map_err(NotNow::Upstream)?.into_inner()),
            reached: self.cursor,
            _turn: Some(turn),
        }));
        Ok(())
    }

    /// The next chunk to be sent; None where the stream is to end. The client connects again then, and goes
    /// on where it was.
    pub(crate) async fn next(&mut self) -> Option<Bytes> {
        if !self.begun {
            self.begun = true;
            // Sent at once, so that the client knows that it is connected, and from where on.
            let hello = format!("retry: {RETRY_MS}\nid: {}\n: connected\n\n", self.cursor);
            return Some(hello.into());
        }
        let heartbeat_at = Instant::now() + self.source.heartbeat;
        loop {
            if self.source.end.is_cancelled() {
                return None;
            }
            if let Some(chunk) = self.chunk() {
                return Some(chunk);
            }
            if !self.refill(heartbeat_at).await? && Instant::now() >= heartbeat_at {
                // An id without data is no event, but the place to go on from.
                return Some(format!(": heartbeat\nid: {}\n\n", self.cursor).into());
            }
        }
    }

    /// Writes pending events.
    fn chunk(&mut self) -> Option<Bytes> {
        let mut chunk = Vec::new();
        while chunk.len() < CHUNK_BYTES_MAX
            && let Some(event) = self.pending.pop_front()
        {
            if event.is_before(self.cursor) {
                continue;
            }
            self.cursor = event.reaches(self.cursor);
            if self.filter.wants(event.kind, event.product.as_ref()) {
                chunk.extend_from_slice(format!("id: {}\n", self.cursor).as_bytes());
                chunk.extend_from_slice(&event.lines);
            }
        }
        (!chunk.is_empty()).then(|| chunk.into())
    }

    /// Gets more events, or waits until there are some or `until`; None where the stream is to end. True if it
    /// got any.
    async fn refill(&mut self, until: Instant) -> Option<bool> {
        match &mut self.stage {
            Stage::Log(log) => {
                self.cursor = self.cursor.max(log.reached);
                if let Some(number) = self
                    .source
                    .tail
                    .join(self.cursor)
                    .filter(|_| log.is_checked())
                {
                    self.stage = Stage::Tail(number);
                    return Some(true);
                }
                // It would be in the midst of reading an answer, which is lost if it is given up.
                let next = log.next(&self.source.end).await?;
                self.pending.extend(next.into_iter().map(Arc::new));
                Some(!self.pending.is_empty())
            }
            Stage::Tail(number) => match self.source.tail.take(*number) {
                Taken::Events(events) => {
                    *number += events.len() as u64;
                    self.pending.extend(events);
                    Some(true)
                }
                Taken::End(end) => {
                    self.cursor = self.cursor.max(end);
                    tokio::select! {
                        _ = self.news.changed() => {}
                        () = tokio::time::sleep_until(until) => {}
                        () = self.source.end.cancelled() => return None,
                    }
                    Some(false)
                }
                Taken::TooLate => None,
            },
        }
    }
}

impl CatchingUp {
    /// Whether the write service has answered, and so knows the place that the client began at.
    fn is_checked(&self) -> bool {
        self.answers.is_some()
    }

    async fn next(&mut self, end: &CancellationToken) -> Option<Vec<LiveEvent>> {
        let answers = self.answers.as_mut()?;
        tokio::select! {
            told = told(answers) => {
                // The client connects again, and is told why there is no going on.
                let (events, reached) = told.ok()?;
                self.reached = reached;
                Some(events)
            }
            () = end.cancelled() => None,
        }
    }
}
