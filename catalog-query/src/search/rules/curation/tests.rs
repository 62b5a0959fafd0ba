//! Tests of rules against a real index: which queries they are for, and what they do to an answer.

use std::collections::BTreeSet;
use std::time::Duration;

use arc_swap::ArcSwap;
use catalog_events::{Product, SearchRule};
use catalog_proto::v1;
use serde_json::{Value, json};
use tempfile::TempDir;
use time::macros::datetime;

use super::*;
use crate::index::tests::support::{index_of, product};
use crate::index::{Filter, Language, MatchMode};
use crate::read_model::Coverage;
use crate::search::answer::explanation::Absence;
use crate::search::engine::{SearchEngine, SearchPage};
use crate::search::ranking::profile::RankingProfiles;
use crate::search::request::filter::{parse_facets, parse_filter};
use crate::search::request::search_request::{Presentation, SearchRequest, Sort};
use crate::search::rules::rule_set::{RuleSet, RulesHandle};
use crate::search::strategy::factory::SearchStrategyFactory;
use crate::search::strategy::kind::StrategyKind;
use crate::search::tests::strategies::{Model, TestEmbedder, TestVectors};
use crate::usage::PopularityBoard;

pub(in crate::search) fn curation(id: &str, curation: Value) -> SearchRule {
    let mut kind = curation;
    kind["type"] = "curation".into();
    let at = "2026-01-02T03:04:05Z";
    let rule = json!({"id": id, "kind": kind, "created_at": at, "updated_at": at});
    serde_json::from_value(rule).expect("rule")
}

pub(in crate::search) fn rule_set(rules: &[SearchRule]) -> RuleSet {
    let rules: Vec<Arc<SearchRule>> = rules.iter().cloned().map(Arc::new).collect();
    RuleSet::compile(
        Language::default(),
        rules.iter().map(|rule| (rule, Version::FIRST)),
        datetime!(2026-01-02 03:04:05 UTC),
    )
}

#[test]
fn rules_are_found_by_the_stems_of_the_query() {
    let action = json!([{"action": "redirect", "url": "/"}]);
    let rule = |id, queries: &[&str], matching| {
        let kind = json!({"queries": queries, "matching": matching, "actions": action});
        curation(id, kind)
    };
    let set = rule_set(&[
        rule("a", &[], "exact"),
        rule("b", &["desk lamps", "mouse"], "exact"),
        rule("c", &["lamp", "usb hub"], "contains"),
        rule("d", &["!", ""], "contains"),
    ]);
    let check = |query: &str, expected: &[&str]| {
        let stems = stems(Language::default(), query);
        let query: Vec<&str> = stems.iter().map(String::as_str).collect();
        let mut found: BTreeSet<usize> = BTreeSet::new();
        set.curations.find(&query, &mut found);
        let labels = found.iter().map(|rule| &*set.curations.rules[*rule].label);
        assert_eq!(labels.collect::<Vec<_>>(), expected, "{query:?}");
    };
    check("Desk lamp", &["b@1", "c@1"]);
    check("lamp desk", &["c@1"]);
    check("the desk lamp", &["c@1"]);
    check("mouse", &["b@1"]);
    check("mouse mouse", &[]);
    check("red usb hubs", &["c@1"]);
    check("usb red hub", &[]);
    check("usb", &[]);
    let browsing = set.curations.for_browsing();
    assert_eq!(
        browsing.iter().map(|rule| &*rule.label).collect::<Vec<_>>(),
        ["a@1"]
    );
}

struct Shop {
    engine: SearchEngine,
    rules: RulesHandle,
    _folder: TempDir,
}

