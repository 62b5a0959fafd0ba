//! Tries parked events again, as the log has them: an event applies then that was damaged on its way,
//! or that was parked by a fault of an older release.

use std::collections::{BTreeMap, BTreeSet};

use catalog_events::{Position, ProductId};

use crate::events::{LogClient, PRODUCT_IDS_MAX, Received};
use crate::index::Change;
use crate::read_model::{ParkedEvent, ReadModel};
use crate::verification::Verifier;
use crate::verification::error::VerificationError;
use crate::verification::forced::{Forced, force_each};
use crate::verification::states::{State, states};

/// The most parked events that are listed.
const PARKED_MAX: i64 = 1_000;
/// The most parked events that are tried at once: the log can be asked for all their products in one
/// request.
const PAGE_MAX: i64 = PRODUCT_IDS_MAX as i64;

/// The outcome of trying parked events again.
#[derive(Debug, Default)]
pub(crate) struct Retried {
    /// The positions of the events that apply now.
    pub(crate) applied: Vec<i64>,
    /// The events that do not, with their present error.
    pub(crate) failed: Vec<ParkedEvent>,
}

impl Verifier {
    /// The first parked events, and how many there are.
    pub(crate) async fn parked(&self) -> Result<(Vec<ParkedEvent>, i64), VerificationError> {
        let live = self.live.load_full();
        let first = live.parked_after(i64::MIN, &[], PARKED_MAX).await?;
        Ok((first, live.parked_count().await?))
    }

    /// Tries the parked events at `positions` again; all of them when none is named.
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

    /// Tries events again, by a repair of all their products at once.
    async fn apply_again(
        &self,
        log: &LogClient,
        live: &ReadModel,
        parked: Vec<ParkedEvent>,
        retried: &mut Retried,
    ) -> Result<(), VerificationError> {
        let products = products(log, &parked).await?;
        let ids = distinct(&products);
        let forced = if ids.is_empty() {
            Forced::default()
        } else {
            self.set_to_log(&ids).await?
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

/// The outcome of mending a part of what was parked in a generation.
pub(crate) struct Mended {
    /// The position to go on from.
    pub(crate) after: i64,
    /// What an index at the same position must hold of their products.
    pub(crate) changes: Vec<Change>,
}

/// Sets the products of the next events that are parked after position `after` to what the log says,
/// in a generation that nobody else changes; None at the end. Events that the log cannot tell stay
/// parked.
pub(crate) async fn mend_parked(
    read_model: &ReadModel,
    log: &LogClient,
    after: i64,
) -> Result<Option<Mended>, VerificationError> {
    let parked = read_model.parked_after(after, &[], PAGE_MAX).await?;
    let Some(last) = parked.last() else {
        return Ok(None);
    };
    let mut mended = Mended {
        after: last.position,
        changes: Vec::new(),
    };
    let products = products(log, &parked).await?;
    let ids = distinct(&products);
    if ids.is_empty() {
        return Ok(Some(mended));
    }
    let forced = force_each(read_model, log, &ids).await?;
    let refused: BTreeSet<ProductId> = forced.unreadable.into_iter().map(|(id, _)| id).collect();
    let settled = |product: &Result<ProductId, String>| match product {
        Ok(id) => !refused.contains(id),
        Err(_) => false,
    };
    let settled_positions: Vec<Position> = parked
        .iter()
        .zip(&products)
        .filter(|(_, product)| settled(product))
        .map(|(event, _)| Position::from_i64(event.position))
        .collect();
    read_model.remove_parked(&settled_positions).await?;
    let at = read_model.checkpoint().await?.position;
    mended.changes = states(log, &ids, at)
        .await?
        .into_iter()
        .filter_map(State::change)
        .filter(|(id, _)| !refused.contains(id))
        .collect();
    Ok(Some(mended))
}

/// The products that are known, each once.
fn distinct(products: &[Result<ProductId, String>]) -> Vec<ProductId> {
    let ids: BTreeSet<&ProductId> = products.iter().flatten().collect();
    ids.into_iter().cloned().collect()
}

/// Asks the log for the products of the events at the same positions; an error says why it cannot
/// tell one.
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
