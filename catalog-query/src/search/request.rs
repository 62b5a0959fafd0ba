//! What is asked: the query, its filter and its page, read and understood.

pub(super) mod search_request;
pub(super) mod prepare;
pub(super) mod query;
pub(super) mod understanding;
pub(super) mod filter;
pub(super) mod cursor;
