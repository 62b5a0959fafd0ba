//! What of a product is searched for.

use catalog_events::{AttributeValue, ContentHash, Product, Version};
use tantivy::TantivyDocument;

use super::analyzer;
use super::schema::Fields;

/// Attributes that describe every product and tell none apart: their values ("black", "China",
/// "120 x 80 mm") match queries that ask for something else. An attribute is left out when one of
/// the words of its name is listed.
const NOISE: &[&str] = &[
    "color",
    "colors",
    "colour",
    "colours",
    "country",
    "dimensions",
    "humidity",
    "package",
    "packaging",
    "pallet",
    "temperature",
    "weight",
];

pub(super) fn document(fields: &Fields, product: &Product, version: Version) -> TantivyDocument {
    let hash = ContentHash::of(&product.id, version, product).to_bytes();
    let (high, low) = hash.split_at(8);
    let mut document = TantivyDocument::new();
    document.add_text(fields.id, product.id.as_str());
    document.add_u64(fields.hash_high, half(high));
    document.add_u64(fields.hash_low, half(low));
    document.add_text(fields.title, &product.title);
    document.add_text(fields.description, &product.description);
    if let Some(brand) = &product.brand {
        document.add_text(fields.brand, brand);
    }
    for category in &product.categories {
        document.add_text(fields.categories, category);
    }
    for text in attribute_texts(product).chain(product.sku.as_deref()) {
        document.add_text(fields.attributes, text);
    }
    for identifier in identifiers(product) {
        document.add_text(fields.identifiers, identifier);
    }
    document
}

fn half(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

/// Texts by their value, flags that hold by their name: a product with `touchscreen: true` is a
/// touchscreen. Numbers say little without their unit.
fn attribute_texts(product: &Product) -> impl Iterator<Item = &str> {
    let telling = product
        .attributes
        .iter()
        .filter(|(name, _)| !is_noise(name));
    telling.filter_map(|(name, value)| match value {
        AttributeValue::Text(text) => Some(text.as_str()),
        AttributeValue::Flag(true) => Some(name.as_str()),
        AttributeValue::Flag(false) | AttributeValue::Number(_) => None,
    })
}

fn is_noise(name: &str) -> bool {
    name.split(|c: char| !c.is_alphanumeric())
        .any(|word| NOISE.contains(&word.to_lowercase().as_str()))
}

fn identifiers(product: &Product) -> impl Iterator<Item = String> {
    let texts = product.sku.iter().chain(&product.gtins);
    texts.filter_map(|text| analyzer::identifier(text))
}
