//! Searches by words and by meaning at once. When one leg fails or is late, the other one answers,
//! as if it had been asked alone. Invariant: with few vectors or none, the answer is about that of
//! the words alone, never worse.

use std::collections::HashSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use catalog_events::ProductId;
use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::time::timeout_at;

use crate::index::{KeywordHits, KeywordIndex, MatchMode, TIER_ALL_WORDS};
use crate::read_model::Coverage;
use crate::search::deadline::micros_since;
use crate::search::error::SearchError;
use crate::search::ranking::fusion::Legs;
use crate::search::ranking::meant_kind::MeantKind;
use crate::search::request::prepare::PreparedQuery;
use crate::search::strategy::keyword::KeywordSearch;
use crate::search::strategy::kind::StrategyKind;
use crate::search::strategy::ranker::rank;
use crate::search::strategy::scope::{Near, NearEnough, Scope};
use crate::search::strategy::search_strategy::{SearchOutcome, SearchStrategy, StrategyRequest};
use crate::search::strategy::vector::{VectorError, VectorSearch};

/// From this share of the products on, it does not matter which of them lack a vector.
const COVERAGE_OF_NEARLY_ALL: f64 = 0.99;
/// The fewest words by which a query may name one product.
const NAMING_WORDS_MIN: usize = 3;
/// How many times the score of the second hit the first has at least, where a query names it.
const NAMED_SCORE_RATIO_MIN: f32 = 1.02;

/// The strategy with two legs, one by words and one by meaning.
pub(crate) struct HybridStrategy {
    pub(crate) keyword: Arc<KeywordSearch>,
    pub(crate) vector: Arc<VectorSearch>,
    pub(crate) coverage: Coverage,
}

impl SearchStrategy for HybridStrategy {
    fn search<'a>(
        &'a self,
        request: &'a StrategyRequest,
        limit: usize,
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<SearchOutcome, SearchError>> {
        async move {
            let coverage = if self.vector.has_model() {
                self.coverage.share(scope.snapshot.documents())
            } else {
                0.0
            };
            let words = request.profile.words_at(coverage);
            let prepared = self.keyword.preparer.prepare(request, words, scope).await?;
            let depth = request.profile.depth.max(limit);
            let ((keyword, keyword_micros), (vector, vector_micros)) =
                self.legs(request, &prepared, depth).await;
            let micros = vec![
                ("understanding", prepared.micros),
                ("keyword", keyword_micros),
                ("vector", vector_micros),
            ];
            match (keyword, vector) {
                (Err(err), Err(_)) => Err(err),
                (Ok(_), Err(_)) => self.by_words_alone(request, prepared, limit).await,
                (Err(_), Ok(near)) => {
                    let answer = self.vector.answer(request, prepared, near, micros);
                    Ok(SearchOutcome {
                        degraded: true,
                        ..answer.await?
                    })
                }
                (Ok(found), Ok(near)) => {
                    let both = BothLegs {
                        keyword: Arc::new(found),
                        near: Arc::new(near),
                        coverage,
                    };
                    self.by_both(request, prepared, both, micros).await
                }
            }
        }
        .boxed()
    }
}

/// What a leg found, and the microseconds that it took.
type Timed<T, E> = (Result<T, E>, u64);

/// What both legs found.
struct BothLegs {
    keyword: Arc<KeywordHits>,
    near: Arc<Near>,
    /// The share of the products that have a vector.
    coverage: f64,
}

/// What each leg tells about the hits of the other.
struct Told {
    /// The kind that the query means, unless it names a product.
    kind: Option<MeantKind>,
    /// The hits by words with those among them that are near in meaning and have some of the words.
    keyword: KeywordHits,
    /// The hits by meaning that are near enough beside those by words.
    enough: NearEnough,
}

impl HybridStrategy {
    /// Runs both legs at once. The leg by words is given up at the deadline only where the leg by
    /// meaning has answered.
    async fn legs(
        &self,
        request: &StrategyRequest,
        prepared: &PreparedQuery,
        depth: usize,
    ) -> (Timed<KeywordHits, SearchError>, Timed<Near, VectorError>) {
        let (deadline, started) = (request.deadline, Instant::now());
        let by_meaning = self.vector.hits(prepared, request);
        let mut by_words = pin!(self.keyword.hits(prepared, depth, deadline.with_grace()));
        let by_words_in_time = timeout_at(deadline.at, by_words.as_mut());
        // The leg by meaning begins first, because it waits for the model and for Postgres.
        let (vector, words_in_time) = tokio::join!(by_meaning, by_words_in_time);
        let keyword = match (words_in_time, &vector) {
            (Ok(found), _) => found,
            (Err(_), (Ok(_), _)) => {
                let late = SearchError::Late(deadline.budget);
                (Err(late), micros_since(started))
            }
            (Err(_), (Err(_), _)) => by_words.await,
        };
        (keyword, vector)
    }

