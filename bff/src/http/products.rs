//! Routes of products.

pub(crate) mod read;
mod list;
pub(crate) mod history;
pub(crate) mod writes;
pub(crate) mod bulk;
