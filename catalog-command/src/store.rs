//! Everything this service says to Postgres. A decision and its event are saved by [`save`] in the
//! caller's transaction; nothing else writes products or the outbox.

mod products;
mod event_log;
mod log_digest;
mod log_head;

pub(crate) use event_log::{
    EventRow, LogError, Sequenced, event_id_at, first_position_younger_than, outbox_backlog,
    read_events, read_last_events, sequence,
};
pub(crate) use log_digest::{
    Buckets, LogDigest, LogFold, compute_head_digest, digest_at, distrust_head_digest, fold_log,
};
pub(crate) use log_head::{Epoch, Head, acquire, head, head_position, is_current, release, renew};
pub(crate) use products::{Conflict, Origin, count_products, load_for_update, save};
