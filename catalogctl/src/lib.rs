//! The operator's command line of the catalog.

#![allow(clippy::print_stderr)] // A command line talks to its user.

pub mod cli;
pub mod endpoints;
mod import;
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
