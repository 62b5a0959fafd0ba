//! The query service as a whole, on a Postgres and a NATS server of its own and the real model.

mod harness;
mod event_log;
mod reads;
mod listing;
mod projections;
mod replica;
mod rebuild;
mod parked;
mod past_retention;
mod rollback;
mod upgrade;
mod six_fields;
mod consistency;
mod search;
mod usage;
mod rules;
mod verify;
mod parked_retry;