/// A shop of ten lamps and five mice, where nothing is near to a query in meaning.
fn shop() -> Shop {
    let lamps = (0..10).map(|number| Product {
        brand: Some(if number % 2 == 0 { "Fjell" } else { "Nord" }.to_owned()),
        categories: vec!["Home".to_owned(), "Lamps".to_owned()],
        ..product(&format!("lamp{number}"), "Desk lamp")
    });
    let mice = (0..5).map(|number| Product {
        brand: Some("Fjell".to_owned()),
        categories: vec!["Office".to_owned()],
        ..product(&format!("mouse{number}"), "Mouse")
    });
    let products: Vec<Product> = lamps.chain(mice).collect();
    let (folder, index) = index_of(&products);
    let rules = RulesHandle::default();
    let embedder = TestEmbedder {
        model: Model::Answers,
        asked: Arc::default(),
        meanwhile: Arc::default(),
    };
    let strategies = SearchStrategyFactory::new(
        Arc::new(ArcSwap::from_pointee(index)),
        rules.clone(),
        Some(Arc::new(embedder)),
        Arc::new(TestVectors(Vec::new())),
        Coverage::new(u64::MAX),
    );
    let profiles = RankingProfiles::default();
    Shop {
        engine: SearchEngine::new(strategies, profiles, PopularityBoard::default()),
        rules,
        _folder: folder,
    }
}

impl Shop {
    fn follow(&self, rules: &[SearchRule]) {
        self.rules.store(Arc::new(rule_set(rules)));
    }

    async fn ask(&self, request: SearchRequest) -> SearchPage {
        self.engine.search(request).await.expect("search")
    }

    async fn ids(&self, request: SearchRequest) -> Vec<String> {
        let page = self.ask(request).await;
        let ids = page.hits.iter().map(|hit| hit.product_id.to_string());
        ids.collect()
    }
}

fn query(query: &str) -> SearchRequest {
    SearchRequest {
        query: query.to_owned(),
        limit: 4,
        strategy: StrategyKind::Hybrid,
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
        why_not: None,
        identity: Vec::new(),
    }
}

fn brand(name: &str) -> Option<Filter> {
    let terms = v1::filter::Kind::Terms(v1::TermsFilter {
        field: "brand".to_owned(),
        values: vec![name.to_owned()],
    });
    Some(parse_filter(&v1::Filter { kind: Some(terms) }).expect("filter"))
}

fn pin(id: &str, position: u32) -> Value {
    json!({"action": "pin", "product_id": id, "position": position})
}

