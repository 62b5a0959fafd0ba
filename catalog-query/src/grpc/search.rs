//! Answers a search: reads the request and writes the answer.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use catalog_events::{ProductId, SearchRule, StoredRule};
use catalog_proto::encoded;
use catalog_proto::v1;
use prost::Message as _;
use tonic::Status;

use crate::grpc::CatalogGrpc;
use crate::grpc::convert::{count, limit};
use crate::grpc::error::{invalid, invalid_field, malformed, repository_status, search_status};
use crate::grpc::explanation::{absence, explanation, highlight};
use crate::index::{FacetCounts, Filter, MatchMode, ValueCount};
use crate::read_model::ProductRepository;
use crate::search::{
    Absence, Highlighter, Presentation, SearchPage, SearchRequest, Sort, StrategyKind,
    parse_facets, parse_filter,
};

pub(crate) const LIMIT_DEFAULT: usize = 20;
pub(crate) const LIMIT_MAX: usize = 100;
const AUTO_FACETS_MAX: usize = 20;
const DRAFTS_MAX: usize = 10;
const BUDGET_MS_DEFAULT: u64 = 250;
const BUDGET_MS_MAX: u64 = 2_000;

impl<R: ProductRepository> CatalogGrpc<R> {
    pub(crate) async fn answer_search(
        &self,
        request: v1::SearchProductsRequest,
    ) -> Result<encoded::SearchProductsResponse, Status> {
        let asked = read(&request)?;
        let tokens = &request.consistency_tokens;
        let expected = self.expectation(tokens, request.consistency_wait_ms)?;
        let seen = self.consistency.search(&expected, &*self.repository).await;
        let page = self.search.search(asked).await.map_err(search_status)?;
        let ids: Vec<ProductId> = page.hits.iter().map(|hit| hit.product_id.clone()).collect();
        // An index may be a moment ahead of or behind the documents: what is gone is left out.
        let (found, met) = self.read(&ids, &expected).await?;
        let products: Vec<_> = found.into_iter().map(|(_, product)| product).collect();
        let caught_up = seen.is_some_and(|seen| seen.still_answers());
        let highlights = match &page.outcome {
            Some(outcome) if request.highlight => {
                let highlighter = Highlighter::new(&outcome.understood);
                let views = products.iter().map(encoded::Product::view);
                let marked = views
                    .map(|product| Ok(highlight(&highlighter, &product?, request.highlight_utf16)));
                marked.collect::<Result<_, _>>().map_err(malformed)?
            }
            _ => Vec::new(),
        };
        let why_not = self.why_not(&request.why_not, page.absence.clone()).await?;
        Ok(encoded::SearchProductsResponse {
            products,
            highlights,
            why_not,
            stale: self.told_stale(!caught_up || !met),
            ..answer(&request, page)
        })
    }

    /// Explains why the product `id` is not on the page. One that the index does not have may be new,
    /// or may not exist.
    async fn why_not(
        &self,
        id: &str,
        absent: Option<Absence>,
    ) -> Result<Option<v1::WhyNot>, Status> {
        let is_known = match (&absent, id.parse::<ProductId>()) {
            (_, Err(_)) if id.is_empty() => return Ok(None),
            (_, Err(_)) => false,
            (Some(Absence::NotIndexed), Ok(id)) => {
                let found = self
                    .repository
                    .get_many(std::slice::from_ref(&id), &HashMap::new())
                    .await
                    .map_err(repository_status)?;
                found.get(&id).is_some_and(|held| held.product.is_some())
            }
            (_, Ok(_)) => true,
        };
        Ok(match (absent, is_known) {
            (absent, true) => absent.map(absence),
            (_, false) => Some(v1::WhyNot {
                reason: v1::why_not::Reason::UnknownProduct.into(),
                detail: "there is no such product".to_owned(),
                position: 0,
            }),
        })
    }
}

