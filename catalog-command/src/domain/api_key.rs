//! What becomes of an API key: it is made, given new secrets and revoked. No secret comes here, only
//! hashes of secrets.

use std::fmt;

use catalog_events::Version;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::domain::api_key_draft::{ApiKeyDraft, ApiScope};
use crate::domain::check::Violation;

/// The most keys that are neither revoked nor expired: whoever checks keys keeps them all in memory.
const KEYS_MAX: i64 = 10_000;

/// The SHA-256 of a secret. A secret has 256 random bits, so that nobody finds it by guessing: a slow
/// hash would make every check dear and nothing safer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct SecretHash(pub(crate) [u8; 32]);

/// Writes the name of the type, never the hash.
impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash")
    }
}

/// What people see of a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ApiKey {
    pub(crate) id: Uuid,
    pub(crate) prefix: String,
    pub(crate) version: Version,
    pub(crate) name: String,
    pub(crate) scopes: Vec<ApiScope>,
    pub(crate) allowed_origins: Vec<String>,
    pub(crate) forced_filter: Option<String>,
    pub(crate) requests_per_second: Option<i32>,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) created_at: OffsetDateTime,
    pub(crate) created_by: String,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) expires_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) revoked_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) rotated_at: Option<OffsetDateTime>,
}

/// A key with the hashes of its secrets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredKey {
    pub(crate) key: ApiKey,
    pub(crate) secret: SecretHash,
    /// The secret before, and the time from which on it is not valid any more.
    pub(crate) previous: Option<(SecretHash, OffsetDateTime)>,
}

/// Why a command on a key is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyRejection {
    #[error("no such key")]
    NotFound,
    #[error("the key is not valid")]
    Invalid(Vec<Violation>),
    #[error("the key is at version {found}, not {expected}")]
    VersionMismatch { expected: i64, found: Version },
    #[error("the key is revoked: make a new one")]
    Revoked,
    #[error("the key has expired: make a new one")]
    Expired,
    #[error("there are {KEYS_MAX} keys, which is the limit: revoke one first")]
    TooMany,
}

/// The random parts of a new key, which the domain cannot make.
pub(crate) struct NewKey {
    pub(crate) id: Uuid,
    pub(crate) prefix: String,
    pub(crate) secret: SecretHash,
}

/// Makes a key. `live` is how many keys are neither revoked nor expired.
pub(crate) fn create_key(
    draft: ApiKeyDraft,
    new: NewKey,
    created_by: &str,
    live: i64,
    now: OffsetDateTime,
) -> Result<StoredKey, KeyRejection> {
    if live >= KEYS_MAX {
        return Err(KeyRejection::TooMany);
    }
    Ok(StoredKey {
        key: ApiKey {
            id: new.id,
            prefix: new.prefix,
            version: Version::FIRST,
            name: draft.name,
            scopes: draft.scopes,
            allowed_origins: draft.allowed_origins,
            forced_filter: draft.forced_filter,
            requests_per_second: draft.requests_per_second,
            created_at: now,
            created_by: created_by.to_owned(),
            expires_at: draft.expires_at,
            revoked_at: None,
            rotated_at: None,
        },
        secret: new.secret,
        previous: None,
    })
}

/// Gives a key a new secret. The present one is valid for the grace period still, and one from before ends
/// at once.
pub(crate) fn rotate_key(
    current: Option<StoredKey>,
    secret: SecretHash,
    grace: Duration,
    expected: Option<i64>,
    now: OffsetDateTime,
) -> Result<StoredKey, KeyRejection> {
    let StoredKey {
        key,
        secret: replaced,
        ..
    } = existing(current, expected)?;
    if key.revoked_at.is_some() {
        return Err(KeyRejection::Revoked);
    }
    if key.expires_at.is_some_and(|end| end <= now) {
        return Err(KeyRejection::Expired);
    }
    let previous = grace
        .is_positive()
        .then(|| (replaced, now.saturating_add(grace)));
    Ok(StoredKey {
        key: ApiKey {
            version: key.version.next(),
            rotated_at: Some(now),
            ..key
        },
        secret,
        previous,
    })
}

