//! The real BFF on port 0, in front of a gRPC peer that is told what to answer.

mod key_peer;
mod peer;
mod catalog_peer;
mod command_peer;
mod rule_peer;
mod bff;

mod reads;
mod search;
mod usage;
mod rules;
mod writes;
mod prices;
mod conditions;
mod consistency;
mod idempotency;
mod keys;
mod tokens;
mod history;
mod error_map;
mod bad_input;
mod schemas;
mod feeds;
mod fuzz;
mod connections;
mod pages;
mod overload;
mod tls;
mod instant;
mod operations;
