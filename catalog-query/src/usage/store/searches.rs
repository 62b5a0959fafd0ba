//! Counts of searches and clicks by day.

use catalog_events::SearchedBy;
use sqlx::{PgConnection, PgPool};
use time::{Date, OffsetDateTime};

use crate::usage::half_life::HalfLife;
use crate::usage::tally::{QueryTally, SearchTally};

/// The queries that are kept of today, and of each day before: the most frequent ones.
const QUERIES_TODAY_MAX: i64 = 10_000;
const QUERIES_A_DAY_MAX: i64 = 1_000;

/// A query, its searches, what the last of them found, and its clicks.
pub(in crate::usage) type QueryRow = (String, i64, Option<i64>, i64);

/// Adds what was counted to a day, all of it or nothing.
pub(in crate::usage) async fn add_searches(
    registry: &PgPool,
    day: Date,
    tally: &SearchTally,
) -> sqlx::Result<()> {
    let mut transaction = registry.begin().await?;
    add_queries(&mut transaction, day, tally).await?;
    add_positions(&mut transaction, day, tally).await?;
    add_totals(&mut transaction, day, tally).await?;
    add_latency(&mut transaction, day, tally).await?;
    transaction.commit().await
}

async fn add_queries(db: &mut PgConnection, day: Date, tally: &SearchTally) -> sqlx::Result<()> {
    let counts =
        |count: fn(&QueryTally) -> i64| -> Vec<i64> { tally.queries.values().map(count).collect() };
    let queries: Vec<&str> = tally.queries.keys().map(String::as_str).collect();
    let totals: Vec<Option<i64>> = tally.queries.values().map(|query| query.total).collect();
    let times: Vec<Option<OffsetDateTime>> =
        tally.queries.values().map(|query| query.last_at).collect();
    sqlx::query(
        "INSERT INTO search_queries AS known
             (day, query, searches, without_result, altered, clicks, total, last_at)
         SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[],
             $6::bigint[], $7::bigint[], $8::timestamptz[])
         ON CONFLICT (day, query) DO UPDATE
         SET searches = known.searches + excluded.searches,
             without_result = known.without_result + excluded.without_result,
             altered = known.altered + excluded.altered,
             clicks = known.clicks + excluded.clicks,
             total = coalesce(excluded.total, known.total),
             last_at = greatest(known.last_at, excluded.last_at)",
    )
    .bind(day)
    .bind(&queries)
    .bind(counts(|query| query.searches))
    .bind(counts(|query| query.without_result))
    .bind(counts(|query| query.altered))
    .bind(counts(|query| query.clicks))
    .bind(&totals)
    .bind(&times)
    .execute(db)
    .await?;
    Ok(())
}

async fn add_positions(db: &mut PgConnection, day: Date, tally: &SearchTally) -> sqlx::Result<()> {
    let places = &tally.positions;
    let positions: Vec<i32> = places.keys().map(|place| *place as i32).collect();
    let shown: Vec<i64> = places.values().map(|place| place.shown).collect();
    let clicks: Vec<i64> = places.values().map(|place| place.clicks).collect();
    sqlx::query(
        "INSERT INTO search_positions AS known (day, position, shown, clicks)
         SELECT $1, * FROM unnest($2::integer[], $3::bigint[], $4::bigint[])
         ON CONFLICT (day, position) DO UPDATE
         SET shown = known.shown + excluded.shown, clicks = known.clicks + excluded.clicks",
    )
    .bind(day)
    .bind(&positions)
    .bind(&shown)
    .bind(&clicks)
    .execute(db)
    .await?;
    Ok(())
}

