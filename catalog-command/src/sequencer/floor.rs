//! Up to where the outbox is certainly empty. Rows that were taken from it stay in its index for as long as any
//! snapshot is open that may see them (a dump, a transaction that somebody forgot), and each step would read them
//! all again before it came to the first one that counts.

use std::time::{Duration, Instant};

use crate::store::Moved;

/// How long the floor is trusted. A database that was set back gives ids again that are below it.
const TRUSTED_FOR: Duration = Duration::from_secs(30);

/// The id up to which no row of the outbox is, or ever will be.
#[derive(Debug)]
pub(super) struct Floor {
    sure: i64,
    /// The highest id that a step has moved, and the first transaction that had not begun to write then.
    moved: Option<(i64, u64)>,
    since: Instant,
}

impl Floor {
    pub(super) fn new() -> Self {
        Self {
            sure: 0,
            moved: None,
            since: Instant::now(),
        }
    }

    pub(super) fn id(&mut self) -> i64 {
        if self.since.elapsed() > TRUSTED_FOR {
            *self = Self::new();
        }
        self.sure
    }

    /// Learns from a step. A row below one that was moved can only come from a transaction that wrote already when
    /// the step looked: a later one takes its ids behind it. Once all of those have ended, a step that leaves nothing
    /// below leaves nothing there for good.
    pub(super) fn saw(&mut self, moved: &Moved, limit: i64) {
        if let Some((id, next_writer)) = self.moved
            && moved.oldest_writer >= next_writer
            && (moved.events < limit as u64 || moved.last_id >= Some(id))
        {
            self.sure = id;
            self.moved = None;
        }
        if self.moved.is_none()
            && let Some(id) = moved.last_id.filter(|id| *id > self.sure)
        {
            self.moved = Some((id, moved.next_writer));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: i64 = 10;

    /// The events of a step, the last id, the oldest writer and the next one; the floor after it.
    type Step = ((u64, i64, u64, u64), i64);

    fn check(steps: &[Step]) {
        let mut floor = Floor::new();
        for ((events, last_id, oldest_writer, next_writer), expected) in steps {
            let moved = Moved {
                events: *events,
                last_id: (*events > 0).then_some(*last_id),
                oldest_writer: *oldest_writer,
                next_writer: *next_writer,
            };
            floor.saw(&moved, LIMIT);
            assert_eq!(floor.id(), *expected, "{moved:?}");
        }
    }

    #[test]
    fn it_rises_when_all_who_wrote_at_the_time_have_ended() {
        check(&[
            ((3, 7, 100, 103), 0),
            // The transaction 101 still runs, and may have taken the id 5.
            ((2, 9, 101, 105), 0),
            ((0, 0, 103, 105), 7),
            ((2, 12, 105, 106), 7),
            ((0, 0, 106, 106), 12),
        ]);
    }

    #[test]
    fn it_waits_for_a_step_that_leaves_nothing_below() {
        check(&[
            ((10, 50, 100, 101), 0),
            // As many late rows as one step takes: there may be more of them.
            ((10, 40, 101, 102), 0),
            ((10, 49, 102, 103), 0),
            ((10, 60, 103, 104), 50),
        ]);
    }
}
