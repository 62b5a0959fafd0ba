//! Commands: load and lock, let the domain decide, save product and event in the same transaction,
//! wake the sequencer. A lost race is decided again from the new state. A request that was answered
//! before is answered the same and decides nothing.

mod create_product;
mod update_product;
mod change_price;
mod delete_product;
mod import_products;
mod product_history;
mod group;
mod search_rules;

use std::sync::Arc;

use catalog_events::{ConsistencyToken, Product, ProductId, Version};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use tokio::sync::Notify;

use crate::domain::{Current, Decision, Rejection, RequestKey, RuleRejection};
use crate::store::{self, Claim, Conflict, Databases, Origin};

pub(crate) use group::GroupSaver;
use group::{Decide, GroupWrite, WriteGroup, write_group};
pub(crate) use import_products::{ImportOutcome, RowResult};
pub(crate) use product_history::{AsOf, HistoryError};
pub(crate) use search_rules::WrittenRule;

/// A writer that loses this often in a row gives up and says so.
const RACES_MAX: u32 = 10;

#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error(transparent)]
    Rejected(#[from] Rejection),
    #[error(transparent)]
    RuleRejected(#[from] RuleRejection),
    #[error("the request id was used for another request")]
    RequestIdReused,
    #[error("too many writers at once on this product")]
    Contended,
    #[error("database")]
    Database(#[from] sqlx::Error),
}

/// The write service's commands over one database.
#[derive(Clone)]
pub(crate) struct Commands {
    pool: PgPool,
    group: WriteGroup,
    committed: Arc<Notify>,
    rules_changed: Arc<Notify>,
    /// How long a request id counts.
    keep_hours: u16,
}

/// What a command expects of its product, so that it need not look first.
#[derive(Clone, Copy, Debug)]
enum Before {
    Absent,
    Present,
}

/// Who calls, and under which request id.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) origin: Origin,
    pub(crate) request: Option<RequestKey>,
}

/// A product as it is after a command.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Written {
    pub(crate) id: ProductId,
    pub(crate) version: Version,
    pub(crate) product: Option<Product>,
}

impl Written {
    pub(crate) fn token(&self) -> ConsistencyToken {
        ConsistencyToken {
            product_id: self.id.clone(),
            version: self.version,
        }
    }
}

impl Commands {
    /// `committed` is notified after every commit that left events in the outbox, `rules_changed`
    /// after every one that extended the log of search rules. The saver is to be run beside the
    /// commands; it ends when these are gone.
    pub(crate) fn new(
        databases: &Databases,
        committed: Arc<Notify>,
        rules_changed: Arc<Notify>,
        keep_hours: u16,
    ) -> (Self, GroupSaver) {
        let (group, saver) = write_group(databases.group.clone(), committed.clone());
        let commands = Self {
            pool: databases.requests.clone(),
            group,
            committed,
            rules_changed,
            keep_hours,
        };
        (commands, saver)
    }

    /// Runs one decision about one product, taken at the time it is given: that of the moment when
    /// this writer's turn has come. `Ok(None)` of the decision leaves everything as it is.
    ///
    /// The first try takes no lock and shares its statement with other writers: most are alone with
    /// their product.
    async fn write_one(
        &self,
        id: &ProductId,
        call: &Call,
        before: Before,
        decide: impl Fn(Option<&Current>, OffsetDateTime) -> Result<Option<Decision>, Rejection>
        + Send
        + Sync
        + 'static,
    ) -> Result<Written, CommandError> {
        let decide: Decide = Arc::new(decide);
        if call.request.is_none() {
            let write = GroupWrite {
                id: id.clone(),
                before,
                origin: call.origin.clone(),
                decide: Arc::clone(&decide),
            };
            match self.group.write(write).await {
                Ok(written) => return Ok(written),
                Err(attempt) => attempt.unless_lost()?,
            }
        }
        for _ in 0..RACES_MAX {
            match self.try_write_one(id, call, &decide).await {
                Ok(written) => return Ok(written),
                Err(attempt) => attempt.unless_lost()?,
            }
        }
        Err(CommandError::Contended)
    }

    async fn try_write_one(
        &self,
        id: &ProductId,
        call: &Call,
        decide: &Decide,
    ) -> Result<Written, Attempt> {
        let mut tx = self.pool.begin().await?;
        if let Some(earlier) = self.earlier_answer(&mut tx, call).await? {
            return Ok(earlier);
        }
        let current = store::load_for_update(&mut tx, &[id.as_str()]).await?;
        let decision = decide(current.get(id), now())?;
        let written = match &decision {
            Some(decision) => {
                store::save(&mut tx, &[(decision, &call.origin)], &current).await?;
                Written::from(decision)
            }
            None => {
                let current = current.get(id).ok_or(Rejection::NotFound)?;
                Written::unchanged(id, current)
            }
        };
        if let Some(key) = &call.request {
            store::remember(&mut tx, key, &written).await?;
        }
        tx.commit().await?;
        if decision.is_some() {
            self.committed.notify_one();
        }
        Ok(written)
    }

    /// What the same request was answered before. None: it is to be answered in this transaction,
    /// and others with its id wait until that ends.
    async fn earlier_answer<T: DeserializeOwned>(
        &self,
        tx: &mut PgConnection,
        call: &Call,
    ) -> Result<Option<T>, CommandError> {
        let Some(key) = &call.request else {
            return Ok(None);
        };
        match store::claim(tx, key, self.keep_hours).await? {
            Claim::Ours => Ok(None),
            Claim::Answered(answer) => Ok(Some(answer)),
            Claim::Reused => Err(CommandError::RequestIdReused),
        }
    }
}

impl Written {
    fn unchanged(id: &ProductId, current: &Current) -> Self {
        Self {
            id: id.clone(),
            version: current.version,
            product: current.product.clone(),
        }
    }
}

impl From<&Decision> for Written {
    fn from(decision: &Decision) -> Self {
        Self {
            id: decision.id.clone(),
            version: decision.version,
            product: decision.product.clone(),
        }
    }
}

/// How one try of a command can fail.
#[derive(Debug)]
enum Attempt {
    /// Another writer came first.
    Lost,
    Final(CommandError),
}

impl Attempt {
    /// Nothing when the command is to be tried again.
    fn unless_lost(self) -> Result<(), CommandError> {
        match self {
            Attempt::Lost => Ok(()),
            Attempt::Final(err) => Err(err),
        }
    }
}

impl From<Rejection> for Attempt {
    fn from(rejection: Rejection) -> Self {
        Attempt::Final(rejection.into())
    }
}

impl From<CommandError> for Attempt {
    fn from(err: CommandError) -> Self {
        Attempt::Final(err)
    }
}

impl From<Conflict> for Attempt {
    fn from(conflict: Conflict) -> Self {
        match conflict {
            Conflict::Lost => Attempt::Lost,
            Conflict::Database(err) => err.into(),
        }
    }
}

impl From<sqlx::Error> for Attempt {
    fn from(err: sqlx::Error) -> Self {
        Attempt::Final(CommandError::Database(err))
    }
}

/// Now, to the microsecond: what Postgres and JSON both keep.
fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    now.replace_nanosecond(now.microsecond() * 1_000)
        .unwrap_or(now)
}
