//! Answers a search as a whole: filter, strategy, totals, facets, order and pages.

mod match_set;
mod page;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use catalog_events::{Currency, ProductId};
use catalog_proto::encoded::ProductView;

use self::match_set::MatchSet;
pub(crate) use self::page::SearchPage;
use self::page::{shown_page, sorted_page};
use crate::index::{FacetCounts, Filter, Hit, IndexError, KeywordIndex, Order, OrderBy, Place};
use crate::search::answer::explanation::{Absence, Explanation};
use crate::search::completion::{Completer, Completion};
use crate::search::deadline::{ANSWER_MAX, Deadline};
use crate::search::error::SearchError;
use crate::search::ranking::profile::{RankingProfile, RankingProfiles};
use crate::search::ranking::ranked_hit::RankedHit;
use crate::search::request::cursor::{Cursor, InvalidPageToken, RequestHash, SHOWN_MAX};
use crate::search::request::prepare::QueryPreparer;
use crate::search::request::query::ParsedQuery;
use crate::search::request::search_request::{SearchRequest, Sort};
use crate::search::rules::curation::curated::Curated;
use crate::search::rules::rule_set::RuleSet;
use crate::search::similar::{SimilarProducts, SimilarSearch};
use crate::search::strategy::executor::SearchExecutor;
use crate::search::strategy::factory::SearchStrategyFactory;
use crate::search::strategy::kind::StrategyKind;
use crate::search::strategy::scope::Scope;
use crate::search::strategy::search_strategy::{SearchOutcome, StrategyRequest};
use crate::usage::PopularityBoard;

/// Answers search requests, and also completions and requests for similar products.
pub(crate) struct SearchEngine {
    profiles: RankingProfiles,
    strategies: SearchStrategyFactory,
    executor: Arc<SearchExecutor>,
    preparer: Arc<QueryPreparer>,
    similar: SimilarSearch,
    completer: Completer,
    popularity: PopularityBoard,
}

impl SearchEngine {
    pub(crate) fn new(
        strategies: SearchStrategyFactory,
        profiles: RankingProfiles,
        popularity: PopularityBoard,
    ) -> Self {
        let executor = strategies.executor();
        Self {
            profiles,
            preparer: strategies.preparer(),
            similar: SimilarSearch {
                executor: Arc::clone(&executor),
                vector: strategies.vector_search(),
            },
            completer: Completer::new(Arc::clone(&executor), popularity.clone()),
            executor,
            strategies,
            popularity,
        }
    }

    pub(crate) async fn search(&self, request: SearchRequest) -> Result<SearchPage, SearchError> {
        let plan = self.plan(request)?;
        let needed_by = plan.deadline.with_grace();
        let filter = plan.request.filter.clone();
        let scope = Scope::of(&self.executor, filter, needed_by).await?;
        let outcome = self.find(&plan, &scope).await?;
        let curated = self.curated(&plan, outcome.as_ref(), &scope).await?;
        let counted = self
            .count(&plan, outcome.as_ref(), &curated, &scope)
            .await?;
        let (hits, next) = match counted.page {
            Some(places) => sorted_page(places, plan.request.limit),
            None => shown_page(&plan.cursor, outcome.as_ref(), plan.request.limit),
        };
        // An index that is being built counts fewer products than the vectors have found.
        let hits_known = match &outcome {
            Some(outcome) if !scope.is_built => outcome.hits.len() as u64,
            _ => 0,
        };
        let (explanation, absence) = self.explain(&plan, outcome.as_ref(), scope, &hits).await?;
        Ok(SearchPage {
            profile: plan.profile,
            redirect_url: curated.redirect_url.clone(),
            explanation,
            absence,
            hits,
            total: counted.total.max(hits_known),
            price_currency: counted.price_currency,
            facets: counted.facets,
            next_page_token: next.token(plan.hash),
            outcome,
        })
    }

