//! Searching products.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use catalog_proto::v1;
use catalog_proto::v1::SearchStrategy;

use crate::http::consistency::{ConsistencyTokens, set_stale};
use crate::http::params::Query;
use crate::http::{Api, json_response};
use crate::problem::{FieldErrors, Problem};
use crate::product::{ProductJson, SearchJson};
use crate::upstream::Caller;

const QUERY_BYTES_MAX: usize = 1_000;
const LIMIT_UNLESS_TOLD: i32 = 20;
const LIMIT_MAX: i32 = 100;

/// `GET /api/products/search?q=…&limit=…&strategy=…`: the best matches, best first. The answer
/// names the strategy that gave it.
pub(super) async fn search_products(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Query,
    ConsistencyTokens(tokens): ConsistencyTokens,
) -> Result<Response, Problem> {
    let mut request = read(&query)?;
    request.consistency_tokens = tokens;
    let answer = api.upstream.search_products(&caller, request).await;
    let answer = answer.map_err(|status| Problem::of_status(&status, false))?;
    let json = SearchJson {
        items: answer.products.iter().map(ProductJson).collect(),
        strategy: name(answer.strategy()),
        degraded: answer.degraded,
        stale: answer.stale,
    };
    let mut response = json_response(StatusCode::OK, &json)?;
    set_stale(&mut response, answer.stale);
    Ok(response)
}

fn read(query: &Query) -> Result<v1::SearchProductsRequest, Problem> {
    let text = query.one("q")?.unwrap_or_default();
    let limit = query
        .one("limit")?
        .map_or(Some(LIMIT_UNLESS_TOLD), |limit| limit.parse().ok());
    let strategy = query
        .one("strategy")?
        .map_or(Some(SearchStrategy::Unspecified), strategy);

    let mut errors = FieldErrors::default();
    if text.trim().is_empty() {
        errors.push("/q".to_owned(), "is required");
    } else if text.len() > QUERY_BYTES_MAX {
        errors.push(
            "/q".to_owned(),
            format!("must be at most {QUERY_BYTES_MAX} bytes"),
        );
    }
    let limit = limit.filter(|limit| (1..=LIMIT_MAX).contains(limit));
    let limit = limit.ok_or_else(|| format!("must be a whole number from 1 to {LIMIT_MAX}"));
    let limit = errors.take("/limit".to_owned(), limit);
    let strategy = strategy.ok_or("must be keyword, vector or hybrid");
    let strategy = errors.take("/strategy".to_owned(), strategy);
    errors.finish()?;
    Ok(v1::SearchProductsRequest {
        query: text.to_owned(),
        limit: limit.unwrap_or_default(),
        strategy: strategy.unwrap_or_default().into(),
        ..v1::SearchProductsRequest::default()
    })
}

fn strategy(name: &str) -> Option<SearchStrategy> {
    match name {
        "keyword" => Some(SearchStrategy::Keyword),
        "vector" => Some(SearchStrategy::Vector),
        "hybrid" => Some(SearchStrategy::Hybrid),
        _ => None,
    }
}

/// Unset means hybrid.
fn name(strategy: SearchStrategy) -> &'static str {
    match strategy {
        SearchStrategy::Keyword => "keyword",
        SearchStrategy::Vector => "vector",
        SearchStrategy::Unspecified | SearchStrategy::Hybrid => "hybrid",
    }
}
