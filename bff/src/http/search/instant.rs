//! Searches in the shape of Algolia's API, as far as front ends made of InstantSearch ask for it: such a front
//! end changes one address and goes on.

mod ask;
mod filters;
mod question;
mod results;

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::future::try_join_all;
use serde_json::{Value, json};

use crate::http::answer::json_response;
use crate::http::api::Api;
use crate::http::request::body;
use crate::http::request::consistency::ConsistencyTokens;
use crate::http::search::filter::ForcedFilter;
use crate::http::search::instant::ask::Asking;
use crate::http::search::instant::question::{Question, read_facet_question, read_questions};
use crate::openapi::search::{InstantFacetQuery, InstantQueries};
use crate::problem::Problem;
use crate::upstream::Caller;

/// Algolia's clients send JSON under the kind of a form, so that browsers do not ask before.
const KINDS: &[&str] = &[
    "application/json",
    "application/x-www-form-urlencoded",
    "text/plain",
];

/// `POST /1/indexes/*/queries`: several searches, or searches within the values of a facet.
#[utoipa::path(
    post,
    path = "/1/indexes/{index}/queries",
    operation_id = "instantSearch",
    tag = "search",
    summary = "Search as Algolia's clients do",
    description = "What InstantSearch asks for: `query`, `page`, `hitsPerPage`, `facets`, `maxValuesPerFacet`, \
        `facetFilters`, `numericFilters`, `attributesToRetrieve`, `highlightPreTag`, and requests of the type `facet`. \
        Parameters may stand beside `indexName` or in `params`. `index` is `*`: there is one catalog, whatever `indexName` \
        says, and `NAME_price_asc`, `NAME_price_desc`, `NAME_newest` and `NAME_popularity` are its orders.",
    params(("index" = String, Path, description = "`*`", example = "*")),
    request_body(content = InstantQueries),
    responses((status = 200, description = "`results`, an answer for each request", body = serde_json::Value)),
    security(("key" = ["search"]))
)]
pub(crate) async fn queries(
    State(api): State<Arc<Api>>,
    Path(_index): Path<String>,
    caller: Caller,
    ConsistencyTokens(tokens): ConsistencyTokens,
    ForcedFilter(forced): ForcedFilter,
    request: Request,
) -> Result<Response, Problem> {
    let body = body::read(&api, request, KINDS).await?;
    let questions = read_questions(body::value(&body)?)?;
    let asking = Asking {
        api: &api,
        caller: &caller,
        forced,
        tokens,
    };
    let answers = questions.iter().map(async |question| match question {
        Question::Hits(hits) => ask::hits(&asking, hits).await,
        Question::FacetValues(facet) => ask::facet_values(&asking, facet).await,
    });
    let results: Vec<Value> = try_join_all(answers).await?;
    json_response(StatusCode::OK, &json!({"results": results}))
}

/// `POST /1/indexes/{index}/facets/{facet}/query`: the values of a facet that have a text in them.
#[utoipa::path(
    post,
    path = "/1/indexes/{index}/facets/{facet}/query",
    operation_id = "instantFacetSearch",
    tag = "search",
    summary = "Search within the values of a facet as Algolia's clients do",
    params(
        ("index" = String, Path, description = "Any name", example = "products"),
        ("facet" = String, Path, description = "A field", example = "brand"),
    ),
    request_body(content = InstantFacetQuery),
    responses((status = 200, description = "`facetHits`: values with their counts", body = serde_json::Value)),
    security(("key" = ["search"]))
)]
pub(crate) async fn facet_values(
    State(api): State<Arc<Api>>,
    Path((_index, facet)): Path<(String, String)>,
    caller: Caller,
    ConsistencyTokens(tokens): ConsistencyTokens,
    ForcedFilter(forced): ForcedFilter,
    request: Request,
) -> Result<Response, Problem> {
    let body = body::read(&api, request, KINDS).await?;
    let question = read_facet_question(facet, body::value(&body)?)?;
    let asking = Asking {
        api: &api,
        caller: &caller,
        forced,
        tokens,
    };
    let found = ask::facet_values(&asking, &question).await?;
    json_response(StatusCode::OK, &found)
}
