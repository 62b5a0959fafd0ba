//! The operator's command line of the catalog.

#![allow(clippy::print_stderr)] // A command line talks to its user.

pub mod cli;
mod rules;
mod eval;
mod search;
mod tail;
mod rebuild;
mod verify;
mod parked;
mod up;
mod export;
mod import;
mod status;
mod deployment;
pub mod endpoints;
