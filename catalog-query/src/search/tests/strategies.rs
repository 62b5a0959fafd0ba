//! Tests of the strategies on a real keyword index, with an embedder and vectors that a test
//! controls.

use std::collections::HashSet;
use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::time::Duration;

use arc_swap::ArcSwap;
use catalog_events::{Position, Product, ProductId};
use futures_util::future::{BoxFuture, FutureExt as _};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::embedding::{EmbedError, Embedder};
use crate::index::tests::support::{index_of, product};
use crate::index::{Hit, KeywordIndex, Language, MatchMode, Needed};
use crate::read_model::{Coverage, Pass, VectorIndex, VectorIndexError};
use crate::search::deadline::{Deadline, GRACE};
use crate::search::error::SearchError;
use crate::search::request::query::ParsedQuery;
use crate::search::rules::rule_set::RulesHandle;
use crate::search::strategy::executor::SearchExecutor;
use crate::search::strategy::factory::SearchStrategyFactory;
use crate::search::strategy::kind::StrategyKind;
use crate::search::strategy::scope::Scope;
use crate::search::strategy::search_strategy::{SearchOutcome, StrategyRequest};

/// What the model does with a query.
#[derive(Clone, Copy)]
pub(crate) enum Model {
    Answers,
    Fails,
    Hangs,
}

pub(crate) struct TestEmbedder {
    pub(crate) model: Model,
    pub(crate) asked: Arc<AtomicUsize>,
    /// What the embedder does when it is asked.
    pub(crate) meanwhile: Arc<OnceLock<Box<dyn Fn() + Send + Sync>>>,
}

impl Embedder for TestEmbedder {
    fn knows(&self, _: &str) -> bool {
        false
    }

    fn model(&self) -> &str {
        "test"
    }

    fn dimensions(&self) -> usize {
        1
    }

    fn embed(&self, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, EmbedError>> {
        async move { Ok(texts.iter().map(|_| vec![1.0]).collect()) }.boxed()
    }

    fn embed_query<'a>(&'a self, _text: &'a str) -> BoxFuture<'a, Result<Vec<f32>, EmbedError>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if let Some(meanwhile) = self.meanwhile.get() {
            meanwhile();
        }
        match self.model {
            Model::Answers => async { Ok(vec![1.0]) }.boxed(),
            Model::Fails => async { Err(EmbedError::Overloaded) }.boxed(),
            Model::Hangs => pending().boxed(),
        }
    }
}

/// A vector index that finds these products, nearest first, whatever the query is.
/// How many products have a similarity above the floor.
pub(crate) const NEAR_ENOUGH: usize = 16;

pub(crate) struct TestVectors(pub(crate) Vec<ProductId>);

impl VectorIndex for TestVectors {
    fn nearest<'a>(
        &'a self,
        _vector: &'a [f32],
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Hit>, VectorIndexError>> {
        let nearest = self.0.iter().take(limit).enumerate();
        let hits = nearest.map(|(at, id)| Hit {
            product_id: id.clone(),
            score: if at < NEAR_ENOUGH { 0.5 } else { 0.3 } - at as f32 / 1_000.0,
        });
        let hits = hits.collect();
        async move { Ok(hits) }.boxed()
    }

    fn vector_of<'a>(
        &'a self,
        id: &'a ProductId,
    ) -> BoxFuture<'a, Result<Option<Vec<f32>>, VectorIndexError>> {
        let vector = self.0.contains(id).then(|| vec![1.0]);
        async move { Ok(vector) }.boxed()
    }

    fn nearest_of<'a>(
        &'a self,
        vector: &'a [f32],
        ids: &'a [ProductId],
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Hit>, VectorIndexError>> {
        async move {
            let mut hits = self.nearest(vector, usize::MAX).await?;
            hits.retain(|hit| ids.contains(&hit.product_id));
            hits.truncate(limit);
            Ok(hits)
        }
        .boxed()
    }

    fn without_vector<'a>(
        &'a self,
        ids: &'a [ProductId],
    ) -> BoxFuture<'a, Result<HashSet<ProductId>, VectorIndexError>> {
        let without = ids.iter().filter(|id| !self.0.contains(id)).cloned();
        let without = without.collect();
        async move { Ok(without) }.boxed()
    }

    fn nearest_passing<'a>(
        &'a self,
        vector: &'a [f32],
        limit: usize,
        pass: &'a Pass,
    ) -> BoxFuture<'a, Result<Vec<Hit>, VectorIndexError>> {
        async move {
            let mut hits = pass(self.nearest(vector, usize::MAX).await?).await?;
            hits.truncate(limit);
            Ok(hits)
        }
        .boxed()
    }
}

