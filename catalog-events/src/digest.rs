//! Digests that prove two sets of products equal: an order-independent sum of content hashes, so
//! that it can be kept incrementally and does not care in which order events were applied.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::{Product, ProductId, Version};

/// Hash of one product at one version: the first 128 bits of SHA-256 over id, version and the
/// deterministic JSON of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentHash(u128);

impl ContentHash {
    pub fn of(id: &ProductId, version: Version, product: &Product) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(id.as_str().as_bytes());
        hasher.update([0]);
        hasher.update(version.get().to_be_bytes());
        // A snapshot holds only strings, finite numbers and flags: this cannot fail.
        hasher.update(serde_json::to_vec(product).unwrap_or_default());
        let hash = hasher.finalize();
        let mut first = [0_u8; 16];
        first.copy_from_slice(&hash[..16]);
        Self(u128::from_be_bytes(first))
    }

    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

/// The sum of the content hashes of all live products, modulo 2^128. A deletion that was lost shows
/// as a product too many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest(u128);

impl Digest {
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }

    pub fn insert(&mut self, hash: ContentHash) {
        self.0 = self.0.wrapping_add(hash.0);
    }

    pub fn remove(&mut self, hash: ContentHash) {
        self.0 = self.0.wrapping_sub(hash.0);
    }
}

/// The digest of two disjoint sets together; also of a digest and a signed change to it.
impl std::ops::Add for Digest {
    type Output = Digest;

    fn add(self, other: Digest) -> Digest {
        Digest(self.0.wrapping_add(other.0))
    }
}

impl FromIterator<ContentHash> for Digest {
    fn from_iter<I: IntoIterator<Item = ContentHash>>(hashes: I) -> Self {
        let mut digest = Self::default();
        for hash in hashes {
            digest.insert(hash);
        }
        digest
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a digest is 32 hexadecimal digits")]
pub struct ParseDigestError;

impl FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, ParseDigestError> {
        if text.len() != 32 {
            return Err(ParseDigestError);
        }
        u128::from_str_radix(text, 16)
            .map(Self)
            .map_err(|_| ParseDigestError)
    }
}
