//! The route that looks for words that mean the same.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use catalog_proto::v1;
use tonic::{Status, Streaming};

use crate::http::api::Api;
use crate::http::operate::steps::{self, Steps};
use crate::http::request::params::{Query, read_limit};
use crate::json::operations::SynonymSuggestionsJson;
use crate::problem::{FieldErrors, Problem};
use crate::upstream::Caller;

const LIMIT_UNLESS_TOLD: i32 = 50;
const LIMIT_MAX: i32 = 1_000;

/// `GET /api/synonym-suggestions?limit=…`: 200 with the pairs, after a minute or so.
#[utoipa::path(
    get,
    path = "/api/synonym-suggestions",
    operation_id = "suggestSynonyms",
    tag = "search rules",
    summary = "Find pairs of words that the catalog seems to use for the same",
    description = "It takes about a minute. What a rule has decided, either way, is left out. \
        `Accept: application/x-ndjson` gets the progress, and the pairs as the last line.",
    params(("limit" = Option<i32>, Query, minimum = 1, maximum = 1000)),
    responses((status = 200, description = "The pairs, the surest first",
        content((SynonymSuggestionsJson = "application/json"), (String = "application/x-ndjson")))),
    security(("key" = ["rules"]))
)]
pub(crate) async fn suggest_synonyms(
    State(api): State<Arc<Api>>,
    caller: Caller,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Problem> {
    let mut errors = FieldErrors::default();
    query.check_names(&["limit"], &mut errors);
    let limit = read_limit(&query, LIMIT_UNLESS_TOLD, LIMIT_MAX, &mut errors)?;
    errors.finish()?;
    let begun = api.upstream.suggest_synonyms(&caller, limit).await;
    let begun = begun.map_err(|status| Problem::of_operation_status(&status))?;
    steps::answer(&headers, |steps| follow(begun, steps)).await
}

async fn follow(
    mut begun: Streaming<v1::SuggestSynonymsResponse>,
    steps: Steps,
) -> Result<SynonymSuggestionsJson, Problem> {
    let failed = |status: Status| Problem::of_operation_status(&status);
    let mut found = Vec::new();
    loop {
        let step = tokio::select! {
            step = begun.message() => step.map_err(failed)?,
            () = steps.unread() => None,
        };
        let Some(step) = step else {
            return Ok(SynonymSuggestionsJson::of(found));
        };
        steps.tell_counts("words", step.done, step.total);
        found = step.suggestions;
    }
}
