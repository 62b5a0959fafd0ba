//! The write service as a whole, on a Postgres and a NATS server of its own.

#[path = "it/harness.rs"]
mod harness;
#[path = "it/commands.rs"]
mod commands;
#[path = "it/pipeline.rs"]
mod pipeline;