pub(crate) struct Setup {
    factory: SearchStrategyFactory,
    current: Arc<ArcSwap<KeywordIndex>>,
    asked: Arc<AtomicUsize>,
    meanwhile: Arc<OnceLock<Box<dyn Fn() + Send + Sync>>>,
    _folder: TempDir,
}

/// Three products: "usb hub" finds a and then b by words; c and then b are near to everything.
fn setup(model: Option<Model>) -> Setup {
    let products = [
        product("a", "USB hub"),
        product("b", "hub with four USB ports"),
        product("c", "mouse"),
    ];
    setup_of(index_of(&products), model)
}

pub(crate) fn setup_of(index: (TempDir, KeywordIndex), model: Option<Model>) -> Setup {
    setup_with(index, model, &["c", "b"], Coverage::new(u64::MAX))
}

/// Products of which these are near to everything, and as many have a vector as `coverage` says.
pub(crate) fn setup_with(
    (folder, index): (TempDir, KeywordIndex),
    model: Option<Model>,
    near: &[&str],
    coverage: Coverage,
) -> Setup {
    let current = Arc::new(ArcSwap::from_pointee(index));
    let asked = Arc::new(AtomicUsize::new(0));
    let meanwhile = Arc::default();
    let embedder = model.map(|model| -> Arc<dyn Embedder> {
        Arc::new(TestEmbedder {
            model,
            asked: Arc::clone(&asked),
            meanwhile: Arc::clone(&meanwhile),
        })
    });
    let near = near.iter().map(|id| id.parse().expect("id"));
    let vectors = Arc::new(TestVectors(near.collect()));
    let factory = SearchStrategyFactory::new(
        Arc::clone(&current),
        RulesHandle::default(),
        embedder,
        vectors,
        coverage,
    );
    Setup {
        factory,
        current,
        asked,
        meanwhile,
        _folder: folder,
    }
}

/// The budget of a search: long enough for everything but a model that hangs.
const BUDGET: Duration = Duration::from_millis(200);
/// The time after which even the last leg is given up.
const LATEST: Duration = BUDGET.saturating_add(GRACE);

fn deadline() -> Deadline {
    Deadline::after(BUDGET)
}

fn request(query: &str) -> Result<StrategyRequest, SearchError> {
    Ok(StrategyRequest {
        query: Arc::new(ParsedQuery {
            mode: MatchMode::Any,
            ..ParsedQuery::parse(query, Language::default())?
        }),
        profile: Arc::default(),
        verbatim: false,
        tried: None,
        deadline: deadline(),
        by_relevance: true,
        explained: false,
        popularity: Arc::default(),
    })
}

impl Setup {
    pub(crate) async fn search(
        &self,
        kind: StrategyKind,
        query: &str,
    ) -> Result<SearchOutcome, SearchError> {
        let scope = Scope::of(&self.factory.executor(), None, deadline()).await?;
        let strategy = self.factory.strategy(kind);
        strategy.search(&request(query)?, 10, &scope).await
    }

    async fn check(&self, asked: StrategyKind, ids: &[&str], answered: StrategyKind) {
        let outcome = self.search(asked, "usb hub").await.expect("search");
        check_outcome(&outcome, asked, ids, answered);
    }
}

fn check_outcome(
    outcome: &SearchOutcome,
    asked: StrategyKind,
    ids: &[&str],
    answered: StrategyKind,
) {
    let found: Vec<&str> = outcome
        .hits
        .iter()
        .map(|hit| hit.product_id.as_str())
        .collect();
    assert_eq!((found.as_slice(), outcome.strategy), (ids, answered));
    assert_eq!(outcome.degraded, asked != answered);
}

#[tokio::test]
async fn each_strategy_finds_what_it_is_for() {
    let setup = setup(Some(Model::Answers));
    setup
        .check(StrategyKind::Keyword, &["a", "b"], StrategyKind::Keyword)
        .await;
    setup
        .check(StrategyKind::Vector, &["c", "b"], StrategyKind::Vector)
        .await;
    setup
        .check(StrategyKind::Hybrid, &["b", "a", "c"], StrategyKind::Hybrid)
        .await;
    assert_eq!(
        setup.asked.load(Ordering::SeqCst),
        1,
        "the same query is embedded once"
    );
}

