//! Compares totals, facets and pages with a plain evaluation over all products, for thousands of
//! random queries and filters.

mod expected;
mod counting;
mod random;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use catalog_events::{Position, Product, ProductId, SearchRule};
use catalog_proto::v1;
use prost::Message as _;
use tempfile::TempDir;

use crate::index::FacetCounts;
use crate::index::tests::support::{changed, deleted, open};
use crate::index::{KeywordIndex, MatchMode, Popularity};
use crate::read_model::Coverage;
use crate::search::engine::{SearchEngine, SearchPage};
use crate::search::ranking::profile::{RankingProfile, RankingProfiles};
use crate::search::request::filter::{parse_facets, parse_filter};
use crate::search::request::search_request::{Presentation, SearchRequest, Sort};
use crate::search::rules::curation::tests::rule_set;
use crate::search::rules::rule_set::RulesHandle;
use crate::search::strategy::factory::SearchStrategyFactory;
use crate::search::strategy::kind::StrategyKind;
use crate::search::tests::oracle::expected::Expected;
use crate::search::tests::oracle::random::Random;
use crate::search::tests::strategies::{Model, TestEmbedder, TestVectors};
use crate::usage::PopularityBoard;

const PRODUCTS: u64 = 400;
const CASES: u64 = 10_000;
const DEPTH: usize = 20;
const SORTS: [Sort; 5] = [
    Sort::Relevance,
    Sort::PriceAscending,
    Sort::PriceDescending,
    Sort::Newest,
    Sort::Popularity,
];

struct World {
    engine: SearchEngine,
    rules: RulesHandle,
    expected: Expected,
    _folder: TempDir,
}

/// Products in several commits, some of them replaced and some deleted.
fn world(random: &mut Random) -> World {
    let folder = tempfile::tempdir().expect("folder");
    let (index, mut writer) = open(folder.path());
    let mut live = std::collections::BTreeMap::new();
    for at in 1..=PRODUCTS * 5 / 4 {
        let product = random.product(at % PRODUCTS);
        let id = product.id.clone();
        let event = if at > PRODUCTS && random.below(4) == 0 {
            live.remove(&id);
            deleted(at, at as i64, id.as_str())
        } else {
            live.insert(id, product.clone());
            changed(at, at as i64, product)
        };
        writer.apply(&[event]).expect("apply");
        if at % 90 == 0 {
            writer.commit(Position(at)).expect("commit");
        }
    }
    writer.commit(Position(PRODUCTS * 5 / 4)).expect("commit");
    let products: Vec<Product> = live.into_values().collect();
    let mut near: Vec<ProductId> = products.iter().map(|product| product.id.clone()).collect();
    random.shuffle(&mut near);
    let viewed: Vec<ProductId> = products
        .iter()
        .filter(|_| random.below(3) == 0)
        .map(|product| product.id.clone())
        .collect();
    let views = viewed.into_iter().map(|id| (id, random.below(5))).collect();
    let expected = Expected::new(products, views, near.clone(), DEPTH);
    let rules = RulesHandle::default();
    World {
        engine: engine(index, near, &expected, rules.clone()),
        rules,
        expected,
        _folder: folder,
    }
}

fn engine(
    index: KeywordIndex,
    near: Vec<ProductId>,
    expected: &Expected,
    rules: RulesHandle,
) -> SearchEngine {
    let embedder = TestEmbedder {
        model: Model::Answers,
        asked: Arc::default(),
        meanwhile: Arc::default(),
    };
    let profile = RankingProfile {
        depth: DEPTH,
        ..RankingProfile::default()
    };
    let index = Arc::new(ArcSwap::from_pointee(index));
    let vectors = Arc::new(TestVectors(near));
    let strategies = SearchStrategyFactory::new(
        index,
        rules,
        Some(Arc::new(embedder)),
        vectors,
        Coverage::new(u64::MAX),
    );
    let board = PopularityBoard::default();
    board.show(Popularity::new(expected.views.clone()));
    SearchEngine::new(strategies, RankingProfiles::only(profile), board)
}

