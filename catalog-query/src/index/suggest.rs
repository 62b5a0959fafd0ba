//! Completes what a user has begun to type.

pub(super) mod complete;
pub(super) mod table;
pub(super) mod tally;
#[cfg(test)]
mod tests;
