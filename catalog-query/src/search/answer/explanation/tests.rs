//! Computes the order of answers again from their explanations, and checks the reasons of absences.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use catalog_events::Product;
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::index::tests::support::{index_of, printers_and_cables, product};
use crate::index::{KIND, MatchMode, Popularity};
use crate::read_model::Coverage;
use crate::search::engine::{SearchEngine, SearchPage};
use crate::search::ranking::profile::RankingProfiles;
use crate::search::ranking::ranked_hit::LegRank;
use crate::search::request::search_request::{Presentation, SearchRequest, Sort};
use crate::search::rules::curation::tests::{curation, rule_set};
use crate::search::rules::rule_set::RulesHandle;
use crate::search::strategy::factory::SearchStrategyFactory;
use crate::search::strategy::kind::StrategyKind;
use crate::search::tests::strategies::{Model, TestEmbedder, TestVectors};
use crate::usage::PopularityBoard;

const WORDS: [&str; 8] = [
    "usb", "hub", "cable", "mouse", "monitor", "power", "bank", "case",
];

struct Setup {
    engine: SearchEngine,
    rules: RulesHandle,
    _folder: TempDir,
}

/// Sixty products of which every seventh is near to a query; their titles have most pairs of
/// [`WORDS`].
fn setup() -> Setup {
    let products: Vec<Product> = (0..60_usize)
        .map(|number| {
            let word = |at: usize| WORDS[(number * at + number / 8) % WORDS.len()];
            Product {
                sku: Some(format!("SKU-{number:04}")),
                description: format!("{} {}", word(5), word(7)),
                ..product(
                    &format!("p{number:02}"),
                    &format!("{} {}", word(1), word(3)),
                )
            }
        })
        .collect();
    setup_of(&products)
}

fn setup_of(products: &[Product]) -> Setup {
    let every_seventh = products.iter().step_by(7);
    let near: Vec<ProductId> = every_seventh.map(|product| product.id.clone()).collect();
    let every_third = products.iter().step_by(3).zip(1..);
    let views: HashMap<ProductId, u64> = every_third
        .map(|(product, views)| (product.id.clone(), views * views))
        .collect();
    let (folder, index) = index_of(products);
    let embedder = TestEmbedder {
        model: Model::Answers,
        asked: Arc::default(),
        meanwhile: Arc::default(),
    };
    let coverage = Coverage::new(products.len() as u64 * 3 / 4);
    let rules = RulesHandle::default();
    let strategies = SearchStrategyFactory::new(
        Arc::new(ArcSwap::from_pointee(index)),
        rules.clone(),
        Some(Arc::new(embedder)),
        Arc::new(TestVectors(near)),
        coverage,
    );
    let board = PopularityBoard::default();
    board.show(Popularity::new(views));
    let profile = RankingProfile {
        popularity: 0.3,
        ..RankingProfile::default()
    };
    Setup {
        engine: SearchEngine::new(strategies, RankingProfiles::only(profile), board),
        rules,
        _folder: folder,
    }
}

impl Setup {
    async fn search(
        &self,
        query: &str,
        strategy: StrategyKind,
        why_not: Option<&str>,
    ) -> SearchPage {
        let request = SearchRequest {
            query: query.to_owned(),
            limit: 10,
            strategy,
            filter: None,
            facets: Vec::new(),
            presentation: Presentation::default(),
            sort: Sort::Relevance,
            page_token: String::new(),
            profile: String::new(),
            match_mode: MatchMode::Any,
            is_open: false,
            verbatim: false,
            drafts: Vec::new(),
            budget: Duration::from_secs(60),
            explain: true,
            why_not: why_not.map(|id| id.parse().expect("id")),
            identity: Vec::new(),
        };
        self.engine.search(request).await.expect("search")
    }
}

