//! The HTTP front of the catalog: JSON over `/api` in, two gRPC upstreams out.
//!
//! Invariant: it keeps no state of its own; every replica answers alike.

mod app;
mod http;
mod listener;
mod events;
mod json;
mod openapi;
mod problem;
mod keys;
mod upstream;
mod config;
mod tokens;
mod scope;
mod metrics;

pub use crate::app::App;
pub use crate::config::{
    Config, EventLimits, GrpcTarget, InvalidGrpcTarget, InvalidOrigins, Origins,
};
pub use crate::http::check_forced_filter;
pub use crate::scope::{InvalidScope, Scope, Scopes};
pub use crate::tokens::{InvalidJwks, Jwks, TokenConfig};
