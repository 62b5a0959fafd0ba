//! Routes that search: products that match, products like another one, and completions of what a
//! user types.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use catalog_events::ProductId;
use catalog_proto::v1::{DiscontinuedMode, MatchMode, PrefixMode, SearchStrategy, SortOrder};
use catalog_proto::{encoded, v1};

use crate::http::answer::json_response;
use crate::http::api::Api;
use crate::http::request::consistency::{ConsistencyTokens, set_stale};
use crate::http::request::params::{ProductPath, Query, read_flag, read_limit};
use crate::http::search::facets::read_facets;
use crate::http::search::filter::{ForcedFilter, PARAMETERS, both, read_filter};
use crate::json::fields::Fields;
use crate::json::search::{SearchJson, SimilarJson, SuggestionsJson};
use crate::openapi::params::{
    FilterParams, ProductPathParams, ReadHeaders, SearchParams, SimilarParams,
};
use crate::problem::{FieldErrors, Problem, nearest};
use crate::upstream::Caller;

/// The parameters of a search beside those of its filter.
const SEARCH_PARAMETERS: [&str; 16] = [
    "q",
    "limit",
    "strategy",
    "sort",
    "match",
    "prefix",
    "page_token",
    "profile",
    "facets",
    "fields",
    "discontinued",
    "explain",
    "why_not",
    "verbatim",
    "highlight",
    "untracked",
];
const QUERY_BYTES_MAX: usize = 1_000;
const PREFIX_BYTES_MAX: usize = 100;
const LIMIT_UNLESS_TOLD: i32 = 20;
const LIMIT_MAX: i32 = 100;
const SUGGESTIONS_UNLESS_TOLD: i32 = 8;
const SUGGESTIONS_MAX: i32 = 50;

/// `GET /api/products/search?q=…`: the best matches, best first. Without `q` but with a filter or a
/// sort order, it answers all products that pass. The answer names the strategy that gave it.
#[utoipa::path(
    get,
    path = "/api/products/search",
    operation_id = "searchProducts",
    tag = "search",
    summary = "Search products",
    params(SearchParams, FilterParams, ReadHeaders),
    responses((status = 200, description = "The best matches, best first", body = SearchJson)),
    security(("key" = ["search"]))
)]
pub(crate) async fn search_products(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Query,
    ConsistencyTokens(tokens): ConsistencyTokens,
    ForcedFilter(forced): ForcedFilter,
) -> Result<Response, Problem> {
    let (mut request, fields) = read(&query, None, forced)?;
    check_asked(&request)?;
    request.consistency_tokens = tokens;
    answer_search(&api, &caller, request, fields.as_ref()).await
}

pub(crate) async fn answer_search(
    api: &Api,
    caller: &Caller,
    request: v1::SearchProductsRequest,
    fields: Option<&Fields>,
) -> Result<Response, Problem> {
    let answer = ask(api, caller, request).await?;
    let mut response = json_response(StatusCode::OK, &SearchJson::of(&answer, fields)?)?;
    set_stale(&mut response, answer.stale);
    Ok(response)
}

/// Asks the read side. Who sees a part of the catalog learns no word of the rest.
pub(crate) async fn ask(
    api: &Api,
    caller: &Caller,
    request: v1::SearchProductsRequest,
) -> Result<encoded::SearchProductsResponse, Problem> {
    let sees_part = request.forced_filter.is_some();
    let answer = api.upstream.search_products(caller, request).await;
    let mut answer = answer.map_err(|status| Problem::of_status(&status, false))?;
    if sees_part {
        answer.corrected_query.clear();
        answer.did_you_mean.clear();
    }
    Ok(answer)
}

/// `GET /api/products/{id}/similar`: the products most like this one first, with the filters of a
/// search.
#[utoipa::path(
    get,
    path = "/api/products/{id}/similar",
    operation_id = "similarProducts",
    tag = "search",
    summary = "Find products like another one",
    params(ProductPathParams, SimilarParams, FilterParams, ReadHeaders),
    responses((status = 200, description = "The products most like it first", body = SimilarJson)),
    security(("key" = ["search"]))
)]
pub(crate) async fn similar_products(
    State(api): State<Arc<Api>>,
    ProductPath(id): ProductPath,
    caller: Caller,
    query: Query,
    ConsistencyTokens(tokens): ConsistencyTokens,
    ForcedFilter(forced): ForcedFilter,
) -> Result<Response, Problem> {
    let mut errors = FieldErrors::default();
    query.check_names(
        &[&["limit", "fields"], &PARAMETERS[..]].concat(),
        &mut errors,
    );
    let limit = read_limit(&query, LIMIT_UNLESS_TOLD, LIMIT_MAX, &mut errors)?;
    let filter = both(read_filter(&query, &mut errors)?, forced.clone());
    let fields = read_fields(&query, &mut errors);
    errors.finish()?;
    let request = v1::SimilarProductsRequest {
        id: id.to_string(),
        limit,
        filter,
        forced_filter: forced,
        consistency_tokens: tokens,
        ..v1::SimilarProductsRequest::default()
    };
    let answer = api
        .upstream
        .similar_products(&caller, request)
        .await
        .map_err(|status| Problem::of_status(&status, false))?;
    let mut response = json_response(StatusCode::OK, &SimilarJson::of(&answer, fields.as_ref())?)?;
    set_stale(&mut response, answer.stale);
    Ok(response)
}

