//! JSON Web Tokens of an identity provider, checked against its key set (JWKS). Invariant: no token is
//! valid that is unsigned, signed by a shared secret, without an end, or for another issuer or audience.

mod provider;
mod verifier;
mod key_set;
mod claims;

pub(crate) use self::claims::Token;
pub use self::provider::{InvalidJwks, Jwks, TokenConfig};
pub(crate) use self::provider::{Provider, Untrusted};
