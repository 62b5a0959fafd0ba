//! Consistency tokens: what a write returns and a later read presents, so that the read is not
//! older than the write. Opaque to clients, and refused when anything about one was changed.

use std::fmt;
use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::{ProductId, Version};

/// The number of the layout of the bytes. A reader refuses a newer layout rather than guess.
const LAYOUT: u8 = 1;
/// A forger would have to send 2^63 tokens to hit one.
const SEAL_BYTES: usize = 8;
/// The most bytes of a text that is read as a token; every token is shorter.
const TEXT_BYTES_MAX: usize = 256;
/// What sealed bytes begin with. It is no layout of a token, so that neither can be taken for the other.
const NO_TOKEN: u8 = 0;

/// A write that a reader wants to see.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConsistencyToken {
    /// The product that was written.
    pub product_id: ProductId,
    /// The version that the write left.
    pub version: Version,
}

/// Seals tokens on the write side and opens them on the read side; both must be made of the same
/// secret.
#[derive(Clone)]
pub struct TokenKey(Hmac<Sha256>);

/// Why a text is not taken as a consistency token. Messages follow the name of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The text is no token at all.
    #[error("is no consistency token")]
    Malformed,
    /// The token has the layout of a newer release.
    #[error("is a consistency token of a newer release (layout {0})")]
    Newer(u8),
    /// The seal was made with another secret, or the token was changed after it was sealed.
    #[error("is no consistency token of this catalog, or was changed")]
    Forged,
}

/// A service that others can reach has no secret: whoever forges tokens could keep its readers waiting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "is not set, and {0} can be reached from other machines: set the same random text \
     (openssl rand -hex 32) in all services"
)]
pub struct SecretMissing(SocketAddr);

impl TokenKey {
    /// Checks that a service which listens on `addr` has a secret, unless nobody else reaches it there.
    pub fn check_secret(secret: &str, addr: SocketAddr) -> Result<(), SecretMissing> {
        if secret.is_empty() && !addr.ip().is_loopback() {
            return Err(SecretMissing(addr));
        }
        Ok(())
    }

    /// A key made of a secret. With an empty secret a token is still safe from accidents, though not
    /// from forgers; all that a forged token can do is make its own read wait.
    pub fn new(secret: &str) -> Self {
        // One block of the hash: the digest of the secret, and zeros.
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        block[..32].copy_from_slice(&Sha256::digest(secret));
        Self(Hmac::new(&block))
    }

