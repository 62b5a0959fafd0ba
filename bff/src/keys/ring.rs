//! All keys that are valid, by the hashes of their secrets.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use catalog_proto::v1;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use crate::keys::key::{Key, Limit, moment};
use crate::scope::Scopes;

/// What is known of a secret.
pub(crate) type SecretHash = [u8; 32];

/// The keys. Clones share them.
#[derive(Clone)]
pub(crate) struct KeyRing(Arc<RwLock<State>>);

struct State {
    secrets: HashMap<SecretHash, Secret>,
    /// When the write service was last heard; None before all keys were told.
    heard: Option<Instant>,
    /// How long keys are believed without a word from the write service.
    patience: Duration,
}

#[derive(Clone)]
struct Secret {
    key: Arc<Key>,
    valid_until: Option<OffsetDateTime>,
}

impl Secret {
    fn has_ended(&self) -> bool {
        let now = OffsetDateTime::now_utc();
        let ends = [self.valid_until, self.key.expires_at];
        ends.into_iter().flatten().any(|end| end <= now)
    }
}

/// Why a text is not taken for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is none, or revoked or expired.
    Unknown,
    /// The write service has not been heard for too long to tell.
    NotCurrent,
}

impl KeyRing {
    pub(crate) fn new(patience: Duration) -> Self {
        Self(Arc::new(RwLock::new(State {
            secrets: HashMap::new(),
            heard: None,
            patience,
        })))
    }

    /// Returns the key of a secret, and the hash by which it is [valid](Self::is_valid) later.
    pub(crate) fn check(&self, token: &str) -> Result<(Arc<Key>, SecretHash), Refused> {
        let hash: SecretHash = Sha256::digest(token).into();
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let is_current = state.heard.is_some_and(|at| at.elapsed() < state.patience);
        let Some(secret) = state.secrets.get(&hash) else {
            return Err(if is_current {
                Refused::Unknown
            } else {
                Refused::NotCurrent
            });
        };
        if secret.has_ended() {
            return Err(Refused::Unknown);
        }
        if is_current {
            Ok((secret.key.clone(), hash))
        } else {
            Err(Refused::NotCurrent)
        }
    }

    /// Whether a secret that was checked before is still one of a key.
    pub(crate) fn is_valid(&self, hash: &SecretHash) -> bool {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let secret = state.secrets.get(hash);
        secret.is_some_and(|secret| !secret.has_ended())
    }

    /// What a key may do; None where it is unknown.
    pub(crate) fn scopes_of(&self, id: &str) -> Option<Scopes> {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut secrets = state.secrets.values();
        let found = secrets.find(|secret| secret.key.id == id);
        found.map(|secret| secret.key.scopes)
    }

    /// Takes the keys that are told for all there are.
    pub(super) fn replace(&self, keys: &[v1::WatchedApiKey]) {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // A key that did not change keeps the count of its requests.
        let mut known: HashMap<String, Arc<Key>> = HashMap::new();
        for secret in state.secrets.drain().map(|(_, secret)| secret) {
            known.insert(secret.key.id.clone(), secret.key);
        }
        for told in keys {
            let before = told.key.as_ref().and_then(|key| known.get(&key.id));
            let before = before.cloned();
            state.add(told, before.as_ref());
        }
        state.heard = Some(Instant::now());
    }

    pub(super) fn change(&self, keys: &[v1::WatchedApiKey]) {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for told in keys {
            let Some(key) = &told.key else { continue };
            let mut of_key = state.secrets.values();
            let before = of_key.find(|secret| secret.key.id == key.id);
            let before = before.map(|secret| secret.key.clone());
            state.secrets.retain(|_, secret| secret.key.id != key.id);
            state.add(told, before.as_ref());
        }
        state.heard = Some(Instant::now());
    }

    pub(super) fn hear(&self) {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        state.heard = Some(Instant::now());
    }
}