    /// The `limit` products that are most like this one and pass `filter`, without the product
    /// itself.
    pub(crate) async fn similar(
        &self,
        id: &ProductId,
        product: &ProductView<'_>,
        filter: Option<Filter>,
        limit: usize,
    ) -> Result<SimilarProducts, SearchError> {
        self.similar.search(id, product, filter, limit).await
    }

    /// Whether the index has the product, and it passes the filter.
    pub(crate) async fn passes(&self, id: ProductId, filter: Filter) -> Result<bool, SearchError> {
        let scope = Scope::of(&self.executor, Some(filter), Deadline::after(ANSWER_MAX)).await?;
        let look_up = move |_: &KeywordIndex| scope.snapshot.has(&id, scope.filter.as_deref());
        let deadline = Deadline::after(ANSWER_MAX);
        self.executor.run_until(deadline, look_up).await
    }

    /// The `limit` completions of what was typed that are asked most, viewed most and most common.
    pub(crate) async fn complete(
        &self,
        typed: &str,
        limit: usize,
    ) -> Result<Vec<Completion>, SearchError> {
        self.completer.complete(typed, limit).await
    }

    /// The ids of the products that have any of these identifiers, which are in their canonical form; none
    /// where there are more than `max` such products.
    pub(crate) async fn with_identifiers(
        &self,
        canonical: Vec<String>,
        max: usize,
    ) -> Result<Option<Vec<ProductId>>, SearchError> {
        let look_up = move |index: &KeywordIndex| {
            let snapshot = index.snapshot();
            index.check_built(&snapshot)?;
            let found = snapshot.with_identifiers(&canonical)?;
            let few = found.len() <= max as u64;
            few.then(|| snapshot.ids(&found)).transpose()
        };
        let deadline = Deadline::after(ANSWER_MAX);
        self.executor.run_until(deadline, look_up).await
    }

    /// Keeps the completions of a large catalog up to date.
    pub(crate) async fn keep_completions(
        self: Arc<Self>,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        self.completer.keep_up_to_date(stop).await
    }

    /// Keeps the similarity from which products count as near in meaning up to date.
    pub(crate) async fn keep_calibrated(
        self: Arc<Self>,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        self.strategies.keep_calibrated(stop).await
    }

    /// Checks a request and parses its query.
    fn plan(&self, request: SearchRequest) -> Result<Plan, SearchError> {
        let query = match ParsedQuery::parse(&request.query, self.executor.language()) {
            Ok(query) if query.text == "*" => None,
            Ok(query) => Some(Arc::new(ParsedQuery {
                mode: request.match_mode,
                is_open: request.is_open && !request.verbatim,
                ..query
            })),
            Err(SearchError::EmptyQuery) if request.can_browse() => None,
            Err(err) => return Err(err),
        };
        let browses = query.as_ref().is_none_or(|query| query.is_everything());
        let profile = self
            .profiles
            .get(&request.profile)
            .ok_or(SearchError::UnknownProfile)?;
        let hash = RequestHash::of_request(&request);
        let cursor = Cursor::parse(&request.page_token, hash)?;
        let order = self.order(&request, browses);
        // A cursor for the other kind of order (by column or by relevance) can only come from a
        // forged token.
        let is_forged = match (&cursor, &order) {
            (Cursor::After(_), None) | (Cursor::Shown(_), Some(_)) => true,
            (Cursor::Start | Cursor::After(_) | Cursor::Shown(_), _) => false,
        };
        if is_forged {
            return Err(InvalidPageToken::Malformed.into());
        }
        Ok(Plan {
            profile: Arc::clone(profile),
            tried: self.preparer.tried(&request.drafts),
            deadline: Deadline::after(request.budget),
            query,
            hash,
            cursor,
            order,
            request,
        })
    }

