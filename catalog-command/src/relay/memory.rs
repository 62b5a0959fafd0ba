//! What an instance remembers of a stream.

use std::time::Instant;

use catalog_events::Position;

/// What this instance remembers of the stream from one look to the next.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// The position up to which the stream has held all events; none before the first look.
    pub(super) held: Option<Position>,
    /// Whether the last look found events missing inside.
    pub(super) holed: bool,
    /// On how many servers the stream was kept when it was last seen.
    pub(super) replicas: usize,
    /// What the last look found in the stream that the log does not have.
    pub(super) set_back: Option<SetBack>,
}

impl Memory {
    pub(crate) fn holds(&mut self, reached: Position) {
        self.held = self.held.max(Some(reached));
    }

    /// How many of the events after `last` up to `reached` the stream has held before.
    pub(crate) fn held_before(&self, last: Position, reached: Position) -> u64 {
        let held = self.held.unwrap_or(Position::START);
        last.lag_to(held.min(reached))
    }
}

/// A stream that holds what its log does not, and since when it has not moved.
#[derive(Debug)]
pub(super) struct SetBack {
    pub(super) last: Position,
    pub(super) since: Instant,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_stream_has_held_counts_as_filled_again() {
        let mut memory = Memory::default();
        assert_eq!(memory.held_before(Position(0), Position(5)), 0);
        memory.holds(Position(5));
        memory.holds(Position(3));
        assert_eq!(memory.held_before(Position(0), Position(4)), 4);
        assert_eq!(memory.held_before(Position(3), Position(9)), 2);
        assert_eq!(memory.held_before(Position(5), Position(9)), 0);
    }
}