/// The score of a hit, computed as the contract says.
fn computed(hit: &RankedHit, weights: &HashMap<String, f64>) -> f64 {
    let leg = |rank: Option<LegRank>, weight: f64, coverage: f64| {
        rank.map_or(0.0, |leg| {
            assert_eq!(leg.weight, weight);
            // What stands for a vector that is missing is told, and cannot be computed.
            if leg.rank > 0 {
                let rank = leg.rank as f64 / coverage;
                let contribution = weight / (weights["rank_constant"] + rank);
                assert_eq!(leg.contribution, contribution);
            }
            leg.contribution
        })
    };
    let partial = weights["keyword"] * weights["partial"];
    let is_named = |leg: LegRank| leg.rank == 1 && leg.weight == weights["named"];
    let keyword = match hit.keyword {
        Some(leg) if is_named(leg) => weights["named"],
        Some(leg) if leg.weight == partial => partial,
        _ => weights["keyword"],
    };
    let coverage = weights["vector_coverage"];
    let by_words = leg(hit.keyword, keyword, 1.0);
    let by_meaning = leg(hit.vector, weights["vector"] * coverage.powi(2), coverage);
    (by_words + by_meaning) * hit.kind * hit.popularity * hit.boost
}

/// Follows curations of one word each, which boost, bury and pin.
fn follow_rules(setup: &Setup) {
    let rules = [
        (
            "r1",
            "usb",
            json!([{"action": "boost", "target": {"product_ids": ["p21", "p10"]}, "factor": 1.5}]),
        ),
        (
            "r2",
            "hub",
            json!([
                {"action": "bury", "target": {"product_ids": ["p21", "p14", "p03"]}, "factor": 20},
                {"action": "pin", "product_id": "p55", "position": 3},
            ]),
        ),
        (
            "r3",
            "cable",
            json!([
                {"action": "pin", "product_id": "p55", "position": 2},
                {"action": "pin", "product_id": "p11", "position": 2},
                {"action": "pin", "product_id": "p21", "position": 9},
            ]),
        ),
    ];
    let curations = rules.map(|(id, query, actions)| {
        let matching = "contains";
        curation(
            id,
            json!({"queries": [query], "matching": matching, "actions": actions}),
        )
    });
    setup.rules.store(Arc::new(rule_set(&curations)));
}

#[tokio::test]
async fn the_order_can_be_computed_from_the_explanation() {
    let setup = setup();
    let before = compare_orders(&setup).await;
    assert_eq!((before.pinned, before.weighed), (0, 0));
    assert!(
        before.of_other_kinds > 100 && before.without_vector > 100,
        "{before:?}"
    );
    follow_rules(&setup);
    let after = compare_orders(&setup).await;
    let has_all = after.hits > 1_000 && after.pinned > 100 && after.weighed > 50;
    assert!(has_all, "{after:?}");
}

/// How many hits were compared, and what moved them.
#[derive(Debug, Default)]
struct Compared {
    hits: usize,
    pinned: usize,
    /// The hits that were boosted or buried.
    weighed: usize,
    of_other_kinds: usize,
    without_vector: usize,
}

/// Compares orders for all pairs of words.
async fn compare_orders(setup: &Setup) -> Compared {
    let mut compared = Compared::default();
    for first in WORDS {
        for second in WORDS {
            for kind in [
                StrategyKind::Keyword,
                StrategyKind::Vector,
                StrategyKind::Hybrid,
            ] {
                let query = format!("{first} {second} SKU-0011");
                let page = setup.search(&query, kind, None).await;
                let explanation = page.explanation.expect("explained");
                let weights: HashMap<String, f64> = explanation.weights.into_iter().collect();
                let hits: Vec<&RankedHit> = explanation.hits.iter().map(|(hit, _)| hit).collect();
                let ids: Vec<&ProductId> = hits.iter().map(|hit| &hit.product_id).collect();
                let shown: Vec<&ProductId> = page.hits.iter().map(|hit| &hit.product_id).collect();
                assert_eq!(ids, shown, "{query} {kind:?}");
                for hit in &hits {
                    assert_eq!(hit.score, computed(hit, &weights), "{query} {kind:?}");
                }
                assert_eq!(ids, ordered(&hits), "{query} {kind:?}");
                let count = |is: fn(&RankedHit) -> bool| hits.iter().filter(|hit| is(hit)).count();
                compared.hits += hits.len();
                compared.pinned += count(|hit| hit.pinned_place.is_some());
                compared.weighed += count(|hit| hit.boost != 1.0);
                compared.of_other_kinds += count(|hit| hit.kind < 1.0);
                compared.without_vector += count(|hit| hit.vector.is_some_and(|leg| leg.rank == 0));
            }
        }
    }
    compared
}

