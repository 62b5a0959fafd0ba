//! What client programs of the catalog share: [`feed`] reads products, [`suggest`] looks how, [`sample`] makes them up,
//! [`import`] sends them to a [`Target`], [`export`] reads them from one, [`proof`] compares what they hold, and [`output`] and [`Meter`] show how it goes.

#![allow(clippy::print_stderr)] // A command line talks to its user.

pub mod sample;
pub mod import;
pub mod export;
pub mod proof;
pub mod suggest;
pub mod feed;
mod gtin;
mod nearest;
mod target;
mod remote;
mod product_json;
pub mod price;
pub mod output;
mod progress;

pub use crate::nearest::{nearest, with_nearest};
pub use crate::product_json::ProductJson;
pub use crate::progress::Meter;
pub use crate::remote::fetch;
pub use crate::target::{Target, bounded};