/// `GET /api/autocomplete?q=…`: suggestions of what to search for: what many searches asked, then the
/// most viewed and most common words.
#[utoipa::path(
    get,
    path = "/api/autocomplete",
    operation_id = "autocomplete",
    tag = "search",
    summary = "Complete what a user types",
    params(
        ("q" = String, Query, description = "What was typed so far", min_length = 1, max_length = 100, example = "head"),
        ("limit" = Option<i32>, Query, minimum = 1, maximum = 50),
        ReadHeaders,
    ),
    responses((status = 200, description = "What to search for", body = SuggestionsJson)),
    security(("key" = ["search"]))
)]
pub(crate) async fn autocomplete(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Query,
    ConsistencyTokens(tokens): ConsistencyTokens,
    ForcedFilter(forced): ForcedFilter,
) -> Result<Response, Problem> {
    if forced.is_some() {
        // The words of all products would be told.
        let detail = "The key sees a part of the catalog: it cannot complete words";
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    let mut errors = FieldErrors::default();
    query.check_names(&["q", "limit"], &mut errors);
    let prefix = query.one("q")?.unwrap_or_default();
    if prefix.trim().is_empty() {
        errors.push("/q".to_owned(), "is required");
    } else if prefix.len() > PREFIX_BYTES_MAX {
        let detail = format!("must be at most {PREFIX_BYTES_MAX} bytes");
        errors.push("/q".to_owned(), detail);
    }
    let limit = read_limit(
        &query,
        SUGGESTIONS_UNLESS_TOLD,
        SUGGESTIONS_MAX,
        &mut errors,
    )?;
    errors.finish()?;
    let request = v1::AutocompleteRequest {
        prefix: prefix.to_owned(),
        limit,
        consistency_tokens: tokens,
        ..v1::AutocompleteRequest::default()
    };
    let answer = api
        .upstream
        .autocomplete(&caller, request)
        .await
        .map_err(|status| Problem::of_status(&status, false).renamed("/prefix", "/q"))?;
    let mut response = json_response(StatusCode::OK, &SuggestionsJson::of(&answer))?;
    set_stale(&mut response, answer.stale);
    Ok(response)
}

/// Reads a search from parameters. `beside` is a filter that holds beside theirs.
pub(crate) fn read(
    query: &Query,
    beside: Option<v1::Filter>,
    forced: Option<v1::Filter>,
) -> Result<(v1::SearchProductsRequest, Option<Fields>), Problem> {
    let text = query.one("q")?.unwrap_or_default();
    let strategy = query
        .one("strategy")?
        .map_or(Ok(SearchStrategy::Unspecified), strategy);
    let sort = query.one("sort")?.map_or(Ok(SortOrder::Unspecified), sort);
    let match_mode = query
        .one("match")?
        .map_or(Ok(MatchMode::Unspecified), match_mode);
    let prefix = query
        .one("prefix")?
        .map_or(Ok(PrefixMode::Unspecified), prefix);
    let page_token = query.one("page_token")?.unwrap_or_default().to_owned();
    let ranking_profile = query.one("profile")?.unwrap_or_default().to_owned();

    let discontinued = query
        .one("discontinued")?
        .map_or(Ok(DiscontinuedMode::Unspecified), discontinued);
    let highlight = query.one("highlight")?.map_or(Ok(Highlight::No), highlight);

    let mut errors = FieldErrors::default();
    query.check_names(&[&SEARCH_PARAMETERS[..], &PARAMETERS].concat(), &mut errors);
    // A read side of the release before knows no filter but this one.
    let filter = both(
        read_filter(query, &mut errors)?,
        both(beside, forced.clone()),
    );
    let facets = read_facets(query, &mut errors);
    let fields = read_fields(query, &mut errors);
    let by_relevance = [SortOrder::Unspecified, SortOrder::Relevance];
    let browses = filter.is_some() || sort.is_ok_and(|sort| !by_relevance.contains(&sort));
    if text.trim().is_empty() && !browses {
        errors.push("/q".to_owned(), "is required");
    } else if text.len() > QUERY_BYTES_MAX {
        errors.push(
            "/q".to_owned(),
            format!("must be at most {QUERY_BYTES_MAX} bytes"),
        );
    }
    let limit = read_limit(query, LIMIT_UNLESS_TOLD, LIMIT_MAX, &mut errors)?;
    let highlight = errors
        .take("/highlight".to_owned(), highlight)
        .unwrap_or(Highlight::No);
    let request = v1::SearchProductsRequest {
        query: text.to_owned(),
        limit,
        strategy: or_default(errors.take("/strategy".to_owned(), strategy)),
        filter,
        forced_filter: forced,
        facets: facets.asked,
        auto_facets: facets.auto,
        discontinued: or_default(errors.take("/discontinued".to_owned(), discontinued)),
        sort: or_default(errors.take("/sort".to_owned(), sort)),
        page_token,
        explain: read_flag(query, "explain", &mut errors)?,
        why_not: read_why_not(query, &mut errors)?,
        ranking_profile,
        match_mode: or_default(errors.take("/match".to_owned(), match_mode)),
        prefix: or_default(errors.take("/prefix".to_owned(), prefix)),
        verbatim: read_flag(query, "verbatim", &mut errors)?,
        untracked: read_flag(query, "untracked", &mut errors)?,
        highlight: highlight != Highlight::No,
        highlight_utf16: highlight == Highlight::Utf16,
        ..v1::SearchProductsRequest::default()
    };
    errors.finish()?;
    Ok((request, fields))
}

/// Why a product is not found would tell a key of products that it does not see.
pub(crate) fn check_asked(request: &v1::SearchProductsRequest) -> Result<(), Problem> {
    let asks_why = request.explain || !request.why_not.is_empty();
    if request.forced_filter.is_some() && asks_why {
        let detail = "The key sees a part of the catalog: it cannot ask how others stand beside it";
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    Ok(())
}

/// Reads the id of a product whose absence is to be explained.
fn read_why_not(query: &Query, errors: &mut FieldErrors) -> Result<String, Problem> {
    let stated = query.one("why_not")?.unwrap_or_default();
    if !stated.is_empty() && stated.parse::<ProductId>().is_err() {
        errors.push(
            "/why_not".to_owned(),
            "must be the id of a product, as answers have it in `id`",
        );
    }
    Ok(stated.to_owned())
}

/// Reads `fields=id,title`: the members of products that are answered. None stands for all.
fn read_fields(query: &Query, errors: &mut FieldErrors) -> Option<Fields> {
    let stated = query.all("fields").flat_map(|list| list.split(','));
    let names: Vec<&str> = stated
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    let fields = Fields::read(&names);
    for unknown in &fields.unknown {
        let near = nearest(unknown, &Fields::ALL);
        let detail = match near {
            Some(near) => format!("{unknown:?} is no field: did you mean {near}?"),
            None => format!(
                "{unknown:?} is no field: there are {}",
                Fields::ALL.join(", ")
            ),
        };
        errors.push("/fields".to_owned(), detail);
    }
    (!names.is_empty()).then_some(fields)
}

/// Whether matches are marked, and in which units.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Highlight {
    No,
    Bytes,
    Utf16,
}

fn highlight(name: &str) -> Result<Highlight, &'static str> {
    match name {
        "false" => Ok(Highlight::No),
        "true" => Ok(Highlight::Bytes),
        "utf16" => Ok(Highlight::Utf16),
        _ => Err("must be true, false or utf16"),
    }
}

