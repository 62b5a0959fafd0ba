//! Fuses the hits of the legs by weighted reciprocal ranks: ranks can be compared between legs
//! where scores cannot.

use std::collections::{BTreeSet, HashMap, HashSet};

use catalog_events::ProductId;

use crate::index::{Hit, KeywordHits, Popularity, TIER_PARTLY};
use crate::search::ranking::meant_kind::MeantKind;
use crate::search::ranking::profile::RankingProfile;
use crate::search::ranking::ranked_hit::{LegRank, RankedHit, TIER_OTHERS};
use crate::search::rules::curation::curated::{Boost, Boosts};

/// How many hits by words on either side of one without a vector tell what it would get.
const NEIGHBORS: usize = 20;

/// What the legs found; None for a leg that was not asked or did not answer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Legs<'a> {
    pub(crate) keyword: Option<&'a KeywordHits>,
    /// Each hit by meaning with its rank among all of them, from 1: some of those before it may not
    /// match.
    pub(crate) vector: Option<&'a [(usize, Hit)]>,
    /// The share of the products that have a vector, from 0 to 1. It scales the leg by meaning, so
    /// that no product wins only because others have no vector yet.
    pub(crate) coverage: f64,
    /// The hits by words that have no vector yet.
    pub(crate) without_vector: Option<&'a HashSet<ProductId>>,
    /// Whether the query names the first hit by words.
    pub(crate) names_first: bool,
    /// The kind of product that the query means, where it is known.
    pub(crate) kind: Option<&'a MeantKind>,
}

impl Legs<'_> {
    /// The weight of the leg by meaning if all products had a vector.
    pub(crate) fn vector_weight(&self, profile: &RankingProfile) -> f64 {
        if self.kind.is_some_and(|kind| kind.has_other_name) {
            profile.meant_kind.other_name.vector_weight
        } else {
            profile.vector_weight
        }
    }

    /// The ids of all products that were found, each once.
    pub(crate) fn ids(&self) -> Vec<ProductId> {
        let by_words = self.keyword.iter().flat_map(|found| &found.hits);
        let by_meaning = self.vector.into_iter().flatten();
        let ids: BTreeSet<&ProductId> = by_words
            .map(|hit| &hit.product_id)
            .chain(by_meaning.map(|(_, hit)| &hit.product_id))
            .collect();
        ids.into_iter().cloned().collect()
    }
}

/// The hits of all legs in one order, by tier, score and id. Exact matches of an identifier stay in
/// front: somebody who types a part number wants that product, however near others are.
pub(crate) fn fuse(
    profile: &RankingProfile,
    legs: Legs<'_>,
    views: &Popularity,
    boosts: &Boosts,
) -> Vec<RankedHit> {
    let mut hits = ranked_by_legs(profile, legs);
    for hit in &mut hits {
        let ranks = [hit.keyword, hit.vector].into_iter().flatten();
        let sum: f64 = ranks.map(|leg| leg.contribution).sum();
        if let Some(kind) = legs.kind {
            hit.kind = kind.factor(&hit.product_id, legs.coverage);
        }
        hit.popularity = 1.0 + profile.popularity * views.share(&hit.product_id);
        if let Some(Boost { factor, rules }) = boosts.get(&hit.product_id) {
            hit.boost = *factor;
            hit.rules.clone_from(rules);
        }
        hit.score = sum * hit.kind * hit.popularity * hit.boost;
    }
    hits.sort_unstable_by(|a, b| {
        let first = a.tier.cmp(&b.tier).then(b.score.total_cmp(&a.score));
        first.then_with(|| a.product_id.cmp(&b.product_id))
    });
    hits
}

