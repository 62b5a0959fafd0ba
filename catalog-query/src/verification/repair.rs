//! Sets products to what the log says of them: in the documents and the embeddings, which all
//! replicas share, and in the keyword index of this one.

use std::collections::{BTreeMap, BTreeSet};

use catalog_events::{BucketedDigest, ContentHash, Product, ProductId, Version};

use super::forced::{Forced, force, remove};
use super::states::{State, states};
use super::{VerificationError, Verifier};
use crate::index::KeywordIndex;
use crate::log_client::LogClient;
use crate::read_model::is_refused;

/// Events that are applied between a question to the log and the repair make it begin again.
const INDEX_TRIES_MAX: usize = 50;

/// What the index must hold of a product; none is nothing.
type Change = (ProductId, Option<(Version, Product)>);

impl Verifier {
    /// How many products were changed in any projection. Sums the running digest anew also when no
    /// product is named. What has no id of a product is removed.
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

    pub(super) async fn set_to_log(&self, ids: &[ProductId]) -> Result<Forced, VerificationError> {
        let log = self.log.as_ref().ok_or(VerificationError::NoLog)?;
        let mut forced = self.documents(log, ids).await?;
        self.repository.forget(ids).await;
        let indexed = self.index(log, ids).await?;
        let indexed = indexed.iter().map(ToString::to_string);
        forced.changed.extend(indexed);
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

    /// A product whose content Postgres refuses must not keep the others from being repaired.
    async fn documents(
        &self,
        log: &LogClient,
        ids: &[ProductId],
    ) -> Result<Forced, VerificationError> {
        let live = self.live.load_full();
        let mut all = Forced::default();
        let mut parts = vec![ids];
        while let Some(part) = parts.pop() {
            match force(&live, log, part).await {
                Ok(mut forced) => {
                    all.changed.append(&mut forced.changed);
                    all.unreadable.append(&mut forced.unreadable);
                }
                Err(VerificationError::Database(err)) if is_refused(&err) => match part {
                    [] => return Err(err.into()),
                    [id] => {
                        let error = format!("the read model refuses it: {err}");
                        all.unreadable.push((id.clone(), error));
                    }
                    _ => {
                        let (first, second) = part.split_at(part.len() / 2);
                        parts.extend([second, first]);
                    }
                },
                Err(err) => return Err(err),
            }
        }
        Ok(all)
    }

    /// The products that were not as the log says at the position of the index.
    async fn index(
        &self,
        log: &LogClient,
        ids: &[ProductId],
    ) -> Result<BTreeSet<ProductId>, VerificationError> {
        for _ in 0..INDEX_TRIES_MAX {
            let (epoch, at) = self.index.resume();
            let index = self.index.current().load_full();
            let wanted = states(log, ids, at).await?;
            let live = self.index.clone();
            let repaired = tokio::task::spawn_blocking(move || {
                let changes = index_changes(&index, wanted)?;
                let repaired = changes.is_empty() || live.repair(epoch, at, &changes)?;
                let changed = changes.into_iter().map(|(id, _)| id);
                Ok::<_, VerificationError>(repaired.then(|| changed.collect()))
            });
            if let Some(changed) = repaired.await?? {
                return Ok(changed);
            }
        }
        Err(VerificationError::Busy)
    }
}

/// What differs from the log.
fn index_changes(
    index: &KeywordIndex,
    wanted: BTreeMap<ProductId, State>,
) -> Result<Vec<Change>, VerificationError> {
    let mut held: BTreeMap<ProductId, Vec<ContentHash>> = BTreeMap::new();
    let buckets: Vec<usize> = (0..BucketedDigest::BUCKETS).collect();
    for (id, hash) in index.snapshot().list(&buckets)? {
        if wanted.contains_key(&id) {
            held.entry(id).or_default().push(hash);
        }
    }
    let mut changes = Vec::new();
    for (id, state) in wanted {
        let product = match state {
            State::Event(event) => event.product.map(|product| (event.version, product)),
            State::Absent => None,
            State::Unreadable(_) => continue,
        };
        let hash = product
            .as_ref()
            .map(|(version, product)| ContentHash::of(&id, *version, product));
        let held = held.get(&id).map_or(&[][..], Vec::as_slice);
        if held != hash.as_slice() {
            changes.push((id, product));
        }
    }
    Ok(changes)
}
