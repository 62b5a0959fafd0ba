//! Search by words, in the keyword index of this replica.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::sync::Semaphore;

use super::curation::{Boosts, Curated};
use super::fusion::{Legs, fuse};
use super::query::ParsedQuery;
use super::scope::Scope;
use super::understanding::{self, Understood};
use super::{
    Question, RankedHit, RulesHandle, SearchError, SearchOutcome, SearchStrategy, StrategyKind,
};
use crate::index::{Filter, IndexError, KeywordHits, KeywordIndex, KeywordWeights};

/// A search keeps a core busy for about a millisecond: more at a time only make all of them slower.
const SEARCHES_PER_CORE: usize = 2;

/// The index that a rebuild replaces while searches go on.
type CurrentIndex = Arc<ArcSwap<KeywordIndex>>;

pub(super) struct KeywordSearch {
    index: CurrentIndex,
    rules: RulesHandle,
    places: Arc<Semaphore>,
}

impl KeywordSearch {
    pub(super) fn new(index: CurrentIndex, rules: RulesHandle) -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self {
            index,
            rules,
            places: Arc::new(Semaphore::new(cores * SEARCHES_PER_CORE)),
        }
    }

    /// What the query asks for, by the words of the catalogue; the scope is narrowed to what its
    /// phrases, its exclusions and the rules leave.
    pub(super) async fn understand(
        &self,
        question: &Question,
        kind: StrategyKind,
        scope: &Scope,
    ) -> Result<Asked, SearchError> {
        let started = Instant::now();
        let query = ParsedQuery::parse(&question.query)?;
        let weights = question.profile.words_of(kind).clone();
        let rules = (!question.verbatim).then(|| self.rules.load_full());
        let (by_relevance, scope) = (question.by_relevance, scope.clone());
        let asked = self.run(move |_| {
            let vocabulary = scope.snapshot.vocabulary();
            let (understood, curated) = match rules {
                None => {
                    let understood = understanding::verbatim(&query, &vocabulary)?;
                    (understood, Curated::default())
                }
                Some(rules) => {
                    let synonyms = &rules.synonyms;
                    let understood =
                        understanding::understand(&query, &vocabulary, synonyms, &weights)?;
                    let curations = &rules.curations;
                    let curated =
                        Curated::of_query(curations, &query, &understood, &scope, by_relevance)?;
                    (understood, curated)
                }
            };
            let (terms, filter) = (&understood.terms, scope.filter.as_deref());
            let narrowed = scope.snapshot.constrained(terms, filter)?;
            let filter = narrowed.map(Arc::new).or_else(|| scope.filter.clone());
            let filter = curated.narrowed(&scope, filter)?;
            Ok(Asked {
                understood: Arc::new(understood),
                curated: Arc::new(curated),
                scope: Scope { filter, ..scope },
                weights,
                micros: 0,
            })
        });
        let asked = asked.await?;
        let micros = micros_since(started);
        Ok(Asked { micros, ..asked })
    }

    /// In time, or not at all.
    pub(super) async fn hits(
        &self,
        asked: &Asked,
        limit: usize,
        budget: Duration,
    ) -> (Result<KeywordHits, SearchError>, u64) {
        let started = Instant::now();
        let Asked {
            understood,
            scope,
            weights,
            ..
        } = asked.clone();
        let search = self.run(move |index| {
            index.check_built(&scope.snapshot)?;
            let (terms, filter) = (&understood.terms, scope.filter.as_deref());
            scope.snapshot.search(terms, &weights, limit, filter)
        });
        let found = tokio::time::timeout(budget, search).await;
        let found = found.unwrap_or(Err(SearchError::Late(budget)));
        (found, micros_since(started))
    }

    /// What rules make of all products of the scope, where there is no query.
    pub(super) async fn curated_browsing(
        &self,
        scope: &Scope,
        verbatim: bool,
    ) -> Result<Curated, SearchError> {
        let rules = self.rules.load_full();
        if verbatim || rules.curations.is_empty() {
            return Ok(Curated::default());
        }
        let scope = scope.clone();
        self.run(move |_| Curated::of_browsing(&rules.curations, &scope))
            .await
    }

    /// The answer of the legs, as the rules have it.
    pub(super) async fn rank(
        &self,
        question: &Question,
        asked: &Asked,
        legs: Legs<'_>,
    ) -> Result<Vec<RankedHit>, SearchError> {
        let boosts = match asked.curated.has_boosts() {
            false => Boosts::default(),
            true => {
                let (curated, ids) = (Arc::clone(&asked.curated), legs.ids());
                let snapshot = Arc::clone(&asked.scope.snapshot);
                self.run(move |_| curated.boosts(&snapshot, &ids)).await?
            }
        };
        let hits = fuse(&question.profile, legs, &question.popularity, &boosts);
        Ok(asked.curated.placed(hits))
    }

    /// What the products of the present snapshot are held against.
    pub(super) async fn scope(&self, filter: Option<Filter>) -> Result<Scope, SearchError> {
        let Some(filter) = filter else {
            let index = self.index.load();
            let snapshot = index.snapshot();
            return Ok(Scope {
                is_built: index.check_built(&snapshot).is_ok(),
                snapshot,
                filter: None,
            });
        };
        let evaluate = move |index: &KeywordIndex| {
            let snapshot = index.snapshot();
            index.check_built(&snapshot)?;
            let filter = Some(Arc::new(snapshot.filtered(&filter)?));
            Ok(Scope {
                snapshot,
                filter,
                is_built: true,
            })
        };
        self.run(evaluate).await
    }

    /// Does work that keeps a core busy, or waits until there is a core for it.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&KeywordIndex) -> Result<T, IndexError> + Send + 'static,
    ) -> Result<T, SearchError> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let index = self.index.load_full();
        let search = tokio::task::spawn_blocking(move || {
            // Kept until the search ends, which it does even when nobody waits any longer.
            let _place = place;
            work(&index)
        });
        let found = search
            .await
            .map_err(|err| SearchError::Unavailable(err.into()))?;
        found.map_err(|err| SearchError::Unavailable(err.into()))
    }
}

