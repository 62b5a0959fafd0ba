//! The secrets of API keys: made here of what the operating system calls random, shown once to whoever
//! asked for the key, and kept as a hash.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::domain::SecretHash;

/// Letters and digits only: a double click takes a whole secret, and nothing in it needs escaping.
const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const PREFIX_LETTERS: usize = 8;
/// 62^43 is more than 2^256.
const SECRET_LETTERS: usize = 43;

/// A secret as its owner presents it.
pub(crate) struct SecretToken(String);

/// Writes the name of the type, never the secret.
impl fmt::Debug for SecretToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretToken")
    }
}

impl SecretToken {
    /// A new secret of the key with this prefix.
    pub(super) fn new(prefix: &str) -> Result<Self, getrandom::Error> {
        let secret = random_letters(SECRET_LETTERS)?;
        Ok(Self(format!("ck_{prefix}_{secret}")))
    }

    pub(super) fn hash(&self) -> SecretHash {
        SecretHash(Sha256::digest(&self.0).into())
    }

    /// Gives the secret away, to be shown to its owner.
    pub(crate) fn into_shown(self) -> String {
        self.0
    }
}

pub(super) fn random_prefix() -> Result<String, getrandom::Error> {
    random_letters(PREFIX_LETTERS)
}

fn random_letters(count: usize) -> Result<String, getrandom::Error> {
    let mut letters = String::with_capacity(count);
    let mut bytes = [0; 64];
    while letters.len() < count {
        getrandom::fill(&mut bytes)?;
        // Four times the letters fit into a byte; what is left over would favour the first of them.
        let even = bytes
            .iter()
            .filter(|byte| usize::from(**byte) < 4 * LETTERS.len());
        let missing = count - letters.len();
        letters.extend(
            even.take(missing)
                .map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])),
        );
    }
    Ok(letters)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn secrets_have_their_form_and_never_come_twice() {
        let mut seen = HashSet::new();
        for _ in 0..1_000 {
            let prefix = random_prefix().expect("random");
            let token = SecretToken::new(&prefix).expect("random");
            assert_eq!(format!("{token:?}"), "SecretToken");
            let hash = token.hash();
            let shown = token.into_shown();
            let parts: Vec<&str> = shown.split('_').collect();
            assert_eq!((parts[0], parts[1]), ("ck", prefix.as_str()));
            assert_eq!((parts[1].len(), parts[2].len(), parts.len()), (8, 43, 3));
            assert!(
                shown
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'_')
            );
            assert_eq!(hash.0, <[u8; 32]>::from(Sha256::digest(&shown)));
            assert!(seen.insert(shown));
        }
    }

    #[test]
    fn every_letter_is_as_likely_as_any_other() {
        let text = random_letters(62_000).expect("random");
        for letter in LETTERS {
            let count = text.bytes().filter(|byte| byte == letter).count();
            // 1,000 expected, with a deviation of 31: one run in 10^9 is outside of this.
            assert!((800..1_200).contains(&count), "{letter} {count}");
        }
    }
}
