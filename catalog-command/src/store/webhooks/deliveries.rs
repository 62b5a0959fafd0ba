//! How far deliveries are. Invariant: a place moves on in the transaction that keeps every event before it
//! which was not delivered; and it moves only for the leader, from the place that a person last chose.

use catalog_events::{Position, Version};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{LogPlace, StoredWebhook, WebhookState};
use crate::store::audit::{AuditEntry, record};
use crate::store::products::Origin;
use crate::store::webhooks::events::{LogKind, LogSpot};
use crate::store::webhooks::row::{WebhookRow, lock_webhooks};
use crate::store::{Epoch, soon};

/// The revision of the last change of any webhook.
pub(crate) async fn webhook_revision(pool: &PgPool) -> sqlx::Result<i64> {
    soon(sqlx::query_scalar("SELECT revision FROM webhook_head").fetch_one(pool)).await
}

/// A webhook as the leader follows it.
#[derive(Clone, Debug)]
pub(crate) struct FollowedWebhook {
    pub(crate) hook: StoredWebhook,
    pub(crate) revision: i64,
    pub(crate) replays: i64,
    pub(crate) failing_since: Option<OffsetDateTime>,
    pub(crate) last_error: Option<String>,
}

#[derive(sqlx::FromRow)]
struct FollowedRow {
    #[sqlx(flatten)]
    hook: WebhookRow,
    revision: i64,
    replays: i64,
    failing_since: Option<OffsetDateTime>,
    last_error: Option<String>,
}

/// The webhooks that are active.
pub(crate) async fn followed_webhooks(pool: &PgPool) -> sqlx::Result<Vec<FollowedWebhook>> {
    let rows: Vec<FollowedRow> = soon(
        sqlx::query_as("SELECT * FROM webhooks WHERE state = $1 ORDER BY id")
            .bind(WebhookState::Active.as_str())
            .fetch_all(pool),
    )
    .await?;
    let followed = rows.into_iter().map(|row| {
        Ok(FollowedWebhook {
            hook: row.hook.into_stored()?,
            revision: row.revision,
            replays: row.replays,
            failing_since: row.failing_since,
            last_error: row.last_error,
        })
    });
    followed.collect()
}

/// Figures of all webhooks.
#[derive(Clone, Copy, Debug, Default, sqlx::FromRow)]
pub(crate) struct WebhookTotals {
    pub(crate) active: i64,
    pub(crate) disabled: i64,
    pub(crate) waiting: i64,
    /// The most events that the log of products has after the position of an active one.
    pub(crate) lag: i64,
}

pub(crate) async fn webhook_totals(pool: &PgPool) -> sqlx::Result<WebhookTotals> {
    let totals = sqlx::query_as(
        "SELECT count(*) FILTER (WHERE state = 'active') AS active,
                count(*) FILTER (WHERE state = 'disabled') AS disabled,
                (SELECT count(*) FROM webhook_waiting) AS waiting,
                coalesce(max((SELECT position FROM log_head) - position)
                         FILTER (WHERE state = 'active'), 0) AS lag
         FROM webhooks",
    );
    soon(totals.fetch_one(pool)).await
}

/// A delivery that failed, or waits behind one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WaitingDelivery {
    pub(crate) spot: LogSpot,
    pub(crate) subject: String,
    pub(crate) event_id: Uuid,
    pub(crate) event_type: String,
    pub(crate) attempts: i32,
    pub(crate) failed_at: Option<OffsetDateTime>,
    pub(crate) next_attempt_at: Option<OffsetDateTime>,
    pub(crate) last_status: Option<i32>,
    pub(crate) last_error: Option<String>,
}

#[derive(sqlx::FromRow)]
struct WaitingRow {
    log: String,
    position: i64,
    subject: String,
    event_id: Uuid,
    event_type: String,
    attempts: i32,
    failed_at: Option<OffsetDateTime>,
    next_attempt_at: Option<OffsetDateTime>,
    last_status: Option<i32>,
    last_error: Option<String>,
}

