//! Tries parked events again, as the log has them: what was damaged on its way, or by a fault of an
//! older release, applies then.

use std::collections::{BTreeMap, BTreeSet};

use catalog_events::{Position, ProductId};

use crate::events::{LogClient, PRODUCT_IDS_MAX, Received};
use crate::index::Change;
use crate::read_model::{ParkedEvent, ReadModel};
use crate::verification::Verifier;
use crate::verification::error::VerificationError;
use crate::verification::forced::{Forced, force_each};
use crate::verification::states::{State, states};

const PARKED_MAX: i64 = 1_000;
/// So that the log can be asked for all their products at once.
const PAGE_MAX: i64 = PRODUCT_IDS_MAX as i64;

#[derive(Debug, Default)]
pub(crate) struct Retried {
    pub(crate) applied: Vec<i64>,
    /// With their present error.
    pub(crate) failed: Vec<ParkedEvent>,
}

impl Verifier {
    /// The first of them, and how many there are.
    pub(crate) async fn parked(&self) -> Result<(Vec<ParkedEvent>, i64), VerificationError> {
        let live = self.live.load_full();
        let first = live.parked_after(i64::MIN, &[], PARKED_MAX).await?;
        Ok((first, live.parked_count().await?))
    }

    /// Those at `positions` that are parked; all of them when none is named.
    pub(crate) async fn retry_parked(
        &self,
        positions: &[i64],
    ) -> Result<Retried, VerificationError> {
        let log = self.log.as_ref().ok_or(VerificationError::NoLog)?;
        let live = self.live.load_full();
        let mut retried = Retried::default();
        let mut after = i64::MIN;
        loop {
            let parked = live.parked_after(after, positions, PAGE_MAX).await?;
            let Some(last) = parked.last() else {
                break;
            };
            after = last.position;
            self.apply_again(log, &live, parked, &mut retried).await?;
        }
        self.progress.parked_events.set(live.parked_count().await?);
        Ok(retried)
    }

    /// By a repair of all their products at once.
    async fn apply_again(
        &self,
        log: &LogClient,
        live: &ReadModel,
        parked: Vec<ParkedEvent>,
        retried: &mut Retried,
    ) -> Result<(), VerificationError> {
        let products = products(log, &parked).await?;
        let ids: BTreeSet<&ProductId> = products.iter().flatten().collect();
        let ids: Vec<ProductId> = ids.into_iter().cloned().collect();
        let forced = match ids.is_empty() {
            true => Forced::default(),
            false => self.set_to_log(&ids).await?,
        };
        let unreadable: BTreeMap<ProductId, String> = forced.unreadable.into_iter().collect();
        let mut applied = Vec::new();
        for (mut event, product) in parked.into_iter().zip(products) {
            let position = Position::from_i64(event.position);
            let error = product.map_or_else(Some, |id| unreadable.get(&id).cloned());
            if let Some(error) = error {
                live.retry_failed(position, &error).await?;
                event.retries += 1;
                event.error = error;
                retried.failed.push(event);
            } else {
                applied.push(position);
                retried.applied.push(event.position);
            }
        }
        live.remove_parked(&applied).await?;
        Ok(())
    }
}

/// A part of what was parked in a generation, mended.
pub(crate) struct Mended {
    /// Go on from here.
    pub(crate) after: i64,
    /// What an index of the same position must hold.
    pub(crate) changes: Vec<Change>,
}

/// Sets the next of what is parked after position `after` to what the log says, in a generation that
/// nobody else changes; none at the end. What the log cannot tell stays parked.
pub(crate) async fn mend_parked(
    read_model: &ReadModel,
    log: &LogClient,
    after: i64,
) -> Result<Option<Mended>, VerificationError> {
    let parked = read_model.parked_after(after, &[], PAGE_MAX).await?;
    let Some(last) = parked.last() else {
        return Ok(None);
    };
    let after = last.position;
    let products = products(log, &parked).await?;
    let ids: BTreeSet<&ProductId> = products.iter().flatten().collect();
    let ids: Vec<ProductId> = ids.into_iter().cloned().collect();
    if ids.is_empty() {
        let changes = Vec::new();
        return Ok(Some(Mended { after, changes }));
    }
    let forced = force_each(read_model, log, &ids).await?;
    let refused: BTreeSet<ProductId> = forced.unreadable.into_iter().map(|(id, _)| id).collect();
    let settled = parked.iter().zip(&products).filter(|(_, product)| {
        let product = product.as_ref();
        product.is_ok_and(|id| !refused.contains(id))
    });
    let settled = settled.map(|(event, _)| Position::from_i64(event.position));
    let settled: Vec<Position> = settled.collect();
    read_model.remove_parked(&settled).await?;
    let at = read_model.checkpoint().await?.position;
    let changes = states(log, &ids, at).await?;
    let changes = changes.into_iter().filter_map(State::change);
    let changes = changes.filter(|(id, _)| !refused.contains(id)).collect();
    Ok(Some(Mended { after, changes }))
}

/// The products of the events that the log has at the same positions; an error says why nobody can
/// tell.
async fn products(
    log: &LogClient,
    parked: &[ParkedEvent],
) -> Result<Vec<Result<ProductId, String>>, VerificationError> {
    let mut products = Vec::with_capacity(parked.len());
    for event in parked {
        let position = Position::from_i64(event.position);
        let before = Position(position.0.saturating_sub(1));
        let mut reader = log.read(before, Some(position)).await?;
        let received = reader.next().await?.and_then(|mut part| part.pop());
        products.push(match received {
            Some(Received::Event(event)) => Ok(event.product_id),
            Some(Received::Unreadable(unreadable)) => Err(unreadable.error),
            None => Err("the log has no event at this position".to_owned()),
        });
    }
    Ok(products)
}
