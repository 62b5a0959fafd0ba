//! The logs that are relayed, each to a stream of its own.

use async_nats::jetstream::stream::{Config, DiscardPolicy};
use catalog_events::{
    EncodedMessage, Position, RULE_STREAM, STREAM, rule_stream_config, stream_config,
};
use sqlx::PgPool;
use uuid::Uuid;

use crate::config::StreamLimits;
use crate::store::{self, LogError, soon};

/// The server takes at most 1,000 messages in one atomic batch.
const BATCH_EVENTS_MAX: i64 = 500;
const BATCH_BYTES_MAX: i64 = 4 * 1024 * 1024;
/// How the broker states that a stream has no bound.
const NO_BOUND: i64 = -1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Log {
    /// The log of products. Its stream forgets what is older, or more, than its limits allow: readers that are
    /// further behind read the log.
    Products(StreamLimits),
    /// The log of search rules, which is short. Every replica that starts reads its stream from the first
    /// event.
    Rules { replicas: u8 },
}

impl Log {
    pub(super) fn stream(self) -> &'static str {
        match self {
            Log::Products(_) => STREAM,
            Log::Rules { .. } => RULE_STREAM,
        }
    }

    /// The name of the log in messages to people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Log::Products(_) => "event log",
            Log::Rules { .. } => "log of search rules",
        }
    }

    /// The name of the task that publishes the log, in messages to people.
    pub(super) fn relay_name(self) -> &'static str {
        match self {
            Log::Products(_) => "relay",
            Log::Rules { .. } => "relay of search rules",
        }
    }

    /// The definition of a new stream. Sequences start where the log's events are still young enough to be kept.
    pub(super) async fn stream_config(self, pool: &PgPool) -> sqlx::Result<Config> {
        let config = match self {
            Log::Products(StreamLimits { max_age, .. }) if !max_age.is_zero() => {
                let head = self.head(pool).await?;
                stream_config(store::first_position_younger_than(pool, head, max_age).await?)
            }
            Log::Products(_) => stream_config(Position::START.next()),
            Log::Rules { .. } => rule_stream_config(),
        };
        Ok(self.limited(&config))
    }

    /// The definition of a stream with the limits that it is to have, kept on as many servers as it is
    /// already.
    pub(super) fn limited(self, found: &Config) -> Config {
        let replicas = |wanted: u8| found.num_replicas.max(usize::from(wanted));
        match self {
            Log::Products(limits) => {
                let bound = i64::try_from(limits.max_bytes).unwrap_or(i64::MAX);
                let is_bound = bound > 0;
                Config {
                    max_age: limits.max_age,
                    max_bytes: if is_bound { bound } else { NO_BOUND },
                    discard: if is_bound {
                        DiscardPolicy::Old
                    } else {
                        DiscardPolicy::New
                    },
                    num_replicas: replicas(limits.replicas),
                    ..found.clone()
                }
            }
            Log::Rules { replicas: wanted } => Config {
                num_replicas: replicas(wanted),
                ..found.clone()
            },
        }
    }

    /// The last position of the log.
    pub(super) async fn head(self, pool: &PgPool) -> sqlx::Result<Position> {
        match self {
            Log::Products(_) => store::head_position(pool).await,
            Log::Rules { .. } => store::rule_head_position(pool).await,
        }
    }

    pub(super) async fn event_id_at(
        self,
        pool: &PgPool,
        position: Position,
    ) -> sqlx::Result<Option<Uuid>> {
        match self {
            Log::Products(_) => store::event_id_at(pool, position).await,
            Log::Rules { .. } => store::rule_event_id_at(pool, position).await,
        }
    }

    /// The next events as messages, and the position that they reach.
    pub(super) async fn messages_after(
        self,
        pool: &PgPool,
        last: Position,
    ) -> Result<(Vec<EncodedMessage>, Position), LogError> {
        let mut reached = last;
        let mut messages = Vec::new();
        match self {
            Log::Products(_) => {
                let rows = store::read_events(pool, last, BATCH_EVENTS_MAX, BATCH_BYTES_MAX);
                for row in soon(rows).await? {
                    reached = reached.next();
                    messages.push(row.into_message(reached)?.1);
                }
            }
            Log::Rules { .. } => {
                let rows = store::read_rule_events(pool, last, BATCH_EVENTS_MAX, BATCH_BYTES_MAX);
                for row in soon(rows).await? {
                    reached = reached.next();
                    messages.push(row.into_message(reached)?);
                }
            }
        }
        Ok((messages, reached))
    }
}