/// A question as it was understood.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) understood: Arc<Understood>,
    pub(super) curated: Arc<Curated>,
    pub(super) scope: Scope,
    weights: KeywordWeights,
    pub(super) micros: u64,
}

impl Asked {
    /// A query without any word finds nothing, by meaning neither.
    pub(super) fn is_nothing(&self) -> bool {
        self.understood.words.is_empty()
    }
}

pub(super) fn micros_since(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX)
}

pub(super) struct KeywordStrategy {
    pub(super) keyword: Arc<KeywordSearch>,
}

impl SearchStrategy for KeywordStrategy {
    fn search<'a>(
        &'a self,
        question: &'a Question,
        limit: usize,
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<SearchOutcome, SearchError>> {
        async move {
            let asked = self
                .keyword
                .understand(question, StrategyKind::Keyword, scope);
            let asked = asked.await?;
            self.keyword.answer(question, &asked, limit, false).await
        }
        .boxed()
    }
}

impl KeywordSearch {
    /// By words alone.
    pub(super) async fn answer(
        &self,
        question: &Question,
        asked: &Asked,
        limit: usize,
        degraded: bool,
    ) -> Result<SearchOutcome, SearchError> {
        let depth = question.profile.depth.max(limit);
        let (found, micros) = self.hits(asked, depth, question.budget).await;
        let found = found?;
        let legs = Legs {
            keyword: Some(&found),
            ..Legs::default()
        };
        Ok(SearchOutcome {
            hits: self.rank(question, asked, legs).await?,
            strategy: StrategyKind::Keyword,
            degraded,
            understood: Arc::clone(&asked.understood),
            near: Vec::new(),
            curated: Arc::clone(&asked.curated),
            coverage: 0.0,
            micros: vec![("understanding", asked.micros), ("keyword", micros)],
        })
    }
}
