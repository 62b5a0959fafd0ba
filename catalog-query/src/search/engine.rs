//! A search as a whole: filter, strategy, totals, facets, order and pages.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use catalog_events::ProductId;

use crate::index::{
    DocSets, FacetCounts, FacetRequest, Filter, Hit, IndexError, KeywordIndex, Order, Place,
    QueryTerms,
};
use crate::popularity::PopularityBoard;
use crate::search::answer::explanation::{Absence, Explanation};
use crate::search::completion::Completions;
use crate::search::ranking::fusion::RankedHit;
use crate::search::ranking::profile::{RankingProfile, RankingProfiles};
use crate::search::request::cursor::{Cursor, RequestHash, SHOWN_MAX, shown_hash};
use crate::search::request::query::ParsedQuery;
use crate::search::rules::curation::curated::Curated;
use crate::search::strategy::factory::SearchStrategyFactory;
use crate::search::strategy::keyword::KeywordSearch;
use crate::search::strategy::scope::Scope;
use crate::search::strategy::vector::VectorSearch;
use crate::search::{Deadline, Question, SearchError, SearchOutcome, StrategyKind};

#[derive(Clone, Debug)]
pub(crate) struct SearchRequest {
    pub(crate) query: String,
    pub(crate) limit: usize,
    pub(crate) strategy: StrategyKind,
    pub(crate) filter: Option<Filter>,
    pub(crate) facets: Vec<FacetRequest>,
    pub(crate) sort: Sort,
    pub(crate) page_token: String,
    /// The name of a ranking profile; empty means the default one.
    pub(crate) profile: String,
    /// Takes the query as it is: no corrected spelling, no synonyms, no curation.
    pub(crate) verbatim: bool,
    /// How long the legs may take together.
    pub(crate) budget: Duration,
    pub(crate) explain: bool,
    /// Whose absence is to be explained.
    pub(crate) why_not: Option<ProductId>,
    /// What else decides which products come in which order, as bytes: the filter as it was stated,
    /// the ranking profile, how the query is to be read.
    pub(crate) identity: Vec<u8>,
}

/// None of them is by relevance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sort {
    /// The newest first when there is no query.
    #[default]
    Relevance,
    PriceAscending,
    PriceDescending,
    Newest,
    Popularity,
}

#[derive(Clone, Debug)]
pub(crate) struct SearchPage {
    /// Scores are 0 where the order is not by relevance.
    pub(crate) hits: Vec<Hit>,
    /// All matches, exactly.
    pub(crate) total: u64,
    /// One for each request, in their order.
    pub(crate) facets: Vec<FacetCounts>,
    pub(crate) next_page_token: String,
    /// How the query was understood and answered; its hits are not cut to the page. None when
    /// there was no query.
    pub(crate) outcome: Option<SearchOutcome>,
    /// Where a rule sends the query.
    pub(crate) redirect_url: Option<String>,
    pub(crate) profile: Arc<RankingProfile>,
    pub(crate) explanation: Option<Explanation>,
    pub(crate) absence: Option<Absence>,
}

pub(crate) struct SearchEngine {
    profiles: RankingProfiles,
    strategies: SearchStrategyFactory,
    pub(crate) keyword: Arc<KeywordSearch>,
    pub(crate) vector: Arc<VectorSearch>,
    pub(crate) popularity: PopularityBoard,
    pub(crate) completions: Arc<Completions>,
}

impl SearchEngine {
    pub(crate) fn new(
        strategies: SearchStrategyFactory,
        profiles: RankingProfiles,
        popularity: PopularityBoard,
    ) -> Self {
        Self {
            profiles,
            keyword: strategies.keyword_search(),
            vector: strategies.vector_search(),
            strategies,
            popularity,
            completions: Arc::default(),
        }
    }

