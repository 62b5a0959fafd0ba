//! Weighted reciprocal rank fusion: ranks are comparable between sources where scores are not.

use std::collections::{BTreeMap, HashSet};

use catalog_events::ProductId;

use super::RankingProfile;
use crate::index::{Hit, KeywordHits};

/// Each source adds `weight / (rank_constant + rank)`. Exact matches of an identifier stay in front:
/// whoever types a part number wants that product, whatever others mean.
pub(super) fn fuse(profile: &RankingProfile, keyword: KeywordHits, vector: Vec<Hit>) -> Vec<Hit> {
    let sources = [
        (profile.keyword_weight, &keyword.hits),
        (profile.vector_weight, &vector),
    ];
    let mut scores = BTreeMap::new();
    for (weight, hits) in sources {
        for (hit, rank) in hits.iter().zip(1_u16..) {
            let score = weight / (profile.rank_constant + f32::from(rank));
            *scores.entry(&hit.product_id).or_insert(0.0) += score;
        }
    }
    let exact = keyword.exact().iter().map(|hit| &hit.product_id);
    let exact: HashSet<&ProductId> = exact.collect();
    let mut fused: Vec<Hit> = scores
        .into_iter()
        .map(|(id, score)| Hit {
            product_id: id.clone(),
            score,
        })
        .collect();
    // Stable, and they come sorted by id.
    fused.sort_by(|a, b| {
        let is_exact = |hit: &Hit| exact.contains(&hit.product_id);
        is_exact(b)
            .cmp(&is_exact(a))
            .then(b.score.total_cmp(&a.score))
    });
    fused
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(ids: &[&str]) -> Vec<Hit> {
        let hit = |id: &&str| Hit {
            product_id: id.parse().expect("id"),
            score: 9.0,
        };
        ids.iter().map(hit).collect()
    }

    fn check(keyword: &[&str], exact: usize, vector: &[&str], expected: &[(&str, f32)]) {
        let keyword = KeywordHits::new(hits(keyword), exact);
        let fused = fuse(&RankingProfile::default(), keyword, hits(vector));
        let fused: Vec<_> = fused
            .iter()
            .map(|hit| (hit.product_id.as_str(), hit.score))
            .collect();
        assert_eq!(fused, expected);
    }

    #[test]
    fn adds_the_weighted_reciprocals_of_the_ranks() {
        check(
            &["a", "b"],
            0,
            &["c", "b"],
            &[
                ("b", 1.0 / 62.0 + 0.5 / 62.0),
                ("a", 1.0 / 61.0),
                ("c", 0.5 / 61.0),
            ],
        );
        check(&[], 0, &["b", "a"], &[("b", 0.5 / 61.0), ("a", 0.5 / 62.0)]);
        check(&[], 0, &[], &[]);
    }

    #[test]
    fn equal_scores_come_by_id() {
        let profile = RankingProfile {
            vector_weight: 1.0,
            ..RankingProfile::default()
        };
        let fused = fuse(
            &profile,
            KeywordHits::new(hits(&["b", "c"]), 0),
            hits(&["a", "d"]),
        );
        let ids: Vec<&str> = fused.iter().map(|hit| hit.product_id.as_str()).collect();
        assert_eq!(ids, ["a", "b", "c", "d"]);
    }

    #[test]
    fn an_exact_identifier_stays_first() {
        check(
            &["x", "a"],
            1,
            &["a"],
            &[("x", 1.0 / 61.0), ("a", 1.0 / 62.0 + 0.5 / 61.0)],
        );
    }
}
