//! The request of a search: its query, its filter and its page token, parsed and prepared.

pub(super) mod search_request;
pub(super) mod prepare;
pub(super) mod query;
pub(super) mod understanding;
pub(super) mod filter;
pub(super) mod cursor;