/// Ends a key and all its secrets. One that is revoked already stays as it is: the flag tells whether
/// anything changes.
pub(crate) fn revoke_key(
    current: Option<StoredKey>,
    expected: Option<i64>,
    now: OffsetDateTime,
) -> Result<(StoredKey, bool), KeyRejection> {
    let stored = existing(current, expected)?;
    if stored.key.revoked_at.is_some() {
        return Ok((stored, false));
    }
    let revoked = StoredKey {
        key: ApiKey {
            version: stored.key.version.next(),
            revoked_at: Some(now),
            ..stored.key
        },
        previous: None,
        ..stored
    };
    Ok((revoked, true))
}

fn existing(current: Option<StoredKey>, expected: Option<i64>) -> Result<StoredKey, KeyRejection> {
    let stored = current.ok_or(KeyRejection::NotFound)?;
    let found = stored.key.version;
    match expected {
        Some(expected) if expected != found.get() => {
            Err(KeyRejection::VersionMismatch { expected, found })
        }
        _ => Ok(stored),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::domain::api_key_draft::KeyFields;

    const NOW: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);
    const LATER: OffsetDateTime = datetime!(2026-01-02 00:00 UTC);
    const OLD: SecretHash = SecretHash([1; 32]);
    const NEW: SecretHash = SecretHash([2; 32]);

    fn made(expires_at: Option<OffsetDateTime>, live: i64) -> Result<StoredKey, KeyRejection> {
        let fields = KeyFields {
            name: "Shop".to_owned(),
            scopes: vec![Some(ApiScope::Search)],
            expires_at,
            ..KeyFields::default()
        };
        let draft = ApiKeyDraft::parse(fields, NOW).expect("valid");
        let new = NewKey {
            id: Uuid::nil(),
            prefix: "abcdefgh".to_owned(),
            secret: OLD,
        };
        create_key(draft, new, "ann", live, NOW)
    }

    fn key() -> Option<StoredKey> {
        Some(made(None, 0).expect("made"))
    }

    fn rotated(key: Option<StoredKey>, grace: Duration) -> Result<StoredKey, KeyRejection> {
        rotate_key(key, NEW, grace, None, LATER)
    }

    #[test]
    fn a_rotated_key_has_its_old_secret_for_the_grace_period_only() {
        let graced = rotated(key(), Duration::hours(1)).expect("rotated");
        assert_eq!((graced.key.version.get(), graced.secret), (2, NEW));
        let until = LATER + Duration::hours(1);
        assert_eq!(graced.previous, Some((OLD, until)));
        assert_eq!(graced.key.rotated_at, Some(LATER));
        let at_once = rotated(Some(graced), Duration::ZERO).expect("rotated");
        assert_eq!((at_once.key.version.get(), at_once.previous), (3, None));
    }

    #[test]
    fn a_revoked_key_has_one_secret_and_stays_as_it_is() {
        let graced = rotated(key(), Duration::hours(1)).expect("rotated");
        let (revoked, changed) = revoke_key(Some(graced), Some(2), LATER).expect("revoked");
        assert!(changed);
        let told = (revoked.key.revoked_at, revoked.previous);
        assert_eq!(told, (Some(LATER), None));
        let again = revoke_key(Some(revoked.clone()), None, LATER);
        assert_eq!(again, Ok((revoked.clone(), false)));
        let rotated = rotated(Some(revoked), Duration::ZERO);
        assert_eq!(rotated, Err(KeyRejection::Revoked));
    }

    #[test]
    fn what_is_not_there_or_has_ended_is_refused() {
        assert_eq!(rotated(None, Duration::ZERO), Err(KeyRejection::NotFound));
        let short = made(Some(LATER), 0).expect("made");
        let late = rotated(Some(short), Duration::ZERO);
        assert_eq!(late, Err(KeyRejection::Expired));
        let found = Version::FIRST;
        let expected = 7;
        let mismatch = KeyRejection::VersionMismatch { expected, found };
        assert_eq!(revoke_key(key(), Some(7), NOW), Err(mismatch));
        assert_eq!(made(None, 10_000), Err(KeyRejection::TooMany));
    }

    #[test]
    fn no_hash_is_shown() {
        let shown = format!("{:?}", key());
        assert!(shown.contains("secret: SecretHash,"), "{shown}");
    }
}
