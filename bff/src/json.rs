//! JSON in and out: bodies become messages of the write service, and the answers of both upstreams
//! become JSON.

pub(crate) mod raw;
pub(crate) mod number;
mod price;
mod grace;
pub(crate) mod bulk;
pub(crate) mod draft;
pub(crate) mod fields;
pub(crate) mod events;
pub(crate) mod product;
pub(crate) mod linked;
pub(crate) mod usage;
pub(crate) mod api_key;
pub(crate) mod webhook;
pub(crate) mod operations;
pub(crate) mod search;
pub(crate) mod rule;

/// The text, unless it is empty.
fn stated(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}
