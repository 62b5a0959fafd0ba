//! What tells the kind of a product: the head words of its title, and a bit for each name of an
//! attribute or category.

use std::collections::HashSet;
use std::sync::Arc;

use catalog_events::{AttributeScalar, Product};
use sha2::{Digest as _, Sha256};
use tantivy::columnar::ColumnValues;
use tantivy::schema::{Field, NumericOptions, STRING, SchemaBuilder};
use tantivy::{DocId, SegmentReader, TantivyDocument, TantivyError};

use crate::index::document::kind_features::FeatureField;
use crate::index::document::noise::is_noise;
use crate::index::text::analyzer::PlacedStem;
use crate::index::text::function_words;
use crate::index::text::language::Language;

pub(crate) const WORDS: usize = 4;
pub(crate) const COLUMNS: [&str; WORDS] = ["kind_0", "kind_1", "kind_2", "kind_3"];
pub(crate) const BITS: usize = WORDS * 64;

pub(crate) type Signature = [u64; WORDS];

/// A product with fewer names has no signature, because so few say nothing.
pub(crate) const NAMES_MIN: u32 = 3;

#[derive(Clone, Copy)]
pub(crate) struct KindFields {
    /// The stems of the title's head words.
    pub(crate) heads: Field,
    features: FeatureField,
    signature: [Field; WORDS],
}

impl KindFields {
    pub(crate) fn add_to(schema: &mut SchemaBuilder) -> Self {
        let column = || NumericOptions::default().set_fast();
        Self {
            heads: schema.add_text_field("heads", STRING),
            features: FeatureField::add_to(schema),
            signature: COLUMNS.map(|name| schema.add_u64_field(name, column())),
        }
    }

    pub(crate) fn fill(
        &self,
        document: &mut TantivyDocument,
        product: &Product,
        language: Language,
    ) {
        let heads = heads(product, language);
        self.features.fill(document, product, &heads);
        for head in heads {
            document.add_text(self.heads, head);
        }
        for (field, word) in self.signature.into_iter().zip(signature(product)) {
            document.add_u64(field, word);
        }
    }
}

/// Returns the stems of the words in the title that no other word follows: a "notebook 15.6 inch"
/// is a notebook, a "notebook case" is not. Nothing follows across a comma or a bracket: "stapler, blue". What a thing is
/// for or comes with is no head: a "toner for laser printers" is a toner. Colours and the like stand before any word, so
/// they are no heads.
pub(crate) fn heads(product: &Product, language: Language) -> HashSet<String> {
    let noise: HashSet<String> = product
        .attributes
        .iter()
        .filter(|(name, _)| is_noise(name))
        .flat_map(|(_, value)| value.elements())
        .filter_map(|element| match element {
            AttributeScalar::Text(text) => Some(language.document_words(text)),
            AttributeScalar::Flag(_) | AttributeScalar::Number(_) => None,
        })
        .flatten()
        .map(|word| word.stem)
        .collect();
    let words = language.document_words(&product.title);
    // The letters of "G7" are no word.
    let is_glued = |at: usize| {
        let to = words.get(at).map(|word| word.to);
        to.is_some() && words.get(at + 1).map(|next| next.from) == to
    };
    let is_plain: Vec<bool> = words
        .iter()
        .enumerate()
        .map(|(at, word)| {
            word.surface.chars().all(char::is_alphabetic)
                && !noise.contains(word.stem.as_str())
                && !is_glued(at)
                && (at == 0 || !is_glued(at - 1))
        })
        .collect();
    let purposes = purposes(&product.title, &words, language);
    let is_followed = |at: usize| {
        let next = words
            .get(at + 1)
            .filter(|_| is_plain[at + 1] && !purposes[at + 1]);
        next.is_some_and(|next| !ends_a_part(&product.title, words[at].to, next.from))
    };
    let numbered = words.iter().enumerate();
    let heads = numbered.filter(|(at, _)| is_plain[*at] && !purposes[*at] && !is_followed(*at));
    heads.map(|(_, word)| word.stem.clone()).collect()
}

/// Returns for each word of a title whether it belongs to what the thing is for or comes with; the word that says so
/// does. A title that begins with such a word does not say what the thing is before it.
fn purposes(title: &str, words: &[PlacedStem], language: Language) -> Vec<bool> {
    let mut is_purpose = false;
    let mut end = 0;
    let of_word = words.iter().enumerate().map(|(at, word)| {
        is_purpose &= !ends_a_part(title, end, word.from);
        end = word.to;
        let typed = title.get(word.from..word.to).unwrap_or_default();
        is_purpose |= at > 0 && function_words::is_purpose(&typed.to_lowercase(), language);
        is_purpose
    });
    of_word.collect()
}

/// Whether a part of a title ends between two places: "battery - replaces NB-7L", "glass (set of 6)".
fn ends_a_part(title: &str, from: usize, to: usize) -> bool {
    let between = title.get(from..to).unwrap_or_default();
    let ends = |c: char| {
        matches!(
            c,
            ',' | ';' | ':' | '|' | '(' | ')' | '[' | ']' | '\u{2013}' | '\u{2014}'
        )
    };
    between.contains(ends) || between.contains(" - ")
}

/// Sets a bit for each name of an attribute or category (a Bloom filter with one hash). All bits
/// are zero when there are fewer than [`NAMES_MIN`] names.
pub(crate) fn signature(product: &Product) -> Signature {
    let names = product.attributes.keys().chain(&product.categories);
    let mut signature = [0; WORDS];
    let mut count = 0;
    for name in names {
        let bit = usize::from(Sha256::digest(name)[0]);
        signature[bit / 64] |= 1 << (bit % 64);
        count += 1;
    }
    if count < NAMES_MIN {
        [0; WORDS]
    } else {
        signature
    }
}

pub(crate) fn each_bit(signature: &Signature, mut each: impl FnMut(usize)) {
    for (number, word) in signature.iter().enumerate() {
        let mut rest = *word;
        while rest != 0 {
            each(number * 64 + rest.trailing_zeros() as usize);
            rest &= rest - 1;
        }
    }
}

pub(crate) struct Signatures([Arc<dyn ColumnValues<u64>>; WORDS]);

impl Signatures {
    pub(crate) fn open(segment: &SegmentReader) -> tantivy::Result<Self> {
        let mut columns = Vec::with_capacity(WORDS);
        for name in COLUMNS {
            columns.push(segment.fast_fields().u64(name)?.first_or_default_col(0));
        }
        <[_; WORDS]>::try_from(columns)
            .map(Self)
            .map_err(|_| TantivyError::InternalError("a signature has another length".to_owned()))
    }

    /// Reads the signature of a document, or None if it has none.
    pub(crate) fn of(&self, doc: DocId) -> Option<Signature> {
        let signature = std::array::from_fn(|at| self.0[at].get_val(doc));
        (signature != [0; WORDS]).then_some(signature)
    }
}
