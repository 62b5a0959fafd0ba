//! The features that tell the kind of a product: the names of its attributes and categories, and
//! the head words of its title. Kept as small hashes, so that any product can be compared with any.

use std::collections::HashSet;

use catalog_events::Product;
use sha2::{Digest as _, Sha256};
use tantivy::columnar::Column;
use tantivy::schema::{Field, NumericOptions, SchemaBuilder};
use tantivy::{DocId, SegmentReader, TantivyDocument};

const COLUMN: &str = "kind_features";
/// The most features that are kept of a product.
const FEATURES_MAX: usize = 32;
/// Marks the hash of a head word.
const HEAD: u16 = 1 << 15;
/// An odd number, so that multiplying by it shuffles the features without merging any.
const SHUFFLE: u16 = 0x9E37;

/// The number of possible features.
pub(crate) const FEATURES: usize = 1 << 16;

#[derive(Clone, Copy)]
pub(crate) struct FeatureField(Field);

impl FeatureField {
    pub(crate) fn add_to(schema: &mut SchemaBuilder) -> Self {
        Self(schema.add_u64_field(COLUMN, NumericOptions::default().set_fast()))
    }

    pub(crate) fn fill(
        self,
        document: &mut TantivyDocument,
        product: &Product,
        heads: &HashSet<String>,
    ) {
        for feature in features(product, heads) {
            document.add_u64(self.0, u64::from(feature));
        }
    }
}

/// Whether a feature is a head word. A title has some by chance, so they count less than names.
pub(crate) fn is_head(feature: u16) -> bool {
    feature & HEAD != 0
}

/// Returns the features of a product, each once. Of more than [`FEATURES_MAX`], all products keep
/// the same ones, those whose shuffled hash is lowest: what is left is as similar as the whole.
fn features(product: &Product, heads: &HashSet<String>) -> Vec<u16> {
    let names = product.attributes.keys().chain(&product.categories);
    let names = names.map(|name| hash(name) & !HEAD);
    let mut features: Vec<u16> = names
        .chain(heads.iter().map(|head| hash(head) | HEAD))
        .collect();
    features.sort_unstable_by_key(|feature| feature.wrapping_mul(SHUFFLE));
    features.dedup();
    features.truncate(FEATURES_MAX);
    features
}

fn hash(text: &str) -> u16 {
    let digest = Sha256::digest(text);
    u16::from_be_bytes([digest[0], digest[1]])
}

/// The features of the products of one segment.
pub(crate) struct Features(Column<u64>);

impl Features {
    pub(crate) fn open(segment: &SegmentReader) -> tantivy::Result<Self> {
        Ok(Self(segment.fast_fields().u64(COLUMN)?))
    }

    pub(crate) fn of(&self, doc: DocId) -> impl Iterator<Item = u16> + '_ {
        // Only 16 bits of each value were written.
        self.0.values_for_doc(doc).map(|value| value as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::tests::support::with_attributes;

    #[test]
    fn features_are_names_and_heads_and_the_same_ones_of_many() {
        let heads = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let few = with_attributes("a", "case", &[("material", "x"), ("strap", "x")]);
        let found = features(&few, &heads(&["case"]));
        assert_eq!(found.len(), 3);
        assert_eq!(found.iter().filter(|one| is_head(**one)).count(), 1);
        let names: Vec<String> = (0..90).map(|number| format!("name_{number}")).collect();
        let with = |names: &[String]| {
            let names: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x")).collect();
            features(&with_attributes("a", "thing", &names), &heads(&[]))
        };
        let (most, all) = (with(&names[..85]), with(&names));
        assert_eq!((most.len(), all.len()), (FEATURES_MAX, FEATURES_MAX));
        let common = all.iter().filter(|one| most.contains(one)).count();
        assert!(common >= FEATURES_MAX - 6, "{common}");
    }
}
