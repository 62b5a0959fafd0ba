//! Follows the key set of an identity provider, and checks tokens against it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use http::Uri;
use sha2::{Digest as _, Sha256};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::tokens::claims::Token;
use crate::tokens::key_set::KeySet;
use crate::tokens::verifier::{Refusal, Verifier};

/// How often the set is asked for.
const ASK_EVERY: Duration = Duration::from_secs(300);
/// How soon it is asked for again where a token names a key that is not in it, or the provider was away.
const ASK_AGAIN: Duration = Duration::from_secs(10);
/// How long a request waits for a newer set.
const WAIT: Duration = Duration::from_secs(3);
const DOCUMENT_BYTES_MAX: u64 = 1 << 20;
/// Tokens that were checked and need not be again; a token is sent many times.
const CHECKED_MAX: usize = 10_000;

/// Where a key set is: an `https` address, an `http` one of this machine, or a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Jwks {
    Address(String),
    File(PathBuf),
}

/// A text that is no place of a key set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be https://…, or the path of a file")]
pub struct InvalidJwks;

impl FromStr for Jwks {
    type Err = InvalidJwks;

    fn from_str(text: &str) -> Result<Self, InvalidJwks> {
        if !text.contains("://") {
            return Ok(Self::File(text.into()));
        }
        let uri: Uri = text.parse().map_err(|_| InvalidJwks)?;
        let is_here = matches!(uri.host(), Some("127.0.0.1" | "localhost" | "[::1]"));
        match uri.scheme_str() {
            Some("https") => Ok(Self::Address(text.to_owned())),
            Some("http") if is_here => Ok(Self::Address(text.to_owned())),
            _ => Err(InvalidJwks),
        }
    }
}

/// Whose tokens are taken.
#[derive(Clone, Debug)]
pub struct TokenConfig {
    pub jwks: Jwks,
    pub issuer: String,
    pub audience: String,
    /// How far clocks may differ.
    pub leeway: Duration,
}

/// Why a token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Untrusted {
    /// The reason, for the bearer.
    Invalid(&'static str),
    /// The keys of the provider are not known, or too old.
    NotCurrent,
}

/// An identity provider. Clones share its keys.
#[derive(Clone)]
pub(crate) struct Provider(Arc<Shared>);

struct Shared {
    jwks: Jwks,
    verifier: Verifier,
    /// How long keys are believed while the provider is away.
    patience: Duration,
    known: RwLock<Known>,
    checked: Mutex<HashMap<[u8; 32], Arc<Token>>>,
    /// Told when a token names an unknown key.
    wanted: Notify,
    /// Counts how often the set was asked for.
    asked: watch::Sender<u64>,
}

#[derive(Default)]
struct Known {
    keys: KeySet,
    at: Option<Instant>,
    /// When the set was last asked for and an answer, or an error, had come.
    asked_at: Option<Instant>,
}

impl Provider {
    pub(crate) fn new(config: TokenConfig, patience: Duration) -> Self {
        Self(Arc::new(Shared {
            jwks: config.jwks,
            verifier: Verifier {
                issuer: config.issuer,
                audience: config.audience,
                leeway_s: config.leeway.as_secs(),
            },
            patience,
            known: RwLock::default(),
            checked: Mutex::default(),
            wanted: Notify::new(),
            asked: watch::Sender::new(0),
        }))
    }

    /// Checks a token. One of a key that is not known waits a moment for a newer set.
    pub(crate) async fn check(&self, token: &str) -> Result<Arc<Token>, Untrusted> {
        let hash: [u8; 32] = Sha256::digest(token).into();
        if let Some(known) = self.checked_before(&hash) {
            return Ok(known);
        }
        let mut asked = self.0.asked.subscribe();
        let mut found = self.verify(token);
        let is_unknown = matches!(
            found,
            Ok(Err(Refusal::UnknownKey)) | Err(Untrusted::NotCurrent)
        );
        if is_unknown && self.may_ask() {
            self.0.wanted.notify_one();
            let _ = tokio::time::timeout(WAIT, asked.changed()).await;
            found = self.verify(token);
        }
        let token = found?.map_err(|refusal| match refusal {
            Refusal::UnknownKey => Untrusted::Invalid("The token is signed by an unknown key"),
            Refusal::Invalid(reason) => Untrusted::Invalid(reason),
        })?;
        let token = Arc::new(token);
        self.remember(hash, token.clone());
        Ok(token)
    }

