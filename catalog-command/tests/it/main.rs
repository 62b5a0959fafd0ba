//! The write service as a whole, on a Postgres and a NATS server of its own.

mod harness;
mod commands;
mod put_product;
mod write_products;
mod prices;
mod group;
mod idempotency;
mod history;
mod export;
mod content_hashes;
mod tokens;
mod pipeline;
mod tls;
mod liveness;
mod log_digest;
mod log_events;
mod stream_care;
mod search_rules;
mod api_keys;
mod receiver;
mod webhooks;
