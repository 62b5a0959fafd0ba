//! Tests of searches as a whole: with legs that fail, against human judgments, and against brute
//! force.

pub(crate) mod strategies;
pub(crate) mod judged;
mod few_vectors_and_kinds;
mod oracle;
mod queries;
