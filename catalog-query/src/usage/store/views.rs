//! Counts of views. A view counts half after a half-life: a row keeps its weight as it was when the
//! product was last viewed.

use std::collections::HashMap;

use catalog_events::ProductId;
use sqlx::PgPool;
use time::OffsetDateTime;

use crate::usage::half_life::HalfLife;

/// How many products are read: the others have so few views that these do not matter.
const MOST_VIEWED_MAX: i64 = 100_000;
/// A product whose views weigh less than this is forgotten.
const WEIGHT_MIN: f64 = 0.01;

/// Adds views, as `(product id, views, last viewed at)` with each product once.
pub(in crate::usage) async fn count_views(
    registry: &PgPool,
    half_life: HalfLife,
    views: &[(String, i64, OffsetDateTime)],
) -> sqlx::Result<()> {
    let ids: Vec<&str> = views.iter().map(|(id, _, _)| id.as_str()).collect();
    let counts: Vec<i64> = views.iter().map(|(_, count, _)| *count).collect();
    let times: Vec<OffsetDateTime> = views.iter().map(|(_, _, at)| *at).collect();
    // Half-lives are bounded, because `power` fails where its result is too small.
    sqlx::query(
        "INSERT INTO product_views AS known (product_id, views, last_viewed_at, weight)
         SELECT id, count, at, count
         FROM unnest($1::text[], $2::bigint[], $3::timestamptz[]) AS viewed (id, count, at)
         ON CONFLICT (product_id) DO UPDATE
         SET views = known.views + excluded.views,
             last_viewed_at = greatest(known.last_viewed_at, excluded.last_viewed_at),
             weight = coalesce(known.weight, known.views) * power(0.5, least(1000, greatest(0,
                     extract(epoch FROM excluded.last_viewed_at - known.last_viewed_at)
                     ::double precision / $4)))
                 + excluded.weight * power(0.5, least(1000, greatest(0,
                     extract(epoch FROM known.last_viewed_at - excluded.last_viewed_at)
                     ::double precision / $4)))",
    )
    .bind(&ids)
    .bind(&counts)
    .bind(&times)
    .bind(half_life.seconds())
    .execute(registry)
    .await?;
    Ok(())
}

/// The views as they weigh now, rounded. A product with less than half a view is not listed.
pub(in crate::usage) async fn most_viewed(
    registry: &PgPool,
    half_life: HalfLife,
) -> sqlx::Result<HashMap<ProductId, u64>> {
    let rows: Vec<(String, f64)> = sqlx::query_as(
        "SELECT product_id, weight FROM (
             SELECT product_id, coalesce(weight, views) * power(0.5, least(1000, greatest(0,
                 extract(epoch FROM now() - last_viewed_at)::double precision / $2))) AS weight
             FROM product_views
         ) AS weighed
         WHERE weight >= 0.5 ORDER BY weight DESC, product_id LIMIT $1",
    )
    .bind(MOST_VIEWED_MAX)
    .bind(half_life.seconds())
    .fetch_all(registry)
    .await?;
    let views = rows
        .into_iter()
        .filter_map(|(id, weight)| Some((id.parse().ok()?, weight.round() as u64)));
    Ok(views.collect())
}

/// Deletes products that nobody has viewed for long.
pub(in crate::usage) async fn forget_views(
    registry: &PgPool,
    half_life: HalfLife,
) -> sqlx::Result<()> {
    sqlx::query(
        "DELETE FROM product_views
         WHERE coalesce(weight, views) * power(0.5, least(1000, greatest(0,
             extract(epoch FROM now() - last_viewed_at)::double precision / $1))) < $2",
    )
    .bind(half_life.seconds())
    .bind(WEIGHT_MIN)
    .execute(registry)
    .await?;
    Ok(())
}
