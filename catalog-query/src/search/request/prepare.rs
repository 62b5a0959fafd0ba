//! Prepares a parsed query for the legs: reads it by the words of the catalog, follows the search
//! rules, and narrows its scope to what phrases, exclusions and rules leave.

use std::sync::Arc;
use std::time::Instant;

use catalog_events::SearchRule;
use time::OffsetDateTime;

use crate::index::{IndexError, KeywordHits, KeywordIndex, KeywordWeights, Vocabulary};
use crate::search::deadline::micros_since;
use crate::search::error::SearchError;
use crate::search::request::query::ParsedQuery;
use crate::search::request::understanding::{
    self, Dictionary, UnderstoodQuery, WORDS_OF_IDENTIFIER_MAX,
};
use crate::search::rules::curation::curated::Curated;
use crate::search::rules::rule_set::{RuleSet, RulesHandle};
use crate::search::strategy::executor::SearchExecutor;
use crate::search::strategy::scope::Scope;
use crate::search::strategy::search_strategy::StrategyRequest;

/// The fewest letters of a word that a minus sign or quotation marks are meant for, whatever part numbers
/// there are.
const SIGNED_WORD_CHARS_MIN: usize = 3;

/// A query that is ready to be looked up: the form after [`ParsedQuery`]. Its terms name the
/// postings that a search by words reads.
#[derive(Clone)]
pub(crate) struct PreparedQuery {
    pub(crate) understood: Arc<UnderstoodQuery>,
    pub(crate) curated: Arc<Curated>,
    pub(crate) scope: Scope,
    pub(crate) weights: Arc<KeywordWeights>,
    /// How long preparing took, in microseconds.
    pub(crate) micros: u64,
}

impl PreparedQuery {
    /// The best `limit` products by words, unless `index` is being built.
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

    /// The words that were dropped to find `found`, as they were typed.
    pub(crate) fn relaxed(&self, found: &KeywordHits) -> Vec<String> {
        let words = &self.understood.words;
        let dropped = found.relaxed.iter().filter_map(|at| words.get(*at));
        let dropped = dropped.filter(|word| !word.is_identifier);
        dropped.map(|word| word.typed.clone()).collect()
    }

    /// The same query, searched with other weights of its words.
    pub(crate) fn weighed_by(self, weights: KeywordWeights) -> Self {
        Self {
            weights: Arc::new(weights),
            ..self
        }
    }

    /// Whether the query has no word. Such a query finds nothing, not even by meaning.
    pub(crate) fn has_no_words(&self) -> bool {
        self.understood.words.is_empty()
    }
}

/// Prepares queries by the search rules that are followed at the moment.
pub(crate) struct QueryPreparer {
    pub(crate) executor: Arc<SearchExecutor>,
    pub(crate) rules: RulesHandle,
    pub(crate) dictionary: Dictionary,
}

impl QueryPreparer {
    /// Prepares a query for a search with these weights, within its deadline.
    pub(crate) async fn prepare(
        &self,
        request: &StrategyRequest,
        weights: KeywordWeights,
        scope: &Scope,
    ) -> Result<PreparedQuery, SearchError> {
        let preparation = self.preparation(request, weights, scope);
        let deadline = request.deadline.with_grace();
        self.executor
            .run_until(deadline, move |_| preparation.run())
            .await
    }

    /// Collects everything that preparing needs, so that it can be done on another thread.
    pub(crate) fn preparation(
        &self,
        request: &StrategyRequest,
        weights: KeywordWeights,
        scope: &Scope,
    ) -> Preparation {
        Preparation {
            started: Instant::now(),
            query: Arc::clone(&request.query),
            weights: Arc::new(weights),
            rules: (!request.verbatim).then(|| self.followed(request.tried.as_ref())),
            by_relevance: request.by_relevance,
            dictionary: self.dictionary.clone(),
            scope: scope.clone(),
        }
    }

    fn followed(&self, tried: Option<&Arc<RuleSet>>) -> Arc<RuleSet> {
        tried.map_or_else(|| self.rules.load_full(), Arc::clone)
    }

    /// The rules with those that are tried out; none where there are none of these.
    pub(crate) fn tried(&self, drafts: &[Arc<SearchRule>]) -> Option<Arc<RuleSet>> {
        let now = OffsetDateTime::now_utc();
        (!drafts.is_empty()).then(|| Arc::new(self.rules.load().with_drafts(drafts, now)))
    }

    /// The effect of the rules on all products of the scope, where there is no query.
    pub(crate) async fn curated_browsing(
        &self,
        scope: &Scope,
        verbatim: bool,
        tried: Option<&Arc<RuleSet>>,
    ) -> Result<Curated, SearchError> {
        let rules = self.followed(tried);
        if verbatim || rules.curations.is_empty() {
            return Ok(Curated::default());
        }
        let scope = scope.clone();
        self.executor
            .run(move |_| Curated::for_browsing(&rules.curations, &scope))
            .await
    }
}

/// A parsed query with everything that preparing it needs.
pub(crate) struct Preparation {
    started: Instant,
    query: Arc<ParsedQuery>,
    weights: Arc<KeywordWeights>,
    /// None for a query that is taken verbatim.
    rules: Option<Arc<RuleSet>>,
    by_relevance: bool,
    dictionary: Dictionary,
    scope: Scope,
}

impl Preparation {
    /// Prepares the query; blocks, because it asks the index.
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

    /// Reads a query as plain words when it is the identifier of a product: its quotation marks and
    /// minus signs then belong to the identifier.
    fn take_identifier_as_it_is(&mut self) -> Result<(), IndexError> {
        let vocabulary = self.scope.snapshot.vocabulary();
        if let Some(identifier) = self.query.as_identifier()
            && vocabulary.has_identifier(&identifier)?
            && !has_signs_of_words(&self.query, &vocabulary)?
        {
            let plain = ParsedQuery::clone(&self.query).plain(vocabulary.language());
            self.query = Arc::new(plain);
        }
        Ok(())
    }

    /// What the words of the query mean, and what the rules say about it.
    fn understand(&self) -> Result<(UnderstoodQuery, Curated), IndexError> {
        let (query, scope) = (&*self.query, &self.scope);
        let vocabulary = scope.snapshot.vocabulary();
        let Some(rules) = &self.rules else {
            let understood = understanding::verbatim(query, &vocabulary)?;
            return Ok((understood, Curated::default()));
        };
        let understood = understanding::understand(
            query,
            &vocabulary,
            &self.dictionary,
            &rules.synonyms,
            &self.weights,
        )?;
        let (curations, by_relevance) = (&rules.curations, self.by_relevance);
        let curated = Curated::for_query(curations, query, &understood, scope, by_relevance)?;
        Ok((understood, curated))
    }

    /// The part of the scope that phrases, exclusions and rules leave.
    fn narrowed_scope(
        &self,
        understood: &UnderstoodQuery,
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

/// Whether a minus sign or quotation marks of a query are those of words that many products have, and so no
/// part of a part number.
fn has_signs_of_words(query: &ParsedQuery, vocabulary: &Vocabulary<'_>) -> tantivy::Result<bool> {
    for word in query.words_with_signs() {
        let is_short = word.surface.chars().count() < SIGNED_WORD_CHARS_MIN;
        if !is_short && vocabulary.documents(&word.surface)? > WORDS_OF_IDENTIFIER_MAX {
            return Ok(true);
        }
    }
    Ok(false)
}
