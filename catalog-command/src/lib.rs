//! The write side of the catalog. A write is decided by the pure domain, saved with its event in
//! one transaction, given a position by the sequencer, published in that order by the relay and delivered to webhooks.

mod app;
mod probe;
mod grpc;
mod commands;
mod expiry;
mod leader;
mod sequencer;
mod relay;
mod webhooks;
mod log_watch;
mod store;
mod config;
mod domain;
mod status;

pub use crate::app::App;
pub use crate::config::{Config, StreamLimits};
