//! The query service as a whole, on a Postgres and a NATS server of its own and the real model.

#[path = "it/harness.rs"]
mod harness;
#[path = "it/event_log.rs"]
mod event_log;
#[path = "it/reads.rs"]
mod reads;
#[path = "it/projections.rs"]
mod projections;
#[path = "it/replica.rs"]
mod replica;
#[path = "it/rebuild.rs"]
mod rebuild;
#[path = "it/parked.rs"]
mod parked;
#[path = "it/past_retention.rs"]
mod past_retention;
#[path = "it/rollback.rs"]
mod rollback;
#[path = "it/upgrade.rs"]
mod upgrade;
#[path = "it/six_fields.rs"]
mod six_fields;
#[path = "it/consistency.rs"]
mod consistency;
#[path = "it/search.rs"]
mod search;
#[path = "it/rules.rs"]
mod rules;
#[path = "it/verify.rs"]
mod verify;
#[path = "it/parked_retry.rs"]
mod parked_retry;