impl WaitingRow {
    fn into_delivery(self) -> sqlx::Result<WaitingDelivery> {
        let unknown = || sqlx::Error::Decode(format!("webhook: log {:?}", self.log).into());
        Ok(WaitingDelivery {
            spot: LogSpot {
                log: LogKind::named(&self.log).ok_or_else(unknown)?,
                position: Position::from_i64(self.position),
            },
            subject: self.subject,
            event_id: self.event_id,
            event_type: self.event_type,
            attempts: self.attempts,
            failed_at: self.failed_at,
            next_attempt_at: self.next_attempt_at,
            last_status: self.last_status,
            last_error: self.last_error,
        })
    }
}

/// All that waits for a webhook, in the order of the logs. It is bounded by who puts it there.
pub(crate) async fn waiting_of(pool: &PgPool, id: Uuid) -> sqlx::Result<Vec<WaitingDelivery>> {
    let page = WaitingPage {
        webhook: id,
        after: None,
        limit: i64::from(i32::MAX),
    };
    soon(read_waiting(pool, &page)).await
}

/// Which deliveries a page lists.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WaitingPage {
    pub(crate) webhook: Uuid,
    pub(crate) after: Option<LogSpot>,
    pub(crate) limit: i64,
}

/// A page of what waits, and whether there is more after it.
pub(crate) async fn list_waiting(
    pool: &PgPool,
    page: &WaitingPage,
) -> sqlx::Result<(Vec<WaitingDelivery>, bool)> {
    let one_more = WaitingPage {
        limit: page.limit + 1,
        ..*page
    };
    let mut deliveries = read_waiting(pool, &one_more).await?;
    let more = deliveries.len() as i64 > page.limit;
    deliveries.truncate(page.limit as usize);
    Ok((deliveries, more))
}

async fn read_waiting(pool: &PgPool, page: &WaitingPage) -> sqlx::Result<Vec<WaitingDelivery>> {
    let rows: Vec<WaitingRow> = sqlx::query_as(
        "SELECT * FROM webhook_waiting
         WHERE webhook_id = $1 AND ($2::text IS NULL OR (log, position) > ($2, $3))
         ORDER BY log, position LIMIT $4",
    )
    .bind(page.webhook)
    .bind(page.after.map(|spot| spot.log.as_str()))
    .bind(page.after.map(|spot| spot.position.to_i64()))
    .bind(page.limit)
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(WaitingRow::into_delivery).collect()
}

/// What became of deliveries since the last time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settlement {
    pub(crate) place: LogPlace,
    pub(crate) delivered: i64,
    pub(crate) last_delivered_at: Option<OffsetDateTime>,
    pub(crate) failing_since: Option<OffsetDateTime>,
    pub(crate) last_error: Option<String>,
    /// As they wait now.
    pub(crate) waiting: Vec<WaitingDelivery>,
    /// These wait no more.
    pub(crate) done: Vec<LogSpot>,
}

/// Keeps it. False where this leader or its place is not the current one any more: nothing was kept then.
pub(crate) async fn settle(
    pool: &PgPool,
    epoch: Epoch,
    followed: &FollowedWebhook,
    settlement: &Settlement,
) -> sqlx::Result<bool> {
    let settled = async {
        let id = followed.hook.webhook.id;
        let mut tx = pool.begin().await?;
        let moved = sqlx::query(
            "UPDATE webhooks
             SET position = greatest(position, $4), rule_position = greatest(rule_position, $5),
                 delivered = delivered + $6,
                 last_delivered_at = coalesce($7, last_delivered_at), failing_since = $8,
                 last_error = $9
             WHERE id = $1 AND replays = $2 AND state = 'active'
                 AND EXISTS (SELECT FROM log_head WHERE epoch = $3)",
        )
        .bind(id)
        .bind(followed.replays)
        .bind(epoch.0)
        .bind(settlement.place.products.to_i64())
        .bind(settlement.place.rules.to_i64())
        .bind(settlement.delivered)
        .bind(settlement.last_delivered_at)
        .bind(settlement.failing_since)
        .bind(&settlement.last_error)
        .execute(&mut *tx)
        .await?;
        if moved.rows_affected() == 0 {
            return Ok(false);
        }
        if !settlement.done.is_empty() {
            remove(&mut tx, id, &settlement.done).await?;
        }
        if !settlement.waiting.is_empty() {
            keep(&mut tx, id, &settlement.waiting).await?;
        }
        tx.commit().await?;
        Ok(true)
    };
    soon(settled).await
}

