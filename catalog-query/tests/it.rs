//! The query service as a whole, on a Postgres and a NATS server of its own and the real model.

#[path = "it/harness.rs"]
mod harness;
#[path = "it/reads.rs"]
mod reads;
#[path = "it/projections.rs"]
mod projections;
#[path = "it/replica.rs"]
mod replica;
#[path = "it/rebuild.rs"]
mod rebuild;
#[path = "it/six_fields.rs"]
mod six_fields;
