//! What an answer says beside its hits: why they are there, and where the words of the query stand.

pub(super) mod explanation;
pub(super) mod highlight;
