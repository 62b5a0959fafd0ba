//! Service tokens: what services and operators' tools show to a gRPC port.
//! Invariant: nothing here writes a token, and a port compares hashes, so that neither text nor time
//! tells anything of one.

use std::fmt;
use std::str::FromStr;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use sha2::{Digest as _, Sha256};
use tonic::{Code, Status};

use crate::status;

/// Shorter tokens could be guessed.
const BYTES_MIN: usize = 20;
const BYTES_MAX: usize = 256;
/// More than one only while a token is being changed.
const TOKENS_MAX: usize = 8;

/// The `reason` where a call shows no service token.
pub const TOKEN_MISSING: &str = "SERVICE_TOKEN_MISSING";
/// The `reason` where a call shows a service token that the port does not know.
pub const TOKEN_UNKNOWN: &str = "SERVICE_TOKEN_UNKNOWN";

/// One token or several, with commas between them. A port takes any of them, a client shows the first, so
/// that a token can be changed without a stop: first add the new one behind the old at every port, then
/// put it first everywhere, then take the old one away.
#[derive(Clone)]
pub struct ServiceTokens {
    /// What a client sends, marked as sensitive.
    shown: HeaderValue,
    hashes: Vec<[u8; 32]>,
}

/// A text that is no list of service tokens. It does not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a service token is {BYTES_MIN} to {BYTES_MAX} visible ASCII characters, of which `openssl rand -hex 32` makes \
     some; {TOKENS_MAX} at most, with commas between them"
)]
pub struct InvalidServiceTokens;

impl ServiceTokens {
    /// The value of the header `authorization` that a client sends.
    pub(crate) fn shown(&self) -> &HeaderValue {
        &self.shown
    }

    /// Lets a call pass that shows one of the tokens.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), Status> {
        let given = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        let token = given.and_then(|given| given.strip_prefix(b"Bearer "));
        let Some(token) = token else {
            return Err(refused(TOKEN_MISSING, "shows no service token"));
        };
        let hash = hash(token);
        // All are compared, so that the time does not tell which one it was.
        let known = self.hashes.iter().filter(|known| **known == hash).count();
        if known > 0 {
            Ok(())
        } else {
            Err(refused(
                TOKEN_UNKNOWN,
                "shows a service token that is not known here",
            ))
        }
    }
}

impl FromStr for ServiceTokens {
    type Err = InvalidServiceTokens;

    fn from_str(text: &str) -> Result<Self, InvalidServiceTokens> {
        let tokens: Vec<&str> = text.split(',').map(str::trim).collect();
        let fits = |token: &&str| {
            (BYTES_MIN..=BYTES_MAX).contains(&token.len())
                && token.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let first = tokens.first().ok_or(InvalidServiceTokens)?;
        if tokens.len() > TOKENS_MAX || !tokens.iter().all(fits) {
            return Err(InvalidServiceTokens);
        }
        let mut shown =
            HeaderValue::try_from(format!("Bearer {first}")).map_err(|_| InvalidServiceTokens)?;
        shown.set_sensitive(true);
        let hashes = tokens.iter().map(|token| hash(token.as_bytes())).collect();
        Ok(Self { shown, hashes })
    }
}

/// Tells how many there are, and nothing else.
impl fmt::Debug for ServiceTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceTokens({})", self.hashes.len())
    }
}

fn refused(reason: &str, why: &str) -> Status {
    let message = format!(
        "this port asks for a service token, and the call {why}: give the caller one of the tokens of this service \
         (…_SERVICE_TOKEN for services, CATALOG_SERVICE_TOKEN for catalogctl, `authorization: Bearer TOKEN` otherwise)"
    );
    status(Code::Unauthenticated, reason, message, [])
}

fn hash(token: &[u8]) -> [u8; 32] {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "old-old-old-old-old-old";
    const NEW: &str = "new-new-new-new-new-new";

    fn headers(authorization: &str) -> HeaderMap {
        let value = HeaderValue::try_from(authorization).expect("a header");
        HeaderMap::from_iter([(AUTHORIZATION, value)])
    }

    #[test]
    fn any_token_is_taken_and_the_first_is_shown() {
        let tokens: ServiceTokens = format!("{NEW}, {OLD}").parse().expect("two tokens");
        for good in [OLD, NEW] {
            assert!(tokens.check(&headers(&format!("Bearer {good}"))).is_ok());
        }
        let one: ServiceTokens = NEW.parse().expect("a token");
        let mut sent = HeaderMap::new();
        sent.insert(AUTHORIZATION, tokens.shown().clone());
        assert!(one.check(&sent).is_ok());
        for (authorization, reason) in [
            ("Bearer ", TOKEN_UNKNOWN),
            ("Bearer other-other-other-other", TOKEN_UNKNOWN),
            ("Basic bmV3", TOKEN_MISSING),
        ] {
            let refused = tokens.check(&headers(authorization)).expect_err("refused");
            assert_eq!(refused.code(), Code::Unauthenticated);
            assert_eq!(crate::reason(&refused).as_deref(), Some(reason));
        }
    }

    #[test]
    fn no_text_shows_a_token() {
        let tokens: ServiceTokens = OLD.parse().expect("a token");
        let shown = format!("{tokens:?} {:?}", tokens.shown());
        assert!(!shown.contains("old-"), "{shown}");
        for bad in ["", "short", "with a space in the middle of it", "a,b"] {
            assert_eq!(
                bad.parse::<ServiceTokens>().err(),
                Some(InvalidServiceTokens)
            );
        }
        let nine = [OLD; 9].join(",");
        assert!(nine.parse::<ServiceTokens>().is_err());
    }
}
