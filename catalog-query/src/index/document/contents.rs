//! Turns a product into the document that the index holds of it.

use catalog_events::{AttributeScalar, ContentHash, Product, Version};
use tantivy::TantivyDocument;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::index::document::schema::Fields;
use crate::index::document::suggestion_terms;
use crate::index::text::analyzer;

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
    for identifier in identifiers(product) {
        document.add_text(fields.identifiers, identifier);
    }
    fields.columns.fill(&mut document, product);
    fields.kind.fill(&mut document, product, fields.language);
    suggestion_terms::fill(fields.suggest, &mut document, product);
    document
}

/// Yields the values of attributes that are searched: texts by their words, true flags by their name (a
/// product with `touchscreen: true` is a touchscreen). Numbers say little without their unit.
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