/// The hits of all legs with their ranks, in no order and without scores.
fn ranked_by_legs(profile: &RankingProfile, legs: Legs<'_>) -> Vec<RankedHit> {
    let rank = |rank: usize, score: f32, weight: f64, coverage: f64| LegRank {
        rank,
        score,
        weight,
        contribution: weight / (profile.rank_constant + rank as f64 / coverage),
    };
    let mut found: HashMap<&ProductId, RankedHit> = HashMap::new();
    for (hit, at) in legs.keyword.iter().flat_map(|found| &found.hits).zip(1..) {
        let ranked = entry(&mut found, &hit.product_id);
        let weight = if at == 1 && legs.names_first {
            profile.named_weight
        } else if hit.tier == TIER_PARTLY && legs.vector.is_some() {
            profile.keyword_weight * profile.partial_share
        } else {
            profile.keyword_weight
        };
        ranked.keyword = Some(rank(at, hit.score, weight, 1.0));
        ranked.tier = match legs.vector {
            Some(_) => hit.tier.min(TIER_OTHERS),
            None => hit.tier,
        };
    }
    // Among few vectors the first is not as near as among many. Its rank is what it would be among
    // all products, and it weighs less.
    let weight = legs.vector_weight(profile) * legs.coverage.powi(2);
    for (at, hit) in legs.vector.into_iter().flatten() {
        let ranked = entry(&mut found, &hit.product_id);
        ranked.vector = Some(rank(*at, hit.score, weight, legs.coverage));
    }
    add_expected(&mut found, legs, weight);
    found.into_values().collect()
}

/// Gives each hit by words that has no vector yet what the hits around it get from the leg by
/// meaning, so that it neither gains nor loses.
fn add_expected<'a>(found: &mut HashMap<&'a ProductId, RankedHit>, legs: Legs<'a>, weight: f64) {
    let (Some(without), Some(by_words)) = (legs.without_vector, legs.keyword) else {
        return;
    };
    let hits = &by_words.hits;
    let known: Vec<Option<f64>> = hits
        .iter()
        .map(|hit| {
            let has_vector = !without.contains(&hit.product_id);
            let leg = found.get(&hit.product_id).and_then(|ranked| ranked.vector);
            has_vector.then_some(leg.map_or(0.0, |leg| leg.contribution))
        })
        .collect();
    for (at, hit) in hits.iter().enumerate() {
        if known[at].is_some() {
            continue;
        }
        let around = at.saturating_sub(NEIGHBORS)..hits.len().min(at + NEIGHBORS + 1);
        let contributions: Vec<f64> = known[around].iter().flatten().copied().collect();
        let ranked = entry(found, &hit.product_id);
        // An old vector of a product whose text has changed still counts.
        if ranked.vector.is_none() && !contributions.is_empty() {
            ranked.vector = Some(LegRank {
                rank: 0,
                score: 0.0,
                weight,
                contribution: contributions.iter().sum::<f64>() / contributions.len() as f64,
            });
        }
    }
}

fn entry<'a, 'b>(
    found: &'b mut HashMap<&'a ProductId, RankedHit>,
    id: &'a ProductId,
) -> &'b mut RankedHit {
    found.entry(id).or_insert_with(|| RankedHit::new(id))
}

#[cfg(test)]
mod tests {
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

    fn by_meaning(ids: &[&str]) -> Vec<(usize, Hit)> {
        let hit = |id: &&str| Hit {
            product_id: self::id(id),
            score: 0.5,
        };
        (1..).zip(ids.iter().map(hit)).collect()
    }

    fn check(keyword: &[(&str, u8)], vector: &[&str], coverage: f64, expected: &[(&str, f64)]) {
        let (keyword, vector) = (by_words(keyword), by_meaning(vector));
        let legs = Legs {
            keyword: Some(&keyword),
            vector: Some(&vector),
            coverage,
            ..Legs::default()
        };
        let profile = RankingProfile {
            vector_weight: 0.3,
            partial_share: 0.6,
            ..RankingProfile::default()
        };
        let fused = fuse(&profile, legs, &Popularity::default(), &Boosts::default());
        let order: Vec<_> = fused
            .iter()
            .map(|hit| (hit.product_id.as_str(), hit.score))
            .collect();
        assert_eq!(order, expected);
    }

