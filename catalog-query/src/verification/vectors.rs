//! Checks the vectors in the memory of this replica against those of the read model.

use std::collections::HashSet;

use catalog_events::ProductId;

use crate::read_model::{ReadModel, VectorMemory};
use crate::verification::checked::Faults;
use crate::verification::error::VerificationError;

/// Adds every vector that is another one in memory than in the database. Nothing where searches ask the
/// database itself.
pub(crate) async fn check(
    memory: &VectorMemory,
    live: &ReadModel,
    faults: &mut Faults,
) -> Result<(), VerificationError> {
    for id in differing(memory, live).await? {
        let problem = "the vector in the memory of this replica is not the one of the read model";
        faults.add(Some(id.as_str()), problem);
    }
    Ok(())
}

/// The products whose vector differs, and not because it was just changed.
pub(crate) async fn differing(
    memory: &VectorMemory,
    live: &ReadModel,
) -> Result<Vec<ProductId>, VerificationError> {
    if !memory.has_all_of(live.generation) {
        return Ok(Vec::new());
    }
    let suspects = memory.differing(live).await?;
    if suspects.is_empty() {
        return Ok(suspects);
    }
    // What is merely late is there in a moment.
    memory.follow_up().await;
    let suspects: HashSet<ProductId> = suspects.into_iter().collect();
    let mut still = memory.differing(live).await?;
    still.retain(|id| suspects.contains(id));
    still.sort();
    Ok(still)
}