    /// The token as URL-safe text of at most 108 characters.
    pub fn seal(&self, token: &ConsistencyToken) -> String {
        let mut bytes = vec![LAYOUT];
        bytes.extend(token.version.get().to_be_bytes());
        bytes.extend(token.product_id.as_str().as_bytes());
        bytes.extend(self.seal_of(&bytes));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The token that [`TokenKey::seal`] made with the same secret.
    pub fn open(&self, text: &str) -> Result<ConsistencyToken, TokenError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(TokenError::Malformed);
        }
        let bytes = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| TokenError::Malformed)?;
        match bytes.first() {
            Some(&LAYOUT) => {}
            Some(&newer) if newer > LAYOUT => return Err(TokenError::Newer(newer)),
            _ => return Err(TokenError::Malformed),
        }
        let (content, seal) = bytes
            .split_last_chunk::<SEAL_BYTES>()
            .ok_or(TokenError::Malformed)?;
        let mut mac = self.0.clone();
        mac.update(content);
        mac.verify_truncated_left(seal)
            .map_err(|_| TokenError::Forged)?;
        read(content).ok_or(TokenError::Malformed)
    }

    /// Bytes of another kind than tokens as URL-safe text that nobody else can make. The same purpose opens
    /// them.
    pub fn seal_bytes(&self, purpose: &str, content: &[u8]) -> String {
        let mut bytes = vec![NO_TOKEN];
        bytes.extend(content);
        bytes.extend(seal(self.mac_of(purpose, content)));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// What [`TokenKey::seal_bytes`] sealed with the same secret and purpose; none for any other text.
    pub fn open_bytes(&self, purpose: &str, text: &str) -> Option<Vec<u8>> {
        if text.len() > TEXT_BYTES_MAX {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (content, seal) = bytes.split_last_chunk::<SEAL_BYTES>()?;
        let content = content.strip_prefix(&[NO_TOKEN])?;
        let mac = self.mac_of(purpose, content);
        mac.verify_truncated_left(seal).ok()?;
        Some(content.to_vec())
    }

    fn mac_of(&self, purpose: &str, content: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(&[NO_TOKEN]);
        mac.update(&(purpose.len() as u64).to_be_bytes());
        mac.update(purpose.as_bytes());
        mac.update(content);
        mac
    }

    fn seal_of(&self, content: &[u8]) -> [u8; SEAL_BYTES] {
        let mut mac = self.0.clone();
        mac.update(content);
        seal(mac)
    }
}

fn seal(mac: Hmac<Sha256>) -> [u8; SEAL_BYTES] {
    let full = mac.finalize().into_bytes();
    let mut seal = [0; SEAL_BYTES];
    seal.copy_from_slice(&full[..SEAL_BYTES]);
    seal
}

fn read(content: &[u8]) -> Option<ConsistencyToken> {
    let (version, id) = content.get(1..)?.split_first_chunk::<8>()?;
    Some(ConsistencyToken {
        product_id: std::str::from_utf8(id).ok()?.parse().ok()?,
        version: Version::new(i64::from_be_bytes(*version))?,
    })
}

/// Writes the name of the type, never the secret.
impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_service_of_one_machine_needs_no_secret() {
        let check =
            |secret, addr: &str| TokenKey::check_secret(secret, addr.parse().expect("addr"));
        for (secret, addr) in [("", "127.0.0.1:1"), ("", "[::1]:1"), ("x", "0.0.0.0:1")] {
            assert_eq!(check(secret, addr), Ok(()), "{addr}");
        }
        for addr in ["0.0.0.0:1", "10.0.0.1:1", "[::]:1"] {
            assert!(check("", addr).is_err(), "{addr}");
        }
    }

    fn token() -> ConsistencyToken {
        ConsistencyToken {
            product_id: "p-1".parse().expect("id"),
            version: Version::new(7).expect("version"),
        }
    }

    #[test]
    fn a_token_comes_back_as_it_was() {
        let key = TokenKey::new("secret");
        let long = ConsistencyToken {
            product_id: "x".repeat(64).parse().expect("id"),
            version: Version::new(i64::MAX).expect("version"),
        };
        for token in [token(), long] {
            let text = key.seal(&token);
            assert!(text.len() <= 108, "{}", text.len());
            assert_eq!(key.open(&text), Ok(token));
        }
    }

    #[test]
    fn no_changed_token_is_taken() {
        let key = TokenKey::new("secret");
        let text = key.seal(&token());
        for place in 0..text.len() {
            for replacement in ['A', 'z', '0', '_'] {
                let mut letters: Vec<char> = text.chars().collect();
                letters[place] = replacement;
                let changed: String = letters.into_iter().collect();
                if changed != text {
                    assert!(key.open(&changed).is_err(), "{changed}");
                }
            }
        }
        for bad in [
            "",
            "AQ",
            "%",
            &text[1..],
            &format!("{text}A"),
            &"A".repeat(10_000),
        ] {
            assert!(key.open(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sealed_bytes_are_opened_for_their_purpose_only() {
        let key = TokenKey::new("secret");
        let text = key.seal_bytes("page", b"p-1");
        assert_eq!(key.open_bytes("page", &text).as_deref(), Some(&b"p-1"[..]));
        assert_eq!(key.open_bytes("other", &text), None);
        assert_eq!(TokenKey::new("").open_bytes("page", &text), None);
        assert_eq!(key.open_bytes("page", &key.seal(&token())), None);
        assert_eq!(key.open(&text), Err(TokenError::Malformed));
        for bad in ["", "AQ", "%", &text[1..], &"A".repeat(10_000)] {
            assert_eq!(key.open_bytes("page", bad), None, "{bad}");
        }
    }

    #[test]
    fn another_secret_or_a_newer_layout_is_refused() {
        let text = TokenKey::new("secret").seal(&token());
        assert_eq!(TokenKey::new("").open(&text), Err(TokenError::Forged));
        let mut bytes = URL_SAFE_NO_PAD.decode(&text).expect("base64");
        bytes[0] = 2;
        let newer = URL_SAFE_NO_PAD.encode(bytes);
        assert_eq!(
            TokenKey::new("secret").open(&newer),
            Err(TokenError::Newer(2))
        );
    }
}