fn read(request: &v1::SearchProductsRequest) -> Result<SearchRequest, Status> {
    Ok(SearchRequest {
        query: request.query.clone(),
        limit: limit(request.limit, LIMIT_DEFAULT, LIMIT_MAX)?,
        strategy: match request.strategy() {
            v1::SearchStrategy::Unspecified | v1::SearchStrategy::Hybrid => StrategyKind::Hybrid,
            v1::SearchStrategy::Keyword => StrategyKind::Keyword,
            v1::SearchStrategy::Vector => StrategyKind::Vector,
        },
        filter: filter(request)?,
        presentation: Presentation {
            auto_facets: auto_facets(request.auto_facets)?,
            discontinued_last: request.discontinued() == v1::DiscontinuedMode::Last,
        },
        facets: parse_facets(&request.facets).map_err(invalid_field)?,
        sort: sort(request.sort()),
        page_token: request.page_token.clone(),
        identity: identity(request),
        profile: request.ranking_profile.clone(),
        match_mode: match request.match_mode() {
            v1::MatchMode::Unspecified | v1::MatchMode::Auto => MatchMode::Auto,
            v1::MatchMode::All => MatchMode::All,
            v1::MatchMode::Any => MatchMode::Any,
        },
        is_open: request.prefix() != v1::PrefixMode::None,
        verbatim: request.verbatim,
        drafts: drafts(&request.draft_rules)?,
        budget: budget(request.budget_ms)?,
        explain: request.explain,
        why_not: request.why_not.parse().ok(),
    })
}

/// The rules that are tried out. The write service would say more about a mistake.
fn drafts(stated: &[v1::SearchRule]) -> Result<Vec<Arc<SearchRule>>, Status> {
    if stated.len() > DRAFTS_MAX {
        let reason = format!("has more than {DRAFTS_MAX} rules");
        return Err(invalid("draft_rules", reason));
    }
    let mut drafts = Vec::with_capacity(stated.len());
    for (index, rule) in stated.iter().enumerate() {
        let form = StoredRule::from(rule.clone()).form;
        let draft = form.into_draft().map_err(|mistake| {
            let field = format!("draft_rules[{index}]");
            invalid(&field, format!("is no rule: {mistake}"))
        })?;
        drafts.push(Arc::new(draft));
    }
    Ok(drafts)
}

/// The filter that products pass, without discontinued ones where they are hidden.
fn filter(request: &v1::SearchProductsRequest) -> Result<Option<Filter>, Status> {
    let stated = stated_filter(request.filter.as_ref(), request.forced_filter.as_ref())?;
    if request.discontinued() != v1::DiscontinuedMode::Hide {
        return Ok(stated);
    }
    Ok(Some(match stated {
        Some(stated) => Filter::All(vec![stated, Filter::Sold]),
        None => Filter::Sold,
    }))
}

/// The filter that a caller states, and the one that they cannot see past.
pub(crate) fn stated_filter(
    stated: Option<&v1::Filter>,
    forced: Option<&v1::Filter>,
) -> Result<Option<Filter>, Status> {
    let read = |filter: Option<&v1::Filter>| {
        let read = filter.map(parse_filter).transpose();
        read.map_err(invalid_field)
    };
    let forced = read(forced)?.map(|forced| Filter::Forced(Box::new(forced)));
    Ok(match (read(stated)?, forced) {
        (Some(stated), Some(forced)) => Some(Filter::All(vec![stated, forced])),
        (stated, forced) => stated.or(forced),
    })
}

fn auto_facets(stated: i32) -> Result<usize, Status> {
    match usize::try_from(stated) {
        Ok(stated) if stated <= AUTO_FACETS_MAX => Ok(stated),
        _ => {
            let reason = format!("is not within 0 and {AUTO_FACETS_MAX}");
            Err(invalid("auto_facets", reason))
        }
    }
}

