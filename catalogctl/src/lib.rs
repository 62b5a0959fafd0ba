//! The operator's command line of the catalog.

#![allow(clippy::print_stderr)] // A command line talks to its user.

pub mod cli;
mod rules;
mod eval;
mod tail;
mod projections;
mod up;
mod export;
mod import;
mod status;
mod deployment;
mod search;
mod shell;
mod moment;
pub mod endpoints;
