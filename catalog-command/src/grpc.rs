//! The gRPC face of the write side: wire types in, commands, wire types out. The only file that
//! maps errors to statuses is `grpc/error.rs`.

mod commands;
mod write_products;
mod import;
mod export;
mod search_rules;
mod api_keys;
mod webhooks;
mod events;
mod operations;
mod call;
mod request_key;
mod grace;
mod convert;
mod error;

pub(crate) use api_keys::{ApiKeyGrpc, KeyWatch};
pub(crate) use commands::CommandGrpc;
pub(crate) use events::EventGrpc;
pub(crate) use operations::Operations;
pub(crate) use search_rules::SearchRuleGrpc;
pub(crate) use webhooks::WebhookGrpc;