    fn verify(&self, token: &str) -> Result<Result<Token, Refusal>, Untrusted> {
        let known = self.0.known.read().unwrap_or_else(PoisonError::into_inner);
        let is_current = known.at.is_some_and(|at| at.elapsed() < self.0.patience);
        if is_current {
            Ok(self.0.verifier.check(token, &known.keys))
        } else {
            Err(Untrusted::NotCurrent)
        }
    }

    /// Whether the set would be asked for at once: made-up tokens must not make requests wait.
    fn may_ask(&self) -> bool {
        let known = self.0.known.read().unwrap_or_else(PoisonError::into_inner);
        known.asked_at.is_none_or(|at| at.elapsed() >= ASK_AGAIN)
    }

    fn checked_before(&self, hash: &[u8; 32]) -> Option<Arc<Token>> {
        let checked = self
            .0
            .checked
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let token = checked.get(hash)?;
        token.is_valid().then(|| token.clone())
    }

    fn remember(&self, hash: [u8; 32], token: Arc<Token>) {
        let mut checked = self
            .0
            .checked
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if checked.len() >= CHECKED_MAX {
            checked.clear();
        }
        checked.insert(hash, token);
    }

    /// Asks for the key set now and then, and soon after a token named a key that is not in it.
    pub(crate) async fn follow(self, stop: CancellationToken) -> anyhow::Result<()> {
        let following = async {
            loop {
                let wait = match self.ask().await {
                    Ok(()) => ASK_EVERY,
                    Err(err) => {
                        tracing::warn!("the keys of the identity provider: {err:#}");
                        ASK_AGAIN
                    }
                };
                self.tell_asked();
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = self.0.wanted.notified() => {}
                }
            }
        };
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            () = following => Ok(()),
        }
    }

    fn tell_asked(&self) {
        let mut known = self.0.known.write().unwrap_or_else(PoisonError::into_inner);
        known.asked_at = Some(Instant::now());
        drop(known);
        self.0.asked.send_modify(|count| *count += 1);
    }

    async fn ask(&self) -> anyhow::Result<()> {
        let document = match &self.0.jwks {
            Jwks::File(path) => tokio::fs::read(path)
                .await
                .with_context(|| format!("cannot read {}", path.display()))?,
            Jwks::Address(address) => {
                let address = address.clone();
                let asked = move || client_kit::fetch(&address, DOCUMENT_BYTES_MAX);
                tokio::task::spawn_blocking(asked)
                    .await?
                    .map_err(anyhow::Error::msg)?
            }
        };
        let keys = KeySet::read(&document).map_err(anyhow::Error::msg)?;
        let at = Some(Instant::now());
        let mut known = self.0.known.write().unwrap_or_else(PoisonError::into_inner);
        (known.keys, known.at) = (keys, at);
        drop(known);
        // A key that is not in the set any more signs nothing that counts.
        let mut checked = self
            .0
            .checked
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        checked.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_not_asked_for_in_the_clear() {
        for good in [
            "https://id.example/jwks",
            "http://127.0.0.1:80/k",
            "/etc/keys.json",
        ] {
            assert!(good.parse::<Jwks>().is_ok(), "{good}");
        }
        for bad in ["http://id.example/jwks", "ftp://a/b", "https://"] {
            assert_eq!(bad.parse::<Jwks>(), Err(InvalidJwks), "{bad}");
        }
    }
}
