//! Search by words, in the keyword index of this replica.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Instant;

use arc_swap::ArcSwap;
use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::sync::Semaphore;
use tokio_util::task::AbortOnDropHandle;

use crate::index::{Filter, IndexError, KeywordHits, KeywordIndex, KeywordWeights, Language};
use crate::search::ranking::fusion::RankedHit;
use crate::search::ranking::fusion::{Legs, fuse};
use crate::search::request::query::ParsedQuery;
use crate::search::request::understanding::{self, Understood};
use crate::search::rules::curation::curated::{Boosts, Curated};
use crate::search::rules::rule_set::RuleSet;
use crate::search::rules::rule_set::RulesHandle;
use crate::search::strategy::scope::Scope;
use crate::search::{Deadline, Question, SearchError, SearchOutcome, SearchStrategy, StrategyKind};

/// A search keeps a core busy for about a millisecond: more at a time only make all of them slower.
const SEARCHES_PER_CORE: usize = 2;

/// The index that a rebuild replaces while searches go on.
type CurrentIndex = Arc<ArcSwap<KeywordIndex>>;

pub(crate) struct KeywordSearch {
    index: CurrentIndex,
    rules: RulesHandle,
    places: Arc<Semaphore>,
}

impl KeywordSearch {
    pub(crate) fn new(index: CurrentIndex, rules: RulesHandle) -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self {
            index,
            rules,
            places: Arc::new(Semaphore::new(cores * SEARCHES_PER_CORE)),
        }
    }

    #[cfg(test)]
    pub(crate) fn free_places(&self) -> usize {
        self.places.available_permits()
    }

    /// What the query asks for, by the words of the catalogue; the scope is narrowed to what its
    /// phrases, its exclusions and the rules leave.
    pub(crate) async fn understand(
        &self,
        question: &Question,
        kind: StrategyKind,
        scope: &Scope,
    ) -> Result<Asked, SearchError> {
        let started = Instant::now();
        let reading = self.reading(question, kind, scope)?;
        let deadline = question.deadline.with_grace();
        let asked = self.run_until(deadline, move |_| reading.read());
        let asked = asked.await?;
        let micros = micros_since(started);
        Ok(Asked { micros, ..asked })
    }

    /// The same and the hits in one go: who changes threads waits for a core each time.
    async fn understand_and_find(
        &self,
        question: &Question,
        limit: usize,
        scope: &Scope,
    ) -> Result<(Asked, KeywordHits, u64), SearchError> {
        let started = Instant::now();
        let reading = self.reading(question, StrategyKind::Keyword, scope)?;
        let (profile, explained) = (Arc::clone(&question.profile), question.explained);
        let find = move |index: &KeywordIndex| {
            let asked = reading.read()?;
            let micros = micros_since(started);
            let depth = match explained || !asked.curated.rules.is_empty() {
                true => profile.depth.max(limit),
                false => profile.hits_that_decide(limit),
            };
            let hits = asked.find(index, depth)?;
            Ok((
                Asked { micros, ..asked },
                hits,
                micros_since(started) - micros,
            ))
        };
        self.run_until(question.deadline.with_grace(), find).await
    }

    fn reading(
        &self,
        question: &Question,
        kind: StrategyKind,
        scope: &Scope,
    ) -> Result<Reading, SearchError> {
        Ok(Reading {
            query: ParsedQuery::parse(&question.query, scope.snapshot.language())?,
            weights: question.profile.words_of(kind).clone(),
            rules: (!question.verbatim).then(|| self.rules.load_full()),
            by_relevance: question.by_relevance,
            scope: scope.clone(),
        })
    }

    /// Of the index that answers now.
    pub(crate) fn language(&self) -> Language {
        self.index.load().language()
    }

    /// In time, or not at all.
    pub(crate) async fn hits(
        &self,
        asked: &Asked,
        limit: usize,
        deadline: Deadline,
    ) -> (Result<KeywordHits, SearchError>, u64) {
        let started = Instant::now();
        let asked = asked.clone();
        let search = self.run_until(deadline, move |index| asked.find(index, limit));
        let found = search.await;
        (found, micros_since(started))
    }

    /// What rules make of all products of the scope, where there is no query.
    pub(crate) async fn curated_browsing(
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
    pub(crate) async fn rank(
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
    pub(crate) async fn scope(
        &self,
        filter: Option<Filter>,
        deadline: Deadline,
    ) -> Result<Scope, SearchError> {
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
        self.run_until(deadline, evaluate).await
    }

    /// Does work that keeps a core busy, or waits until there is a core for it. What nobody waits for
    /// any longer never begins.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&KeywordIndex) -> Result<T, IndexError> + Send + 'static,
    ) -> Result<T, SearchError> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let index = self.index.load_full();
        let search = tokio::task::spawn_blocking(move || {
            // Kept until the search ends, which one that has begun does even when nobody waits.
            let _place = place;
            work(&index)
        });
        let found = AbortOnDropHandle::new(search)
            .await
            .map_err(|err| SearchError::Unavailable(err.into()))?;
        found.map_err(|err| SearchError::Unavailable(err.into()))
    }

    /// The same, unless its time is up before it is done or has begun.
    pub(crate) async fn run_until<T: Send + 'static>(
        &self,
        deadline: Deadline,
        work: impl FnOnce(&KeywordIndex) -> Result<T, IndexError> + Send + 'static,
    ) -> Result<T, SearchError> {
        let done = tokio::time::timeout_at(deadline.at, self.run(work)).await;
        done.unwrap_or(Err(SearchError::Late(deadline.budget)))
    }
}