async fn add_totals(db: &mut PgConnection, day: Date, tally: &SearchTally) -> sqlx::Result<()> {
    for (strategy, totals) in &tally.totals {
        sqlx::query(
            "INSERT INTO search_totals AS known
                 (day, strategy, searches, without_result, corrected, degraded)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (day, strategy) DO UPDATE
             SET searches = known.searches + excluded.searches,
                 without_result = known.without_result + excluded.without_result,
                 corrected = known.corrected + excluded.corrected,
                 degraded = known.degraded + excluded.degraded",
        )
        .bind(day)
        .bind(strategy.as_str())
        .bind(totals.searches)
        .bind(totals.without_result)
        .bind(totals.corrected)
        .bind(totals.degraded)
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

async fn add_latency(db: &mut PgConnection, day: Date, tally: &SearchTally) -> sqlx::Result<()> {
    let buckets = tally.latency.keys();
    let strategies: Vec<&str> = buckets
        .clone()
        .map(|(strategy, _)| strategy.as_str())
        .collect();
    let numbers: Vec<i16> = buckets.map(|(_, bucket)| *bucket).collect();
    let counts: Vec<i64> = tally.latency.values().copied().collect();
    sqlx::query(
        "INSERT INTO search_latency AS known (day, strategy, bucket, searches)
         SELECT $1, * FROM unnest($2::text[], $3::smallint[], $4::bigint[])
         ON CONFLICT (day, strategy, bucket) DO UPDATE
         SET searches = known.searches + excluded.searches",
    )
    .bind(day)
    .bind(&strategies)
    .bind(&numbers)
    .bind(&counts)
    .execute(db)
    .await?;
    Ok(())
}

/// The queries that were asked most since a day: by all searches, or by those alone that found nothing.
pub(in crate::usage) async fn most_frequent_queries(
    db: &mut PgConnection,
    since: Date,
    without_result: bool,
    limit: i64,
) -> sqlx::Result<Vec<QueryRow>> {
    sqlx::query_as(
        "SELECT query, sum(counted)::bigint,
             (array_agg(total ORDER BY day DESC) FILTER (WHERE total IS NOT NULL))[1],
             sum(clicks)::bigint
         FROM search_queries,
             LATERAL (SELECT CASE WHEN $2 THEN without_result ELSE searches END AS counted) AS wanted
         WHERE day >= $1
         GROUP BY query HAVING sum(counted) > 0 ORDER BY 2 DESC, query LIMIT $3",
    )
    .bind(since)
    .bind(without_result)
    .bind(limit)
    .fetch_all(db)
    .await
}

/// By query: its searches, those longer ago counting less, and what the last of them found. Only
/// queries that at least `searches_min` searches asked as they are typed, and that find something.
pub(in crate::usage) async fn suggestible_queries(
    registry: &PgPool,
    half_life: HalfLife,
    searches_min: i64,
    limit: i64,
) -> sqlx::Result<Vec<(String, f64, i64)>> {
    let today = OffsetDateTime::now_utc().date();
    sqlx::query_as(
        "SELECT query, weight, total FROM (
             SELECT query,
                 sum(searches * power(0.5, least(1000, greatest(0, $1 - day) / $2))) AS weight,
                 sum(searches - altered) AS as_typed,
                 (array_agg(total ORDER BY day DESC) FILTER (WHERE total IS NOT NULL))[1] AS total
             FROM search_queries GROUP BY query
         ) AS weighed
         WHERE as_typed >= $3 AND total > 0 ORDER BY weight DESC, query LIMIT $4",
    )
    .bind(today)
    .bind(half_life.days())
    .bind(searches_min)
    .bind(limit)
    .fetch_all(registry)
    .await
}

/// By place, from the first: how often a product was shown there, and opened.
pub(in crate::usage) async fn positions(
    db: &mut PgConnection,
    since: Date,
) -> sqlx::Result<Vec<(i32, i64, i64)>> {
    sqlx::query_as(
        "SELECT position, sum(shown)::bigint, sum(clicks)::bigint
         FROM search_positions WHERE day >= $1 GROUP BY position ORDER BY position",
    )
    .bind(since)
    .fetch_all(db)
    .await
}

/// Searches, those without result, those that were corrected and those that were degraded.
pub(in crate::usage) async fn totals(
    db: &mut PgConnection,
    since: Date,
) -> sqlx::Result<(i64, i64, i64, i64)> {
    sqlx::query_as(
        "SELECT coalesce(sum(searches), 0)::bigint, coalesce(sum(without_result), 0)::bigint,
             coalesce(sum(corrected), 0)::bigint, coalesce(sum(degraded), 0)::bigint
         FROM search_totals WHERE day >= $1",
    )
    .bind(since)
    .fetch_one(db)
    .await
}

/// By strategy: the buckets of its times, and how many searches each has.
pub(in crate::usage) async fn latency(
    db: &mut PgConnection,
    since: Date,
) -> sqlx::Result<Vec<(SearchedBy, i16, i64)>> {
    let rows: Vec<(String, i16, i64)> = sqlx::query_as(
        "SELECT strategy, bucket, sum(searches)::bigint
         FROM search_latency WHERE day >= $1 GROUP BY strategy, bucket",
    )
    .bind(since)
    .fetch_all(db)
    .await?;
    let known = |name: &str| SearchedBy::ALL.into_iter().find(|one| one.as_str() == name);
    let rows = rows
        .into_iter()
        .filter_map(|(name, bucket, searches)| Some((known(&name)?, bucket, searches)));
    Ok(rows.collect())
}

/// Deletes whatever is older than `oldest`, and the least frequent queries of each day.
pub(in crate::usage) async fn forget_searches(
    registry: &PgPool,
    oldest: Date,
    today: Date,
) -> sqlx::Result<()> {
    let mut transaction = registry.begin().await?;
    for statement in [
        "DELETE FROM search_queries WHERE day < $1",
        "DELETE FROM search_positions WHERE day < $1",
        "DELETE FROM search_totals WHERE day < $1",
        "DELETE FROM search_latency WHERE day < $1",
    ] {
        let old = sqlx::query(statement).bind(oldest);
        old.execute(&mut *transaction).await?;
    }
    sqlx::query(
        "DELETE FROM search_queries AS rare USING (
             SELECT day, query, row_number() OVER (
                 PARTITION BY day ORDER BY searches + clicks DESC, last_at DESC NULLS LAST, query
             ) AS place
             FROM search_queries
         ) AS ranked
         WHERE rare.day = ranked.day AND rare.query = ranked.query
             AND place > CASE WHEN ranked.day >= $1 THEN $2 ELSE $3 END",
    )
    .bind(today)
    .bind(QUERIES_TODAY_MAX)
    .bind(QUERIES_A_DAY_MAX)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await
}
