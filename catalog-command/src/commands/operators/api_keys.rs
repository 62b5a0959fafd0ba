//! Commands on API keys. Their writers take turns, and every change leaves an entry in the audit trail,
//! in its transaction. A secret is given back once and kept nowhere.

use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;
use time::Duration;
use uuid::Uuid;

use crate::commands::operators::secret::{SecretToken, random_prefix};
use crate::commands::{Call, CommandError, Commands};
use crate::domain::{self, ApiKey, ApiKeyDraft, KeyFields, KeyRejection, NewKey, StoredKey};
use crate::store::{self, AuditEntry, KeyPage};

/// A key as it is after a command.
#[derive(Debug)]
pub(crate) struct WrittenKey {
    pub(crate) key: ApiKey,
    /// The new secret; none where the same request was answered before.
    pub(crate) secret: Option<SecretToken>,
}

/// What is kept under a request id.
#[derive(Serialize, Deserialize)]
struct Answered {
    key: ApiKey,
}

impl Commands {
    pub(crate) async fn create_api_key(
        &self,
        fields: KeyFields,
        call: &Call,
    ) -> Result<WrittenKey, CommandError> {
        let mut tx = self.pool.begin().await?;
        if let Some(answered) = self.earlier_answer(&mut tx, call).await? {
            return Ok(again(answered));
        }
        // Checked in here, so that a repeated request is answered even when what it asks for has expired.
        let at = self.clock.now();
        let draft = ApiKeyDraft::parse(fields, at).map_err(KeyRejection::Invalid)?;
        store::lock_api_keys(&mut tx).await?;
        let live = store::count_live_keys(&mut tx, at).await?;
        let prefix = free_prefix(&mut tx).await?;
        let secret = SecretToken::new(&prefix)?;
        let new = NewKey {
            id: Uuid::now_v7(),
            prefix,
            secret: secret.hash(),
        };
        let stored = domain::create_key(draft, new, &call.origin.actor, live, at)?;
        let details = json!(stored.key);
        self.finish(tx, call, "api_key.created", details, &stored)
            .await?;
        Ok(WrittenKey {
            key: stored.key,
            secret: Some(secret),
        })
    }

    pub(crate) async fn rotate_api_key(
        &self,
        id: Uuid,
        grace: Duration,
        expected: Option<i64>,
        call: &Call,
    ) -> Result<WrittenKey, CommandError> {
        let mut tx = self.pool.begin().await?;
        if let Some(answered) = self.earlier_answer(&mut tx, call).await? {
            return Ok(again(answered));
        }
        store::lock_api_keys(&mut tx).await?;
        let current = store::load_key(&mut tx, id).await?;
        let prefix = current.as_ref().map_or("", |stored| &stored.key.prefix);
        let secret = SecretToken::new(prefix)?;
        let stored = domain::rotate_key(current, secret.hash(), grace, expected, self.clock.now())?;
        let details =
            json!({"version": stored.key.version, "grace_seconds": grace.whole_seconds()});
        self.finish(tx, call, "api_key.rotated", details, &stored)
            .await?;
        Ok(WrittenKey {
            key: stored.key,
            secret: Some(secret),
        })
    }

    pub(crate) async fn revoke_api_key(
        &self,
        id: Uuid,
        expected: Option<i64>,
        call: &Call,
    ) -> Result<ApiKey, CommandError> {
        let mut tx = self.pool.begin().await?;
        if let Some(Answered { key }) = self.earlier_answer(&mut tx, call).await? {
            return Ok(key);
        }
        store::lock_api_keys(&mut tx).await?;
        let current = store::load_key(&mut tx, id).await?;
        let (stored, changed) = domain::revoke_key(current, expected, self.clock.now())?;
        if !changed {
            remember(&mut tx, call, &stored.key).await?;
            tx.commit().await?;
            return Ok(stored.key);
        }
        let details = json!({"version": stored.key.version});
        self.finish(tx, call, "api_key.revoked", details, &stored)
            .await?;
        Ok(stored.key)
    }

    /// A page of the keys, the newest first, and whether there are more after it.
    pub(crate) async fn api_keys(
        &self,
        page: &KeyPage,
    ) -> Result<(Vec<ApiKey>, bool), CommandError> {
        Ok(store::list_keys(&self.pool, page, self.clock.now()).await?)
    }

    /// Saves the key with its entry in the audit trail and the answer under the request id, and commits.
    async fn finish(
        &self,
        mut tx: sqlx::Transaction<'_, sqlx::Postgres>,
        call: &Call,
        action: &'static str,
        details: serde_json::Value,
        stored: &StoredKey,
    ) -> Result<(), CommandError> {
        store::save_key(&mut tx, stored).await?;
        let entry = AuditEntry {
            at: self.clock.now(),
            origin: &call.origin,
            action,
            subject: stored.key.id.to_string(),
            details,
        };
        store::record(&mut tx, entry).await?;
        remember(&mut tx, call, &stored.key).await?;
        tx.commit().await?;
        Ok(())
    }
}

fn again(Answered { key }: Answered) -> WrittenKey {
    WrittenKey { key, secret: None }
}

async fn remember(tx: &mut PgConnection, call: &Call, key: &ApiKey) -> sqlx::Result<()> {
    let Some(request) = &call.request else {
        return Ok(());
    };
    let answered = Answered { key: key.clone() };
    store::remember(tx, request, &answered).await
}

/// A prefix that no key has. The caller holds the lock on all keys; the second try succeeds.
async fn free_prefix(tx: &mut PgConnection) -> Result<String, CommandError> {
    loop {
        let prefix = random_prefix()?;
        if !store::has_prefix(tx, &prefix).await? {
            return Ok(prefix);
        }
    }
}