/// A question as it was understood.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) understood: Arc<Understood>,
    pub(crate) curated: Arc<Curated>,
    pub(crate) scope: Scope,
    weights: KeywordWeights,
    pub(crate) micros: u64,
}

/// All that a question is understood by.
struct Reading {
    query: ParsedQuery,
    weights: KeywordWeights,
    /// None takes the query as it is.
    rules: Option<Arc<RuleSet>>,
    by_relevance: bool,
    scope: Scope,
}

impl Reading {
    fn read(mut self) -> Result<Asked, IndexError> {
        let vocabulary = self.scope.snapshot.vocabulary();
        if let Some(identifier) = self.query.as_identifier()
            && vocabulary.has_identifier(&identifier)?
        {
            self.query = self.query.plain(vocabulary.language());
        }
        let (query, scope) = (&self.query, &self.scope);
        let (understood, curated) = match &self.rules {
            None => {
                let understood = understanding::verbatim(query, &vocabulary)?;
                (understood, Curated::default())
            }
            Some(rules) => {
                let synonyms = &rules.synonyms;
                let understood =
                    understanding::understand(query, &vocabulary, synonyms, &self.weights)?;
                let (curations, by_relevance) = (&rules.curations, self.by_relevance);
                let curated =
                    Curated::of_query(curations, query, &understood, scope, by_relevance)?;
                (understood, curated)
            }
        };
        let (terms, filter) = (&understood.terms, scope.filter.as_deref());
        let narrowed = scope.snapshot.constrained(terms, filter)?;
        let filter = narrowed.map(Arc::new).or_else(|| scope.filter.clone());
        let filter = curated.narrowed(scope, filter)?;
        Ok(Asked {
            understood: Arc::new(understood),
            curated: Arc::new(curated),
            scope: Scope {
                filter,
                ..self.scope
            },
            weights: self.weights,
            micros: 0,
        })
    }
}

impl Asked {
    fn find(&self, index: &KeywordIndex, limit: usize) -> Result<KeywordHits, IndexError> {
        let scope = &self.scope;
        index.check_built(&scope.snapshot)?;
        let (terms, filter) = (&self.understood.terms, scope.filter.as_deref());
        scope.snapshot.search(terms, &self.weights, limit, filter)
    }

    /// A query without any word finds nothing, by meaning neither.
    pub(crate) fn is_nothing(&self) -> bool {
        self.understood.words.is_empty()
    }
}

pub(crate) fn micros_since(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX)
}

pub(crate) struct KeywordStrategy {
    pub(crate) keyword: Arc<KeywordSearch>,
}

impl SearchStrategy for KeywordStrategy {
    fn search<'a>(
        &'a self,
        question: &'a Question,
        limit: usize,
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<SearchOutcome, SearchError>> {
        async move {
            let found = self.keyword.understand_and_find(question, limit, scope);
            let (asked, found, micros) = found.await?;
            self.keyword.outcome(question, &asked, found, micros).await
        }
        .boxed()
    }
}

impl KeywordSearch {
    /// By words alone.
    pub(crate) async fn answer(
        &self,
        question: &Question,
        asked: &Asked,
        limit: usize,
        deadline: Deadline,
    ) -> Result<SearchOutcome, SearchError> {
        let depth = question.profile.depth.max(limit);
        let (found, micros) = self.hits(asked, depth, deadline).await;
        self.outcome(question, asked, found?, micros).await
    }

    async fn outcome(
        &self,
        question: &Question,
        asked: &Asked,
        found: KeywordHits,
        micros: u64,
    ) -> Result<SearchOutcome, SearchError> {
        let legs = Legs {
            keyword: Some(&found),
            ..Legs::default()
        };
        Ok(SearchOutcome {
            hits: self.rank(question, asked, legs).await?,
            matched: Some(found.matched),
            strategy: StrategyKind::Keyword,
            degraded: false,
            understood: Arc::clone(&asked.understood),
            near: None,
            curated: Arc::clone(&asked.curated),
            coverage: 0.0,
            micros: vec![("understanding", asked.micros), ("keyword", micros)],
        })
    }
}
