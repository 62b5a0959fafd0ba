//! What kind of thing a product is, so that whoever asks for a printer does not get its cables first:
//! products of one kind have attributes of the same names. Told from the products alone, without
//! lists of words.

use std::collections::HashSet;
use std::sync::Arc;

use catalog_events::{AttributeValue, Product};
use sha2::{Digest as _, Sha256};
use tantivy::columnar::ColumnValues;
use tantivy::schema::{Field, IndexRecordOption, NumericOptions, STRING, SchemaBuilder};
use tantivy::{
    DocId, DocSet as _, Searcher, SegmentReader, TERMINATED, TantivyDocument, TantivyError, Term,
};

use super::document::is_noise;
use super::language::Language;
use super::terms::QueryTerms;
use super::weights::KeywordWeights;

const WORDS: usize = 4;
const COLUMNS: [&str; WORDS] = ["kind_0", "kind_1", "kind_2", "kind_3"];
const BITS: usize = WORDS * 64;
const BYTES: usize = BITS / 8;
/// Fewer names say nothing.
const NAMES_MIN: usize = 3;
/// Products that a kind is learned from.
const EXAMPLES_MIN: usize = 3;
const EXAMPLES_MAX: usize = 1_000;
/// With so many examples a kind is half as sure as with any number.
const EXAMPLES_HALF: f32 = 10.0;
/// A product of another kind keeps this much of its score at least.
const KEPT_MIN: f32 = 0.05;
/// How near one without attributes is.
const NEARNESS_UNKNOWN: f32 = 0.5;

#[derive(Clone, Copy)]
pub(super) struct KindFields {
    /// The words that a title calls the product by, stemmed.
    heads: Field,
    signature: [Field; WORDS],
}

impl KindFields {
    pub(super) fn add_to(schema: &mut SchemaBuilder) -> Self {
        let column = || NumericOptions::default().set_fast();
        Self {
            heads: schema.add_text_field("heads", STRING),
            signature: COLUMNS.map(|name| schema.add_u64_field(name, column())),
        }
    }

    pub(super) fn fill(
        &self,
        document: &mut TantivyDocument,
        product: &Product,
        language: Language,
    ) {
        for head in heads(product, language) {
            document.add_text(self.heads, head);
        }
        for (field, word) in self.signature.into_iter().zip(signature(product)) {
            document.add_u64(field, word);
        }
    }
}

/// The words of the title that no other word follows: a "notebook 15.6 inch" is a notebook, a
/// "notebook case" is not. Colours and the like are followed by whatever comes, and are no heads.
fn heads(product: &Product, language: Language) -> HashSet<String> {
    let noise = product.attributes.iter().filter(|(name, _)| is_noise(name));
    let noise = noise.filter_map(|(_, value)| match value {
        AttributeValue::Text(text) => Some(language.document_words(text)),
        AttributeValue::Flag(_) | AttributeValue::Number(_) => None,
    });
    let noise: HashSet<String> = noise.flatten().map(|word| word.stem).collect();
    let words = language.document_words(&product.title);
    let is_plain: Vec<bool> = words
        .iter()
        .map(|word| {
            word.surface.chars().all(char::is_alphabetic) && !noise.contains(word.stem.as_str())
        })
        .collect();
    let mut heads = HashSet::new();
    for (at, word) in words.iter().enumerate() {
        if is_plain[at] && !is_plain.get(at + 1).copied().unwrap_or(false) {
            heads.insert(word.stem.clone());
        }
    }
    heads
}

/// The signs of a sum of random directions, one for each name (Charikar, STOC 2002): two products
/// have the more bits in common the more names they share. All zero where there are too few.
fn signature(product: &Product) -> [u64; WORDS] {
    let names = product.attributes.keys().map(String::as_str);
    let names: Vec<&str> = names
        .chain(product.categories.iter().map(String::as_str))
        .collect();
    let mut signature = [0_u64; WORDS];
    if names.len() < NAMES_MIN {
        return signature;
    }
    let mut sums = [0_i32; BITS];
    for name in names {
        let direction = Sha256::digest(name);
        for (at, sum) in sums.iter_mut().enumerate() {
            let is_set = direction[at / 8] >> (at % 8) & 1 == 1;
            *sum += if is_set { 1 } else { -1 };
        }
    }
    for (at, sum) in sums.into_iter().enumerate() {
        // Where the names are divided, half of the bits are set.
        if sum > 0 || (sum == 0 && at % 2 == 1) {
            signature[at / 64] |= 1 << (at % 64);
        }
    }
    signature
}

