//! Searches as bodies: for filters that are trees, queries that are too long for an address, and
//! several searches at once.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use catalog_proto::v1;
use futures_util::future::join_all;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::http::answer::json_response;
use crate::http::api::Api;
use crate::http::request::body;
use crate::http::request::consistency::ConsistencyTokens;
use crate::http::request::params::Query;
use crate::http::request::principal::Principal;
use crate::http::search::filter::ForcedFilter;
use crate::http::search::find::{self, answer_search};
use crate::http::search::tree;
use crate::json::fields::Fields;
use crate::json::search::SearchJson;
use crate::json::{number, raw, rule};
use crate::openapi::params::ReadHeaders;
use crate::openapi::search::{MultiSearch, Search};
use crate::problem::{FieldErrors, Problem, pointer};
use crate::scope::Scope;
use crate::upstream::Caller;

const SEARCHES_MAX: usize = 20;
const FILTER: &str = "filter";
const DRAFT_RULES: &str = "draft_rules";
const DRAFTS_MAX: usize = 10;

/// `POST /api/search`: the search of `GET /api/products/search` with the same names.
#[utoipa::path(
    post,
    path = "/api/search",
    operation_id = "search",
    tag = "search",
    summary = "Search products, with filters as trees",
    params(ReadHeaders),
    request_body(content = Search),
    responses((status = 200, description = "The best matches, best first", body = SearchJson)),
    security(("key" = ["search"]))
)]
pub(crate) async fn search(
    State(api): State<Arc<Api>>,
    caller: Caller,
    ConsistencyTokens(tokens): ConsistencyTokens,
    ForcedFilter(forced): ForcedFilter,
    Extension(principal): Extension<Principal>,
    request: Request,
) -> Result<Response, Problem> {
    let body = body::read(&api, request, body::JSON).await?;
    let (mut message, fields) = read(body::value(&body)?, forced)?;
    check_drafts(&api, &principal, &message)?;
    message.consistency_tokens = tokens;
    answer_search(&api, &caller, message, fields.as_ref()).await
}

/// The answers to several searches, in their order.
#[derive(Serialize, ToSchema)]
pub(crate) struct MultiSearchAnswer {
    items: Vec<MultiSearchItem>,
}

/// The answer to one of several searches.
#[derive(Serialize, ToSchema)]
pub(crate) struct MultiSearchItem {
    /// What the search would have been answered with alone.
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<SearchJson>)]
    answer: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<crate::openapi::problem::Problem>)]
    problem: Option<Value>,
}

/// `POST /api/multi-search`: up to 20 searches at once. One that is at fault keeps no other from being
/// answered.
#[utoipa::path(
    post,
    path = "/api/multi-search",
    operation_id = "multiSearch",
    tag = "search",
    summary = "Search several times at once",
    params(ReadHeaders),
    request_body(content = MultiSearch),
    responses((status = 200, description = "An answer for each search, in their order", body = MultiSearchAnswer)),
    security(("key" = ["search"]))
)]
pub(crate) async fn multi_search(
    State(api): State<Arc<Api>>,
    caller: Caller,
    ConsistencyTokens(tokens): ConsistencyTokens,
    ForcedFilter(forced): ForcedFilter,
    Extension(principal): Extension<Principal>,
    request: Request,
) -> Result<Response, Problem> {
    let body = body::read(&api, request, body::JSON).await?;
    let searches = raw::only_list(body::value(&body)?, "searches", SEARCHES_MAX)?.into_iter();
    let answers = searches.map(|search| {
        let read = read(search, forced.clone()).and_then(|(message, fields)| {
            check_drafts(&api, &principal, &message)?;
            Ok((message, fields))
        });
        answer_one(&api, &caller, read, tokens.clone())
    });
    let items = join_all(answers).await.into_iter().map(MultiSearchItem::of);
    let answer = MultiSearchAnswer {
        items: items.collect(),
    };
    json_response(StatusCode::OK, &answer)
}

async fn answer_one(
    api: &Api,
    caller: &Caller,
    read: Result<(v1::SearchProductsRequest, Option<Fields>), Problem>,
    tokens: Vec<String>,
) -> Result<Value, Problem> {
    let (mut message, fields) = read?;
    message.consistency_tokens = tokens;
    let answer = find::ask(api, caller, message).await?;
    let answer = SearchJson::of(&answer, fields.as_ref())?;
    serde_json::to_value(answer).map_err(Problem::internal)
}

impl MultiSearchItem {
    fn of(answer: Result<Value, Problem>) -> Self {
        match answer {
            Ok(answer) => Self {
                status: StatusCode::OK.as_u16(),
                answer: Some(answer),
                problem: None,
            },
            Err(problem) => Self {
                status: problem.status().as_u16(),
                answer: None,
                problem: Some(problem.to_json()),
            },
        }
    }
}