/// The order of hits, computed as the contract says from tiers, scores, ids and pinned places.
fn ordered<'a>(hits: &[&'a RankedHit]) -> Vec<&'a ProductId> {
    let (mut pinned, mut others): (Vec<&RankedHit>, Vec<&RankedHit>) =
        hits.iter().partition(|hit| hit.pinned_place.is_some());
    others.sort_by(|a, b| {
        let order = a.tier.cmp(&b.tier).then(b.score.total_cmp(&a.score));
        order.then_with(|| a.product_id.cmp(&b.product_id))
    });
    pinned.sort_by_key(|hit| hit.pinned_place);
    for hit in pinned {
        let place = hit.pinned_place.expect("pinned") - 1;
        others.insert(place.min(others.len()), hit);
    }
    others.iter().map(|hit| &hit.product_id).collect()
}

#[tokio::test]
async fn the_score_by_words_can_be_computed_from_the_matches() {
    let setup = setup_of(&printers_and_cables());
    let page = setup.search("printer", StrategyKind::Keyword, None).await;
    let explanation = page.explanation.expect("explained");
    let weights: HashMap<String, f64> = explanation.weights.into_iter().collect();
    assert_eq!(explanation.hits.len(), 10);
    for (hit, matches) in &explanation.hits {
        let (kind, words): (Vec<_>, Vec<_>) = matches.iter().partition(|found| found.field == KIND);
        let best = words.iter().map(|found| found.score).fold(0.0, f32::max);
        let sum: f32 = words.iter().map(|found| found.score).sum();
        let score = best + weights["tie_breaker"] as f32 * (sum - best);
        assert_eq!(kind.len(), 1, "{matches:?}");
        let leg = hit.keyword.expect("found by words");
        assert_eq!(leg.score, score * kind[0].score);
        assert!(hit.product_id.as_str().starts_with('p') && kind[0].score > 0.9);
    }
}

#[tokio::test]
async fn matches_and_words_are_told() {
    let setup = setup();
    let page = setup
        .search("mnoitor -case", StrategyKind::Keyword, None)
        .await;
    let explanation = page.explanation.expect("explained");
    let word = &explanation.words[0];
    assert_eq!(word.word.typed, "mnoitor");
    assert_eq!(word.word.corrected.as_deref(), Some("monitor"));
    assert!(word.documents >= page.total && page.total > 0);
    assert_eq!(explanation.exclusions, ["case"]);
    for (hit, matches) in &explanation.hits {
        assert!(!matches.is_empty(), "{hit:?}");
        assert!(
            matches
                .iter()
                .all(|found| found.term == "monitor" && found.score > 0.0)
        );
    }
}

#[tokio::test]
async fn an_absence_has_a_reason() {
    let setup = setup();
    let kind = StrategyKind::Keyword;
    let all = setup.search("usb", kind, None).await;
    let first = all.hits[0].product_id.to_string();
    let outcome = all.outcome.expect("outcome");
    let beyond = outcome
        .hits
        .get(10)
        .expect("a second page")
        .product_id
        .to_string();
    let none: Vec<String> = (0..60).map(|number| format!("p{number:02}")).collect();
    let has = |id: &String| outcome.hits.iter().any(|hit| hit.product_id.as_str() == id);
    let other = none.iter().find(|id| !has(id)).expect("no usb");
    let lacks_usb = Absence::NoMatch {
        lacked: vec!["usb".to_owned()],
        by_meaning: false,
    };
    for (query, id, absence) in [
        ("usb", first.as_str(), Absence::Shown { position: 1 }),
        ("usb", &beyond, Absence::OtherPage { position: Some(11) }),
        ("usb", other, lacks_usb),
        ("usb", "unknown", Absence::NotIndexed),
        ("hub -usb", &first, Absence::Excluded("usb".to_owned())),
        (
            "usb \"bank case usb\"",
            &first,
            Absence::WithoutPhrase("bank case usb".to_owned()),
        ),
    ] {
        let page = setup.search(query, kind, Some(id)).await;
        assert_eq!(page.absence, Some(absence), "{query} {id}");
    }
}
