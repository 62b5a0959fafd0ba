//! JSON in and out: bodies become the messages of the write service, its answers and those of the
//! read side become JSON.

pub(crate) mod raw;
mod price;
pub(crate) mod draft;
pub(crate) mod product;
pub(crate) mod search;
pub(crate) mod rule;
