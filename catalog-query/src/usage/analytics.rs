//! Statistics of the searches of the last days.

use std::collections::BTreeMap;

use catalog_events::SearchedBy;
use sqlx::PgPool;
use time::{Duration, OffsetDateTime};

use crate::usage::latency::Latency;
use crate::usage::store::{self, QueryRow};

/// How many days of statistics are kept.
pub(crate) const DAYS_MAX: u16 = 90;

pub(crate) struct SearchAnalytics {
    pub(crate) totals: SearchTotals,
    /// The queries that were asked most, most frequent first.
    pub(crate) popular: Vec<QueryCount>,
    /// The queries that most often found nothing; their searches are those that did.
    pub(crate) without_result: Vec<QueryCount>,
    /// In the order of the places.
    pub(crate) positions: Vec<PositionClicks>,
    /// All together first, which has no strategy.
    pub(crate) latency: Vec<StrategyLatency>,
}

pub(crate) struct SearchTotals {
    pub(crate) searches: i64,
    pub(crate) without_result: i64,
    pub(crate) corrected: i64,
    pub(crate) degraded: i64,
    pub(crate) clicks: i64,
}

pub(crate) struct QueryCount {
    pub(crate) query: String,
    pub(crate) searches: i64,
    /// What the last search without a filter found; 0 where there was none.
    pub(crate) total: i64,
    pub(crate) clicks: i64,
}

pub(crate) struct PositionClicks {
    pub(crate) position: i32,
    pub(crate) shown: i64,
    pub(crate) clicks: i64,
}

pub(crate) struct StrategyLatency {
    pub(crate) strategy: Option<SearchedBy>,
    pub(crate) searches: i64,
    pub(crate) p50_ms: f64,
    pub(crate) p95_ms: f64,
}

/// The statistics of the last `days` days in UTC, today included, with `limit` queries of each kind;
/// all of one instant, so that their counts add up while searches are counted.
pub(crate) async fn search_analytics(
    registry: &PgPool,
    days: u16,
    limit: usize,
) -> sqlx::Result<SearchAnalytics> {
    let today = OffsetDateTime::now_utc().date();
    let since = today.saturating_sub(Duration::days(i64::from(days.max(1)) - 1));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut snapshot = registry
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await?;
    let popular = store::most_frequent_queries(&mut snapshot, since, false, limit).await?;
    let without_result = store::most_frequent_queries(&mut snapshot, since, true, limit).await?;
    let positions = store::positions(&mut snapshot, since).await?;
    let counts = store::totals(&mut snapshot, since).await?;
    let latency = store::latency(&mut snapshot, since).await?;
    snapshot.commit().await?;
    Ok(SearchAnalytics {
        totals: SearchTotals {
            searches: counts.0,
            without_result: counts.1,
            corrected: counts.2,
            degraded: counts.3,
            clicks: positions.iter().map(|(_, _, clicks)| clicks).sum(),
        },
        popular: popular.into_iter().map(query_count).collect(),
        without_result: without_result.into_iter().map(query_count).collect(),
        positions: positions.into_iter().map(position_clicks).collect(),
        latency: by_strategy(&latency),
    })
}

fn query_count((query, searches, total, clicks): QueryRow) -> QueryCount {
    QueryCount {
        query,
        searches,
        total: total.unwrap_or_default(),
        clicks,
    }
}

fn position_clicks((position, shown, clicks): (i32, i64, i64)) -> PositionClicks {
    PositionClicks {
        position,
        shown,
        clicks,
    }
}

fn by_strategy(rows: &[(SearchedBy, i16, i64)]) -> Vec<StrategyLatency> {
    // None is sorted before all strategies.
    let mut latencies: BTreeMap<Option<SearchedBy>, Latency> = BTreeMap::new();
    for (strategy, bucket, count) in rows {
        for key in [None, Some(*strategy)] {
            latencies.entry(key).or_default().add(*bucket, *count);
        }
    }
    let latencies = latencies.into_iter();
    latencies
        .map(|(strategy, latency)| StrategyLatency {
            strategy,
            searches: latency.count(),
            p50_ms: latency.quantile(0.5),
            p95_ms: latency.quantile(0.95),
        })
        .collect()
}
