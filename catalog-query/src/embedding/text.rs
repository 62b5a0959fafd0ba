//! The text of a product that is embedded, and the hash that tells whether it has changed.

use catalog_events::Product;
use sha2::{Digest as _, Sha256};

use crate::index::plain_text as plain;

/// The part of a description that is embedded. The model reads 256 tokens at most and costs by the
/// token, and a long text about everything resembles every query a little.
const DESCRIPTION_BYTES_MAX: usize = 512;
const TITLE_BYTES_MAX: usize = 512;

/// Joins the title, the brand and the beginning of the description, without mark-up.
pub(crate) fn embedding_text(product: &Product) -> String {
    let (title, description) = (plain(&product.title), plain(&product.description));
    let mut parts = vec![
        shorten(&title, TITLE_BYTES_MAX),
        product.brand.as_deref().unwrap_or_default().trim(),
        shorten(&description, DESCRIPTION_BYTES_MAX),
    ];
    parts.retain(|part| !part.is_empty());
    parts.join(". ")
}

/// The first 128 bits of SHA-256 over the model and the text. A product whose hash has not changed
/// keeps its vector, so that a change of price embeds nothing.
pub(crate) fn text_hash(model: &str, text: &str) -> [u8; 16] {
    let mut hasher = Sha256::new();
    hasher.update(model);
    hasher.update([0]);
    hasher.update(text);
    let hash = hasher.finalize();
    let mut first = [0_u8; 16];
    first.copy_from_slice(&hash[..16]);
    first
}

/// The beginning of a text, up to the end of a word.
fn shorten(text: &str, bytes_max: usize) -> &str {
    let text = text.trim();
    if text.len() <= bytes_max {
        return text;
    }
    let cut = &text[..text.floor_char_boundary(bytes_max)];
    match cut.rsplit_once(char::is_whitespace) {
        Some((words, _)) if !words.is_empty() => words.trim_end(),
        _ => cut,
    }
}

#[cfg(test)]
mod tests {
    use catalog_events::Money;

    use super::*;
    use crate::index::tests::support::product;

    #[test]
    fn only_what_is_embedded_changes_the_hash() {
        let hub = Product {
            brand: Some("Anker".to_owned()),
            ..product("a", " USB hub ")
        };
        assert_eq!(embedding_text(&hub), "USB hub. Anker");
        let hash = |product: &Product| text_hash("model", &embedding_text(product));
        let price = Money::from_minor(1, hub.price.currency()).expect("price");
        let cheaper = Product {
            price,
            sku: Some("H-4".to_owned()),
            ..hub.clone()
        };
        assert_eq!(hash(&cheaper), hash(&hub));
        let described = Product {
            description: "four ports".to_owned(),
            ..hub.clone()
        };
        assert_eq!(embedding_text(&described), "USB hub. Anker. four ports");
        assert_ne!(hash(&described), hash(&hub));
        assert_ne!(text_hash("other", &embedding_text(&hub)), hash(&hub));
    }

    #[test]
    fn long_texts_end_with_a_word() {
        assert_eq!(shorten("one two three", 9), "one two");
        assert_eq!(shorten(&"x".repeat(20), 9), "x".repeat(9));
        assert_eq!(shorten(&"é".repeat(20), 9), "é".repeat(4));
        assert_eq!(shorten("  short  ", 9), "short");
        let long = Product {
            description: "word ".repeat(10_000),
            ..product("a", "t")
        };
        assert!(embedding_text(&long).len() < 600);
    }
}
