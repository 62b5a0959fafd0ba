//! The fields of the index. Nothing is stored: an answer is product ids, and the products themselves
//! come from Postgres.

use tantivy::schema::IndexRecordOption::{WithFreqs, WithFreqsAndPositions};
use tantivy::schema::{
    FAST, Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions,
};

use super::columns::ColumnFields;
use super::kind::KindFields;
use super::language::Language;
use super::{analyzer, suggest};

/// The product id, as a term to delete by and as a column to answer with.
pub(super) const ID: &str = "id";
/// The content hash, which covers the version, in two halves: a column holds 64 bits.
pub(super) const HASH_HIGH: &str = "hash_high";
pub(super) const HASH_LOW: &str = "hash_low";

/// How many fields words are looked for in.
pub(crate) const FIELDS: usize = 5;
/// Their names, in the order of [`Fields::searched`].
pub(crate) const FIELD_NAMES: [&str; FIELDS] =
    ["title", "brand", "description", "categories", "attributes"];

#[derive(Clone, Copy)]
pub(super) struct Fields {
    /// What the words of the fields are stemmed by.
    pub(super) language: Language,
    pub(super) id: Field,
    pub(super) hash_high: Field,
    pub(super) hash_low: Field,
    pub(super) title: Field,
    pub(super) brand: Field,
    pub(super) description: Field,
    pub(super) categories: Field,
    pub(super) attributes: Field,
    /// All words of these, unstemmed.
    pub(super) surface: Field,
    /// Part number and GTINs in their canonical form, each one term.
    pub(super) identifiers: Field,
    pub(super) columns: ColumnFields,
    pub(super) kind: KindFields,
    /// What ends a word that is being typed.
    pub(super) suggest: Field,
}

impl Fields {
    pub(super) fn new(language: Language) -> (Schema, Fields) {
        let mut schema = Schema::builder();
        let words = |option| words(language, option);
        let fields = Fields {
            language,
            id: schema.add_text_field(ID, term() | FAST),
            hash_high: schema.add_u64_field(HASH_HIGH, column()),
            hash_low: schema.add_u64_field(HASH_LOW, column()),
            title: schema.add_text_field("title", words(WithFreqsAndPositions)),
            brand: schema.add_text_field("brand", words(WithFreqsAndPositions)),
            description: schema.add_text_field("description", words(WithFreqsAndPositions)),
            categories: schema.add_text_field("categories", words(WithFreqsAndPositions)),
            attributes: schema.add_text_field("attributes", words(WithFreqs)),
            surface: schema.add_text_field("surface", surface()),
            identifiers: schema.add_text_field("identifiers", term()),
            columns: ColumnFields::add_to(&mut schema),
            kind: KindFields::add_to(&mut schema),
            suggest: suggest::add_to(&mut schema),
        };
        (schema.build(), fields)
    }

    /// Where words are looked for.
    pub(super) fn searched(&self) -> [Field; FIELDS] {
        [
            self.title,
            self.brand,
            self.description,
            self.categories,
            self.attributes,
        ]
    }
}

fn column() -> NumericOptions {
    NumericOptions::default().set_fast()
}

/// To be looked up as it is.
pub(super) fn term() -> TextOptions {
    TextOptions::default().set_indexing_options(
        TextFieldIndexing::default()
            .set_tokenizer("raw")
            .set_index_option(IndexRecordOption::Basic)
            .set_fieldnorms(false),
    )
}

fn words(language: Language, option: IndexRecordOption) -> TextOptions {
    TextOptions::default().set_indexing_options(
        TextFieldIndexing::default()
            .set_tokenizer(language.analyzer())
            .set_index_option(option),
    )
}

fn surface() -> TextOptions {
    TextOptions::default().set_indexing_options(
        TextFieldIndexing::default()
            .set_tokenizer(analyzer::SURFACE)
            .set_index_option(IndexRecordOption::Basic)
            .set_fieldnorms(false),
    )
}
