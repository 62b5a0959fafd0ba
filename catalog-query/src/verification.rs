//! Proves that the projections hold what the log says, and mends what does not: reads every row,
//! vector and index entry, recomputes their digests, and sets products to what the log says of them.

mod checked;
mod error;
mod place;
mod rows;
mod read_model;
mod keyword_index;
mod vectors;
mod listing;
mod states;
mod repair;
mod forced;
mod parked;

use std::sync::Arc;

use self::checked::tell;
pub(crate) use self::checked::{CheckStep, CheckSteps, Checked, Fault, Projection};
pub(crate) use self::error::VerificationError;
pub(crate) use self::listing::{Buckets, ListedProduct, ListedProducts};
pub(crate) use self::parked::mend_parked;
pub(crate) use self::place::Place;
use crate::events::LogClient;
use crate::index::LiveIndex;
use crate::projectors::Progress;
use crate::read_model::{
    CachedProductRepository, LiveReadModel, PostgresProductRepository, VectorMemory,
};

/// Checks and repairs the projections of this replica.
pub(crate) struct Verifier {
    pub(crate) live: LiveReadModel,
    pub(crate) index: Arc<LiveIndex>,
    pub(crate) vectors: Arc<VectorMemory>,
    pub(crate) repository: Arc<CachedProductRepository<PostgresProductRepository>>,
    /// None where its address is not known: then nothing can be mended.
    pub(crate) log: Option<LogClient>,
    pub(crate) progress: Progress,
    pub(crate) place: Place,
}

impl Verifier {
    /// Checks all projections. Fails early when nobody reads the `steps` any more.
    pub(crate) async fn check(&self, steps: &CheckSteps) -> Result<(), VerificationError> {
        let live = self.live.load_full();
        let (read_model, mut embeddings) = read_model::check(&live, steps).await?;
        vectors::check(&self.vectors, &live, &mut embeddings.faults).await?;
        let index = keyword_index::check(&self.index, steps).await?;
        for (projection, checked) in [
            (Projection::ReadModel, read_model),
            (Projection::KeywordIndex, index),
            (Projection::Embeddings, embeddings),
        ] {
            let step = CheckStep::Checked {
                projection,
                checked: Box::new(checked),
            };
            tell(steps, step).await?;
        }
        Ok(())
    }
}
