//! Turns a product into the document that the index holds of it.

use std::collections::BTreeSet;

use catalog_events::{AttributeScalar, ContentHash, Product, Version};
use tantivy::TantivyDocument;
use tantivy::tokenizer::{PreTokenizedString, Token};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::index::document::schema::Fields;
use crate::index::document::suggestion_terms;
use crate::index::document::values::read_number;
use crate::index::text::units::{naming_word, unit_of_name};
use crate::index::text::{analyzer, numbers};

pub(crate) fn document(fields: &Fields, product: &Product, version: Version) -> TantivyDocument {
    let content_hash = ContentHash::of(&product.id, version, product);
    let hash = u128::from_be_bytes(content_hash.to_bytes());
    let mut document = TantivyDocument::new();
    document.add_text(fields.id, product.id.as_str());
    document.add_u64(fields.hash_high, (hash >> 64) as u64);
    document.add_u64(fields.hash_low, hash as u64);
    let mut words = |field, text: &str| {
        document.add_text(field, text);
        document.add_text(fields.surface, text);
    };
    words(fields.title, &product.title);
    words(fields.description, &product.description);
    if let Some(brand) = &product.brand {
        words(fields.brand, brand);
    }
    for category in &product.categories {
        words(fields.categories, category);
    }
    let numbers = product.sku.iter().chain(&product.gtins);
    for text in attribute_texts(product).chain(numbers.map(String::as_str)) {
        words(fields.attributes, text);
    }
    add_numbers(fields, &mut document, product);
    for identifier in identifiers(product) {
        document.add_text(fields.identifiers, identifier);
    }
    fields.columns.fill(&mut document, product);
    fields.kind.fill(&mut document, product, fields.language);
    suggestion_terms::fill(fields.suggest, &mut document, product);
    document
}

/// Adds the numbers of attributes: with the unit that the name states ("2kg" of `weight_kg`), or as terms that no text
/// makes, of the number alone and of the number by its name ("size 43"). They are no part of the vocabulary, and no
/// neighbours of words. Each comes once, whatever the number of attributes that say it: a product is not less about
/// its words for many zeros and ones.
fn add_numbers(fields: &Fields, document: &mut TantivyDocument, product: &Product) {
    let mut terms = BTreeSet::new();
    for (name, value) in &product.attributes {
        for number in value.elements().iter().filter_map(number) {
            terms.extend(terms_of_number(fields, name, number));
        }
    }
    for term in terms {
        document.add_pre_tokenized_text(fields.attributes, one_term(term));
    }
}

/// The terms of a number by the name of its attribute; none of a number that nobody types.
fn terms_of_number(fields: &Fields, name: &str, number: f64) -> Vec<String> {
    let Some(bare) = numbers::bare(number) else {
        return Vec::new();
    };
    if let Some(unit) = unit_of_name(name) {
        return vec![format!("{number}{unit}")];
    }
    let stem = naming_word(name).map(|word| fields.language.stem(&word));
    let by_name = stem.map(|stem| numbers::by_name(&stem, &bare));
    std::iter::once(bare).chain(by_name).collect()
}

fn number(value: &AttributeScalar) -> Option<f64> {
    match value {
        AttributeScalar::Number(number) => Some(*number),
        AttributeScalar::Text(text) => read_number(text.trim()),
        AttributeScalar::Flag(_) => None,
    }
}

fn one_term(text: String) -> PreTokenizedString {
    let token = Token {
        offset_from: 0,
        offset_to: text.len(),
        position: 0,
        text: text.clone(),
        position_length: 1,
    };
    PreTokenizedString {
        text,
        tokens: vec![token],
    }
}

/// Yields the texts of attributes that are searched: those by their words, and true flags by their name (a
/// product with `touchscreen: true` is a touchscreen).
fn attribute_texts(product: &Product) -> impl Iterator<Item = &str> {
    let attributes = product.attributes.iter();
    attributes
        .flat_map(|(name, value)| value.elements().iter().map(move |element| (name, element)))
        .filter_map(|(name, element)| match element {
            AttributeScalar::Text(text) => (!is_for_machines(text)).then_some(text.as_str()),
            AttributeScalar::Flag(true) => Some(name.as_str()),
            AttributeScalar::Flag(false) | AttributeScalar::Number(_) => None,
        })
}

/// Whether a text is nothing but an address or a time. Nobody searches for its words, and they would make the
/// product look longer.
fn is_for_machines(text: &str) -> bool {
    let is_address = text.contains("://") && !text.trim().contains(char::is_whitespace);
    is_address || OffsetDateTime::parse(text, &Rfc3339).is_ok()
}

fn identifiers(product: &Product) -> impl Iterator<Item = String> {
    let texts = product.sku.iter().chain(&product.gtins);
    texts.filter_map(|text| analyzer::identifier(text))
}
