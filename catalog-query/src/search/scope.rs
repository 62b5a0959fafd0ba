//! What a search looks at: one snapshot of the index, and which of its products may be found.

use std::sync::Arc;

use catalog_events::ProductId;

use crate::index::{DocSets, Hit, IndexError, IndexSnapshot};

#[derive(Clone)]
pub(crate) struct Scope {
    pub(super) snapshot: Arc<IndexSnapshot>,
    /// None lets all pass.
    pub(super) filter: Option<Arc<DocSets>>,
    /// False while the index is being built: then the snapshot knows little of the products.
    pub(super) is_built: bool,
}

impl Scope {
    /// Those that the snapshot has and that pass; blocks.
    pub(super) fn retain(&self, mut hits: Vec<Hit>) -> Result<Vec<Hit>, IndexError> {
        let filter = self.filter.as_deref();
        let mut failed = None;
        hits.retain(|hit| match self.snapshot.has(&hit.product_id, filter) {
            Ok(has) => has,
            Err(err) => {
                failed.get_or_insert(err);
                false
            }
        });
        match failed {
            Some(err) => Err(err),
            None => Ok(hits),
        }
    }

    /// How many pass, and how many there are.
    pub(super) fn passing(&self) -> (u64, u64) {
        let all = self.snapshot.documents();
        (self.filter.as_ref().map_or(all, |filter| filter.len()), all)
    }

    /// All that pass; blocks.
    pub(super) fn ids(&self) -> Result<Vec<ProductId>, IndexError> {
        match &self.filter {
            Some(filter) => self.snapshot.ids(filter),
            None => self.snapshot.ids(&self.snapshot.all(None)?),
        }
    }
}