    pub(crate) async fn search(&self, request: SearchRequest) -> Result<SearchPage, SearchError> {
        let browses = match ParsedQuery::parse(&request.query, self.keyword.language()) {
            Ok(_) => false,
            Err(SearchError::EmptyQuery)
                if request.filter.is_some() || request.sort != Sort::Relevance =>
            {
                true
            }
            Err(err) => return Err(err),
        };
        let profile = self.profiles.get(&request.profile);
        let profile = Arc::clone(profile.ok_or(SearchError::UnknownProfile)?);
        let hash = request.hash();
        let cursor = Cursor::parse(&request.page_token, hash)?;
        let deadline = Deadline::after(request.budget);
        let order = self.order(request.sort, browses);
        // Of the other kind of order, which only a forged token is.
        if matches!(
            (&cursor, &order),
            (Cursor::After(_), None) | (Cursor::Shown(_), Some(_))
        ) {
            return Err(crate::search::request::cursor::InvalidPageToken::Malformed.into());
        }
        let (filter, needed_by) = (request.filter.clone(), deadline.with_grace());
        let scope = self.keyword.scope(filter, needed_by).await?;
        let outcome = match browses {
            true => None,
            false => {
                let question = self.question(&request, &profile, deadline, order.is_none());
                let limit = hits_wanted(&request, &cursor, order.is_some());
                let strategy = self.strategies.strategy(request.strategy);
                Some(strategy.search(&question, limit, &scope).await?)
            }
        };
        let curated = match &outcome {
            Some(outcome) => Arc::clone(&outcome.curated),
            None => {
                let curated = self.keyword.curated_browsing(&scope, request.verbatim);
                Arc::new(curated.await?)
            }
        };
        let matches = Matches::of(outcome.as_ref(), Arc::clone(&curated));
        let (facets, filter) = (request.facets.clone(), request.filter.clone());
        let (after, limit) = (cursor.place().cloned(), request.limit);
        let within = scope.clone();
        // An answer without a leg that was late still has its totals and facets.
        let counted_by = Deadline::after(request.budget).with_grace();
        // What is more than the hits themselves is known to the index alone.
        let needs_index = browses || order.is_some() || !facets.is_empty();
        let counted = match matches.total_at_hand().filter(|_| !needs_index) {
            Some(total) => Counted::only(total),
            None => {
                let count = move |index: &KeywordIndex| {
                    if needs_index {
                        index.check_built(&scope.snapshot)?;
                    }
                    let among = matches.within_scope(&scope)?;
                    let page = order.map(|order| {
                        scope
                            .snapshot
                            .page(&among, &order, after.as_ref(), limit + 1)
                    });
                    Ok(Counted {
                        total: among.len(),
                        page: page.transpose()?,
                        facets: matches.facets(&scope, &among, filter.as_ref(), &facets)?,
                    })
                };
                self.keyword.run_until(counted_by, count).await?
            }
        };
        let hits_known = match (within.is_built, &outcome) {
            (false, Some(outcome)) => outcome.hits.len() as u64,
            _ => 0,
        };
        let (hits, next) = match counted.page {
            Some(places) => sorted_page(places, limit),
            None => shown_page(&cursor, outcome.as_ref(), limit),
        };
        let (explanation, absence) = match &outcome {
            Some(outcome) if request.explain || request.why_not.is_some() => {
                let ids = hits.iter().map(|hit| hit.product_id.clone()).collect();
                self.explain(&request, &profile, outcome, within, ids)
                    .await?
            }
            _ => (None, None),
        };
        Ok(SearchPage {
            profile,
            redirect_url: curated.redirect_url.clone(),
            explanation,
            absence,
            hits,
            total: counted.total.max(hits_known),
            facets: counted.facets,
            next_page_token: next.token(hash),
            outcome,
        })
    }

