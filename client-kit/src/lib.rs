//! What client programs of the catalog share: [`feed`] reads products, [`sample`] makes them up,
//! [`import`] sends them to a [`Target`], and [`output`] and [`Meter`] show how it goes.

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