/// A vector hardly tells 13 x 18 from 20 x 30, and nothing from a picture.
#[tokio::test]
async fn what_is_near_has_the_numbers_of_the_query() {
    let products = [
        product("a", "Photo frame 13 x 18 cm"),
        product("b", "Photo frame 20 x 30 cm"),
        product("c", "Picture stand 13 x 18 cm"),
    ];
    let setup = setup_of(index_of(&products), Some(Model::Answers));
    for (query, ids) in [
        ("frame", &["c", "b"][..]),
        ("frame 13x18", &["c"]),
        ("frame 13", &["c", "b"]),
        ("frame 99x99", &["c", "b"]),
        ("13 × 18", &[]),
        ("🖼", &[]),
    ] {
        let outcome = setup.search(StrategyKind::Vector, query).await;
        check_outcome(
            &outcome.expect("search"),
            StrategyKind::Vector,
            ids,
            StrategyKind::Vector,
        );
    }
}

/// Part numbers can be anything that a supplier writes.
#[tokio::test]
async fn whoever_types_an_identifier_gets_that_product_first() {
    let long = "SmartPro 120V 3kVA 2.25kW UPS, Extended Run, SNMP, Tower, 120V, USB, DB9 Serial";
    let skus = [
        "TB-7 -H (refurb)",
        "TB-7",
        "Intel Xeon E5520",
        "E5520",
        "SmartPro \"XL\" 120V",
        long,
        "1200",
    ];
    let product = |(number, sku): (usize, &str)| Product {
        sku: Some(sku.to_owned()),
        ..product(&format!("p{number}"), "TB-7 thing, not refurb")
    };
    let products: Vec<Product> = (0..).zip(skus).map(product).collect();
    let setup = setup_of(index_of(&products), Some(Model::Answers));
    for kind in [StrategyKind::Keyword, StrategyKind::Hybrid] {
        for (number, sku) in skus.iter().enumerate() {
            let outcome = setup.search(kind, sku).await.expect("search");
            let first = outcome.hits.first().expect("a hit");
            let found = (first.product_id.to_string(), first.tier);
            assert_eq!(found, (format!("p{number}"), 0), "{kind:?} {sku}");
            let exact = outcome.hits.iter().filter(|hit| hit.tier == 0);
            assert_eq!(exact.count(), 1, "{kind:?} {sku}");
        }
        // A figure among words is no identifier, and a minus sign excludes what is no part of one.
        let outcome = setup.search(kind, "thing 1200 pieces").await;
        let tiers = outcome.expect("search").hits.into_iter();
        assert_eq!(tiers.map(|hit| hit.tier).min(), Some(2), "{kind:?}");
        let outcome = setup.search(kind, "thing -refurb").await;
        assert_eq!(outcome.expect("search").hits, [], "{kind:?}");
    }
}

#[tokio::test]
async fn answers_by_keyword_when_the_model_cannot() {
    for model in [None, Some(Model::Fails), Some(Model::Hangs)] {
        let setup = setup(model);
        for kind in [StrategyKind::Hybrid, StrategyKind::Vector] {
            setup.check(kind, &["a", "b"], StrategyKind::Keyword).await;
        }
        setup
            .check(StrategyKind::Keyword, &["a", "b"], StrategyKind::Keyword)
            .await;
    }
}

#[tokio::test]
async fn bad_queries_are_the_same_to_all() {
    let setup = setup(Some(Model::Answers));
    for kind in [
        StrategyKind::Keyword,
        StrategyKind::Vector,
        StrategyKind::Hybrid,
    ] {
        assert!(matches!(
            setup.search(kind, " \u{0}").await,
            Err(SearchError::EmptyQuery)
        ));
        let too_long = setup.search(kind, &"(".repeat(20_000)).await;
        assert!(matches!(
            too_long,
            Err(SearchError::QueryTooLong { bytes: 20_000 })
        ));
        let nothing = setup.search(kind, "?!").await.expect("harmless");
        assert_eq!(
            (nothing.hits.len(), nothing.strategy, nothing.degraded),
            (0, kind, false)
        );
    }
}

