//! Weighted reciprocal rank fusion: ranks are comparable between sources where scores are not.

use std::collections::{BTreeMap, BTreeSet};

use catalog_events::ProductId;

use crate::index::{Hit, KeywordHits, Popularity};
use crate::search::ranking::profile::RankingProfile;
use crate::search::ranking::ranked_hit::{LegRank, RankedHit, TIER_OTHERS};
use crate::search::rules::curation::curated::{Boost, Boosts};

/// What the sources found; None for one that was not asked or did not answer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Legs<'a> {
    pub(crate) keyword: Option<&'a KeywordHits>,
    pub(crate) vector: Option<&'a [Hit]>,
    /// How many of the products have a vector, from 0 to 1: one that has must not win only because
    /// others have none yet.
    pub(crate) coverage: f64,
}

impl Legs<'_> {
    /// Of all that were found, each once.
    pub(crate) fn ids(&self) -> Vec<ProductId> {
        let keyword = self.keyword.map_or(&[][..], |found| &found.hits);
        let keyword = keyword.iter().map(|hit| &hit.product_id);
        let vector = self.vector.unwrap_or_default().iter();
        let ids: BTreeSet<&ProductId> = keyword.chain(vector.map(|hit| &hit.product_id)).collect();
        ids.into_iter().cloned().collect()
    }
}

/// Exact matches of an identifier stay in front: whoever types a part number wants that product,
/// whatever others mean.
pub(crate) fn fuse(
    profile: &RankingProfile,
    legs: Legs<'_>,
    views: &Popularity,
    boosts: &Boosts,
) -> Vec<RankedHit> {
    let rank = |rank: usize, score: f32, weight: f64| LegRank {
        rank,
        score,
        weight,
        contribution: weight / (profile.rank_constant + rank as f64),
    };
    let mut found: BTreeMap<&ProductId, RankedHit> = BTreeMap::new();
    for (hit, at) in legs
        .keyword
        .map_or(&[][..], |found| &found.hits)
        .iter()
        .zip(1..)
    {
        let ranked = entry(&mut found, &hit.product_id);
        ranked.keyword = Some(rank(at, hit.score, profile.keyword_weight));
        ranked.tier = match legs.vector {
            Some(_) => hit.tier.min(TIER_OTHERS),
            None => hit.tier,
        };
    }
    for (hit, at) in legs.vector.unwrap_or_default().iter().zip(1..) {
        let ranked = entry(&mut found, &hit.product_id);
        ranked.vector = Some(rank(at, hit.score, profile.vector_weight * legs.coverage));
    }
    let mut ranked: Vec<RankedHit> = found.into_values().collect();
    for hit in &mut ranked {
        let legs = [hit.keyword, hit.vector].into_iter().flatten();
        let sum: f64 = legs.map(|leg| leg.contribution).sum();
        hit.popularity = 1.0 + profile.popularity * views.share(&hit.product_id);
        if let Some(Boost { factor, rules }) = boosts.get(&hit.product_id) {
            hit.boost = *factor;
            hit.rules.clone_from(rules);
        }
        hit.score = sum * hit.popularity * hit.boost;
    }
    // Stable, and they come sorted by id.
    ranked.sort_by(|a, b| a.tier.cmp(&b.tier).then(b.score.total_cmp(&a.score)));
    ranked
}

