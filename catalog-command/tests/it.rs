//! The write service as a whole, on a Postgres and a NATS server of its own.

#[path = "it/harness.rs"]
mod harness;
#[path = "it/commands.rs"]
mod commands;
#[path = "it/pipeline.rs"]
mod pipeline;
#[path = "it/log_digest.rs"]
mod log_digest;
#[path = "it/log_events.rs"]
mod log_events;
#[path = "it/stream_care.rs"]
mod stream_care;
