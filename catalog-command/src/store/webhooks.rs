//! Webhooks as operators see and change them. Invariant: whoever changes one holds the lock on their head
//! until the commit, so that revisions are committed in their order.

mod deliveries;
mod events;
mod row;

use catalog_events::Position;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

pub(crate) use self::deliveries::{
    FollowedWebhook, Settlement, WaitingDelivery, WaitingPage, disable_webhook, followed_webhooks,
    list_waiting, settle, waiting_of, webhook_revision, webhook_totals,
};
pub(crate) use self::events::{
    LogKind, LogSpot, NotifiedEvent, PageBounds, event_at, product_events_after, rule_events_after,
};
use self::row::WebhookRow;
pub(crate) use self::row::lock_webhooks;
use crate::domain::{LogPlace, StoredWebhook};

/// Locks the webhook too, so that its place stands until the transaction ends.
pub(crate) async fn load_webhook(
    db: &mut PgConnection,
    id: Uuid,
) -> sqlx::Result<Option<StoredWebhook>> {
    let row: Option<WebhookRow> =
        sqlx::query_as("SELECT * FROM webhooks WHERE id = $1 FOR NO KEY UPDATE")
            .bind(id)
            .fetch_optional(db)
            .await?;
    row.map(WebhookRow::into_stored).transpose()
}

pub(crate) async fn count_webhooks(db: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT count(*) FROM webhooks")
        .fetch_one(db)
        .await
}

/// The ends of both logs.
pub(crate) async fn log_ends(db: &mut PgConnection) -> sqlx::Result<LogPlace> {
    let (products, rules) = sqlx::query_as(
        "SELECT (SELECT position FROM log_head), (SELECT position FROM rule_log_head)",
    )
    .fetch_one(db)
    .await?;
    Ok(LogPlace {
        products: Position::from_i64(products),
        rules: Position::from_i64(rules),
    })
}

/// Saves a webhook at the next revision. The caller has locked the webhooks.
pub(crate) async fn save_webhook(
    db: &mut PgConnection,
    stored: &StoredWebhook,
) -> sqlx::Result<()> {
    let hook = &stored.webhook;
    sqlx::query(
        "WITH head AS (
             UPDATE webhook_head SET revision = revision + 1 RETURNING revision
         )
         INSERT INTO webhooks
             (id, version, revision, url, description, types, product_ids, state, disabled_reason,
              created_at, created_by, updated_at, rotated_at, secret, previous_secret,
              previous_until, position, rule_position)
         SELECT $1, $2, revision, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17
         FROM head
         ON CONFLICT (id) DO UPDATE
         SET version = excluded.version, revision = excluded.revision, url = excluded.url,
             description = excluded.description, types = excluded.types,
             product_ids = excluded.product_ids, state = excluded.state,
             disabled_reason = excluded.disabled_reason, updated_at = excluded.updated_at,
             rotated_at = excluded.rotated_at, secret = excluded.secret,
             previous_secret = excluded.previous_secret, previous_until = excluded.previous_until",
    )
    .bind(hook.id)
    .bind(hook.version.get())
    .bind(&hook.url)
    .bind(&hook.description)
    .bind(&hook.types)
    .bind(&hook.product_ids)
    .bind(hook.state.as_str())
    .bind(&hook.disabled_reason)
    .bind(hook.created_at)
    .bind(&hook.created_by)
    .bind(hook.updated_at)
    .bind(hook.rotated_at)
    .bind(stored.secret.0)
    .bind(stored.previous.map(|secret| secret.0))
    .bind(hook.previous_until.filter(|_| stored.previous.is_some()))
    .bind(stored.place.products.to_i64())
    .bind(stored.place.rules.to_i64())
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets what failed before, so that a webhook that is made active is tried anew.
pub(crate) async fn forgive_webhook(db: &mut PgConnection, id: Uuid) -> sqlx::Result<()> {
    sqlx::query("UPDATE webhooks SET failing_since = NULL, last_error = NULL WHERE id = $1")
        .bind(id)
        .execute(&mut *db)
        .await?;
    sqlx::query(
        "UPDATE webhook_waiting SET attempts = 0, next_attempt_at = NULL WHERE webhook_id = $1",
    )
    .bind(id)
    .execute(db)
    .await?;
    Ok(())
}

/// Moves a webhook to a place that has been saved as its own, and forgets the deliveries that wait from after
/// it; all of them where `forget` is true.
pub(crate) async fn replay_webhook(
    db: &mut PgConnection,
    id: Uuid,
    place: LogPlace,
    forget: bool,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE webhooks SET position = $2, rule_position = $3, replays = replays + 1 WHERE id = $1",
    )
    .bind(id)
    .bind(place.products.to_i64())
    .bind(place.rules.to_i64())
    .execute(&mut *db)
    .await?;
    sqlx::query(
        "DELETE FROM webhook_waiting
         WHERE webhook_id = $1
             AND ($4 OR position > CASE log WHEN 'product' THEN $2 ELSE $3 END)",
    )
    .bind(id)
    .bind(place.products.to_i64())
    .bind(place.rules.to_i64())
    .bind(forget)
    .execute(db)
    .await?;
    Ok(())
}

/// Deletes a webhook and what waits for it. The caller has locked the webhooks.
pub(crate) async fn delete_webhook(db: &mut PgConnection, id: Uuid) -> sqlx::Result<()> {
    sqlx::query("UPDATE webhook_head SET revision = revision + 1")
        .execute(&mut *db)
        .await?;
    sqlx::query("DELETE FROM webhooks WHERE id = $1")
        .bind(id)
        .execute(db)
        .await?;
    Ok(())
}

/// How far a webhook is.
#[derive(Clone, Debug, Default, sqlx::FromRow)]
pub(crate) struct WebhookProgress {
    pub(crate) position: i64,
    pub(crate) rule_position: i64,
    /// How many events the logs have after these positions.
    pub(crate) lag: i64,
    pub(crate) waiting: i64,
    pub(crate) delivered: i64,
    pub(crate) last_delivered_at: Option<OffsetDateTime>,
    pub(crate) failing_since: Option<OffsetDateTime>,
    pub(crate) last_error: Option<String>,
}

#[derive(sqlx::FromRow)]
struct ShownRow {
    #[sqlx(flatten)]
    hook: WebhookRow,
    #[sqlx(flatten)]
    progress: WebhookProgress,
}

/// Webhooks with their progress, the newest first: the one with this id, or all.
pub(crate) async fn shown_webhooks(
    pool: &PgPool,
    id: Option<Uuid>,
) -> sqlx::Result<Vec<(StoredWebhook, WebhookProgress)>> {
    let rows: Vec<ShownRow> = sqlx::query_as(
        "SELECT webhooks.*,
                greatest(head.position - webhooks.position, 0)
                    + greatest(rules.position - rule_position, 0) AS lag,
                (SELECT count(*) FROM webhook_waiting WHERE webhook_id = webhooks.id) AS waiting
         FROM webhooks, log_head AS head, rule_log_head AS rules
         WHERE $1::uuid IS NULL OR id = $1
         ORDER BY id DESC",
    )
    .bind(id)
    .fetch_all(pool)
    .await?;
    let shown = rows
        .into_iter()
        .map(|row| Ok((row.hook.into_stored()?, row.progress)));
    shown.collect()
}
