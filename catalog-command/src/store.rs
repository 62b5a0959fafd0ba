//! Everything this service says to Postgres. A decision and its event are saved by [`save`] in the
//! caller's transaction; nothing else writes products or the outbox.

mod products;
mod idempotency;
mod history;
mod event_log;
mod log_head;

pub(crate) use event_log::{outbox_backlog, read_events, sequence};
pub(crate) use history::{PastEvent, Range, product_events, product_version};
pub(crate) use idempotency::{Claim, claim, purge_expired, remember};
pub(crate) use log_head::{Epoch, acquire, head_position, release, renew};
pub(crate) use products::{Conflict, Origin, count_products, load_for_update, save};