/// A search with its rules, as a caller states it.
#[derive(Clone, Debug)]
struct Case {
    query: String,
    mode: MatchMode,
    is_open: bool,
    strategy: StrategyKind,
    filter: Option<v1::Filter>,
    facets: Vec<v1::FacetRequest>,
    sort: Sort,
    discontinued_last: bool,
    limit: usize,
    /// The rules in the order of their ids.
    rules: Vec<SearchRule>,
    /// The words that the answer says were dropped.
    relaxed: Vec<String>,
}

impl Case {
    fn random(random: &mut Random) -> Self {
        let filter = (random.below(5) > 0).then(|| random.filter(1));
        let is_open = random.below(2) == 0;
        let query = if filter.is_some() && random.below(4) == 0 {
            String::new()
        } else {
            random.query(is_open)
        };
        let facets = (0..random.below(3)).map(|_| random.facet()).collect();
        Self {
            mode: [MatchMode::Auto, MatchMode::All, MatchMode::Any][random.below(3) as usize],
            is_open,
            relaxed: Vec::new(),
            strategy: match random.below(6) {
                0 => StrategyKind::Hybrid,
                1 => StrategyKind::Vector,
                _ => StrategyKind::Keyword,
            },
            filter,
            facets,
            sort: SORTS[random.below(5) as usize],
            discontinued_last: random.below(4) == 0,
            limit: 1 + random.below(100) as usize,
            rules: match random.below(3) {
                0 => random.rules(&query),
                _ => Vec::new(),
            },
            query,
        }
    }

    async fn search(&self, world: &World, page_token: &str) -> SearchPage {
        let stated = v1::SearchProductsRequest {
            filter: self.filter.clone(),
            match_mode: self.mode as i32,
            prefix: i32::from(self.is_open),
            ..Default::default()
        };
        let request = SearchRequest {
            query: self.query.clone(),
            profile: String::new(),
            match_mode: self.mode,
            is_open: self.is_open,
            // Products have all words of the queries, so that none is corrected.
            verbatim: false,
            drafts: Vec::new(),
            budget: Duration::from_secs(60),
            explain: false,
            why_not: None,
            limit: self.limit,
            strategy: self.strategy,
            filter: self
                .filter
                .as_ref()
                .map(|filter| parse_filter(filter).expect("filter")),
            facets: parse_facets(&self.facets).expect("facets"),
            presentation: Presentation {
                discontinued_last: self.discontinued_last,
                ..Presentation::default()
            },
            sort: self.sort,
            page_token: page_token.to_owned(),
            identity: stated.encode_to_vec(),
        };
        world.engine.search(request).await.expect("search")
    }
}

#[tokio::test]
async fn totals_facets_and_pages_equal_a_plain_evaluation() {
    let seed = 20_260_102;
    let mut random = Random(seed);
    let world = world(&mut random);
    let (mut found, mut walked, mut relaxed) = (0_u64, 0_u64, 0);
    for number in 0..CASES {
        let mut case = Case::random(&mut random);
        world.rules.store(Arc::new(rule_set(&case.rules)));
        let context = format!("seed {seed}, case {number}: {case:?}");
        let page = case.search(&world, "").await;
        found += page.total;
        if let Some(outcome) = &page.outcome {
            case.relaxed.clone_from(&outcome.relaxed);
            relaxed += usize::from(!case.relaxed.is_empty());
            world.expected.check_relaxed(&case, &context);
        }
        check_page(&world, &case, &page, &context);
        if number % 10 == 0 {
            walked += walk(&world, &case, page, &context).await;
        } else if number % 10 == 1 {
            let more = random.filter(2);
            check_narrower(&world, &case, &page, more, &context).await;
        }
    }
    // Most cases find something and have several pages.
    assert!(found > CASES * 10 && walked > CASES / 5, "{found} {walked}");
    assert!(relaxed > CASES as usize / 100, "{relaxed}");
}

fn ids(page: &SearchPage) -> Vec<&ProductId> {
    page.hits.iter().map(|hit| &hit.product_id).collect()
}

