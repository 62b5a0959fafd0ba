//! The newest events, in memory for all clients. Invariant: it holds all events after its start up to its
//! end, and no more than its bounds allow.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::events::cursor::Cursor;
use crate::events::live::LiveEvent;

const EVENTS_MAX: usize = 10_000;
const BYTES_MAX: usize = 32 << 20;
/// How many events a client takes at a time.
const TAKEN_MAX: usize = 64;

pub(super) struct Tail {
    ring: Mutex<Ring>,
    /// Tells that there is more to take; None before the write service was heard.
    news: watch::Sender<Option<u64>>,
}

#[derive(Default)]
struct Ring {
    events: VecDeque<Arc<LiveEvent>>,
    bytes: usize,
    /// The number of the first event in memory.
    first: u64,
    start: Cursor,
    end: Cursor,
}

/// What a client takes.
pub(super) enum Taken {
    Events(Vec<Arc<LiveEvent>>),
    /// There is nothing new: the logs end here.
    End(Cursor),
    /// The client was too slow: what it should have been told is not in memory any more.
    TooLate,
}

impl Default for Tail {
    fn default() -> Self {
        Self {
            ring: Mutex::default(),
            news: watch::Sender::new(None),
        }
    }
}

impl Tail {
    /// Waits until the write service was heard; returns where the logs end.
    pub(super) async fn known(&self) -> Cursor {
        let mut news = self.news.subscribe();
        // The sender is this tail's own.
        let _ = news.wait_for(Option::is_some).await;
        self.ring().end
    }

    /// Where the logs end, if the write service was heard.
    pub(super) fn end(&self) -> Option<Cursor> {
        let known = self.news.borrow().is_some();
        known.then(|| self.ring().end)
    }

    pub(super) fn news(&self) -> watch::Receiver<Option<u64>> {
        self.news.subscribe()
    }

    /// Begins at a place, with nothing in memory. Whoever follows already is too late.
    pub(super) fn begin(&self, at: Cursor) {
        let mut ring = self.ring();
        let after = ring.first + ring.events.len() as u64 + 1;
        *ring = Ring {
            first: after,
            start: at,
            end: at,
            ..Ring::default()
        };
        drop(ring);
        self.news.send_replace(Some(after));
    }

    /// Adds the events after the end, and moves it to `reached`.
    pub(super) fn extend(&self, events: Vec<LiveEvent>, reached: Cursor) {
        let mut ring = self.ring();
        for event in events {
            ring.bytes += event.lines.len();
            ring.events.push_back(Arc::new(event));
        }
        ring.end = ring.end.max(reached);
        ring.bound();
        let after = ring.first + ring.events.len() as u64;
        drop(ring);
        self.news.send_if_modified(|known| {
            let changed = *known != Some(after);
            *known = Some(after);
            changed
        });
    }

    /// The number of the event to go on with after `cursor`; None where some after it are not in memory.
    pub(super) fn join(&self, cursor: Cursor) -> Option<u64> {
        let ring = self.ring();
        ring.start.is_within(cursor).then_some(ring.first)
    }

    /// The events from a number on.
    pub(super) fn take(&self, from: u64) -> Taken {
        let ring = self.ring();
        let Some(skipped) = from.checked_sub(ring.first) else {
            return Taken::TooLate;
        };
        let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
        let events = ring.events.iter().skip(skipped).take(TAKEN_MAX);
        let events: Vec<_> = events.cloned().collect();
        if events.is_empty() {
            Taken::End(ring.end)
        } else {
            Taken::Events(events)
        }
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    /// Forgets the oldest events.
    fn bound(&mut self) {
        while self.events.len() > EVENTS_MAX || self.bytes > BYTES_MAX {
            let Some(oldest) = self.events.pop_front() else {
                return;
            };
            self.bytes -= oldest.lines.len();
            self.first += 1;
            self.start = oldest.reaches(self.start);
        }
    }
}

#[cfg(test)]
mod tests {
    use catalog_events::{EventType, FeedType};

    use super::*;

    fn event(position: i64, bytes: usize) -> LiveEvent {
        LiveEvent {
            kind: FeedType::Product(EventType::Created),
            product: None,
            position,
            lines: vec![b'x'; bytes].into(),
        }
    }

    fn at(products: i64) -> Cursor {
        Cursor { products, rules: 1 }
    }

    #[test]
    fn memory_is_bounded_and_who_is_too_late_is_told() {
        let tail = Tail::default();
        assert_eq!(tail.end(), None);
        tail.begin(at(5));
        let from = tail.join(at(5)).expect("it begins here");
        assert_eq!(tail.join(at(4)), None);
        tail.extend(vec![event(6, 10)], at(6));
        assert!(matches!(tail.take(from), Taken::Events(all) if all.len() == 1));
        assert!(matches!(tail.take(from + 1), Taken::End(end) if end == at(6)));
        let large = BYTES_MAX / 4;
        for position in 7..12 {
            tail.extend(vec![event(position, large)], at(position));
        }
        assert!(matches!(tail.take(from), Taken::TooLate));
        assert_eq!(tail.join(at(6)), None);
        assert!(tail.join(at(8)).is_some());
        for position in 12..30 {
            tail.extend(
                (0..1_000).map(|_| event(position, 1)).collect(),
                at(position),
            );
        }
        assert!(tail.ring().events.len() <= EVENTS_MAX);
        assert_eq!(tail.end(), Some(at(29)));
    }
}
