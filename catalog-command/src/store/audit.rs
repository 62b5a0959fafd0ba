//! The trail of what operators changed. Nothing in it is ever changed or deleted.

use serde_json::Value;
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;

use crate::store::products::Origin;

/// A change, to be recorded in its transaction.
#[derive(Debug)]
pub(crate) struct AuditEntry<'a> {
    pub(crate) at: OffsetDateTime,
    pub(crate) origin: &'a Origin,
    pub(crate) action: &'static str,
    /// The id of what was changed.
    pub(crate) subject: String,
    /// What it was changed to; never a secret.
    pub(crate) details: Value,
}

pub(crate) async fn record(db: &mut PgConnection, entry: AuditEntry<'_>) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO operator_audit (at, actor, traceparent, action, subject, details)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(entry.at)
    .bind(&entry.origin.actor)
    .bind(&entry.origin.traceparent)
    .bind(entry.action)
    .bind(entry.subject)
    .bind(Json(entry.details))
    .execute(db)
    .await?;
    Ok(())
}
