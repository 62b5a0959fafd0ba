//! Applies events to the documents. Rows, running digest, embedding queue, parked events and
//! position change in one transaction, which begins by a compare-and-set of the position: two
//! projectors cannot both win.

use bytes::Bytes;
use catalog_events::{Position, ProductEvent};
use uuid::Uuid;

use crate::events::{Received, Unreadable};
use crate::projection::newest;
use crate::read_model::ReadModel;
use crate::read_model::changes::{Changes, load_existing};
use crate::read_model::checkpoint::advance;
use crate::read_model::parked::{heal, park};

/// The outcome of applying a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Applied {
    /// Everything is applied except the events at the positions that were parked.
    Yes { parked: Vec<Position> },
    /// Another projector holds the lease or moved the position. When Postgres refused an event of the
    /// batch, those before it may have been applied.
    NotOurs,
}

impl ReadModel {
    /// Moves the read model from position `from` to that of the last of `batch`, which follows
    /// `from` without a gap. A message that is no event is parked, and so is an event whose content
    /// Postgres refuses; the caller tries again after other errors.
    pub(crate) async fn apply(
        &self,
        me: Uuid,
        from: Position,
        batch: &[Received],
    ) -> sqlx::Result<Applied> {
        let mut at = from;
        let mut parked = Vec::new();
        // Parts still to be applied, the next one last.
        let mut parts = vec![batch];
        while let Some(part) = parts.pop() {
            let Some(to) = part.last().map(Received::position) else {
                continue;
            };
            let events = part.iter().filter_map(Received::event);
            let unreadable: Vec<&Unreadable> =
                part.iter().filter_map(Received::unreadable).collect();
            match self.apply_part(me, (at, to), events, &unreadable).await {
                Ok(true) => parked.extend(unreadable.iter().map(|event| event.position)),
                Ok(false) => return Ok(Applied::NotOurs),
                Err(err) if is_refused(&err) => match part {
                    [Received::Event(event)] => {
                        let culprit = refused(event, &err);
                        if !self.apply_part(me, (at, to), [], &[&culprit]).await? {
                            return Ok(Applied::NotOurs);
                        }
                        parked.push(to);
                    }
                    // It is not the content of an event that was refused.
                    [_] => return Err(err),
                    _ => {
                        let (first, second) = part.split_at(part.len() / 2);
                        parts.extend([second, first]);
                        continue;
                    }
                },
                Err(err) => return Err(err),
            }
            at = to;
        }
        Ok(Applied::Yes { parked })
    }

    /// Applies one part of a batch. False, and nothing is changed, when another projector applies.
    async fn apply_part(
        &self,
        me: Uuid,
        (from, to): (Position, Position),
        events: impl IntoIterator<Item = &ProductEvent>,
        unreadable: &[&Unreadable],
    ) -> sqlx::Result<bool> {
        let mut tx = self.pool.begin().await?;
        if !advance(&mut tx, me, from, to).await? {
            return Ok(false);
        }
        let newest = newest(events);
        let ids: Vec<&str> = newest.keys().map(|id| id.as_str()).collect();
        let existing = load_existing(&mut tx, &ids).await?;
        let mut changes = Changes::default();
        for (id, event) in &newest {
            changes.add(existing.get(id.as_str()), event, &self.model)?;
        }
        changes.save(&mut tx).await?;
        park(&mut tx, unreadable).await?;
        heal(&mut tx, newest.into_values()).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// Whether Postgres refuses the content itself, as it would for ever: a data exception (class 22).
/// Errors that pass by themselves, such as a lost connection, a full disk or a deadlock, are of other
/// classes.
pub(crate) fn is_refused(err: &sqlx::Error) -> bool {
    let database = err.as_database_error();
    database.is_some_and(|err| err.code().is_some_and(|code| code.starts_with("22")))
}

fn refused(event: &ProductEvent, err: &sqlx::Error) -> Unreadable {
    Unreadable {
        position: event.position,
        product_id: Some(event.product_id.clone()),
        error: format!("the read model refuses it: {err}"),
        payload: Bytes::from(serde_json::to_vec(event).unwrap_or_default()),
    }
}