#[tokio::test]
async fn searches_the_index_that_is_current() {
    let setup = setup(None);
    let (_folder, rebuilt) = index_of(&[product("z", "USB hub")]);
    setup.current.store(Arc::new(rebuilt));
    setup
        .check(StrategyKind::Keyword, &["z"], StrategyKind::Keyword)
        .await;
}

/// Work that takes every place of an executor until it is dropped.
struct AllPlaces {
    _work: Vec<BoxFuture<'static, Result<(), SearchError>>>,
    _release: Vec<mpsc::Sender<()>>,
}

impl AllPlaces {
    fn take(executor: &Arc<SearchExecutor>) -> Self {
        let (mut work, mut release) = (Vec::new(), Vec::new());
        for _ in 0..executor.free_places() {
            let (ends, end) = mpsc::channel::<()>();
            let executor = Arc::clone(executor);
            let mut busy = async move {
                let wait = move |_: &KeywordIndex| {
                    let _ = end.recv();
                    Ok(())
                };
                executor.run(wait).await
            }
            .boxed();
            // The first poll takes the place.
            assert!(busy.as_mut().now_or_never().is_none());
            work.push(busy);
            release.push(ends);
        }
        assert_eq!(executor.free_places(), 0);
        Self {
            _work: work,
            _release: release,
        }
    }
}

#[tokio::test]
async fn what_waits_until_its_time_is_up_never_runs() {
    let setup = setup(Some(Model::Answers));
    let executor = setup.factory.executor();
    let busy = AllPlaces::take(&executor);
    for kind in [
        StrategyKind::Keyword,
        StrategyKind::Vector,
        StrategyKind::Hybrid,
    ] {
        let late = setup.search(kind, "usb hub").await;
        assert!(matches!(late, Err(SearchError::Late(LATEST))), "{late:?}");
    }
    let has_run = Arc::new(AtomicBool::new(false));
    let runs = Arc::clone(&has_run);
    let run = move |_: &KeywordIndex| {
        runs.store(true, Ordering::SeqCst);
        Ok(())
    };
    let late = executor.run_until(deadline(), run).await;
    assert!(matches!(late, Err(SearchError::Late(BUDGET))), "{late:?}");
    drop(busy);
    // Work that comes later runs, and the late work does not.
    setup
        .check(StrategyKind::Keyword, &["a", "b"], StrategyKind::Keyword)
        .await;
    assert!(!has_run.load(Ordering::SeqCst));
}

#[tokio::test]
async fn the_last_leg_is_waited_for_beyond_the_budget() {
    for kind in [StrategyKind::Keyword, StrategyKind::Hybrid] {
        let setup = setup(None);
        let executor = setup.factory.executor();
        let scope = Scope::of(&executor, None, deadline()).await.expect("scope");
        let spent = StrategyRequest {
            deadline: Deadline {
                at: Instant::now() - BUDGET,
                budget: BUDGET,
            },
            ..request("usb hub").expect("request")
        };
        let busy = AllPlaces::take(&executor);
        let strategy = setup.factory.strategy(kind);
        let mut answer = strategy.search(&spent, 10, &scope);
        let waits = answer.as_mut().now_or_never();
        assert!(waits.is_none(), "{waits:?}");
        drop(busy);
        let outcome = answer.await.expect("search");
        check_outcome(&outcome, kind, &["a", "b"], StrategyKind::Keyword);
    }
}

#[tokio::test]
async fn without_the_words_in_time_answers_by_meaning_and_says_so() {
    let setup = setup(Some(Model::Answers));
    let executor = setup.factory.executor();
    // The index needs a position that it never reaches: only the vectors know which products there
    // are.
    let needed = Needed::default();
    let (_folder, index) = index_of(&[product("a", "USB hub")]);
    setup
        .current
        .store(Arc::new(index.answering_from(needed.clone())));
    needed.set(Position(1_000));
    let busy = Arc::new(Mutex::new(None));
    let takes = Arc::clone(&busy);
    let meanwhile = move || {
        let mut busy = takes.lock().expect("lock");
        busy.get_or_insert_with(|| AllPlaces::take(&executor));
    };
    assert!(setup.meanwhile.set(Box::new(meanwhile)).is_ok());
    setup
        .check(StrategyKind::Hybrid, &["c", "b"], StrategyKind::Vector)
        .await;
    assert!(busy.lock().expect("lock").is_some());
}