    async fn explain(
        &self,
        request: &SearchRequest,
        profile: &Arc<RankingProfile>,
        outcome: &SearchOutcome,
        scope: Scope,
        page: Vec<ProductId>,
    ) -> Result<(Option<Explanation>, Option<Absence>), SearchError> {
        let (outcome, profile) = (outcome.clone(), Arc::clone(profile));
        let (kind, explain) = (request.strategy, request.explain);
        let why_not = request.why_not.clone();
        let told_by = Deadline::after(request.budget).with_grace();
        let told = self.keyword.run_until(told_by, move |_| {
            let of_page = page.iter().filter_map(|id| {
                let hits = outcome.hits.iter();
                hits.clone().find(|hit| hit.product_id == *id).cloned()
            });
            let of_page: Vec<RankedHit> = of_page.collect();
            let snapshot = &scope.snapshot;
            let explanation =
                explain.then(|| Explanation::of(snapshot, &outcome, &profile, kind, &of_page));
            let absence = why_not.map(|id| {
                let passes =
                    !snapshot.has(&id, None)? || snapshot.has(&id, scope.filter.as_deref())?;
                Absence::of(snapshot, &outcome, &page, passes, &id)
            });
            Ok((explanation.transpose()?, absence.transpose()?))
        });
        told.await
    }

    fn question(
        &self,
        request: &SearchRequest,
        profile: &Arc<RankingProfile>,
        deadline: Deadline,
        by_relevance: bool,
    ) -> Question {
        Question {
            query: request.query.clone(),
            profile: Arc::clone(profile),
            verbatim: request.verbatim,
            deadline,
            by_relevance,
            explained: request.explain || request.why_not.is_some(),
            popularity: self.popularity.current(),
        }
    }

    /// None for relevance.
    fn order(&self, sort: Sort, browses: bool) -> Option<Order> {
        match sort {
            Sort::Relevance => browses.then_some(Order::Newest),
            Sort::PriceAscending => Some(Order::PriceAscending),
            Sort::PriceDescending => Some(Order::PriceDescending),
            Sort::Newest => Some(Order::Newest),
            Sort::Popularity => Some(Order::Popularity(self.popularity.current())),
        }
    }
}

/// How many hits the strategy is asked for.
fn hits_wanted(request: &SearchRequest, cursor: &Cursor, is_sorted: bool) -> usize {
    match is_sorted {
        // The order is another: only what matches is wanted.
        true => 1,
        false => (cursor.shown().len() + request.limit).min(SHOWN_MAX) + 1,
    }
}

impl SearchRequest {
    fn hash(&self) -> RequestHash {
        let strategy = [self.strategy as u8, self.sort as u8];
        RequestHash::of(&[self.query.as_bytes(), &strategy, &self.identity])
    }
}

impl Cursor {
    fn place(&self) -> Option<&Place> {
        match self {
            Self::After(place) => Some(place),
            Self::Start | Self::Shown(_) => None,
        }
    }

    fn shown(&self) -> &[u32] {
        match self {
            Self::Shown(hashes) => hashes,
            Self::Start | Self::After(_) => &[],
        }
    }
}

struct Counted {
    total: u64,
    page: Option<Vec<Place>>,
    facets: Vec<FacetCounts>,
}

impl Counted {
    fn only(total: u64) -> Self {
        Self {
            total,
            page: None,
            facets: Vec::new(),
        }
    }
}

/// Which products match, whatever their order.
struct Matches {
    found: Found,
    curated: Arc<Curated>,
}

enum Found {
    All,
    /// Those with a word or identifier, and those near in meaning.
    Some {
        by_words: Option<(QueryTerms, Arc<DocSets>)>,
        near: Option<Arc<DocSets>>,
    },
}

impl Matches {
    fn of(outcome: Option<&SearchOutcome>, curated: Arc<Curated>) -> Self {
        let found = match outcome {
            None => Found::All,
            Some(outcome) => Found::Some {
                by_words: outcome
                    .matched
                    .as_ref()
                    .map(|matched| (outcome.understood.terms.clone(), Arc::clone(matched))),
                near: outcome.near.clone(),
            },
        };
        Self { found, curated }
    }

