//! The hash by which a vector that is not the one of its product and text is told.

use half::f16;
use sha2::{Digest as _, Sha256};

/// Hashes a vector with its product and text, so that one of another product or text is told: 128
/// bits of SHA-256 over product id, text hash and the vector as it is stored, 16 bits a number, high
/// byte first. Equal to what [`VECTOR_HASH_SQL`] computes from the stored row.
pub(crate) fn vector_hash(product_id: &str, text_hash: &[u8], vector: &[f16]) -> [u8; 16] {
    let mut hasher = Sha256::new();
    hasher.update(product_id);
    hasher.update([0]);
    hasher.update(text_hash);
    for number in vector {
        hasher.update(number.to_be_bytes());
    }
    let hash = hasher.finalize();
    let mut first = [0_u8; 16];
    first.copy_from_slice(&hash[..16]);
    first
}

/// Computes [`vector_hash`] of a row `old` of embeddings. `halfvec_send` puts four bytes of dimensions
/// before the numbers.
pub(crate) const VECTOR_HASH_SQL: &str = r"substring(sha256(convert_to(old.product_id, 'UTF8')
    || '\x00'::bytea || old.text_hash || substring(halfvec_send(old.embedding) FROM 5)) FOR 16)";

#[cfg(test)]
mod tests {
    use pgvector::HalfVector;

    use super::*;

    /// The hash is stored: a change of how it is made is a new format of generations.
    #[test]
    fn a_vector_hash_stays_what_it_is() {
        let vector = HalfVector::from_f32_slice(&[1.0, -0.5, 0.0]);
        let hex = |hash: [u8; 16]| hash.map(|byte| format!("{byte:02x}")).concat();
        let hash = hex(vector_hash("p-1", &[7; 16], vector.as_slice()));
        assert_eq!(hash, "d3d2cb7ee109727a43005d7958bb3a88");
        let other = HalfVector::from_f32_slice(&[1.0, -0.5, -0.0]);
        for changed in [
            vector_hash("p-2", &[7; 16], vector.as_slice()),
            vector_hash("p-1", &[8; 16], vector.as_slice()),
            vector_hash("p-1", &[7; 16], other.as_slice()),
        ] {
            assert_ne!(hex(changed), hash);
        }
    }
}