/// The kind that the last word of a query names: "laptop bag" is a bag.
pub(super) struct Kind {
    /// As the index has it.
    pub(super) word: String,
    /// What a signature is near to, byte by byte.
    table: Box<[[f32; 256]; BYTES]>,
    /// How near the examples themselves are.
    typical: f32,
    /// From 0 to 1: what is of another kind loses so much.
    strength: f32,
}

impl Kind {
    /// None where the catalogue does not tell.
    pub(super) fn of(
        searcher: &Searcher,
        fields: &KindFields,
        terms: &QueryTerms,
        weights: &KeywordWeights,
    ) -> tantivy::Result<Option<Self>> {
        let Some(last) = terms.words.last() else {
            return Ok(None);
        };
        let Some((typed, others)) = last.alternatives.split_first() else {
            return Ok(None);
        };
        let synonyms = others.iter().filter(|other| other.is_synonym);
        let stems: Vec<&String> = std::iter::once(typed)
            .chain(synonyms)
            .filter_map(|alternative| match &alternative.stems[..] {
                [stem] => Some(stem),
                _ => None,
            })
            .collect();
        let weight = match stems.len() > 1 {
            true => weights.kind_of_synonyms,
            false => weights.kind,
        };
        let Some(word) = stems.first().filter(|_| weight > 0.0) else {
            return Ok(None);
        };
        let examples = examples(searcher, fields, &stems)?;
        Ok(Self::learned((*word).clone(), &examples, weight))
    }

    fn learned(word: String, examples: &[[u64; WORDS]], weight: f32) -> Option<Self> {
        if examples.len() < EXAMPLES_MIN {
            return None;
        }
        let count = examples.len() as f32;
        let mut set = [0_u32; BITS];
        for signature in examples {
            for (at, set) in set.iter_mut().enumerate() {
                *set += (signature[at / 64] >> (at % 64) & 1) as u32;
            }
        }
        let mean = set.map(|set| 2.0 * set as f32 / count - 1.0);
        // How much two of the examples have in common, on the average.
        let square = mean.iter().map(|mean| mean * mean).sum::<f32>() / BITS as f32;
        let alike = ((count * square - 1.0) / (count - 1.0)).max(0.0);
        let mut kind = Self {
            word,
            table: table(&mean),
            typical: 0.0,
            strength: (weight * alike * count / (count + EXAMPLES_HALF)).min(1.0 - KEPT_MIN),
        };
        let mut near: Vec<f32> = examples
            .iter()
            .map(|signature| kind.resemblance(signature))
            .collect();
        let middle = near.len() / 2;
        let (_, typical, _) = near.select_nth_unstable_by(middle, f32::total_cmp);
        kind.typical = *typical;
        (kind.typical > 0.0 && kind.strength > 0.0).then_some(kind)
    }

    /// From -1 to 1.
    fn resemblance(&self, signature: &[u64; WORDS]) -> f32 {
        let mut sum = 0.0;
        for (word, tables) in signature.iter().zip(self.table.chunks_exact(8)) {
            for (byte, table) in word.to_le_bytes().into_iter().zip(tables) {
                sum += table[usize::from(byte)];
            }
        }
        sum / BITS as f32
    }

    pub(super) fn reader(&self, segment: &SegmentReader) -> tantivy::Result<KindReader<'_>> {
        Ok(KindReader {
            kind: self,
            signatures: Signatures::open(segment)?,
        })
    }
}

/// What each value of each byte adds to the sum.
fn table(mean: &[f32; BITS]) -> Box<[[f32; 256]; BYTES]> {
    let mut table = Box::new([[0.0; 256]; BYTES]);
    for (byte, values) in table.iter_mut().enumerate() {
        for (value, sum) in values.iter_mut().enumerate() {
            for bit in 0..8 {
                let mean = mean[byte * 8 + bit];
                *sum += if value >> bit & 1 == 1 { mean } else { -mean };
            }
        }
    }
    table
}

pub(super) struct KindReader<'a> {
    kind: &'a Kind,
    signatures: Signatures,
}

impl KindReader<'_> {
    /// What the score of a document is multiplied by.
    pub(super) fn factor(&self, doc: DocId) -> f32 {
        let nearness = match self.signatures.of(doc) {
            None => NEARNESS_UNKNOWN,
            Some(signature) => {
                let near = self.kind.resemblance(&signature) / self.kind.typical;
                near.clamp(0.0, 1.0).powi(3)
            }
        };
        1.0 - self.kind.strength * (1.0 - nearness)
    }
}