impl State {
    fn add(&mut self, told: &v1::WatchedApiKey, before: Option<&Arc<Key>>) {
        let Some(message) = told.key.as_ref().filter(|key| key.revoked_at.is_none()) else {
            return;
        };
        let mut key = Key::of(message);
        let same_limit = |before: &&Arc<Key>| {
            let per_second = |limit: &Limit| limit.per_second;
            before.limit.as_ref().map(per_second) == key.limit.as_ref().map(per_second)
        };
        if let Some(before) = before.filter(same_limit) {
            key.limit.clone_from(&before.limit);
        }
        let key = Arc::new(key);
        for secret in &told.secrets {
            if let Ok(hash) = SecretHash::try_from(&secret.sha256[..]) {
                let valid_until = secret.valid_until.as_ref().and_then(moment);
                let key = key.clone();
                self.secrets.insert(hash, Secret { key, valid_until });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::Scope;

    fn told(id: &str, secrets: &[(&str, Option<i64>)]) -> v1::WatchedApiKey {
        let key = v1::ApiKey {
            id: id.to_owned(),
            scopes: vec![v1::ApiScope::Read.into()],
            requests_per_second: Some(2),
            ..v1::ApiKey::default()
        };
        let secrets = secrets.iter().map(|(secret, until)| v1::ApiKeySecret {
            sha256: Sha256::digest(secret).to_vec(),
            valid_until: until.map(|seconds| prost_types::Timestamp { seconds, nanos: 0 }),
        });
        v1::WatchedApiKey {
            key: Some(key),
            secrets: secrets.collect(),
        }
    }

    #[test]
    fn only_told_and_valid_secrets_are_keys() {
        let ring = KeyRing::new(Duration::from_secs(60));
        let check = |token| ring.check(token).map(|(key, _)| key.id.clone());
        assert_eq!(check("s1"), Err(Refused::NotCurrent));
        ring.replace(&[told("a", &[("s1", None), ("s0", Some(1))])]);
        assert_eq!(check("s1"), Ok("a".to_owned()));
        assert_eq!(check("s0"), Err(Refused::Unknown));
        assert_eq!(check("s2"), Err(Refused::Unknown));
        ring.change(&[told("a", &[("s2", None)]), told("b", &[("s3", None)])]);
        assert_eq!(check("s1"), Err(Refused::Unknown));
        assert_eq!(check("s2"), Ok("a".to_owned()));
        assert_eq!(
            ring.scopes_of("a").map(|held| held.has(Scope::Read)),
            Some(true)
        );
        assert!(ring.scopes_of("c").is_none());
        let (_, secret) = ring.check("s3").expect("a key");
        assert!(ring.is_valid(&secret));
        // A secret that was rotated away is over, though its key is not.
        ring.change(&[told("b", &[("s4", None), ("s3", Some(1))])]);
        assert!(!ring.is_valid(&secret));
        let (_, secret) = ring.check("s4").expect("a key");
        let mut revoked = told("b", &[("s4", None)]);
        if let Some(key) = &mut revoked.key {
            key.revoked_at = Some(prost_types::Timestamp::default());
        }
        ring.change(&[revoked]);
        assert!(!ring.is_valid(&secret));
        assert_eq!(check("s4"), Err(Refused::Unknown));
        ring.replace(&[]);
        assert_eq!(check("s2"), Err(Refused::Unknown));
    }

    #[test]
    fn a_change_gives_no_requests_back() {
        let ring = KeyRing::new(Duration::from_secs(60));
        let take = |token| {
            let (key, _) = ring.check(token).expect("a key");
            key.limit.as_ref().expect("a limit").take()
        };
        ring.replace(&[told("a", &[("s1", None)])]);
        assert!(take("s1") && take("s1") && !take("s1"));
        ring.change(&[told("a", &[("s1", None), ("s2", None)])]);
        assert!(!take("s2"));
    }

    #[test]
    fn silence_ends_the_belief_in_keys() {
        let ring = KeyRing::new(Duration::ZERO);
        ring.replace(&[told("a", &[("s1", None)])]);
        assert_eq!(ring.check("s1").err(), Some(Refused::NotCurrent));
    }
}
