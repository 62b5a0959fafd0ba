//! The write service as a whole, on a Postgres and a NATS server of its own.

#[path = "it/harness.rs"]
mod harness;
#[path = "it/commands.rs"]
mod commands;
#[path = "it/group.rs"]
mod group;
#[path = "it/idempotency.rs"]
mod idempotency;
#[path = "it/prices.rs"]
mod prices;
#[path = "it/history.rs"]
mod history;
#[path = "it/content_hashes.rs"]
mod content_hashes;
#[path = "it/tokens.rs"]
mod tokens;
#[path = "it/pipeline.rs"]
mod pipeline;
#[path = "it/liveness.rs"]
mod liveness;
#[path = "it/log_digest.rs"]
mod log_digest;
#[path = "it/log_events.rs"]
mod log_events;
#[path = "it/stream_care.rs"]
mod stream_care;
#[path = "it/search_rules.rs"]
mod search_rules;
