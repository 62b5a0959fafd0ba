//! Applies events to the documents. Rows, running digest, embedding queue and position change in
//! one transaction, which begins by a compare-and-set of the position: two projectors cannot both
//! win.

use catalog_events::{Position, ProductEvent};
use uuid::Uuid;

use crate::projection::newest;
use crate::read_model::ReadModel;
use crate::read_model::changes::{Changes, load_existing};
use crate::read_model::checkpoint::advance;

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Applied {
    Yes,
    /// Another projector holds the lease or moved the position: nothing was changed.
    NotOurs,
}

impl ReadModel {
    /// Moves the read model from position `from` to `to`; `events` are those between.
    pub(crate) async fn apply(
        &self,
        me: Uuid,
        (from, to): (Position, Position),
        events: impl IntoIterator<Item = &ProductEvent>,
    ) -> sqlx::Result<Applied> {
        let mut tx = self.pool.begin().await?;
        if !advance(&mut tx, me, from, to).await? {
            return Ok(Applied::NotOurs);
        }
        let newest = newest(events);
        let ids: Vec<&str> = newest.keys().map(|id| id.as_str()).collect();
        let existing = load_existing(&mut tx, &ids).await?;
        let mut changes = Changes::default();
        for (id, event) in newest {
            changes.add(existing.get(id.as_str()), event, &self.model)?;
        }
        changes.save(&mut tx).await?;
        tx.commit().await?;
        Ok(Applied::Yes)
    }
}
