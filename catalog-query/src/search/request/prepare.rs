//! Prepares a query for the legs: understood by the words of the catalog, its scope narrowed to what
//! its phrases, its exclusions and the rules leave.

use std::sync::Arc;
use std::time::Instant;

use crate::index::{IndexError, KeywordHits, KeywordIndex, KeywordWeights};
use crate::search::deadline::micros_since;
use crate::search::error::SearchError;
use crate::search::request::query::ParsedQuery;
use crate::search::request::understanding::{self, Understood};
use crate::search::rules::curation::curated::Curated;
use crate::search::rules::rule_set::{RuleSet, RulesHandle};
use crate::search::strategy::executor::SearchExecutor;
use crate::search::strategy::kind::StrategyKind;
use crate::search::strategy::scope::Scope;
use crate::search::strategy::search_strategy::Question;

/// A query that is ready to be looked up.
#[derive(Clone)]
pub(crate) struct PreparedQuery {
    pub(crate) understood: Arc<Understood>,
    pub(crate) curated: Arc<Curated>,
    pub(crate) scope: Scope,
    weights: KeywordWeights,
    /// How long preparing took.
    pub(crate) micros: u64,
}

impl PreparedQuery {
    /// The best `limit` by words, in `index`.
    pub(crate) fn find(
        &self,
        index: &KeywordIndex,
        limit: usize,
    ) -> Result<KeywordHits, IndexError> {
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

/// Prepares queries by the search rules of now.
pub(crate) struct QueryPreparer {
    pub(crate) executor: Arc<SearchExecutor>,
    pub(crate) rules: RulesHandle,
}

impl QueryPreparer {
    pub(crate) async fn prepare(
        &self,
        question: &Question,
        kind: StrategyKind,
        scope: &Scope,
    ) -> Result<PreparedQuery, SearchError> {
        let preparation = self.preparation(question, kind, scope);
        let deadline = question.deadline.with_grace();
        self.executor
            .run_until(deadline, move |_| preparation.run())
            .await
    }

    /// Everything that preparing needs, to be taken to another thread.
    pub(crate) fn preparation(
        &self,
        question: &Question,
        kind: StrategyKind,
        scope: &Scope,
    ) -> Preparation {
        Preparation {
            started: Instant::now(),
            query: Arc::clone(&question.query),
            weights: question.profile.words_of(kind).clone(),
            rules: (!question.verbatim).then(|| self.rules.load_full()),
            by_relevance: question.by_relevance,
            scope: scope.clone(),
        }
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
        self.executor
            .run(move |_| Curated::of_browsing(&rules.curations, &scope))
            .await
    }
}

pub(crate) struct Preparation {
    started: Instant,
    query: Arc<ParsedQuery>,
    weights: KeywordWeights,
    /// None takes the query as it is.
    rules: Option<Arc<RuleSet>>,
    by_relevance: bool,
    scope: Scope,
}

impl Preparation {
    /// Asks the index; blocks.
    pub(crate) fn run(mut self) -> Result<PreparedQuery, IndexError> {
        self.take_identifier_as_it_is()?;
        let (understood, curated) = self.understand()?;
        let scope = self.narrowed_scope(&understood, &curated)?;
        Ok(PreparedQuery {
            understood: Arc::new(understood),
            curated: Arc::new(curated),
            scope,
            weights: self.weights,
            micros: micros_since(self.started),
        })
    }

    /// A query that is the identifier of a product has no phrases and no exclusions, whatever signs
    /// are in it.
    fn take_identifier_as_it_is(&mut self) -> Result<(), IndexError> {
        let vocabulary = self.scope.snapshot.vocabulary();
        if let Some(identifier) = self.query.as_identifier()
            && vocabulary.has_identifier(&identifier)?
        {
            let plain = ParsedQuery::clone(&self.query).plain(vocabulary.language());
            self.query = Arc::new(plain);
        }
        Ok(())
    }

    fn understand(&self) -> Result<(Understood, Curated), IndexError> {
        let (query, scope) = (&*self.query, &self.scope);
        let vocabulary = scope.snapshot.vocabulary();
        let Some(rules) = &self.rules else {
            let understood = understanding::verbatim(query, &vocabulary)?;
            return Ok((understood, Curated::default()));
        };
        let understood =
            understanding::understand(query, &vocabulary, &rules.synonyms, &self.weights)?;
        let (curations, by_relevance) = (&rules.curations, self.by_relevance);
        let curated = Curated::of_query(curations, query, &understood, scope, by_relevance)?;
        Ok((understood, curated))
    }

    fn narrowed_scope(
        &self,
        understood: &Understood,
        curated: &Curated,
    ) -> Result<Scope, IndexError> {
        let scope = &self.scope;
        let constrained = scope
            .snapshot
            .constrained(&understood.terms, scope.filter.as_deref())?;
        let filter = constrained.map(Arc::new).or_else(|| scope.filter.clone());
        Ok(Scope {
            filter: curated.narrowed(scope, filter)?,
            ..scope.clone()
        })
    }
}
