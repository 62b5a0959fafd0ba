//! API keys. Invariant: a writer holds the lock on their head until the commit, so that revisions are
//! committed in their order.

use catalog_events::Version;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{ApiKey, ApiScope, SecretHash, StoredKey};

/// Waits for the writer of keys before this one; others wait until the transaction ends.
pub(crate) async fn lock_api_keys(db: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("SELECT FROM api_key_head FOR UPDATE")
        .execute(db)
        .await?;
    Ok(())
}

pub(crate) async fn load_key(db: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<StoredKey>> {
    let row: Option<KeyRow> = sqlx::query_as("SELECT * FROM api_keys WHERE id = $1")
        .bind(id)
        .fetch_optional(db)
        .await?;
    row.map(KeyRow::into_stored).transpose()
}

/// The number of keys that are neither revoked nor expired.
pub(crate) async fn count_live_keys(
    db: &mut PgConnection,
    now: OffsetDateTime,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "SELECT count(*) FROM api_keys
         WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $1)",
    )
    .bind(now)
    .fetch_one(db)
    .await
}

pub(crate) async fn has_prefix(db: &mut PgConnection, prefix: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM api_keys WHERE prefix = $1)")
        .bind(prefix)
        .fetch_one(db)
        .await
}

/// Saves a key at the next revision. The caller has locked the keys.
pub(crate) async fn save_key(db: &mut PgConnection, stored: &StoredKey) -> sqlx::Result<()> {
    let key = &stored.key;
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
    let (previous_hash, previous_until) =
        stored.previous.map(|(hash, until)| (hash.0, until)).unzip();
    sqlx::query(
        "WITH head AS (
             UPDATE api_key_head SET revision = revision + 1 RETURNING revision
         )
         INSERT INTO api_keys
             (id, prefix, version, revision, name, scopes, allowed_origins, forced_filter,
              requests_per_second, created_at, created_by, expires_at, revoked_at, rotated_at,
              secret_hash, previous_hash, previous_until)
         SELECT $1, $2, $3, revision, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16
         FROM head
         ON CONFLICT (id) DO UPDATE
         SET version = excluded.version, revision = excluded.revision,
             revoked_at = excluded.revoked_at, rotated_at = excluded.rotated_at,
             secret_hash = excluded.secret_hash, previous_hash = excluded.previous_hash,
             previous_until = excluded.previous_until",
    )
    .bind(key.id)
    .bind(&key.prefix)
    .bind(key.version.get())
    .bind(&key.name)
    .bind(scopes)
    .bind(&key.allowed_origins)
    .bind(&key.forced_filter)
    .bind(key.requests_per_second)
    .bind(key.created_at)
    .bind(&key.created_by)
    .bind(key.expires_at)
    .bind(key.revoked_at)
    .bind(key.rotated_at)
    .bind(stored.secret.0)
    .bind(previous_hash)
    .bind(previous_until)
    .execute(db)
    .await?;
    Ok(())
}

/// Which keys a page lists.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyPage {
    /// The id after which the page begins, downwards: ids are in the order in which keys were made.
    pub(crate) before: Option<Uuid>,
    /// Whether keys are listed too that are revoked or expired.
    pub(crate) ended: bool,
    pub(crate) limit: i64,
}

/// A page of the keys, the newest first, and whether there are more after it.
pub(crate) async fn list_keys(
    pool: &PgPool,
    page: &KeyPage,
    now: OffsetDateTime,
) -> sqlx::Result<(Vec<ApiKey>, bool)> {
    let rows: Vec<KeyRow> = sqlx::query_as(
        "SELECT * FROM api_keys
         WHERE ($1::uuid IS NULL OR id < $1)
             AND ($2 OR (revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $3)))
         ORDER BY id DESC LIMIT $4",
    )
    .bind(page.before)
    .bind(page.ended)
    .bind(now)
    .bind(page.limit + 1)
    .fetch_all(pool)
    .await?;
    let more = rows.len() as i64 > page.limit;
    let keys = rows.into_iter().take(page.limit as usize);
    let keys: sqlx::Result<_> = keys.map(|row| Ok(row.into_stored()?.key)).collect();
    Ok((keys?, more))
}

/// The revision of the last change.
pub(crate) async fn key_revision(pool: &PgPool) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT revision FROM api_key_head")
        .fetch_one(pool)
        .await
}

/// Keys that are neither revoked nor expired, in the order of their ids, behind this one.
pub(crate) async fn live_keys(
    pool: &PgPool,
    after: Option<Uuid>,
    limit: i64,
) -> sqlx::Result<Vec<StoredKey>> {
    let rows: Vec<KeyRow> = sqlx::query_as(
        "SELECT * FROM api_keys
         WHERE ($1::uuid IS NULL OR id > $1)
             AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
         ORDER BY id LIMIT $2",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(KeyRow::into_stored).collect()
}

/// Keys whose last change came after this revision, with the revisions of these, oldest change first.
pub(crate) async fn keys_changed_since(
    pool: &PgPool,
    revision: i64,
    limit: i64,
) -> sqlx::Result<Vec<(i64, StoredKey)>> {
    let rows: Vec<KeyRow> =
        sqlx::query_as("SELECT * FROM api_keys WHERE revision > $1 ORDER BY revision LIMIT $2")
            .bind(revision)
            .bind(limit)
            .fetch_all(pool)
            .await?;
    rows.into_iter()
        .map(|row| Ok((row.revision, row.into_stored()?)))
        .collect()
}

#[derive(sqlx::FromRow)]
struct KeyRow {
    id: Uuid,
    prefix: String,
    version: i64,
    revision: i64,
    name: String,
    scopes: Vec<String>,
    allowed_origins: Vec<String>,
    forced_filter: Option<String>,
    requests_per_second: Option<i32>,
    created_at: OffsetDateTime,
    created_by: String,
    expires_at: Option<OffsetDateTime>,
    revoked_at: Option<OffsetDateTime>,
    rotated_at: Option<OffsetDateTime>,
    secret_hash: Vec<u8>,
    previous_hash: Option<Vec<u8>>,
    previous_until: Option<OffsetDateTime>,
}

impl KeyRow {
    fn into_stored(self) -> sqlx::Result<StoredKey> {
        let id = self.id;
        let corrupt = |what: &str| sqlx::Error::Decode(format!("key {id}: bad {what}").into());
        let hash = |bytes: Vec<u8>| match bytes.try_into() {
            Ok(bytes) => Ok(SecretHash(bytes)),
            Err(_) => Err(corrupt("hash")),
        };
        let previous = self.previous_hash.map(hash).transpose()?;
        Ok(StoredKey {
            secret: hash(self.secret_hash)?,
            previous: previous.zip(self.previous_until),
            key: ApiKey {
                id,
                prefix: self.prefix,
                version: Version::new(self.version).ok_or_else(|| corrupt("version"))?,
                name: self.name,
                // A scope that a newer release has added allows nothing here.
                scopes: self
                    .scopes
                    .iter()
                    .filter_map(|name| ApiScope::named(name))
                    .collect(),
                allowed_origins: self.allowed_origins,
                forced_filter: self.forced_filter,
                requests_per_second: self.requests_per_second,
                created_at: self.created_at,
                created_by: self.created_by,
                expires_at: self.expires_at,
                revoked_at: self.revoked_at,
                rotated_at: self.rotated_at,
            },
        })
    }
}
