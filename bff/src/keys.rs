//! The API keys, as the write service tells them. Invariant: no key is valid that the write service did
//! not tell of, and none after it told that it is revoked.

mod key;
mod ring;
mod watch;

pub(crate) use self::key::{Key, Limit};
pub(crate) use self::ring::{KeyRing, Refused, SecretHash};