    /// The column that orders the answer; None for relevance.
    fn order(&self, request: &SearchRequest, browses: bool) -> Option<Order> {
        let by = match request.sort {
            Sort::Relevance if browses => OrderBy::Newest,
            Sort::Relevance => return None,
            Sort::PriceAscending => OrderBy::PriceAscending,
            Sort::PriceDescending => OrderBy::PriceDescending,
            Sort::Newest => OrderBy::Newest,
            Sort::Popularity => OrderBy::Popularity(self.popularity.current()),
        };
        Some(Order {
            by,
            currency: request.filter.as_ref().and_then(Filter::currency),
            discontinued_last: request.presentation.discontinued_last,
        })
    }

    /// Runs the strategy of the request; None where there is no query.
    async fn find(&self, plan: &Plan, scope: &Scope) -> Result<Option<SearchOutcome>, SearchError> {
        let Some(query) = &plan.query else {
            return Ok(None);
        };
        let strategy_request = StrategyRequest {
            query: Arc::clone(query),
            profile: Arc::clone(&plan.profile),
            verbatim: plan.request.verbatim,
            tried: plan.tried.clone(),
            deadline: plan.deadline,
            by_relevance: plan.order.is_none(),
            explained: plan.is_explained(),
            popularity: self.popularity.current(),
        };
        // Where no word is looked for, there is nothing to find by meaning.
        let kind = if query.is_everything() {
            StrategyKind::Keyword
        } else {
            plan.request.strategy
        };
        let strategy = self.strategies.strategy(kind);
        let wanted = plan.hits_wanted();
        let mut outcome = strategy.search(&strategy_request, wanted, scope).await?;
        if plan.order.is_none() && plan.request.presentation.discontinued_last {
            let mut hits = Vec::new();
            for part in [Filter::Sold, Filter::Not(Box::new(Filter::Sold))] {
                let scope = scope.narrowed(&self.executor, part, plan.deadline.with_grace());
                let found = strategy
                    .search(&strategy_request, wanted, &scope.await?)
                    .await?;
                hits.extend(found.hits);
                if hits.len() >= wanted {
                    break;
                }
            }
            outcome.hits = hits;
        }
        Ok(Some(outcome))
    }

    /// The effect of the search rules on the answer.
    async fn curated(
        &self,
        plan: &Plan,
        outcome: Option<&SearchOutcome>,
        scope: &Scope,
    ) -> Result<Arc<Curated>, SearchError> {
        if let Some(outcome) = outcome {
            return Ok(Arc::clone(&outcome.curated));
        }
        let curated =
            self.preparer
                .curated_browsing(scope, plan.request.verbatim, plan.tried.as_ref());
        curated.await.map(Arc::new)
    }

    /// Counts the matches and the facets, and takes the page where a column gives the order.
    async fn count(
        &self,
        plan: &Plan,
        outcome: Option<&SearchOutcome>,
        curated: &Arc<Curated>,
        scope: &Scope,
    ) -> Result<Counted, SearchError> {
        let matches = MatchSet::of(outcome, Arc::clone(curated));
        // Only the index can list all products, sort them by a column and count facets.
        let needs_index = outcome.is_none()
            || plan.order.is_some()
            || !plan.request.facets.is_empty()
            || plan.request.presentation.auto_facets > 0
            || plan.request.compares_prices();
        if let Some(total) = matches.total_at_hand()
            && !needs_index
        {
            return Ok(Counted::only(total));
        }
        let (facets, filter) = (plan.request.facets.clone(), plan.request.filter.clone());
        let (order, after) = (plan.order.clone(), plan.cursor.place().cloned());
        let (limit, scope) = (plan.request.limit, scope.clone());
        let compares_prices = plan.request.compares_prices();
        let auto = plan.request.presentation.auto_facets;
        let count = move |index: &KeywordIndex| {
            if needs_index {
                index.check_built(&scope.snapshot)?;
            }
            let among = matches.within_scope(&scope)?;
            let page = order.map(|order| {
                let snapshot = &scope.snapshot;
                snapshot.page(&among, &order, after.as_ref(), limit + 1)
            });
            let facets = matches.facets(&scope, &among, filter.as_ref(), &facets, auto)?;
            let has_prices = compares_prices || facets.iter().any(|facet| facet.field.is_price());
            let currency = has_prices.then(|| scope.snapshot.price_currency(filter.as_ref()));
            Ok::<_, IndexError>(Counted {
                total: among.len(),
                page: page.transpose()?,
                facets,
                price_currency: currency.transpose()?,
            })
        };
        // Counting has a budget of its own, so that an answer whose leg was late still has its
        // totals.
        let counted_by = Deadline::after(plan.request.budget).with_grace();
        self.executor.run_until(counted_by, count).await
    }