#[tokio::test]
async fn pins_have_their_place_and_pages_show_them_once() {
    let shop = shop();
    shop.follow(&[
        curation(
            "a",
            json!({"queries": ["lamp"], "actions": [pin("mouse1", 2), pin("lamp0", 7), pin("lamp7", 9)]}),
        ),
        curation(
            "b",
            json!({"queries": ["lamp"], "actions": [pin("lamp7", 2), pin("nobody", 1)]}),
        ),
    ]);
    let mut request = query("lamps");
    let mut seen = Vec::new();
    loop {
        let page = shop.ask(request.clone()).await;
        assert_eq!(page.total, 11);
        seen.extend(page.hits.iter().map(|hit| hit.product_id.to_string()));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    let expected = [
        "lamp1", "mouse1", "lamp7", "lamp2", "lamp3", "lamp4", "lamp0", "lamp5", "lamp6", "lamp8",
        "lamp9",
    ];
    assert_eq!(seen, expected);

    // The filter and the exclusions of the request hold for pins too.
    let filtered = SearchRequest {
        filter: brand("Fjell"),
        ..query("lamps")
    };
    let page = shop.ask(filtered).await;
    assert_eq!(
        (page.total, page.hits[1].product_id.as_str()),
        (6, "mouse1")
    );
    let ids = shop.ids(query("lamps -mouse")).await;
    assert_eq!(ids[..2], ["lamp1", "lamp7"]);
    // Pins do nothing in the order of a column, nor where the query is taken as it is.
    for request in [
        SearchRequest {
            sort: Sort::PriceAscending,
            ..query("lamps")
        },
        SearchRequest {
            verbatim: true,
            ..query("lamps")
        },
    ] {
        let page = shop.ask(request).await;
        assert_eq!(
            (page.total, page.hits[0].product_id.as_str()),
            (10, "lamp0")
        );
        assert_eq!(page.explanation.expect("explained").rules, []);
    }
}

#[tokio::test]
async fn what_is_hidden_is_nowhere() {
    let shop = shop();
    let hide = json!([{"action": "hide", "target": {"brand": "NORD", "product_ids": ["lamp0"]}},
        {"action": "hide", "target": {"category": ["office"]}}, pin("lamp0", 1), pin("mouse0", 1)]);
    shop.follow(&[curation("h", json!({"actions": hide}))]);
    let facets = parse_facets(&[v1::FacetRequest {
        field: "brand".to_owned(),
        ..Default::default()
    }])
    .expect("facets");
    let searched = SearchRequest {
        facets: facets.clone(),
        ..query("lamp")
    };
    let sorted = SearchRequest {
        sort: Sort::Newest,
        ..searched.clone()
    };
    let browsed = SearchRequest {
        sort: Sort::Newest,
        facets,
        ..query("")
    };
    for request in [searched, sorted, browsed] {
        let page = shop.ask(request).await;
        assert_eq!(page.total, 4);
        let ids: Vec<&str> = page
            .hits
            .iter()
            .map(|hit| hit.product_id.as_str())
            .collect();
        assert_eq!(ids, ["lamp2", "lamp4", "lamp6", "lamp8"]);
        let values: Vec<_> = page.facets[0]
            .values
            .iter()
            .map(|value| (value.value.as_str(), value.count))
            .collect();
        assert_eq!(values, [("Fjell", 4)]);
    }
    for id in ["lamp0", "lamp1", "mouse0"] {
        let request = SearchRequest {
            why_not: Some(id.parse().expect("id")),
            ..query("lamp")
        };
        let page = shop.ask(request).await;
        assert_eq!(
            page.absence,
            Some(Absence::Hidden("h@1".to_owned())),
            "{id}"
        );
    }
    let verbatim = SearchRequest {
        verbatim: true,
        ..query("lamp")
    };
    assert_eq!(shop.ask(verbatim).await.total, 10);
}

#[tokio::test]
async fn boosts_and_buries_multiply_within_bounds() {
    let shop = shop();
    let weigh = |action: &str, target: Value, factor: f64| json!({"action": action, "target": target, "factor": factor});
    let nord = || json!({"brand": "nord"});
    let one = |id: &str| json!({"product_ids": [id]});
    shop.follow(&[
        curation(
            "a",
            json!({"actions": [weigh("boost", nord(), 2.0), weigh("bury", one("lamp1"), 8.0)]}),
        ),
        curation(
            "b",
            json!({"actions": [weigh("boost", json!({"category": ["HOME"]}), 100.0),
                weigh("boost", one("lamp9"), 90.0), weigh("boost", one("mouse0"), 50.0)]}),
        ),
    ]);
    let request = SearchRequest {
        limit: 20,
        ..query("lamp")
    };
    let page = shop.ask(request).await;
    assert_eq!(
        page.total, 10,
        "what does not match is not found by a boost"
    );
    let hits = page.explanation.expect("explained").hits;
    let factors: Vec<(&str, f64)> = hits
        .iter()
        .map(|(hit, _)| (hit.product_id.as_str(), hit.boost))
        .collect();
    let expected = [
        ("lamp9", 1_000.0),
        ("lamp3", 200.0),
        ("lamp5", 200.0),
        ("lamp7", 200.0),
        ("lamp0", 100.0),
        ("lamp2", 100.0),
        ("lamp4", 100.0),
        ("lamp6", 100.0),
        ("lamp8", 100.0),
        ("lamp1", 25.0),
    ];
    assert_eq!(factors, expected);
    let rules: Vec<&str> = hits[0].0.rules.iter().map(|rule| &**rule).collect();
    assert_eq!(rules, ["a@1", "b@1"]);
}

#[tokio::test]
async fn the_first_rule_redirects_and_the_query_is_taken_as_corrected_too() {
    let shop = shop();
    let to = |url: &str| json!([{"action": "redirect", "url": url}]);
    shop.follow(&[
        curation("a", json!({"queries": ["mouse"], "actions": to("/mice")})),
        curation(
            "b",
            json!({"queries": ["mouse", "mosue"], "actions": to("/b")}),
        ),
    ]);
    for (query, url) in [
        (query("mouse"), Some("/mice")),
        (query("mosue"), Some("/mice")),
        (query("lamp"), None),
    ] {
        let page = shop.ask(query.clone()).await;
        assert_eq!(page.redirect_url.as_deref(), url, "{}", query.query);
        assert!(page.total > 0, "products are answered all the same");
    }
}