/// Reads a search from a body. Its members are the parameters of the address, of which lists may be
/// arrays, and `filter`.
fn read(
    body: &RawValue,
    forced: Option<v1::Filter>,
) -> Result<(v1::SearchProductsRequest, Option<Fields>), Problem> {
    let mut errors = FieldErrors::default();
    let mut pairs = Vec::new();
    let mut filter = None;
    let mut drafts = Vec::new();
    for (name, value) in raw::members(body, &[], &mut errors) {
        if raw::is_null(value) {
            continue;
        }
        if name == FILTER {
            filter = tree::read(value, &pointer(&[FILTER]), &mut errors);
        } else if name == DRAFT_RULES {
            drafts = read_drafts(value, &mut errors);
        } else {
            let texts = texts(&name, value, &mut errors).into_iter();
            pairs.extend(texts.map(|text| (name.clone(), text)));
        }
    }
    errors.finish()?;
    let (mut message, fields) = find::read(&Query::from_pairs(pairs), filter, forced)?;
    find::check_asked(&message)?;
    message.draft_rules = drafts;
    Ok((message, fields))
}

/// Reads rules that are tried out, each with its id.
fn read_drafts(value: &RawValue, errors: &mut FieldErrors) -> Vec<v1::SearchRule> {
    let Some(stated) = raw::elements(value).filter(|stated| stated.len() <= DRAFTS_MAX) else {
        let detail = format!("must be an array of {DRAFTS_MAX} rules at most");
        errors.push(pointer(&[DRAFT_RULES]), detail);
        return Vec::new();
    };
    let mut drafts = Vec::with_capacity(stated.len());
    for (index, stated) in stated.into_iter().enumerate() {
        let place = [DRAFT_RULES, &index.to_string()];
        drafts.push(rule::read_draft(stated, &place, errors));
    }
    drafts
}

/// Rules are tried out by those who may state them.
fn check_drafts(
    api: &Api,
    principal: &Principal,
    message: &v1::SearchProductsRequest,
) -> Result<(), Problem> {
    let may = api.public.has(Scope::Rules) || principal.scopes().has(Scope::Rules);
    if message.draft_rules.is_empty() || may {
        return Ok(());
    }
    let detail = "Rules are tried out with a key that has the scope rules";
    Err(Problem::new(StatusCode::FORBIDDEN, detail))
}

/// The texts that a member is in an address; they are several where it is an array.
fn texts(name: &str, value: &RawValue, errors: &mut FieldErrors) -> Vec<String> {
    let place = pointer(&[name]);
    if let Err(detail) = check_kind(name, value) {
        errors.push(place, detail);
        return Vec::new();
    }
    // An address has whole numbers without decimals.
    if let Some(limit) = number::whole(value).filter(|_| name == "limit") {
        return vec![limit.to_string()];
    }
    let Some(elements) = raw::elements(value) else {
        let text = scalar(value).ok_or("must be a string, a number, a boolean or an array of them");
        return errors.take(place, text).into_iter().collect();
    };
    let mut texts = Vec::with_capacity(elements.len().min(64));
    for (index, element) in elements.into_iter().enumerate() {
        if errors.is_full() {
            break;
        }
        let text = scalar(element).ok_or("must be a string, a number or a boolean");
        let place = format!("{place}/{index}");
        texts.extend(errors.take(place, text));
    }
    texts
}

/// Checks a member that is a text, a flag or a number alone.
fn check_kind(name: &str, value: &RawValue) -> Result<(), &'static str> {
    const TEXTS: [&str; 9] = [
        "q",
        "strategy",
        "sort",
        "match",
        "prefix",
        "page_token",
        "profile",
        "why_not",
        "discontinued",
    ];
    const FLAGS: [&str; 3] = ["explain", "verbatim", "untracked"];
    let first = value.get().as_bytes().first();
    if TEXTS.contains(&name) && first != Some(&b'"') {
        return Err("must be a string");
    }
    if FLAGS.contains(&name) && !matches!(value.get(), "true" | "false") {
        return Err("must be true or false");
    }
    if name == "limit" && number::whole(value).is_none() {
        return Err("must be a whole number");
    }
    Ok(())
}