/// Checks the total, the order, the pins and the facets of a first page.
fn check_page(world: &World, case: &Case, page: &SearchPage, context: &str) {
    let matches = world.expected.matches(case, case.filter.as_ref());
    assert_eq!(page.total, matches.len() as u64, "total: {context}");
    let shown = ids(page);
    assert_eq!(shown.len(), matches.len().min(case.limit), "{context}");
    let compares_prices = page.price_currency.is_some();
    if compares_prices {
        let currency = Some(world.expected.currency(case));
        assert_eq!(page.price_currency, currency, "{context}");
    }
    match world.expected.ordered(case, &matches) {
        Some(ordered) => assert_eq!(shown, ordered[..shown.len()], "order: {context}"),
        None => assert!(shown.iter().all(|id| matches.contains(*id)), "{context}"),
    }
    // A pinned product that is not sold any more comes last with the others.
    let pinned = world.expected.pinned(case, &matches).into_iter();
    for (place, id) in pinned.filter(|_| !case.discontinued_last) {
        if let Some(shown) = shown.get(place) {
            assert_eq!(**shown, id, "pin: {context}");
        }
    }
    for (asked, counts) in case.facets.iter().zip(&page.facets) {
        let expected = world.expected.facet(case, asked);
        check_means(counts, &expected, context);
        // Numbers are added up in another order, which rounds otherwise.
        let counts = FacetCounts {
            numbers: expected.numbers,
            ..counts.clone()
        };
        assert_eq!(counts, expected, "facet {asked:?}: {context}");
    }
}

fn check_means(counts: &FacetCounts, expected: &FacetCounts, context: &str) {
    let parts = |counts: &FacetCounts| counts.numbers.map(|all| (all.count, all.min, all.max));
    assert_eq!(parts(counts), parts(expected), "numbers: {context}");
    if let (Some(found), Some(expected)) = (counts.numbers, expected.numbers) {
        let largest = expected.min.abs().max(expected.max.abs());
        let error = (found.mean - expected.mean).abs();
        assert!(error <= largest * 1e-12, "mean: {context}");
    }
}

/// Checks that all pages together have every match, each once. Returns the number of pages.
async fn walk(world: &World, case: &Case, first: SearchPage, context: &str) -> u64 {
    let matches = world.expected.matches(case, case.filter.as_ref());
    let mut seen: Vec<ProductId> = Vec::new();
    let mut page = first;
    let mut pages = 1;
    loop {
        seen.extend(page.hits.iter().map(|hit| hit.product_id.clone()));
        if page.next_page_token.is_empty() {
            break;
        }
        assert_eq!(page.hits.len(), case.limit, "a full page: {context}");
        let facets = page.facets.clone();
        page = case.search(world, &page.next_page_token).await;
        assert_eq!(page.total, matches.len() as u64, "{context}");
        assert_eq!(page.facets, facets, "whatever the page: {context}");
        pages += 1;
    }
    if let Some(ordered) = world.expected.ordered(case, &matches) {
        assert_eq!(seen.iter().collect::<Vec<_>>(), ordered, "{context}");
    }
    let distinct: BTreeSet<&ProductId> = seen.iter().collect();
    assert_eq!(
        (distinct.len(), seen.len()),
        (matches.len(), matches.len()),
        "{context}"
    );
    pages
}

/// Checks that one more filter raises no count. That holds for a search by words: a search by
/// meaning always finds the same number of products.
async fn check_narrower(
    world: &World,
    case: &Case,
    page: &SearchPage,
    more: v1::Filter,
    context: &str,
) {
    if case.strategy != StrategyKind::Keyword {
        return;
    }
    let filters = case.filter.iter().cloned().chain([more]).collect();
    let all = v1::filter::Kind::All(v1::FilterList { filters });
    let narrower_case = Case {
        filter: Some(v1::Filter { kind: Some(all) }),
        ..case.clone()
    };
    let narrower = narrower_case.search(world, "").await;
    assert!(narrower.total <= page.total, "{context}");
    for (less, counts) in narrower.facets.iter().zip(&page.facets) {
        assert!(less.missing <= counts.missing, "{context}");
        for value in &less.values {
            let before = counts
                .values
                .iter()
                .find(|before| before.value == value.value);
            assert!(
                before.is_none_or(|before| value.count <= before.count),
                "{context}"
            );
        }
    }
}