fn budget(ms: i32) -> Result<Duration, Status> {
    match u64::try_from(ms) {
        Ok(0) => Ok(Duration::from_millis(BUDGET_MS_DEFAULT)),
        Ok(ms) => Ok(Duration::from_millis(ms.min(BUDGET_MS_MAX))),
        Err(_) => Err(invalid("budget_ms", "is negative")),
    }
}

/// The part of a request that decides which products come in which order, beside the query, the
/// strategy and the sort order.
fn identity(request: &v1::SearchProductsRequest) -> Vec<u8> {
    let identity = v1::SearchProductsRequest {
        filter: request.filter.clone(),
        forced_filter: request.forced_filter.clone(),
        ranking_profile: request.ranking_profile.clone(),
        verbatim: request.verbatim,
        match_mode: request.match_mode,
        prefix: request.prefix,
        discontinued: request.discontinued,
        draft_rules: request.draft_rules.clone(),
        ..v1::SearchProductsRequest::default()
    };
    identity.encode_to_vec()
}

fn sort(sort: v1::SortOrder) -> Sort {
    match sort {
        v1::SortOrder::Unspecified | v1::SortOrder::Relevance => Sort::Relevance,
        v1::SortOrder::PriceAscending => Sort::PriceAscending,
        v1::SortOrder::PriceDescending => Sort::PriceDescending,
        v1::SortOrder::Newest => Sort::Newest,
        v1::SortOrder::Popularity => Sort::Popularity,
    }
}

/// The answer without the products.
fn answer(
    request: &v1::SearchProductsRequest,
    page: SearchPage,
) -> encoded::SearchProductsResponse {
    let asked = request.facets.iter().map(|facet| facet.field.clone());
    let names = asked.map(Some).chain(std::iter::repeat(None));
    let facets = page.facets.into_iter().zip(names);
    let outcome = page.outcome.as_ref();
    let strategy = match outcome.map(|outcome| outcome.strategy) {
        // A search without a query goes by the columns of the keyword index.
        None | Some(StrategyKind::Keyword) => v1::SearchStrategy::Keyword,
        Some(StrategyKind::Vector) => v1::SearchStrategy::Vector,
        Some(StrategyKind::Hybrid) => v1::SearchStrategy::Hybrid,
    };
    encoded::SearchProductsResponse {
        strategy: strategy.into(),
        degraded: outcome.is_some_and(|outcome| outcome.degraded),
        total: count(page.total),
        facets: facets.map(|(counts, asked)| facet(asked, counts)).collect(),
        price_currency: page
            .price_currency
            .map(|currency| currency.code().to_owned())
            .unwrap_or_default(),
        next_page_token: page.next_page_token,
        corrected_query: outcome
            .and_then(|outcome| outcome.understood.corrected.clone())
            .unwrap_or_default(),
        did_you_mean: outcome
            .and_then(|outcome| outcome.understood.suggested.clone())
            .unwrap_or_default(),
        relaxed: outcome.map_or_else(Vec::new, |outcome| outcome.relaxed.clone()),
        ranking_profile: page.profile.label(),
        explanation: page.explanation.map(explanation),
        redirect_url: page.redirect_url.unwrap_or_default(),
        ..encoded::SearchProductsResponse::default()
    }
}

/// A facet by the name that was asked for; one that the catalog chose has its own.
fn facet(asked: Option<String>, counts: FacetCounts) -> v1::Facet {
    v1::Facet {
        field: asked.unwrap_or_else(|| counts.field.name()),
        values: counts.values.into_iter().map(facet_value).collect(),
        other: count(counts.other),
        missing: count(counts.missing),
        numbers: counts.numbers.map(|numbers| v1::FacetNumbers {
            count: count(numbers.count),
            min: numbers.min,
            max: numbers.max,
            mean: numbers.mean,
        }),
    }
}

fn facet_value(value: ValueCount) -> v1::FacetValue {
    let (from, to) = value.bounds.unwrap_or_default();
    v1::FacetValue {
        value: value.value,
        count: count(value.count),
        from,
        to,
    }
}
