//! Counts of views, to which the popularity subscriber adds.

use std::collections::HashMap;

use catalog_events::ProductId;
use sqlx::PgPool;
use time::OffsetDateTime;

/// Adds views, as `(product id, views, last viewed at)` with each product once.
pub(crate) async fn count_views(
    registry: &PgPool,
    views: &[(String, i64, OffsetDateTime)],
) -> sqlx::Result<()> {
    let ids: Vec<&str> = views.iter().map(|(id, _, _)| id.as_str()).collect();
    let counts: Vec<i64> = views.iter().map(|(_, count, _)| *count).collect();
    let times: Vec<OffsetDateTime> = views.iter().map(|(_, _, at)| *at).collect();
    sqlx::query(
        "INSERT INTO product_views (product_id, views, last_viewed_at)
         SELECT * FROM unnest($1::text[], $2::bigint[], $3::timestamptz[])
         ON CONFLICT (product_id) DO UPDATE
         SET views = product_views.views + excluded.views,
             last_viewed_at = greatest(product_views.last_viewed_at, excluded.last_viewed_at)",
    )
    .bind(&ids)
    .bind(&counts)
    .bind(&times)
    .execute(registry)
    .await?;
    Ok(())
}

/// How many products are read: the others have so few views that these do not matter.
const MOST_VIEWED_MAX: i64 = 100_000;

pub(crate) async fn most_viewed(registry: &PgPool) -> sqlx::Result<HashMap<ProductId, u64>> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT product_id, views FROM product_views ORDER BY views DESC, product_id LIMIT $1",
    )
    .bind(MOST_VIEWED_MAX)
    .fetch_all(registry)
    .await?;
    let views = rows
        .into_iter()
        .filter_map(|(id, views)| Some((id.parse().ok()?, views.unsigned_abs())));
    Ok(views.collect())
}