    #[test]
    fn adds_the_weighted_reciprocals_of_the_ranks() {
        check(
            &[("a", 2), ("b", 2)],
            &["c", "b"],
            1.0,
            &[
                ("b", 1.0 / 62.0 + 0.3 / 62.0),
                ("a", 1.0 / 61.0),
                ("c", 0.3 / 61.0),
            ],
        );
        check(
            &[("a", 2), ("b", 3)],
            &["c", "b"],
            1.0,
            &[
                ("a", 1.0 / 61.0),
                ("b", 0.6 / 62.0 + 0.3 / 62.0),
                ("c", 0.3 / 61.0),
            ],
        );
        check(
            &[],
            &["b", "a"],
            1.0,
            &[("b", 0.3 / 61.0), ("a", 0.3 / 62.0)],
        );
        check(&[], &[], 1.0, &[]);
    }

    #[test]
    fn vectors_weigh_as_much_as_there_are() {
        let weight = 0.3 * 0.5 * 0.5;
        check(
            &[("a", 2), ("b", 2)],
            &["b"],
            0.5,
            &[
                ("b", 1.0 / 62.0 + weight / (60.0 + 1.0 / 0.5)),
                ("a", 1.0 / 61.0),
            ],
        );
        check(
            &[("a", 2), ("b", 2)],
            &["b"],
            0.0,
            &[("a", 1.0 / 61.0), ("b", 1.0 / 62.0)],
        );
    }

    #[test]
    fn a_product_without_a_vector_neither_gains_nor_loses() {
        let keyword = by_words(&[("a", 2), ("b", 2), ("c", 2)]);
        let vector = by_meaning(&["c", "b"]);
        let without = HashSet::from([id("a")]);
        let fused = |without_vector| {
            let legs = Legs {
                keyword: Some(&keyword),
                vector: Some(&vector),
                coverage: 2.0 / 3.0,
                without_vector,
                ..Legs::default()
            };
            let profile = RankingProfile::default();
            fuse(&profile, legs, &Popularity::default(), &Boosts::default())
        };
        let ids = |hits: &[RankedHit]| -> Vec<String> {
            let ids = hits.iter().map(|hit| hit.product_id.to_string());
            ids.collect()
        };
        let known = fused(None);
        assert_eq!(ids(&known), ["b", "c", "a"], "as if a were far away");
        let expected = fused(Some(&without));
        assert_eq!(ids(&expected), ["a", "b", "c"]);
        let part = |hit: &RankedHit| hit.vector.map(|leg| leg.contribution);
        let (b, c) = (part(&expected[1]), part(&expected[2]));
        let mean = b.zip(c).map(|(b, c)| (b + c) / 2.0);
        assert_eq!(part(&expected[0]), mean);
        assert_eq!(expected[0].vector.map(|leg| leg.rank), Some(0));
    }

    #[test]
    fn a_product_that_the_query_names_stays_first() {
        let keyword = by_words(&[("a", 2), ("b", 2)]);
        let vector = by_meaning(&["b", "c"]);
        let first = |names_first| {
            let legs = Legs {
                keyword: Some(&keyword),
                vector: Some(&vector),
                coverage: 1.0,
                names_first,
                ..Legs::default()
            };
            let profile = RankingProfile::default();
            let fused = fuse(&profile, legs, &Popularity::default(), &Boosts::default());
            fused[0].product_id.to_string()
        };
        assert_eq!(
            (first(false), first(true)),
            ("b".to_owned(), "a".to_owned())
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
                ("a", 1.0 / 63.0 + 0.3 / 61.0),
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
        let hits: Vec<(&str, u8)> = ids
            .iter()
            .zip(0..)
            .map(|(id, at)| (id.as_str(), 2 + u8::from(at > 30)))
            .collect();
        let numbered = ids.iter().zip(0..);
        let counts = numbered.map(|(id, at)| (self::id(id), at * 7_919 % 1_000));
        let views = Popularity::new(counts.collect());
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
