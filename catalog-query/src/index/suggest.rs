//! Ends what a user has begun to type.

pub(super) mod complete;
pub(super) mod table;
#[cfg(test)]
mod tests;
