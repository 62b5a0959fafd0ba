//! Everything this service says to Postgres. [`save`] writes a decision and its event in the caller's
//! transaction, and nothing else writes products or the outbox; [`save_rule`] does so for rules.

mod connections;
mod products;
mod rules;
mod api_keys;
mod webhooks;
mod audit;
mod idempotency;
mod history;
mod snapshot;
mod followed;
mod event_log;
mod log_head;
mod log_digest;
mod hashed_rows;
mod log_error;
mod clock;

pub(crate) use api_keys::{
    KeyPage, count_live_keys, has_prefix, key_revision, keys_changed_since, list_keys, live_keys,
    load_key, lock_api_keys, save_key,
};
pub(crate) use audit::{AuditEntry, record};
pub(crate) use clock::Clock;
pub(crate) use connections::{Databases, Obstacle, allow_long_decisions, soon, within};
pub(crate) use event_log::{
    EventRow, Moved, Sequenced, event_id_at, first_position_younger_than, outbox_backlog,
    read_events, read_last_events, sequence,
};
pub(crate) use followed::{followed_events, heads};
pub(crate) use history::{PastEvent, Range, product_events, product_version};
pub(crate) use idempotency::{Claim, claim, purge_expired, remember};
pub(crate) use log_digest::{compute_head_digest, digest_at, fold_log};
pub(crate) use log_error::LogError;
pub(crate) use log_head::{Epoch, Head, acquire, head, head_position, is_current, release, renew};
pub(crate) use products::{
    Conflict, Origin, count_products, load, load_for_update, save, save_each,
};
pub(crate) use rules::{
    FollowedRule, RulePage, count_rules, followed_rules, list_rules, load_rule, lock_rule_log,
    read_rule_events, rule_event_id_at, rule_head_position, save_rule,
};
pub(crate) use snapshot::{SnapshotPage, SnapshotRow, live_products, snapshot_page};
pub(crate) use webhooks::{
    FollowedWebhook, LogKind, LogSpot, NotifiedEvent, PageBounds, Settlement, WaitingDelivery,
    WaitingPage, WebhookProgress, count_webhooks, delete_webhook, disable_webhook, event_at,
    followed_webhooks, forgive_webhook, list_waiting, load_webhook, lock_webhooks, log_ends,
    product_events_after, replay_webhook, rule_events_after, save_webhook, settle, shown_webhooks,
    waiting_of, webhook_revision, webhook_totals,
};
