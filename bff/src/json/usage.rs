//! The JSON forms of clicks and of the statistics of searches.

use catalog_proto::v1;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::json::search::strategy;
use crate::json::{number, raw};
use crate::problem::{FieldErrors, Problem, pointer, with_nearest};

const CLICK_MEMBERS: [&str; 3] = ["search_id", "product_id", "position"];
const POSITION_MAX: i32 = 10_000;

/// Reads the body of `POST /api/events/click`. All three members are required.
pub(crate) fn read_click(body: &RawValue) -> Result<v1::RecordClickRequest, Problem> {
    let mut errors = FieldErrors::default();
    let mut click = v1::RecordClickRequest::default();
    for (name, value) in raw::members(body, &[], &mut errors) {
        let place = pointer(&[&name]);
        match name.as_str() {
            "search_id" => {
                let id = errors.take(place, raw::text(value));
                click.search_id = id.unwrap_or_default();
            }
            "product_id" => {
                let id = errors.take(place, raw::text(value));
                click.product_id = id.unwrap_or_default();
            }
            "position" => {
                let position = errors.take(place, position(value));
                click.position = position.unwrap_or_default();
            }
            _ => errors.push(place, with_nearest(raw::UNKNOWN, &name, &CLICK_MEMBERS)),
        }
    }
    let given = [
        !click.search_id.is_empty(),
        !click.product_id.is_empty(),
        click.position > 0,
    ];
    for (name, is_given) in CLICK_MEMBERS.into_iter().zip(given) {
        let place = pointer(&[name]);
        // The body may be no object at all.
        if !is_given && !errors.has(&place) && !errors.has("") {
            errors.push(place, "is required");
        }
    }
    errors.finish()?;
    Ok(click)
}

fn position(value: &RawValue) -> Result<i32, String> {
    let position = number::whole(value).and_then(|position| i32::try_from(position).ok());
    position
        .filter(|position| (1..=POSITION_MAX).contains(position))
        .ok_or_else(|| format!("must be a whole number from 1 to {POSITION_MAX}"))
}

/// What was searched for in the last days.
#[derive(Serialize, ToSchema)]
#[schema(as = SearchAnalytics)]
pub(crate) struct AnalyticsJson<'a> {
    days: i32,
    totals: TotalsJson,
    popular: Vec<QueryJson<'a>>,
    without_result: Vec<QueryJson<'a>>,
    positions: Vec<PositionJson>,
    latency: LatencyJson,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SearchTotals)]
struct TotalsJson {
    searches: i64,
    without_result: i64,
    corrected: i64,
    degraded: i64,
    clicks: i64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = QueryCount)]
struct QueryJson<'a> {
    query: &'a str,
    searches: i64,
    /// How many products the last search found.
    total: i64,
    clicks: i64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = PositionClicks)]
struct PositionJson {
    position: i32,
    shown: i64,
    clicks: i64,
    /// Null where no first page was so long.
    click_through: Option<f64>,
}

/// Times in milliseconds, within 5 %; null without searches.
#[derive(Serialize, ToSchema)]
#[schema(as = SearchLatency)]
struct LatencyJson {
    p50_ms: Option<f64>,
    p95_ms: Option<f64>,
    strategies: Vec<StrategyJson>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = StrategyLatency)]
struct StrategyJson {
    strategy: &'static str,
    searches: i64,
    p50_ms: f64,
    p95_ms: f64,
}

impl<'a> AnalyticsJson<'a> {
    pub(crate) fn of(answer: &'a v1::GetSearchAnalyticsResponse) -> Self {
        let totals = answer.totals.unwrap_or_default();
        Self {
            days: answer.days,
            totals: TotalsJson {
                searches: totals.searches,
                without_result: totals.without_result,
                corrected: totals.corrected,
                degraded: totals.degraded,
                clicks: totals.clicks,
            },
            popular: answer.popular.iter().map(query).collect(),
            without_result: answer.without_result.iter().map(query).collect(),
            positions: answer.positions.iter().map(place).collect(),
            latency: latency(&answer.latency),
        }
    }
}

fn query(count: &v1::QueryCount) -> QueryJson<'_> {
    QueryJson {
        query: &count.query,
        searches: count.searches,
        total: count.total,
        clicks: count.clicks,
    }
}

fn place(place: &v1::PositionClicks) -> PositionJson {
    let share = place.clicks as f64 / place.shown as f64;
    PositionJson {
        position: place.position,
        shown: place.shown,
        clicks: place.clicks,
        click_through: (place.shown > 0).then_some(rounded(share)),
    }
}

fn latency(times: &[v1::SearchLatency]) -> LatencyJson {
    let is_all = |times: &&v1::SearchLatency| times.strategy() == v1::SearchStrategy::Unspecified;
    let all = times.iter().find(is_all);
    let strategies = times.iter().filter(|times| !is_all(times));
    LatencyJson {
        p50_ms: all.map(|all| rounded(all.p50_ms)),
        p95_ms: all.map(|all| rounded(all.p95_ms)),
        strategies: strategies
            .map(|times| StrategyJson {
                strategy: strategy(times.strategy()),
                searches: times.searches,
                p50_ms: rounded(times.p50_ms),
                p95_ms: rounded(times.p95_ms),
            })
            .collect(),
    }
}

/// Three digits after the point are more than these figures are exact to.
fn rounded(figure: f64) -> f64 {
    (figure * 1_000.0).round() / 1_000.0
}
