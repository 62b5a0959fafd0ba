//! Asks the read side what an Algolia client asks. Pages are numbered there and follow tokens here: those before the
//! page are read too.

use std::time::Instant;

use catalog_proto::{encoded, v1};
use serde_json::Value;

use crate::http::api::Api;
use crate::http::search::filter::PRICE;
use crate::http::search::find::ask;
use crate::http::search::instant::question::{FacetQuestion, HitsQuestion, REACHED_MAX};
use crate::http::search::instant::results;
use crate::problem::Problem;
use crate::upstream::Caller;

const LIMIT_MAX: u64 = 100;
const AUTO_FACETS: i32 = 20;

/// Who asks, and on what conditions.
pub(super) struct Asking<'a> {
    pub(super) api: &'a Api,
    pub(super) caller: &'a Caller,
    /// What they cannot see past.
    pub(super) forced: Option<v1::Filter>,
    /// The writes that the answers know of.
    pub(super) tokens: Vec<String>,
}

impl Asking<'_> {
    async fn ask(
        &self,
        request: v1::SearchProductsRequest,
    ) -> Result<encoded::SearchProductsResponse, Problem> {
        let request = v1::SearchProductsRequest {
            forced_filter: self.forced.clone(),
            consistency_tokens: self.tokens.clone(),
            ..request
        };
        ask(self.api, self.caller, request).await
    }
}

/// A page of products.
pub(super) async fn hits(asking: &Asking<'_>, question: &HitsQuestion) -> Result<Value, Problem> {
    let started = Instant::now();
    let from = question.page.saturating_mul(question.hits_per_page);
    let mut request = request(question, asking.forced.clone());
    let mut skipped = 0;
    if from >= REACHED_MAX {
        request.limit = 1;
        let mut beyond = asking.ask(request).await?;
        beyond.products.clear();
        return Ok(results::hits(question, &beyond, started)?);
    }
    loop {
        // The pages before the last are read for their tokens only.
        let left = from - skipped;
        let limit = if left > 0 {
            left.min(LIMIT_MAX)
        } else {
            question.hits_per_page.max(1)
        };
        request.limit = limit as i32;
        let mut answer = asking.ask(request.clone()).await?;
        if left == 0 || answer.next_page_token.is_empty() {
            if left > 0 || question.hits_per_page == 0 {
                answer.products.clear();
            }
            return Ok(results::hits(question, &answer, started)?);
        }
        skipped += limit;
        request.page_token = answer.next_page_token;
    }
}

/// The values of a facet that have a text in them.
pub(super) async fn facet_values(
    asking: &Asking<'_>,
    question: &FacetQuestion,
) -> Result<Value, Problem> {
    let started = Instant::now();
    let request = v1::SearchProductsRequest {
        query: or_all(&question.query),
        limit: 1,
        filter: question.filters.beside(asking.forced.clone()),
        facets: vec![v1::FacetRequest {
            field: field(&question.facet),
            size: question.size as i32,
            containing: question.containing.clone(),
            ..v1::FacetRequest::default()
        }],
        untracked: true,
        ..v1::SearchProductsRequest::default()
    };
    let answer = asking.ask(request).await?;
    Ok(results::facet_values(question, &answer, started))
}

fn request(question: &HitsQuestion, forced: Option<v1::Filter>) -> v1::SearchProductsRequest {
    let named = question.facets.iter().filter(|name| *name != "*");
    let facets = named.map(|name| v1::FacetRequest {
        field: field(name),
        size: question.facet_size as i32,
        ..v1::FacetRequest::default()
    });
    let wants_all = question.facets.iter().any(|name| name == "*");
    v1::SearchProductsRequest {
        query: or_all(&question.query),
        filter: question.filters.beside(forced),
        facets: facets.collect(),
        auto_facets: if wants_all { AUTO_FACETS } else { 0 },
        sort: sort(&question.index).into(),
        highlight: true,
        untracked: !question.tracked,
        ..v1::SearchProductsRequest::default()
    }
}

/// The order that the name of an index stands for, as replicas of an index do elsewhere.
fn sort(index: &str) -> v1::SortOrder {
    let orders = [
        ("_price_asc", v1::SortOrder::PriceAscending),
        ("_price_desc", v1::SortOrder::PriceDescending),
        ("_newest", v1::SortOrder::Newest),
        ("_popularity", v1::SortOrder::Popularity),
    ];
    let found = orders.into_iter().find(|(end, _)| index.ends_with(end));
    found.map_or(v1::SortOrder::Unspecified, |(_, order)| order)
}

/// No query stands for everything.
fn or_all(query: &str) -> String {
    if query.trim().is_empty() {
        "*".to_owned()
    } else {
        query.to_owned()
    }
}

/// A field as the read side names it.
fn field(name: &str) -> String {
    match name {
        "price" => PRICE.to_owned(),
        "categories" => "category".to_owned(),
        _ => name.to_owned(),
    }
}
