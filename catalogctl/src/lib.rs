//! The operator's command line of the catalog, and what its tests and benchmarks share with it:
//! [`feed`] reads products, [`import`] sends them, [`sample`] makes them up.

#![allow(clippy::print_stderr)] // A command line talks to its user.

pub mod cli;
pub mod endpoints;
pub mod feed;
pub mod import;
mod search;
mod rules;
mod eval;
mod tail;
mod status;
mod rebuild;
mod verify;
mod parked;
mod up;
mod migrate;
mod probe;
pub mod cluster;
pub mod chaos;
mod bench;
pub mod sample;
mod progress;
mod output;
