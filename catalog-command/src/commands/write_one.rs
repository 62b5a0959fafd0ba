//! A write of one product: from the domain's decision to the commit, as often as another writer comes
//! first.

use std::sync::Arc;

use catalog_events::ProductId;
use serde::de::DeserializeOwned;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use tokio::sync::Notify;

use crate::commands::attempt::{Attempt, CommandError, RACES_MAX};
use crate::commands::call::Call;
use crate::commands::group::{Before, Decide, GroupSaver, GroupWrite, WriteGroup, write_group};
use crate::commands::written::Written;
use crate::domain::{Current, Decision, Rejection};
use crate::store::{self, Claim, Clock, Databases};

/// The write service's commands over one database.
#[derive(Clone)]
pub(crate) struct Commands {
    pub(super) pool: PgPool,
    pub(super) exports: PgPool,
    pub(super) clock: Clock,
    group: WriteGroup,
    pub(super) committed: Arc<Notify>,
    pub(super) rules_changed: Arc<Notify>,
    pub(super) webhooks_changed: Arc<Notify>,
    /// For how many hours the answer under a request id is kept.
    keep_hours: u16,
}

impl Commands {
    /// The commands, and the saver that must run beside them; it ends when the commands are gone.
    /// `committed` is notified after every commit that left events in the outbox, `rules_changed`
    /// after every commit that extended the log of search rules, `webhooks_changed` after every commit
    /// that changed a webhook.
    pub(crate) fn new(
        databases: &Databases,
        committed: Arc<Notify>,
        rules_changed: Arc<Notify>,
        webhooks_changed: Arc<Notify>,
        keep_hours: u16,
    ) -> (Self, GroupSaver) {
        let (group, saver) = write_group(
            databases.group.clone(),
            databases.clock.clone(),
            committed.clone(),
        );
        let commands = Self {
            pool: databases.requests.clone(),
            exports: databases.exports.clone(),
            clock: databases.clock.clone(),
            group,
            committed,
            rules_changed,
            webhooks_changed,
            keep_hours,
        };
        (commands, saver)
    }

    /// Writes what `decide` makes of the product. It is asked when this writer's turn has come, and
    /// given the time of that moment; `Ok(None)` leaves everything as it is.
    ///
    /// The first try takes no lock and shares its statement with other writers: most are alone with
    /// their product.
    pub(super) async fn write_one(
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
        let decision = decide(current.get(id), self.clock.now())?;
        let written = match &decision {
            Some(decision) => {
                store::save(&mut tx, &[(decision, &call.origin)], &current).await?;
                Written::from(decision)
            }
            None => {
                let unchanged = current.get(id).ok_or(Rejection::NotFound)?;
                Written::unchanged(id, unchanged)
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

    /// The answer that the same request got before. None means that it is to be answered in this
    /// transaction; others with its id wait until that ends.
    pub(super) async fn earlier_answer<T: DeserializeOwned>(
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