async fn remove(db: &mut PgConnection, id: Uuid, done: &[LogSpot]) -> sqlx::Result<()> {
    let logs: Vec<&str> = done.iter().map(|spot| spot.log.as_str()).collect();
    let positions: Vec<i64> = done.iter().map(|spot| spot.position.to_i64()).collect();
    sqlx::query(
        "DELETE FROM webhook_waiting
         WHERE webhook_id = $1
             AND (log, position) IN (SELECT * FROM unnest($2::text[], $3::bigint[]))",
    )
    .bind(id)
    .bind(logs)
    .bind(positions)
    .execute(db)
    .await?;
    Ok(())
}

async fn keep(db: &mut PgConnection, id: Uuid, waiting: &[WaitingDelivery]) -> sqlx::Result<()> {
    fn column<'a, T>(
        waiting: &'a [WaitingDelivery],
        of: impl Fn(&'a WaitingDelivery) -> T,
    ) -> Vec<T> {
        waiting.iter().map(of).collect()
    }
    sqlx::query(
        "INSERT INTO webhook_waiting
             (webhook_id, log, position, subject, event_id, event_type, attempts, failed_at,
              next_attempt_at, last_status, last_error)
         SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::text[], $5::uuid[], $6::text[],
                                  $7::integer[], $8::timestamptz[], $9::timestamptz[],
                                  $10::integer[], $11::text[])
         ON CONFLICT ON CONSTRAINT webhook_waiting_pk DO UPDATE
         SET attempts = excluded.attempts, failed_at = excluded.failed_at,
             next_attempt_at = excluded.next_attempt_at, last_status = excluded.last_status,
             last_error = excluded.last_error",
    )
    .bind(id)
    .bind(column(waiting, |it| it.spot.log.as_str()))
    .bind(column(waiting, |it| it.spot.position.to_i64()))
    .bind(column(waiting, |it| it.subject.as_str()))
    .bind(column(waiting, |it| it.event_id))
    .bind(column(waiting, |it| it.event_type.as_str()))
    .bind(column(waiting, |it| it.attempts))
    .bind(column(waiting, |it| it.failed_at))
    .bind(column(waiting, |it| it.next_attempt_at))
    .bind(column(waiting, |it| it.last_status))
    .bind(column(waiting, |it| it.last_error.as_deref()))
    .execute(db)
    .await?;
    Ok(())
}

/// Stops a webhook for a reason, with an entry in the audit trail. Nothing happens where it was changed
/// since this revision, or where this leader is not the current one any more.
pub(crate) async fn disable_webhook(
    pool: &PgPool,
    epoch: Epoch,
    followed: &FollowedWebhook,
    reason: &str,
    now: OffsetDateTime,
) -> sqlx::Result<()> {
    let disabled = async {
        let id = followed.hook.webhook.id;
        let mut tx = pool.begin().await?;
        lock_webhooks(&mut tx).await?;
        let version: Option<i64> = sqlx::query_scalar(
            "WITH changed AS (
                 UPDATE webhooks
                 SET state = 'disabled', disabled_reason = $4, version = version + 1,
                     updated_at = $5, revision = (SELECT revision + 1 FROM webhook_head)
                 WHERE id = $1 AND revision = $2 AND state = 'active'
                     AND EXISTS (SELECT FROM log_head WHERE epoch = $3)
                 RETURNING version
             ), head AS (
                 UPDATE webhook_head SET revision = revision + 1
                 WHERE EXISTS (SELECT FROM changed)
             )
             SELECT version FROM changed",
        )
        .bind(id)
        .bind(followed.revision)
        .bind(epoch.0)
        .bind(reason)
        .bind(now)
        .fetch_optional(&mut *tx)
        .await?;
        if let Some(version) = version.and_then(Version::new) {
            let origin = Origin {
                actor: "catalog-command".to_owned(),
                traceparent: None,
            };
            let entry = AuditEntry {
                at: now,
                origin: &origin,
                action: "webhook.disabled",
                subject: id.to_string(),
                details: serde_json::json!({"version": version, "reason": reason}),
            };
            record(&mut tx, entry).await?;
        }
        tx.commit().await
    };
    soon(disabled).await
}