struct Signatures([Arc<dyn ColumnValues<u64>>; WORDS]);

impl Signatures {
    fn open(segment: &SegmentReader) -> tantivy::Result<Self> {
        let mut columns = Vec::with_capacity(WORDS);
        for name in COLUMNS {
            columns.push(segment.fast_fields().u64(name)?.first_or_default_col(0));
        }
        let columns = columns.try_into();
        columns
            .map(Self)
            .map_err(|_| TantivyError::InternalError("a signature has another length".to_owned()))
    }

    /// None for one that says nothing.
    fn of(&self, doc: DocId) -> Option<[u64; WORDS]> {
        let signature = std::array::from_fn(|at| self.0[at].get_val(doc));
        (signature != [0; WORDS]).then_some(signature)
    }
}

/// Products that are called by one of the words, the first of the index.
fn examples(
    searcher: &Searcher,
    fields: &KindFields,
    stems: &[&String],
) -> tantivy::Result<Vec<[u64; WORDS]>> {
    let mut examples = Vec::new();
    for stem in stems {
        let most = examples.len() + EXAMPLES_MAX;
        for segment in searcher.segment_readers() {
            let index = segment.inverted_index(fields.heads)?;
            let term = Term::from_field_text(fields.heads, stem);
            let Some(mut called) = index.read_postings(&term, IndexRecordOption::Basic)? else {
                continue;
            };
            let signatures = Signatures::open(segment)?;
            while called.doc() != TERMINATED && examples.len() < most {
                if !segment.is_deleted(called.doc()) {
                    examples.extend(signatures.of(called.doc()));
                }
                called.advance();
            }
        }
    }
    Ok(examples)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::KeywordWeights;
    use crate::index::testing::{index_of, printers_and_cables, with_attributes};

    #[test]
    fn a_title_calls_a_product_by_the_words_that_none_follows() {
        let check = |title: &str, expected: &[&str]| {
            let product = with_attributes("a", title, &[("product_colour", "Silver")]);
            let mut found: Vec<String> = heads(&product, Language::English).into_iter().collect();
            found.sort();
            assert_eq!(found, expected, "{title}");
        };
        check("HP 255 G7 Notebook Silver 39.6", &["hp", "notebook"]);
        check(
            "Acme X100 notebook case 15 Briefcase",
            &["acm", "briefcas", "case"],
        );
        check("", &[]);
    }

    #[test]
    fn signatures_are_alike_where_names_are() {
        let product = |names: &[&str]| {
            let attributes: Vec<(&str, &str)> = names.iter().map(|name| (*name, "x")).collect();
            signature(&with_attributes("a", "thing", &attributes))
        };
        let in_common = |one: [u64; WORDS], other: [u64; WORDS]| {
            let differ = one.iter().zip(other).map(|(a, b)| (a ^ b).count_ones());
            BITS as u32 - differ.sum::<u32>()
        };
        let notebook = product(&["processor", "memory", "display", "battery", "keyboard"]);
        let other = product(&["processor", "memory", "display", "battery", "wifi"]);
        let case = product(&["material", "strap", "compartments", "case_type"]);
        assert!(in_common(notebook, other) > 180);
        assert!(in_common(notebook, case) < 150);
        assert_eq!(product(&["a", "b"]), [0; WORDS]);
    }

    #[test]
    fn a_thing_comes_before_what_is_for_it() {
        let (_folder, index) = index_of(&printers_and_cables());
        let first = |query: &str, kind: f32| {
            let weights = KeywordWeights {
                kind,
                ..KeywordWeights::default()
            };
            let terms = QueryTerms::of(query, Language::English);
            let found = index.snapshot().search(&terms, &weights, 20, None);
            let hits = found.expect("search").hits;
            let first = hits[0].product_id.as_str().chars().next();
            assert!(
                hits.iter()
                    .all(|hit| hit.product_id.as_str().chars().next() == first),
                "{query}: {hits:?}"
            );
            first.expect("an id")
        };
        assert_eq!(first("printer", 0.0), 'c');
        assert_eq!(first("printer", KeywordWeights::default().kind), 'p');
        assert_eq!(first("printer cable", KeywordWeights::default().kind), 'c');
    }
}