    /// Answers by the words, with the weights that they have without a leg by meaning. Searching by
    /// words again takes a millisecond; waiting for the other leg took longer.
    async fn by_words_alone(
        &self,
        request: &StrategyRequest,
        prepared: PreparedQuery,
        limit: usize,
    ) -> Result<SearchOutcome, SearchError> {
        let prepared = prepared.weighed_by(request.profile.words.clone());
        let deadline = request.deadline.with_grace();
        let answer = self.keyword.answer(request, &prepared, limit, deadline);
        Ok(SearchOutcome {
            degraded: true,
            ..answer.await?
        })
    }

    async fn by_both(
        &self,
        request: &StrategyRequest,
        prepared: PreparedQuery,
        both: BothLegs,
        micros: Vec<(&'static str, u64)>,
    ) -> Result<SearchOutcome, SearchError> {
        let names_first = names_first(&prepared, &both.keyword);
        let without_vector = self.without_vector(request, &both).await;
        let told = self
            .beside_each_other(request, &prepared, &both, names_first)
            .await?;
        let words = &both.keyword.matched;
        let near = both.near.matching(&told.enough, Some(words));
        let legs = Legs {
            keyword: Some(&told.keyword),
            vector: Some(&near),
            coverage: both.coverage,
            without_vector: without_vector.as_ref(),
            names_first,
            kind: told.kind.as_ref(),
        };
        Ok(SearchOutcome {
            hits: rank(&self.keyword.executor, request, &prepared, legs).await?,
            relaxed: prepared.relaxed(&both.keyword),
            similarity_floor: told.enough.floor,
            matched: Some(both.keyword.matched.clone()),
            strategy: StrategyKind::Hybrid,
            degraded: false,
            near: Some(told.enough.matched),
            curated: prepared.curated,
            understood: prepared.understood,
            words: prepared.weights,
            vector_weight: legs.vector_weight(&request.profile),
            coverage: both.coverage,
            micros,
        })
    }

    /// The hits by words that have no vector yet. None where nearly all products have one, and
    /// where it cannot be told in time.
    async fn without_vector(
        &self,
        request: &StrategyRequest,
        both: &BothLegs,
    ) -> Option<HashSet<ProductId>> {
        if both.coverage >= COVERAGE_OF_NEARLY_ALL || both.near.hits.is_empty() {
            return None;
        }
        let ids = both.keyword.hits.iter().map(|hit| hit.product_id.clone());
        let ids: Vec<ProductId> = ids.collect();
        let told = self.vector.vectors.without_vector(&ids);
        match timeout_at(request.deadline.with_grace().at, told).await {
            Ok(Ok(without)) => Some(without),
            Ok(Err(err)) => {
                self.vector.log(&VectorError::from(err));
                None
            }
            Err(_) => None,
        }
    }

    /// What each leg tells about the hits of the other. It is one job: a change of threads waits for a core.
    async fn beside_each_other(
        &self,
        request: &StrategyRequest,
        prepared: &PreparedQuery,
        both: &BothLegs,
        names_first: bool,
    ) -> Result<Told, SearchError> {
        let (by_words, near) = (Arc::clone(&both.keyword), Arc::clone(&both.near));
        let (profile, prepared) = (Arc::clone(&request.profile), prepared.clone());
        let learn = move |_: &KeywordIndex| {
            let (snapshot, understood) = (&prepared.scope.snapshot, &prepared.understood);
            let kind = if names_first {
                None
            } else {
                MeantKind::of(snapshot, &profile.meant_kind, understood, &by_words, &near)?
            };
            let enough = if has_all_words(&prepared, &by_words) {
                near.beside(&by_words.matched.all, profile.near_share, &prepared.scope)
            } else {
                near.as_found()
            };
            let others: Vec<_> = near.near_enough(&enough).collect();
            let found = KeywordHits::clone(&by_words);
            let (terms, weights) = (&understood.terms, &prepared.weights);
            let share = profile.partial_share as f32;
            let keyword = snapshot.with_partial_hits(found, &others, terms, weights, share)?;
            Ok(Told {
                kind,
                keyword,
                enough,
            })
        };
        let deadline = request.deadline.with_grace();
        self.keyword.executor.run_until(deadline, learn).await
    }
}

/// Whether the products that match by words have all words of the query.
fn has_all_words(prepared: &PreparedQuery, by_words: &KeywordHits) -> bool {
    prepared.relaxed(by_words).is_empty() && prepared.understood.terms.mode != MatchMode::Any
}

/// Whether the query names the first hit by words, and so no kind of products: no other has all of
/// its many words, or the next one scores less. Among near equals the meaning decides.
fn names_first(prepared: &PreparedQuery, by_words: &KeywordHits) -> bool {
    if prepared.understood.terms.words.len() < NAMING_WORDS_MIN {
        return false;
    }
    match &by_words.hits[..] {
        [first, ..] if first.tier != TIER_ALL_WORDS => false,
        [first, second, ..] if second.tier == TIER_ALL_WORDS => {
            first.score >= second.score * NAMED_SCORE_RATIO_MIN
        }
        hits => !hits.is_empty(),
    }
}
