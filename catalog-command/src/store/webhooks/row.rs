//! A webhook as its row has it, and the lock under which rows change.

use catalog_events::{Position, Version};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{LogPlace, SigningSecret, StoredWebhook, Webhook, WebhookState};

/// Waits for the writer of webhooks before this one; others wait until the transaction ends.
pub(crate) async fn lock_webhooks(db: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("SELECT FROM webhook_head FOR UPDATE")
        .execute(db)
        .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
pub(super) struct WebhookRow {
    id: Uuid,
    version: i64,
    url: String,
    description: String,
    types: Vec<String>,
    product_ids: Vec<String>,
    state: String,
    disabled_reason: Option<String>,
    created_at: OffsetDateTime,
    created_by: String,
    updated_at: OffsetDateTime,
    rotated_at: Option<OffsetDateTime>,
    secret: Vec<u8>,
    previous_secret: Option<Vec<u8>>,
    previous_until: Option<OffsetDateTime>,
    position: i64,
    rule_position: i64,
}

impl WebhookRow {
    pub(super) fn into_stored(self) -> sqlx::Result<StoredWebhook> {
        let unreadable = |what: &str| sqlx::Error::Decode(format!("webhook: {what}").into());
        let secret = |bytes: Vec<u8>| {
            let bytes = bytes.try_into().map_err(|_| unreadable("secret"))?;
            Ok::<_, sqlx::Error>(SigningSecret(bytes))
        };
        Ok(StoredWebhook {
            webhook: Webhook {
                id: self.id,
                version: Version::new(self.version).ok_or_else(|| unreadable("version"))?,
                url: self.url,
                description: self.description,
                types: self.types,
                product_ids: self.product_ids,
                state: WebhookState::named(&self.state).ok_or_else(|| unreadable("state"))?,
                disabled_reason: self.disabled_reason,
                created_at: self.created_at,
                created_by: self.created_by,
                updated_at: self.updated_at,
                rotated_at: self.rotated_at,
                previous_until: self.previous_until,
            },
            secret: secret(self.secret)?,
            previous: self.previous_secret.map(secret).transpose()?,
            place: LogPlace {
                products: Position::from_i64(self.position),
                rules: Position::from_i64(self.rule_position),
            },
        })
    }
}
