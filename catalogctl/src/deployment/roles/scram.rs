//! The verifier of a password, as Postgres keeps it (`pg_authid.rolpassword`; RFC 5802, RFC 7677).

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// As many as Postgres takes itself.
const ITERATIONS: u32 = 4_096;
const BYTES_MIN: usize = 12;
const BYTES_MAX: usize = 256;

/// A password of visible ASCII characters, for which no rules of Unicode are needed. It has no `Debug`.
pub(super) struct Password(String);

/// A text that is no password. It does not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a password is {BYTES_MIN} to {BYTES_MAX} visible ASCII characters without spaces")]
pub(super) struct InvalidPassword;

impl FromStr for Password {
    type Err = InvalidPassword;

    fn from_str(text: &str) -> Result<Self, InvalidPassword> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if visible && (BYTES_MIN..=BYTES_MAX).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidPassword)
        }
    }
}

/// `SCRAM-SHA-256$4096:SALT$STORED:SERVER`, with a new salt.
pub(super) fn verifier(password: &Password) -> anyhow::Result<String> {
    verifier_with(password, Uuid::new_v4().as_bytes())
}

fn verifier_with(Password(password): &Password, salt: &[u8]) -> anyhow::Result<String> {
    let salted = hi(password.as_bytes(), salt)?;
    let stored: [u8; 32] = Sha256::digest(mac(&salted, &[b"Client Key"])?).into();
    let server = mac(&salted, &[b"Server Key"])?;
    let base64 = |bytes: &[u8]| STANDARD.encode(bytes);
    Ok(format!(
        "SCRAM-SHA-256${ITERATIONS}:{}${}:{}",
        base64(salt),
        base64(&stored),
        base64(&server)
    ))
}

/// `Hi` of RFC 5802: PBKDF2 with one block.
fn hi(password: &[u8], salt: &[u8]) -> anyhow::Result<[u8; 32]> {
    let mut last = mac(password, &[salt, &1_u32.to_be_bytes()])?;
    let mut sum = last;
    for _ in 1..ITERATIONS {
        last = mac(password, &[&last])?;
        for (sum, byte) in sum.iter_mut().zip(last) {
            *sum ^= byte;
        }
    }
    Ok(sum)
}

fn mac(key: &[u8], parts: &[&[u8]]) -> anyhow::Result<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)?;
    for part in parts {
        mac.update(part);
    }
    Ok(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677, section 3: its server key is the one of this verifier.
    #[test]
    fn a_verifier_is_that_of_the_standard() {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let told = verifier_with(&Password("pencil".to_owned()), &salt).unwrap();
        assert_eq!(
            told,
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        );
    }

    #[test]
    fn a_password_can_be_typed() {
        for bad in ["", "short", "with a space in it", "größer-größer"] {
            assert_eq!(bad.parse::<Password>().err(), Some(InvalidPassword));
        }
        assert!("a/b@c#d?e:f'g\"h".parse::<Password>().is_ok());
    }
}
