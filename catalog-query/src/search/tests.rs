//! Searches as a whole: against brute force, against human judgments, and with legs that fail.

pub(crate) mod strategies;
pub(crate) mod judged;
mod oracle;
