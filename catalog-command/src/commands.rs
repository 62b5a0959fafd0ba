//! Commands: load and lock, let the domain decide, save product and event in the same transaction,
//! wake the sequencer. A lost race is decided again from the new state.

mod create_product;
mod update_product;
mod change_price;
mod delete_product;
mod import_products;

use std::sync::Arc;

use catalog_events::{Product, ProductId, Version};
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::sync::Notify;

use crate::domain::{Current, Decision, Rejection};
use crate::store::{self, Conflict, Origin};

pub(crate) use import_products::{ImportOutcome, RowResult};

/// A writer that loses this often in a row gives up and says so.
const RACES_MAX: u32 = 10;

#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error(transparent)]
    Rejected(#[from] Rejection),
    #[error("too many writers at once on this product")]
    Contended,
    #[error("database")]
    Database(#[source] sqlx::Error),
}

/// The write service's commands over one database.
#[derive(Clone)]
pub(crate) struct Commands {
    pool: PgPool,
    committed: Arc<Notify>,
}

/// A product as it is after a command.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) version: Version,
    pub(crate) product: Option<Product>,
}

impl Commands {
    /// `committed` is notified after every commit that left events in the outbox.
    pub(crate) fn new(pool: PgPool, committed: Arc<Notify>) -> Self {
        Self { pool, committed }
    }

    /// Runs one decision about one product. `Ok(None)` of the decision leaves everything as it is.
    async fn write_one(
        &self,
        id: &ProductId,
        origin: &Origin,
        decide: impl Fn(Option<&Current>) -> Result<Option<Decision>, Rejection>,
    ) -> Result<Written, CommandError> {
        for _ in 0..RACES_MAX {
            match self.try_write_one(id, origin, &decide).await {
                Err(Attempt::Store(Conflict::Lost)) => continue,
                Err(Attempt::Store(Conflict::Database(err))) => {
                    return Err(CommandError::Database(err));
                }
                Err(Attempt::Rejected(rejection)) => return Err(rejection.into()),
                Ok(written) => return Ok(written),
            }
        }
        Err(CommandError::Contended)
    }

    async fn try_write_one(
        &self,
        id: &ProductId,
        origin: &Origin,
        decide: impl Fn(Option<&Current>) -> Result<Option<Decision>, Rejection>,
    ) -> Result<Written, Attempt> {
        let mut tx = self.pool.begin().await?;
        let current = store::load_for_update(&mut tx, &[id.as_str()])
            .await?
            .remove(id);
        let Some(decision) = decide(current.as_ref())? else {
            return current.map(Written::from).ok_or(Rejection::NotFound.into());
        };
        store::save(&mut tx, std::slice::from_ref(&decision), origin).await?;
        tx.commit().await?;
        self.committed.notify_one();
        Ok(Written {
            version: decision.version,
            product: decision.product,
        })
    }
}

impl From<Current> for Written {
    fn from(current: Current) -> Self {
        Self {
            version: current.version,
            product: current.product,
        }
    }
}

/// How one try of a command can fail.
#[derive(Debug)]
enum Attempt {
    Rejected(Rejection),
    Store(Conflict),
}

impl From<Rejection> for Attempt {
    fn from(rejection: Rejection) -> Self {
        Attempt::Rejected(rejection)
    }
}

impl From<Conflict> for Attempt {
    fn from(conflict: Conflict) -> Self {
        Attempt::Store(conflict)
    }
}

impl From<sqlx::Error> for Attempt {
    fn from(err: sqlx::Error) -> Self {
        Attempt::Store(Conflict::Database(err))
    }
}

/// Now, to the microsecond: what Postgres and JSON both keep.
fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    now.replace_nanosecond(now.microsecond() * 1_000)
        .unwrap_or(now)
}
