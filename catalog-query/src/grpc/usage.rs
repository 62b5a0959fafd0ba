//! Takes in what becomes of searches, and answers statistics of them.

use std::time::Instant;

use catalog_events::{ProductId, SearchedBy};
use catalog_proto::encoded;
use catalog_proto::v1;
use catalog_proto::v1::usage_service_server::UsageService;
use sqlx::PgPool;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::grpc::convert::limit;
use crate::grpc::error::{database_status, invalid, invalid_fields};
use crate::usage::{
    AnsweredSearch, Click, DAYS_MAX, QueryCount, SearchAnalytics, UsageRecorder, search_analytics,
};

const POSITION_MAX: u32 = 10_000;
const DAYS_DEFAULT: u16 = 7;
const QUERIES_DEFAULT: usize = 20;
const QUERIES_MAX: usize = 1_000;

/// A search that is told as an event once it is answered.
pub(crate) struct TrackedSearch {
    query: String,
    filtered: bool,
    started: Instant,
}

impl TrackedSearch {
    /// None where nothing is told of the request: later pages, lists without a query, and what asks
    /// to stay out.
    pub(crate) fn of(request: &v1::SearchProductsRequest) -> Option<Self> {
        let is_told = !request.untracked
            && request.draft_rules.is_empty()
            && request.page_token.is_empty()
            && !request.query.trim().is_empty();
        is_told.then(|| Self {
            query: request.query.clone(),
            filtered: request.filter.is_some(),
            started: Instant::now(),
        })
    }

    /// Returns the id of the search.
    pub(crate) fn record(
        &self,
        usage: &UsageRecorder,
        answer: &encoded::SearchProductsResponse,
    ) -> String {
        let strategy = match answer.strategy() {
            v1::SearchStrategy::Keyword => SearchedBy::Keyword,
            v1::SearchStrategy::Vector => SearchedBy::Vector,
            v1::SearchStrategy::Unspecified | v1::SearchStrategy::Hybrid => SearchedBy::Hybrid,
        };
        let micros = self.started.elapsed().as_micros() as f64;
        let search = AnsweredSearch {
            query: &self.query,
            strategy,
            total: answer.total.unsigned_abs(),
            shown: answer.products.len() as u32,
            ms: micros / 1_000.0,
            corrected: !answer.corrected_query.is_empty(),
            relaxed: !answer.relaxed.is_empty(),
            degraded: answer.degraded,
            filtered: self.filtered,
        };
        usage.search(&search).to_string()
    }
}

pub(crate) struct UsageGrpc {
    pub(crate) usage: UsageRecorder,
    pub(crate) registry: PgPool,
}

#[tonic::async_trait]
impl UsageService for UsageGrpc {
    async fn record_click(
        &self,
        request: Request<v1::RecordClickRequest>,
    ) -> Result<Response<v1::RecordClickResponse>, Status> {
        self.usage.click(click(&request.into_inner())?);
        Ok(Response::new(v1::RecordClickResponse {}))
    }

    async fn get_search_analytics(
        &self,
        request: Request<v1::GetSearchAnalyticsRequest>,
    ) -> Result<Response<v1::GetSearchAnalyticsResponse>, Status> {
        let request = request.into_inner();
        let days = match u16::try_from(request.days) {
            Ok(0) => DAYS_DEFAULT,
            Ok(days) => days.min(DAYS_MAX),
            Err(_) if request.days > 0 => DAYS_MAX,
            Err(_) => return Err(invalid("days", "is negative")),
        };
        let limit = limit(request.limit, QUERIES_DEFAULT, QUERIES_MAX)?;
        let analytics = search_analytics(&self.registry, days, limit).await;
        let answer = answer(days, analytics.map_err(database_status)?);
        Ok(Response::new(answer))
    }
}

fn click(request: &v1::RecordClickRequest) -> Result<Click, Status> {
    let search_id = Uuid::try_parse(&request.search_id).ok();
    let product_id = request.product_id.parse::<ProductId>();
    let position = u32::try_from(request.position)
        .ok()
        .filter(|position| (1..=POSITION_MAX).contains(position));
    match (search_id, product_id, position) {
        (Some(search_id), Ok(product_id), Some(position)) => Ok(Click {
            search_id,
            product_id,
            position,
        }),
        (search_id, product_id, position) => {
            let mut violations = Vec::new();
            if search_id.is_none() {
                let reason = "is not the search_id of an answer";
                violations.push(("search_id", reason.to_owned()));
            }
            if let Err(err) = product_id {
                violations.push(("product_id", err.to_string()));
            }
            if position.is_none() {
                let reason = format!("must be from 1 to {POSITION_MAX}");
                violations.push(("position", reason));
            }
            Err(invalid_fields(violations))
        }
    }
}

fn answer(days: u16, analytics: SearchAnalytics) -> v1::GetSearchAnalyticsResponse {
    let query = |query: QueryCount| v1::QueryCount {
        query: query.query,
        searches: query.searches,
        total: query.total,
        clicks: query.clicks,
    };
    let positions = analytics.positions.into_iter();
    let latency = analytics.latency.into_iter();
    v1::GetSearchAnalyticsResponse {
        days: days.into(),
        totals: Some(v1::SearchTotals {
            searches: analytics.totals.searches,
            without_result: analytics.totals.without_result,
            corrected: analytics.totals.corrected,
            degraded: analytics.totals.degraded,
            clicks: analytics.totals.clicks,
        }),
        popular: analytics.popular.into_iter().map(query).collect(),
        without_result: analytics.without_result.into_iter().map(query).collect(),
        positions: positions
            .map(|place| v1::PositionClicks {
                position: place.position,
                shown: place.shown,
                clicks: place.clicks,
            })
            .collect(),
        latency: latency
            .map(|times| v1::SearchLatency {
                strategy: strategy(times.strategy).into(),
                searches: times.searches,
                p50_ms: times.p50_ms,
                p95_ms: times.p95_ms,
            })
            .collect(),
    }
}

/// Unset for all strategies together.
fn strategy(strategy: Option<SearchedBy>) -> v1::SearchStrategy {
    match strategy {
        None => v1::SearchStrategy::Unspecified,
        Some(SearchedBy::Keyword) => v1::SearchStrategy::Keyword,
        Some(SearchedBy::Vector) => v1::SearchStrategy::Vector,
        Some(SearchedBy::Hybrid) => v1::SearchStrategy::Hybrid,
    }
}
