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
    moved: Option<HighestMoved>,
    since: Instant,
}

/// The highest id that a step has moved.
#[derive(Debug)]
struct HighestMoved {
    id: i64,
    /// The transaction of the next step. Whatever wrote when the id was moved has a lower number, also where none
    /// that began after it had ended, which the snapshot of that step would not tell.
    writer_after: Option<u64>,
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
        if let Some(HighestMoved { id, writer_after }) = &mut self.moved {
            let writer_after = *writer_after.get_or_insert(moved.writer);
            let leaves_nothing_below = moved.events < limit as u64 || moved.last_id >= Some(*id);
            if moved.oldest_writer >= writer_after && leaves_nothing_below {
                self.sure = *id;
                self.moved = None;
            }
        }
        if self.moved.is_none()
            && let Some(id) = moved.last_id.filter(|id| *id > self.sure)
        {
            self.moved = Some(HighestMoved {
                id,
                writer_after: None,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: i64 = 10;

    /// The events of a step, the last id, the oldest writer and its own transaction; the floor after it.
    type Step = ((u64, i64, u64, u64), i64);

    fn check(steps: &[Step]) {
        let mut floor = Floor::new();
        for ((events, last_id, oldest_writer, writer), expected) in steps {
            let moved = Moved {
                events: *events,
                last_id: (*events > 0).then_some(*last_id),
                oldest_writer: *oldest_writer,
                writer: *writer,
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
            // So does 104, which began after the step that moved 7, but perhaps before it had looked.
            ((0, 0, 104, 106), 0),
            ((0, 0, 105, 107), 7),
            ((2, 12, 108, 108), 7),
            ((0, 0, 109, 109), 12),
        ]);
    }

    #[test]
    fn it_waits_for_a_step_that_leaves_nothing_below() {
        check(&[
            ((10, 50, 100, 100), 0),
            // As many late rows as one step takes: there may be more of them.
            ((10, 40, 101, 101), 0),
            ((10, 49, 102, 102), 0),
            ((10, 60, 103, 103), 50),
        ]);
    }
}
