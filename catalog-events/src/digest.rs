//! Digests that prove two sets of products equal: an order-independent sum of content hashes, so
//! that it can be kept incrementally and does not care in which order events were applied. The sum
//! is kept in buckets, so that of two sets that differ only a part must be listed to find where.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::{Product, ProductId, Version};

/// Hash of one product at one version: the first 128 bits of SHA-256 over id, version and the
/// deterministic JSON of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentHash(u128);

impl ContentHash {
    /// The hash of a product at a version.
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

    /// The 16 bytes, the most significant first.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// Reads what `to_bytes` wrote.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }

    /// The bucket of a [`BucketedDigest`] that this hash is summed in.
    pub fn bucket(self) -> usize {
        (self.0 >> (128 - BUCKET_BITS)) as usize
    }
}

/// The sum of the content hashes of all live products, modulo 2^128. Its text is 32 hexadecimal digits.
/// A deletion that was lost shows as a product too many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest(u128);

impl Digest {
    /// The 16 bytes, the most significant first.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// Reads what `to_bytes` wrote.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }

    /// Adds a product.
    pub fn insert(&mut self, hash: ContentHash) {
        self.0 = self.0.wrapping_add(hash.0);
    }

    /// Takes a product out. Where it was not in, the digest becomes a change that can be added to another.
    pub fn remove(&mut self, hash: ContentHash) {
        self.0 = self.0.wrapping_sub(hash.0);
    }
}

/// Adds the digest of another set with no product in common, or a change: a digest from which hashes
/// were removed that it did not hold.
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

const BUCKET_BITS: u32 = 6;

/// A [`Digest`] in 64 buckets. The first bits of a content hash tell its bucket, so that a product that
/// differs shows in the buckets of its two hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketedDigest([Digest; Self::BUCKETS]);

impl BucketedDigest {
    /// The number of buckets.
    pub const BUCKETS: usize = 1 << BUCKET_BITS;
    const BYTES: usize = Self::BUCKETS * 16;

    /// Adds a product.
    pub fn insert(&mut self, hash: ContentHash) {
        self.0[hash.bucket()].insert(hash);
    }

    /// Takes a product out. Where it was not in, the digest becomes a change that can be added to another.
    pub fn remove(&mut self, hash: ContentHash) {
        self.0[hash.bucket()].remove(hash);
    }

    /// The sum over all buckets.
    pub fn total(&self) -> Digest {
        self.0.iter().fold(Digest::default(), |sum, one| sum + *one)
    }

    /// The buckets in which the two sets differ.
    pub fn differing(&self, other: &BucketedDigest) -> Vec<usize> {
        let differs = |bucket: &usize| self.0[*bucket] != other.0[*bucket];
        (0..Self::BUCKETS).filter(differs).collect()
    }

    /// The 64 sums of 16 bytes, one after the other.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|sum| sum.to_bytes()).collect()
    }

    /// Reads what `to_bytes` wrote. It fails where the length is another.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ParseDigestError> {
        let (sums, rest) = bytes.as_chunks::<16>();
        if bytes.len() != Self::BYTES || !rest.is_empty() {
            return Err(ParseDigestError);
        }
        let mut digest = Self::default();
        for (sum, bytes) in digest.0.iter_mut().zip(sums) {
            *sum = Digest::from_bytes(*bytes);
        }
        Ok(digest)
    }

    /// The buckets as messages carry them.
    pub fn to_message(&self) -> Vec<Vec<u8>> {
        self.0.iter().map(|sum| sum.to_bytes().to_vec()).collect()
    }

    /// Reads what `to_message` wrote. It fails where the length is another.
    pub fn from_message(buckets: &[Vec<u8>]) -> Result<Self, ParseDigestError> {
        Self::from_bytes(&buckets.concat())
    }
}

impl Default for BucketedDigest {
    fn default() -> Self {
        Self([Digest::default(); Self::BUCKETS])
    }
}

/// Adds bucket by bucket, as for [`Digest`].
impl std::ops::Add for BucketedDigest {
    type Output = BucketedDigest;

    fn add(mut self, other: BucketedDigest) -> BucketedDigest {
        for (sum, other) in self.0.iter_mut().zip(other.0) {
            *sum = *sum + other;
        }
        self
    }
}

impl FromIterator<ContentHash> for BucketedDigest {
    fn from_iter<I: IntoIterator<Item = ContentHash>>(hashes: I) -> Self {
        let mut digest = Self::default();
        for hash in hashes {
            digest.insert(hash);
        }
        digest
    }
}

/// The error for a text or bytes that are no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a digest is 32 hexadecimal digits, a bucketed one 64 times 16 bytes")]
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

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(bucket: u128, low: u128) -> ContentHash {
        ContentHash::from_bytes((bucket << (128 - BUCKET_BITS) | low).to_be_bytes())
    }

    #[test]
    fn a_bucketed_digest_is_the_plain_one_in_parts() {
        let hashes = [
            hash(0, 7),
            hash(63, u128::MAX >> 6),
            hash(63, 5),
            hash(5, 1),
        ];
        let mut bucketed: BucketedDigest = hashes.into_iter().collect();
        assert_eq!(bucketed.total(), hashes.into_iter().collect());
        assert_eq!(
            BucketedDigest::from_bytes(&bucketed.to_bytes()),
            Ok(bucketed.clone())
        );
        assert_eq!(
            BucketedDigest::from_message(&bucketed.to_message()),
            Ok(bucketed.clone())
        );

        let before = bucketed.clone();
        bucketed.remove(hash(5, 1));
        bucketed.insert(hash(9, 1));
        assert_eq!(bucketed.differing(&before), [5, 9]);
    }

    #[test]
    fn a_signed_change_brings_one_digest_to_the_other() {
        let before: BucketedDigest = [hash(1, 1), hash(2, 2)].into_iter().collect();
        let mut change = BucketedDigest::default();
        change.remove(hash(2, 2));
        change.insert(hash(2, 3));
        let after: BucketedDigest = [hash(1, 1), hash(2, 3)].into_iter().collect();
        assert_eq!(before + change, after);
    }

    #[test]
    fn refuses_bytes_of_another_length() {
        for length in [0, 16, 1_023, 1_025] {
            assert_eq!(
                BucketedDigest::from_bytes(&vec![0; length]),
                Err(ParseDigestError)
            );
        }
    }
}
