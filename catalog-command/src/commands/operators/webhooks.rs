//! Commands on webhooks. Their writers take turns, so that there are never more than there may be.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;
use time::Duration;
use uuid::Uuid;

use crate::commands::{Call, CommandError, Commands};
use crate::domain::{
    self, NewWebhook, Reach, SigningSecret, Start, StoredWebhook, Webhook, WebhookDraft,
    WebhookFields, WebhookPatch, WebhookRejection, WebhookState,
};
use crate::store::{self, AuditEntry, WaitingDelivery, WaitingPage, WebhookProgress};

/// A webhook as it is after a command, with its progress.
#[derive(Debug)]
pub(crate) struct ShownWebhook {
    pub(crate) webhook: Webhook,
    pub(crate) progress: WebhookProgress,
    /// The new secret, where the command made one; none where the same request was answered before.
    pub(crate) secret: Option<SigningSecret>,
}

/// Where a webhook is to go on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    After(Start),
    Now,
}

/// What is kept under a request id. None after a deletion.
#[derive(Serialize, Deserialize)]
struct Answered {
    webhook: Option<Webhook>,
}

impl Commands {
    pub(crate) async fn create_webhook(
        &self,
        fields: WebhookFields,
        start: Start,
        reach: Reach,
        call: &Call,
    ) -> Result<ShownWebhook, CommandError> {
        let mut tx = self.pool.begin().await?;
        if let Some(Answered { webhook }) = self.earlier_answer(&mut tx, call).await? {
            return self.shown_again(webhook).await;
        }
        let draft = WebhookDraft::parse(fields, reach).map_err(WebhookRejection::Invalid)?;
        store::lock_webhooks(&mut tx).await?;
        let live = store::count_webhooks(&mut tx).await?;
        let ends = store::log_ends(&mut tx).await?;
        let new = NewWebhook {
            id: Uuid::now_v7(),
            secret: new_secret()?,
            created_by: &call.origin.actor,
            place: start.place(ends, ends)?,
        };
        let stored = domain::create_webhook(draft, new, live, self.clock.now())?;
        store::save_webhook(&mut tx, &stored).await?;
        let details = json!(stored.webhook);
        self.finish_webhook(tx, call, "webhook.created", details, &stored.webhook)
            .await?;
        let mut shown = self.with_progress(stored.webhook).await?;
        shown.secret = Some(stored.secret);
        Ok(shown)
    }

    pub(crate) async fn update_webhook(
        &self,
        id: Uuid,
        patch: WebhookPatch,
        reach: Reach,
        expected: Option<i64>,
        call: &Call,
    ) -> Result<ShownWebhook, CommandError> {
        let mut tx = self.pool.begin().await?;
        if let Some(Answered { webhook }) = self.earlier_answer(&mut tx, call).await? {
            return self.shown_again(webhook).await;
        }
        let current = existing(&mut tx, id, expected).await?;
        let before = current.webhook.clone();
        let Some(stored) = domain::update_webhook(current, patch, reach, self.clock.now())? else {
            remember(&mut tx, call, Some(&before)).await?;
            tx.commit().await?;
            return self.with_progress(before).await;
        };
        store::save_webhook(&mut tx, &stored).await?;
        let active = stored.webhook.state == WebhookState::Active;
        if active && before.state != WebhookState::Active {
            store::forgive_webhook(&mut tx, id).await?;
        }
        let details = json!(stored.webhook);
        self.finish_webhook(tx, call, "webhook.updated", details, &stored.webhook)
            .await?;
        self.with_progress(stored.webhook).await
    }

    pub(crate) async fn rotate_webhook(
        &self,
        id: Uuid,
        grace: Duration,
        expected: Option<i64>,
        call: &Call,
    ) -> Result<ShownWebhook, CommandError> {
        let mut tx = self.pool.begin().await?;
        if let Some(Answered { webhook }) = self.earlier_answer(&mut tx, call).await? {
            return self.shown_again(webhook).await;
        }
        let current = existing(&mut tx, id, expected).await?;
        let stored = domain::rotate_webhook(current, new_secret()?, grace, self.clock.now());
        store::save_webhook(&mut tx, &stored).await?;
        let details =
            json!({"version": stored.webhook.version, "grace_seconds": grace.whole_seconds()});
        self.finish_webhook(tx, call, "webhook.rotated", details, &stored.webhook)
            .await?;
        let mut shown = self.with_progress(stored.webhook).await?;
        shown.secret = Some(stored.secret);
        Ok(shown)
    }