    /// Explains the hits of the page and the absence of a product, where the request asks for it.
    async fn explain(
        &self,
        plan: &Plan,
        outcome: Option<&SearchOutcome>,
        scope: Scope,
        hits: &[Hit],
    ) -> Result<(Option<Explanation>, Option<Absence>), SearchError> {
        let Some(outcome) = outcome.filter(|_| plan.is_explained()) else {
            return Ok((None, None));
        };
        let (outcome, profile) = (outcome.clone(), Arc::clone(&plan.profile));
        let explain = plan.request.explain;
        let why_not = plan.request.why_not.clone();
        let page: Vec<ProductId> = hits.iter().map(|hit| hit.product_id.clone()).collect();
        let tell = move |_: &KeywordIndex| {
            let snapshot = &scope.snapshot;
            let ranked = ranked_hits(&outcome, &page);
            let explanation =
                explain.then(|| Explanation::of(snapshot, &outcome, &profile, &ranked));
            let absence = why_not.map(|id| {
                let passes =
                    !snapshot.has(&id, None)? || snapshot.has(&id, scope.filter.as_deref())?;
                Absence::of(snapshot, &outcome, &page, passes, &id)
            });
            Ok((explanation.transpose()?, absence.transpose()?))
        };
        let told_by = Deadline::after(plan.request.budget).with_grace();
        self.executor.run_until(told_by, tell).await
    }
}

/// The hits of the page as the strategy ranked them.
fn ranked_hits(outcome: &SearchOutcome, page: &[ProductId]) -> Vec<RankedHit> {
    page.iter()
        .filter_map(|id| outcome.hits.iter().find(|hit| hit.product_id == *id))
        .cloned()
        .collect()
}

/// A request that was checked, with its parsed query.
struct Plan {
    request: SearchRequest,
    /// None lists every product that passes the filter.
    query: Option<Arc<ParsedQuery>>,
    profile: Arc<RankingProfile>,
    /// The rules in place of those that are followed, where some are tried out.
    tried: Option<Arc<RuleSet>>,
    hash: RequestHash,
    cursor: Cursor,
    /// The column that orders the answer; None for relevance.
    order: Option<Order>,
    deadline: Deadline,
}

impl Plan {
    /// How many hits the strategy is asked for: those of earlier pages, this page, and one more
    /// that tells whether there is another page.
    fn hits_wanted(&self) -> usize {
        if self.order.is_some() {
            // A column gives the order: only the set of matches is wanted.
            1
        } else {
            (self.cursor.shown().len() + self.request.limit).min(SHOWN_MAX) + 1
        }
    }

    fn is_explained(&self) -> bool {
        self.request.explain || self.request.why_not.is_some()
    }
}

/// The total and the facets of an answer.
struct Counted {
    total: u64,
    /// The places of the page and one more, where a column gives the order.
    page: Option<Vec<Place>>,
    facets: Vec<FacetCounts>,
    price_currency: Option<Currency>,
}

impl Counted {
    fn only(total: u64) -> Self {
        Self {
            total,
            page: None,
            facets: Vec::new(),
            price_currency: None,
        }
    }
}
