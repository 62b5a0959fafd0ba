//! Ranks what the legs found: fuses it, applies boosts, and moves pins to their places.

use std::sync::Arc;

use crate::search::error::SearchError;
use crate::search::ranking::fusion::{Legs, fuse};
use crate::search::ranking::ranked_hit::RankedHit;
use crate::search::request::prepare::PreparedQuery;
use crate::search::rules::curation::curated::Boosts;
use crate::search::strategy::executor::SearchExecutor;
use crate::search::strategy::search_strategy::StrategyRequest;

/// The hits of all legs in one order, best first.
pub(crate) async fn rank(
    executor: &SearchExecutor,
    request: &StrategyRequest,
    prepared: &PreparedQuery,
    legs: Legs<'_>,
) -> Result<Vec<RankedHit>, SearchError> {
    let boosts = if prepared.curated.has_boosts() {
        let (curated, ids) = (Arc::clone(&prepared.curated), legs.ids());
        let snapshot = Arc::clone(&prepared.scope.snapshot);
        executor
            .run(move |_| curated.boosts(&snapshot, &ids))
            .await?
    } else {
        Boosts::default()
    };
    let hits = fuse(&request.profile, legs, &request.popularity, &boosts);
    Ok(prepared.curated.placed(hits))
}