    pub(crate) async fn replay_webhook(
        &self,
        id: Uuid,
        to: Place,
        expected: Option<i64>,
        call: &Call,
    ) -> Result<ShownWebhook, CommandError> {
        let mut tx = self.pool.begin().await?;
        if let Some(Answered { webhook }) = self.earlier_answer(&mut tx, call).await? {
            return self.shown_again(webhook).await;
        }
        let current = existing(&mut tx, id, expected).await?;
        let ends = store::log_ends(&mut tx).await?;
        let (place, forget) = match to {
            Place::After(start) => (start.place(current.place, ends)?, false),
            Place::Now => (ends, true),
        };
        let stored = domain::move_webhook(current, place, self.clock.now());
        store::save_webhook(&mut tx, &stored).await?;
        store::replay_webhook(&mut tx, id, place, forget).await?;
        let details = json!({
            "version": stored.webhook.version,
            "after_position": place.products,
            "after_rule_position": place.rules,
            "forgot_waiting": forget,
        });
        self.finish_webhook(tx, call, "webhook.replayed", details, &stored.webhook)
            .await?;
        self.with_progress(stored.webhook).await
    }

    pub(crate) async fn delete_webhook(
        &self,
        id: Uuid,
        expected: Option<i64>,
        call: &Call,
    ) -> Result<(), CommandError> {
        let mut tx = self.pool.begin().await?;
        let earlier: Option<Answered> = self.earlier_answer(&mut tx, call).await?;
        if earlier.is_some() {
            return Ok(());
        }
        let current = existing(&mut tx, id, expected).await?;
        store::delete_webhook(&mut tx, id).await?;
        let details = json!({"url": current.webhook.url});
        self.audit(&mut tx, call, "webhook.deleted", id, details)
            .await?;
        remember(&mut tx, call, None).await?;
        tx.commit().await?;
        self.webhooks_changed.notify_one();
        Ok(())
    }

    /// All webhooks with their progress, the newest first.
    pub(crate) async fn webhooks(&self) -> Result<Vec<ShownWebhook>, CommandError> {
        let all = store::shown_webhooks(&self.pool, None).await?;
        let shown = all.into_iter().map(|(stored, progress)| ShownWebhook {
            webhook: stored.webhook,
            progress,
            secret: None,
        });
        Ok(shown.collect())
    }

    pub(crate) async fn webhook(
        &self,
        id: Uuid,
    ) -> Result<(StoredWebhook, WebhookProgress), CommandError> {
        let found = store::shown_webhooks(&self.pool, Some(id)).await?.pop();
        Ok(found.ok_or(WebhookRejection::NotFound)?)
    }

    /// A page of what waits for a webhook, and whether there is more after it.
    pub(crate) async fn waiting_deliveries(
        &self,
        page: &WaitingPage,
    ) -> Result<(Vec<WaitingDelivery>, bool), CommandError> {
        let (deliveries, more) = store::list_waiting(&self.pool, page).await?;
        if deliveries.is_empty() {
            self.webhook(page.webhook).await?;
        }
        Ok((deliveries, more))
    }

    async fn shown_again(&self, webhook: Option<Webhook>) -> Result<ShownWebhook, CommandError> {
        self.with_progress(webhook.ok_or(WebhookRejection::NotFound)?)
            .await
    }

    async fn with_progress(&self, webhook: Webhook) -> Result<ShownWebhook, CommandError> {
        let found = store::shown_webhooks(&self.pool, Some(webhook.id)).await?;
        let progress = found.into_iter().next().map(|(_, progress)| progress);
        Ok(ShownWebhook {
            webhook,
            progress: progress.unwrap_or_default(),
            secret: None,
        })
    }

    /// Leaves the entry in the audit trail and the answer under the request id, commits, and lets the leader
    /// know where it is this instance.
    async fn finish_webhook(
        &self,
        mut tx: sqlx::Transaction<'_, sqlx::Postgres>,
        call: &Call,
        action: &'static str,
        details: Value,
        webhook: &Webhook,
    ) -> Result<(), CommandError> {
        self.audit(&mut tx, call, action, webhook.id, details)
            .await?;
        remember(&mut tx, call, Some(webhook)).await?;
        tx.commit().await?;
        self.webhooks_changed.notify_one();
        Ok(())
    }

    async fn audit(
        &self,
        tx: &mut PgConnection,
        call: &Call,
        action: &'static str,
        id: Uuid,
        details: Value,
    ) -> sqlx::Result<()> {
        let entry = AuditEntry {
            at: self.clock.now(),
            origin: &call.origin,
            action,
            subject: id.to_string(),
            details,
        };
        store::record(tx, entry).await
    }
}

/// The webhook, once this transaction is the only one that changes any.
async fn existing(
    tx: &mut PgConnection,
    id: Uuid,
    expected: Option<i64>,
) -> Result<StoredWebhook, CommandError> {
    store::lock_webhooks(tx).await?;
    let current = store::load_webhook(tx, id).await?;
    Ok(domain::existing_webhook(current, expected)?)
}

async fn remember(
    tx: &mut PgConnection,
    call: &Call,
    webhook: Option<&Webhook>,
) -> sqlx::Result<()> {
    let Some(request) = &call.request else {
        return Ok(());
    };
    let webhook = webhook.cloned();
    store::remember(tx, request, &Answered { webhook }).await
}

fn new_secret() -> Result<SigningSecret, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(SigningSecret(bytes))
}
