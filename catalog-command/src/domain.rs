//! Decisions about products, search rules, keys and webhooks, without async, clock, database or wire types.
//! Time comes in as an argument; a decision is a change to save, or nothing when nothing changed.

mod check;
mod price;
mod fields;
mod draft;
mod decision;
mod product_write;
mod import_row;
mod rule_draft;
mod rule_decision;
mod api_key_draft;
mod api_key;
mod webhook;
mod request;
mod log_digest;

pub(crate) use api_key::{
    ApiKey, KeyRejection, NewKey, SecretHash, StoredKey, create_key, revoke_key, rotate_key,
};
pub(crate) use api_key_draft::{ApiKeyDraft, ApiScope, KeyFields};
pub(crate) use check::Violation;
pub(crate) use decision::{
    Current, Decision, Rejection, change_price, create, delete, put, update,
};
pub(crate) use draft::Draft;
pub(crate) use fields::{Patch, ProductFields};
pub(crate) use import_row::{Columns, ImportRow};
pub(crate) use log_digest::{Buckets, LogDigest, LogFold, Replaced};
pub(crate) use price::Amount;
pub(crate) use product_write::ProductWrite;
pub(crate) use request::{InvalidRequestId, RequestId, RequestKey};
pub(crate) use rule_decision::{CurrentRule, RuleDecision, RuleRejection, delete_rule, put_rule};
pub(crate) use rule_draft::RuleDraft;
pub(crate) use webhook::{
    LogPlace, NewWebhook, Reach, Schedule, SigningSecret, Start, StoredWebhook, Webhook,
    WebhookDraft, WebhookFields, WebhookPatch, WebhookRejection, WebhookState, create_webhook,
    existing_webhook, is_public, move_webhook, rotate_webhook, update_webhook,
};