/// The text that a scalar is in an address.
fn scalar(value: &RawValue) -> Option<String> {
    match value.get().as_bytes().first()? {
        b'"' => raw::text(value).ok(),
        b'{' | b'[' | b'n' => None,
        _ => Some(value.get().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_text(body: Value) -> Result<v1::SearchProductsRequest, Problem> {
        let body = body.to_string();
        read(raw::value(body.as_bytes()).expect("JSON"), None).map(|(message, _)| message)
    }

    fn pointers(body: Value) -> Vec<String> {
        let problem = read_text(body).expect_err("a mistake").to_json();
        let errors = problem["errors"].as_array().expect("errors").iter();
        errors
            .map(|error| error["pointer"].as_str().expect("a pointer").to_owned())
            .collect()
    }

    #[test]
    fn a_body_is_the_search_of_an_address() {
        let of_body = read_text(
            json!({"q": "a b", "limit": 3, "facets": ["brand", "price:50"],
            "brand": ["x", "y"], "explain": true, "price_max": 9.5}),
        );
        let of_address = Query::parse(
            "q=a+b&limit=3&facets=brand&facets=price:50&brand=x&brand=y&explain=true&price_max=9.5",
        );
        let (of_address, _) = find::read(&of_address, None, None).expect("valid");
        assert_eq!(of_body.expect("valid"), of_address);
    }

    #[test]
    fn a_limit_is_a_whole_number_however_json_writes_it() {
        for limit in ["30", "30.0", "3e1"] {
            let body = format!(
                "{{\"q\": \"a\", \"limit\": {limit}, \"filter\": null, \"draft_rules\": null}}"
            );
            let read = read(raw::value(body.as_bytes()).expect("JSON"), None);
            assert_eq!(read.expect("valid").0.limit, 30, "{limit}");
        }
    }

    #[test]
    fn a_filter_is_a_tree() {
        let filter = json!({"any": [
            {"field": "brand", "in": ["a", "b"]},
            {"all": [{"field": "price", "min": 10, "below": 20.5}, {"not": {"field": "attr.colour", "in": ["red"]}}]},
            {"field": "attr.width", "max": 3}
        ]});
        let message = read_text(json!({"filter": filter})).expect("valid");
        let shown = format!("{:?}", message.filter);
        for part in [
            "price_major",
            "below: Some(20.5)",
            "Not(",
            "attributes.width",
            "\"colour\"",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }

    #[test]
    fn mistakes_are_told_where_they_are() {
        assert_eq!(pointers(json!({"q": "a", "limitt": 1})), ["/limitt"]);
        assert_eq!(pointers(json!({"q": {"a": 1}})), ["/q"]);
        assert_eq!(
            pointers(json!({"q": false, "limit": "3", "explain": "true", "brand": {}})),
            ["/brand", "/explain", "/limit", "/q"]
        );
        assert_eq!(pointers(json!({"q": "a", "limit": 1.5})), ["/limit"]);
        assert_eq!(
            pointers(json!({"q": "a", "brand": ["a", null, "b", {}], "facets": [[]]})),
            ["/brand/1", "/brand/3", "/facets/0"]
        );
        let created = |min: &str| {
            let filter = json!({"field": "created_at", "min": min});
            read_text(json!({"filter": filter})).map(|message| format!("{:?}", message.filter))
        };
        let filter = created("2026-01-31T12:00:00.25Z").expect("a time");
        assert!(filter.contains("min: Some(1769860800.25)"), "{filter}");
        assert_eq!(filter, created("1769860800.25").expect("seconds"));
        assert!(created("yesterday").is_err());
        for bad in [json!(null), json!({}), json!([])] {
            let filter = json!({"field": "brand", "in": ["a", bad]});
            assert_eq!(pointers(json!({"filter": filter})), ["/filter/in/1"]);
        }
        let filter = json!({"not": {"field": "status", "in": ["active", "gone"]}});
        assert_eq!(pointers(json!({"filter": filter})), ["/filter/not/in/1"]);
        assert_eq!(pointers(json!({"filter": {"or": []}})), ["/filter/or"]);
        assert_eq!(pointers(json!({"filter": {"all": []}})), ["/filter/all"]);
        assert_eq!(pointers(json!({"filter": {"field": "brand"}})), ["/filter"]);
        assert_eq!(
            pointers(json!({"filter": {"field": "colour", "in": ["x"]}})),
            ["/filter/field"]
        );
        assert_eq!(
            pointers(json!({"filter": {"all": [{"field": "brand", "min": 1}]}})),
            ["/filter/all/0/field"]
        );
        assert_eq!(
            pointers(json!({"filter": {"field": "price", "min": "x"}})),
            ["/filter/min"]
        );
        let mut deep = json!({"field": "brand", "in": ["a"]});
        for _ in 0..1_000 {
            deep = json!({"not": deep});
        }
        assert_eq!(pointers(json!({"filter": deep})).len(), 1);
    }
}
