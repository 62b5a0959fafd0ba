//! Sets products to what the log says of them: in the documents and the embeddings, which all
//! replicas share, and in the keyword index of this one.

use std::collections::BTreeMap;

use catalog_events::{ContentHash, ProductId};
use tokio::runtime::Handle;

use crate::events::LogClient;
use crate::index::{Change, IndexSnapshot};
use crate::verification::Verifier;
use crate::verification::error::VerificationError;
use crate::verification::forced::{Forced, force_each, remove};
use crate::verification::states::{State, states};
use crate::verification::vectors;

impl Verifier {
    /// Repairs products; returns how many were changed in any projection. Sums the running digest anew
    /// even when no product is named. Removes rows whose id is no product id.
    pub(crate) async fn repair(&self, ids: &[String]) -> Result<usize, VerificationError> {
        let known = |id: &&String| id.parse::<ProductId>().is_ok();
        let (known, foreign): (Vec<&String>, Vec<&String>) = ids.iter().partition(known);
        let ids: Vec<ProductId> = known.iter().filter_map(|id| id.parse().ok()).collect();
        let repaired = self.set_to_log(&ids).await?.changed.len();
        if foreign.is_empty() {
            return Ok(repaired);
        }
        let foreign: Vec<String> = foreign.into_iter().cloned().collect();
        let removed = remove(&self.live.load_full(), &foreign).await?;
        Ok(repaired + removed.len())
    }

    /// Sets products to what the log says, in all projections.
    pub(crate) async fn set_to_log(&self, ids: &[ProductId]) -> Result<Forced, VerificationError> {
        let log = self.log.as_ref().ok_or(VerificationError::NoLog)?;
        let mut forced = force_each(&self.live.load_full(), log, ids).await?;
        self.repository.forget(ids).await;
        let reread = self.read_vectors_again(ids).await?;
        forced
            .changed
            .extend(reread.iter().map(ToString::to_string));
        let indexed = self.index(log, ids).await?;
        forced
            .changed
            .extend(indexed.iter().map(ToString::to_string));
        for (id, error) in &forced.unreadable {
            tracing::warn!(product = id.as_str(), "cannot be repaired: {error}");
        }
        for id in &forced.changed {
            tracing::warn!(product = id, "set to what the log says");
        }
        let parked = self.live.load_full().parked_count().await?;
        self.progress.parked_events.set(parked);
        Ok(forced)
    }

    /// Sets the vectors in memory to those of the read model; returns the products of which it was another.
    async fn read_vectors_again(
        &self,
        ids: &[ProductId],
    ) -> Result<Vec<ProductId>, VerificationError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut differing = vectors::differing(&self.vectors, &self.live.load_full()).await?;
        differing.retain(|id| ids.contains(id));
        self.vectors.read_again(ids).await;
        Ok(differing)
    }

    /// Repairs the index; returns the products that were not as the log says. The position of the index
    /// does not move while the log is asked.
    async fn index(
        &self,
        log: &LogClient,
        ids: &[ProductId],
    ) -> Result<Vec<ProductId>, VerificationError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let (index, log, ids) = (self.index.clone(), log.clone(), ids.to_vec());
        let runtime = Handle::current();
        let repaired = tokio::task::spawn_blocking(move || {
            index.repair(|held| {
                let wanted = runtime.block_on(states(&log, &ids, held.position()))?;
                index_changes(held, wanted)
            })
        });
        repaired.await?
    }
}

/// The changes to what differs from the log.
fn index_changes(
    held: &IndexSnapshot,
    wanted: BTreeMap<ProductId, State>,
) -> Result<Vec<Change>, VerificationError> {
    let mut changes = Vec::new();
    for (id, product) in wanted.into_iter().filter_map(State::change) {
        let hash = product
            .as_ref()
            .map(|(version, product)| ContentHash::of(&id, *version, product));
        if held.hashes_of(&id)? != hash.as_slice() {
            changes.push((id, product));
        }
    }
    Ok(changes)
}