fn entry<'a, 'b>(
    found: &'b mut BTreeMap<&'a ProductId, RankedHit>,
    id: &'a ProductId,
) -> &'b mut RankedHit {
    found.entry(id).or_insert_with(|| RankedHit::new(id))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::index::KeywordHit;

    fn id(text: &str) -> ProductId {
        text.parse().expect("id")
    }

    fn by_words(ids: &[(&str, u8)]) -> KeywordHits {
        let hit = |(id, tier): &(&str, u8)| KeywordHit {
            product_id: self::id(id),
            score: 9.0,
            tier: *tier,
        };
        KeywordHits {
            hits: ids.iter().map(hit).collect(),
            total: ids.len() as u64,
            ..KeywordHits::default()
        }
    }

    fn by_meaning(ids: &[&str]) -> Vec<Hit> {
        let hit = |id: &&str| Hit {
            product_id: self::id(id),
            score: 0.5,
        };
        ids.iter().map(hit).collect()
    }

    fn check(keyword: &[(&str, u8)], vector: &[&str], coverage: f64, expected: &[(&str, f64)]) {
        let (keyword, vector) = (by_words(keyword), by_meaning(vector));
        let legs = Legs {
            keyword: Some(&keyword),
            vector: Some(&vector),
            coverage,
        };
        let fused = fuse(
            &RankingProfile::default(),
            legs,
            &Popularity::default(),
            &Boosts::default(),
        );
        let fused: Vec<_> = fused
            .iter()
            .map(|hit| (hit.product_id.as_str(), hit.score))
            .collect();
        assert_eq!(fused, expected);
    }

    #[test]
    fn adds_the_weighted_reciprocals_of_the_ranks() {
        check(
            &[("a", 2), ("b", 3)],
            &["c", "b"],
            1.0,
            &[
                ("b", 1.0 / 62.0 + 0.4 / 62.0),
                ("a", 1.0 / 61.0),
                ("c", 0.4 / 61.0),
            ],
        );
        check(
            &[],
            &["b", "a"],
            1.0,
            &[("b", 0.4 / 61.0), ("a", 0.4 / 62.0)],
        );
        check(&[], &[], 1.0, &[]);
    }

    #[test]
    fn vectors_weigh_as_much_as_there_are() {
        check(
            &[("a", 2), ("b", 2)],
            &["b"],
            0.01,
            &[("a", 1.0 / 61.0), ("b", 1.0 / 62.0 + 0.4 * 0.01 / 61.0)],
        );
    }

    #[test]
    fn an_exact_identifier_stays_first() {
        check(
            &[("x", 0), ("y", 1), ("a", 2)],
            &["a"],
            1.0,
            &[
                ("x", 1.0 / 61.0),
                ("y", 1.0 / 62.0),
                ("a", 1.0 / 63.0 + 0.4 / 61.0),
            ],
        );
    }

    #[test]
    fn views_count_a_little_and_never_across_tiers() {
        let profile = RankingProfile {
            popularity: 0.05,
            ..RankingProfile::default()
        };
        let keyword = by_words(&[("a", 2), ("b", 2), ("c", 3)]);
        let legs = Legs {
            keyword: Some(&keyword),
            ..Legs::default()
        };
        let views = HashMap::from([(id("b"), 100), (id("c"), 1_000_000)]);
        let order = |views: &Popularity| {
            let fused = fuse(&profile, legs, views, &Boosts::default());
            fused
                .iter()
                .map(|hit| hit.product_id.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(order(&Popularity::new(views)), ["b", "a", "c"]);
        assert_eq!(order(&Popularity::default()), ["a", "b", "c"]);
    }

    #[test]
    fn few_hits_decide_which_are_the_first() {
        let ids: Vec<String> = (0..200).map(|at| format!("p{at}")).collect();
        let hits = ids.iter().zip(0..);
        let hits: Vec<(&str, u8)> = hits
            .map(|(id, at)| (id.as_str(), 2 + u8::from(at > 30)))
            .collect();
        let views = ids.iter().zip(0..);
        let views = views.map(|(id, at)| (self::id(id), at * 7_919 % 1_000));
        let views = Popularity::new(views.collect());
        for popularity in [0.0, 0.02, 0.3, 1.0] {
            let profile = RankingProfile {
                popularity,
                ..RankingProfile::default()
            };
            for limit in [1, 7, 20] {
                let first = |hits: &[(&str, u8)]| {
                    let legs = Legs {
                        keyword: Some(&by_words(hits)),
                        ..Legs::default()
                    };
                    let mut hits = fuse(&profile, legs, &views, &Boosts::default());
                    hits.truncate(limit);
                    hits
                };
                let few = profile.hits_that_decide(limit).min(hits.len());
                assert_eq!(first(&hits[..few]), first(&hits), "{popularity} {limit}");
            }
        }
    }
}