fn discontinued(name: &str) -> Result<DiscontinuedMode, &'static str> {
    match name {
        "show" => Ok(DiscontinuedMode::Show),
        "hide" => Ok(DiscontinuedMode::Hide),
        "last" => Ok(DiscontinuedMode::Last),
        _ => Err("must be show, hide or last"),
    }
}

/// The number of an enum on the wire. An invalid one is in the list of errors and goes nowhere.
fn or_default<E: Default + Into<i32>>(value: Option<E>) -> i32 {
    value.unwrap_or_default().into()
}

fn strategy(name: &str) -> Result<SearchStrategy, &'static str> {
    match name {
        "keyword" => Ok(SearchStrategy::Keyword),
        "vector" => Ok(SearchStrategy::Vector),
        "hybrid" => Ok(SearchStrategy::Hybrid),
        _ => Err("must be keyword, vector or hybrid"),
    }
}

fn match_mode(name: &str) -> Result<MatchMode, &'static str> {
    match name {
        "auto" => Ok(MatchMode::Auto),
        "all" => Ok(MatchMode::All),
        "any" => Ok(MatchMode::Any),
        _ => Err("must be auto, all or any"),
    }
}

fn prefix(name: &str) -> Result<PrefixMode, &'static str> {
    match name {
        "last" => Ok(PrefixMode::Last),
        "none" => Ok(PrefixMode::None),
        _ => Err("must be last or none"),
    }
}

fn sort(name: &str) -> Result<SortOrder, &'static str> {
    match name {
        "relevance" => Ok(SortOrder::Relevance),
        "price" => Ok(SortOrder::PriceAscending),
        "-price" => Ok(SortOrder::PriceDescending),
        "newest" => Ok(SortOrder::Newest),
        "popularity" => Ok(SortOrder::Popularity),
        _ => Err("must be relevance, price, -price, newest or popularity"),
    }
}
