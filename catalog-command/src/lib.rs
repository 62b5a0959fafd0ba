//! The write side of the catalog. A write is decided by the pure domain, saved with its event in
//! one transaction, given a position by the sequencer and published in that order by the relay.

mod config;
mod app;
mod grpc;
mod commands;
mod domain;
mod store;
mod expiry;
mod leader;
mod sequencer;
mod relay;
mod status;

pub use crate::app::App;
pub use crate::config::Config;
