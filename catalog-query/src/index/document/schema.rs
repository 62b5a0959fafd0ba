//! The fields of the index. None is stored: an answer is product ids, and the products themselves
//! come from Postgres.

use tantivy::schema::IndexRecordOption::WithFreqsAndPositions;
use tantivy::schema::{FAST, Field, Schema};

use crate::index::document::columns::ColumnFields;
use crate::index::document::kind_signature::KindFields;
use crate::index::document::suggestion_terms;
use crate::index::document::text_options::{column, surface, term, words};
use crate::index::text::language::Language;

/// The product id, as a term to delete by and as a column to answer with.
pub(crate) const ID: &str = "id";
/// The content hash, which covers the version, in two halves: a column holds 64 bits.
pub(crate) const HASH_HIGH: &str = "hash_high";
pub(crate) const HASH_LOW: &str = "hash_low";

/// The number of fields in which words are searched.
pub(crate) const FIELDS: usize = 5;
/// The names of the searched fields, in the order of [`Fields::searched`].
pub(crate) const FIELD_NAMES: [&str; FIELDS] =
    ["title", "brand", "description", "categories", "attributes"];

#[derive(Clone, Copy)]
pub(crate) struct Fields {
    /// The language whose stemmer the fields use.
    pub(crate) language: Language,
    pub(crate) id: Field,
    pub(crate) hash_high: Field,
    pub(crate) hash_low: Field,
    pub(crate) title: Field,
    pub(crate) brand: Field,
    pub(crate) description: Field,
    pub(crate) categories: Field,
    pub(crate) attributes: Field,
    /// The words of all these fields, unstemmed.
    pub(crate) surface: Field,
    /// The part number and the GTINs in their canonical form, each as one term.
    pub(crate) identifiers: Field,
    pub(crate) columns: ColumnFields,
    pub(crate) kind: KindFields,
    /// The terms that complete what a user types.
    pub(crate) suggest: Field,
}

impl Fields {
    pub(crate) fn new(language: Language) -> (Schema, Fields) {
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
            attributes: schema.add_text_field("attributes", words(WithFreqsAndPositions)),
            surface: schema.add_text_field("surface", surface()),
            identifiers: schema.add_text_field("identifiers", term()),
            columns: ColumnFields::add_to(&mut schema),
            kind: KindFields::add_to(&mut schema),
            suggest: suggestion_terms::add_to(&mut schema),
        };
        (schema.build(), fields)
    }

    /// Returns the fields in which words are searched.
    pub(crate) fn searched(&self) -> [Field; FIELDS] {
        [
            self.title,
            self.brand,
            self.description,
            self.categories,
            self.attributes,
        ]
    }
}