    /// Known without another look at the index.
    fn total_at_hand(&self) -> Option<u64> {
        if self.curated.adjusts() {
            return None;
        }
        match &self.found {
            Found::All => None,
            Found::Some { by_words, near } => {
                let by_words = by_words.as_ref().map(|(_, matched)| &**matched);
                match (by_words, near.as_deref()) {
                    (Some(matched), Some(near)) => Some(matched.len_with(near)),
                    (only, other) => only.or(other).map(DocSets::len),
                }
            }
        }
    }

    /// Those in the filter of the scope.
    fn within_scope(&self, scope: &Scope) -> Result<DocSets, IndexError> {
        let filter = scope.filter.as_deref();
        let among = match &self.found {
            Found::All => scope.snapshot.all(filter)?,
            Found::Some {
                by_words: Some((_, matched)),
                ..
            } => DocSets::clone(matched),
            Found::Some { by_words: None, .. } => scope.snapshot.nothing()?,
        };
        Ok(self.complete(filter, among))
    }

    /// Those in another filter.
    fn within(&self, scope: &Scope, filter: Option<&DocSets>) -> Result<DocSets, IndexError> {
        let among = match &self.found {
            Found::All => scope.snapshot.all(filter)?,
            Found::Some {
                by_words: Some((terms, _)),
                ..
            } => scope.snapshot.matching(terms, filter)?,
            Found::Some { by_words: None, .. } => scope.snapshot.nothing()?,
        };
        Ok(self.complete(filter, among))
    }

    /// With those that no word tells.
    fn complete(&self, filter: Option<&DocSets>, mut among: DocSets) -> DocSets {
        if let Found::Some {
            near: Some(near), ..
        } = &self.found
        {
            among.unite(near);
        }
        self.curated.adjust(&mut among, filter);
        among
    }

    /// Each counts among what matches whatever the field is.
    fn facets(
        &self,
        scope: &Scope,
        among: &DocSets,
        filter: Option<&Filter>,
        facets: &[FacetRequest],
    ) -> Result<Vec<FacetCounts>, IndexError> {
        let counts = facets.iter().map(|facet| {
            let rest = filter.and_then(|filter| filter.without(&facet.field));
            if rest.as_ref() == filter {
                return scope.snapshot.facet(facet, among);
            }
            let rest = rest
                .map(|rest| scope.snapshot.filtered(&rest))
                .transpose()?;
            let among = self.within(scope, rest.as_ref())?;
            scope.snapshot.facet(facet, &among)
        });
        counts.collect()
    }
}

fn sorted_page(mut places: Vec<Place>, limit: usize) -> (Vec<Hit>, Cursor) {
    let more = places.len() > limit;
    places.truncate(limit);
    let next = match places.last() {
        Some(last) if more => Cursor::After(last.clone()),
        _ => Cursor::Start,
    };
    let hits = places.into_iter().map(|place| Hit {
        product_id: place.id,
        score: 0.0,
    });
    (hits.collect(), next)
}

/// The best that were not shown. What comes or goes between two pages makes none appear twice, and
/// none that stays is left out.
fn shown_page(
    cursor: &Cursor,
    outcome: Option<&SearchOutcome>,
    limit: usize,
) -> (Vec<Hit>, Cursor) {
    let shown = cursor.shown();
    let known: HashSet<u32> = shown.iter().copied().collect();
    let room = limit.min(SHOWN_MAX.saturating_sub(shown.len()));
    let hits = outcome.map_or(&[][..], |outcome| &outcome.hits);
    let mut new = hits
        .iter()
        .filter(|hit| !known.contains(&shown_hash(&hit.product_id)));
    let page = new.by_ref().take(room).map(|hit| Hit {
        product_id: hit.product_id.clone(),
        score: hit.score as f32,
    });
    let page: Vec<Hit> = page.collect();
    let more = new.next().is_some() && shown.len() + page.len() < SHOWN_MAX && !page.is_empty();
    let next = match more {
        true => {
            let page = page.iter().map(|hit| shown_hash(&hit.product_id));
            Cursor::Shown(shown.iter().copied().chain(page).collect())
        }
        false => Cursor::Start,
    };
    (page, next)
}
