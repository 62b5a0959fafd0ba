//! The logs that are relayed, each to a stream of its own.

use std::time::Duration;

use async_nats::jetstream::stream::Config;
use catalog_events::{
    EncodedMessage, Position, RULE_STREAM, STREAM, rule_stream_config, stream_config,
};
use sqlx::PgPool;
use uuid::Uuid;

use crate::store::{self, LogError, soon};

/// The server takes at most 1,000 messages in one atomic batch.
const BATCH_EVENTS_MAX: i64 = 500;
const BATCH_BYTES_MAX: i64 = 4 * 1024 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Log {
    /// The log of products. Its stream keeps an event for `max_age`; zero means for ever.
    Products { max_age: Duration },
    /// The log of search rules. Every replica that starts reads its stream from the first event.
    Rules,
}

impl Log {
    pub(super) fn stream(self) -> &'static str {
        match self {
            Log::Products { .. } => STREAM,
            Log::Rules => RULE_STREAM,
        }
    }

    /// The name of the log in messages to people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Log::Products { .. } => "event log",
            Log::Rules => "log of search rules",
        }
    }

    /// The name of the task that publishes the log, in messages to people.
    pub(super) fn relay_name(self) -> &'static str {
        match self {
            Log::Products { .. } => "relay",
            Log::Rules => "relay of search rules",
        }
    }

    pub(super) fn max_age(self) -> Duration {
        match self {
            Log::Products { max_age } => max_age,
            Log::Rules => Duration::ZERO,
        }
    }

    /// The definition of a new stream. Sequences start where the log's events are still young enough to be kept.
    pub(super) async fn stream_config(self, pool: &PgPool) -> sqlx::Result<Config> {
        let max_age = self.max_age();
        let first = if max_age.is_zero() {
            Position::START.next()
        } else {
            let head = self.head(pool).await?;
            store::first_position_younger_than(pool, head, max_age).await?
        };
        Ok(match self {
            Log::Products { .. } => Config {
                max_age,
                ..stream_config(first)
            },
            Log::Rules => rule_stream_config(),
        })
    }

    /// The last position of the log.
    pub(super) async fn head(self, pool: &PgPool) -> sqlx::Result<Position> {
        match self {
            Log::Products { .. } => store::head_position(pool).await,
            Log::Rules => store::rule_head_position(pool).await,
        }
    }

    pub(super) async fn event_id_at(
        self,
        pool: &PgPool,
        position: Position,
    ) -> sqlx::Result<Option<Uuid>> {
        match self {
            Log::Products { .. } => store::event_id_at(pool, position).await,
            Log::Rules => store::rule_event_id_at(pool, position).await,
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
            Log::Products { .. } => {
                let rows = store::read_events(pool, last, BATCH_EVENTS_MAX, BATCH_BYTES_MAX);
                for row in soon(rows).await? {
                    reached = reached.next();
                    messages.push(row.into_message(reached)?.1);
                }
            }
            Log::Rules => {
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
