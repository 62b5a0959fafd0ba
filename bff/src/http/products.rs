//! Routes of products.

pub(crate) mod read;
pub(crate) mod history;
pub(crate) mod writes;
