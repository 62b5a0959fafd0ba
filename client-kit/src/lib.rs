//! What programs on the client's side of the catalog share: [`feed`] reads products, [`sample`] makes
//! them up, [`import`] sends them to a [`Target`], [`output`] and [`Meter`] show what comes of it.

#![allow(clippy::print_stderr)] // A command line talks to its user.

pub mod feed;
pub mod sample;
mod target;
pub mod import;
pub mod price;
mod product_json;
pub mod output;
mod progress;

pub use crate::product_json::ProductJson;
pub use crate::progress::Meter;
pub use crate::target::{Target, bounded};
