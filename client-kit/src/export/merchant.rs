//! A feed for Google Merchant Center: RSS 2.0 with the members of the `g:` namespace, as its product data
//! specification names and bounds them. An import reads back what this form has a member for: attributes, and
//! all GTINs but valid ones, are not in it.

use std::str::FromStr;

use catalog_events::{AttributeScalar, AttributeValue};
use catalog_proto::v1::{self, ProductStatus};

use crate::export::fields::attribute;
use crate::gtin;
use crate::price::amount;

const ID_CHARS_MAX: usize = 50;
const TITLE_CHARS_MAX: usize = 150;
const DESCRIPTION_CHARS_MAX: usize = 5_000;
const NAME_CHARS_MAX: usize = 70;
const TYPE_CHARS_MAX: usize = 750;
const GTINS_MAX: usize = 10;
const ADDRESS_BYTES_MAX: usize = 2_000;
const AVAILABILITIES: [&str; 4] = ["in_stock", "out_of_stock", "preorder", "backorder"];
const CONDITIONS: [&str; 3] = ["new", "refurbished", "used"];
/// What stands for the id in the template of a link.
const ID: &str = "{id}";

/// Why a product is not part of an export: what it lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut(pub &'static str);

/// What an item has that its product has not, or not so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adapted(pub Vec<&'static str>);

/// The address of a product's page, with `{id}` where its id stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link(String);

impl FromStr for Link {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let host = ["https://", "http://"]
            .iter()
            .find_map(|scheme| text.strip_prefix(scheme))
            .and_then(|rest| rest.split(['/', '?', '#']).next());
        let shaped = host.is_some_and(|host| !host.is_empty() && !host.contains('{'));
        if shaped && text.contains(ID) && !text.contains(char::is_whitespace) {
            Ok(Self(text.to_owned()))
        } else {
            Err("write the address of a product's page, such as https://shop.example/p/{id}".into())
        }
    }
}

impl Link {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An id has only characters that stand for themselves in an address.
    fn to(&self, id: &str) -> String {
        self.0.replace(ID, id)
    }

    /// The address of the shop: scheme and host.
    fn shop(&self) -> &str {
        let host = self.0.find("://").map_or(0, |scheme| scheme + 3);
        let end = self.0[host..].find(['/', '?', '#']);
        &self.0[..end.map_or(self.0.len(), |end| host + end)]
    }
}

pub(super) fn head(link: &Link, out: &mut Vec<u8>) {
    let shop = escaped(link.shop());
    out.extend_from_slice(
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <rss version=\"2.0\" xmlns:g=\"http://base.google.com/ns/1.0\">\n<channel>\n\
             <title>{shop}</title>\n<link>{shop}</link>\n\
             <description>The products of {shop}</description>\n"
        )
        .as_bytes(),
    );
}

pub(super) fn tail(out: &mut Vec<u8>) {
    out.extend_from_slice(b"</channel>\n</rss>\n");
}

/// Writes a product as an item, unless it lacks what every item must have.
pub(super) fn write(
    product: &v1::Product,
    link: &Link,
    out: &mut Vec<u8>,
) -> Result<Adapted, LeftOut> {
    let address = link.to(&product.id);
    check(product, &address)?;
    let mut item = Item {
        out,
        adapted: Adapted::default(),
    };
    item.out.extend_from_slice(b"<item>\n");
    item.member("id", &product.id);
    item.cut("title", &product.title, TITLE_CHARS_MAX, "a shorter title");
    if product.description.is_empty() {
        item.cut(
            "description",
            &product.title,
            DESCRIPTION_CHARS_MAX,
            "a shorter description",
        );
        item.adapted.0.push("their title for a description");
    } else {
        item.cut(
            "description",
            &product.description,
            DESCRIPTION_CHARS_MAX,
            "a shorter description",
        );
    }
    item.member("link", &address);
    item.member("image_link", &product.image_url);
    item.member("availability", availability(product));
    item.member("price", &amount(product.price_minor, &product.currency));
    let condition = stated(product, "condition", &CONDITIONS);
    item.member("condition", condition.unwrap_or("new"));
    item.cut("brand", &product.brand, NAME_CHARS_MAX, "a shorter brand");
    // Others are refused there, and the product with them.
    let gtins: Vec<_> = product
        .gtins
        .iter()
        .filter(|it| gtin::is_valid(it))
        .collect();
    for gtin in gtins.iter().take(GTINS_MAX) {
        item.member("gtin", gtin);
    }
    if gtins.len() != product.gtins.len() {
        item.adapted.0.push("no GTIN whose check digit is wrong");
    }
    // A part number that is cut would be another one.
    let mpn = Some(product.sku.as_str()).filter(|sku| sku.chars().count() <= NAME_CHARS_MAX);
    let mpn = mpn.unwrap_or_default();
    item.optional("mpn", mpn);
    if mpn.len() != product.sku.len() {
        item.adapted.0.push("no part number, as it is too long");
    }
    if gtins.is_empty() && (mpn.is_empty() || product.brand.is_empty()) {
        item.member("identifier_exists", "no");
    }
    let path = product.categories.join(" > ");
    item.cut("product_type", &path, TYPE_CHARS_MAX, "a shorter category");
    item.out.extend_from_slice(b"</item>\n");
    Ok(item.adapted)
}

/// Fails with the first of the required members that a product cannot have. A description is none of them: the
/// title stands in for it.
fn check(product: &v1::Product, address: &str) -> Result<(), LeftOut> {
    let is_address = |text: &str| {
        let has_scheme = ["https://", "http://"].iter().any(|it| {
            text.get(..it.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(it))
        });
        has_scheme && text.len() <= ADDRESS_BYTES_MAX && !text.contains(char::is_whitespace)
    };
    let lacks = |reason| Err(LeftOut(reason));
    if product.id.len() > ID_CHARS_MAX {
        lacks("an id of more than 50 characters")
    } else if product.title.trim().is_empty() {
        lacks("no title")
    } else if product.image_url.is_empty() {
        lacks("no image_url")
    } else if !is_address(&product.image_url) {
        lacks("an image_url that is no address of http or https")
    } else if !is_address(address) {
        lacks("an address of more than 2000 characters")
    } else if product.price_minor == 0 {
        lacks("a price of 0")
    } else {
        Ok(())
    }
}

/// What a product says itself, as one of a feed of Google does, if it is for sale.
fn availability(product: &v1::Product) -> &'static str {
    match product.status() {
        ProductStatus::Discontinued => "out_of_stock",
        ProductStatus::Unspecified | ProductStatus::Active => {
            stated(product, "availability", &AVAILABILITIES).unwrap_or("in_stock")
        }
    }
}

/// The word that an attribute of a product has, of those that are allowed.
fn stated(product: &v1::Product, name: &str, allowed: &[&'static str]) -> Option<&'static str> {
    let AttributeValue::One(AttributeScalar::Text(text)) = attribute(product, name)? else {
        return None;
    };
    let plain = |text: &str| text.to_lowercase().replace([' ', '_'], "");
    let word = plain(&text);
    allowed.iter().copied().find(|it| plain(it) == word)
}

/// An item while it is written.
struct Item<'o> {
    out: &'o mut Vec<u8>,
    adapted: Adapted,
}

impl Item<'_> {
    fn member(&mut self, name: &str, text: &str) {
        let text = escaped(text);
        self.out
            .extend_from_slice(format!("<g:{name}>{text}</g:{name}>\n").as_bytes());
    }

    fn optional(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.member(name, text);
        }
    }

    /// Writes the first characters of a text, and keeps `told` where those are not all.
    fn cut(&mut self, name: &str, text: &str, chars_max: usize, told: &'static str) {
        let kept = cut(text, chars_max);
        self.optional(name, kept);
        if kept.len() < text.len() {
            self.adapted.0.push(told);
        }
    }
}

/// The first characters of a text.
fn cut(text: &str, chars_max: usize) -> &str {
    let end = text.char_indices().nth(chars_max);
    end.map_or(text, |(end, _)| text[..end].trim_end())
}

/// A text in XML, without the characters that XML does not have.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // A reader would make a line feed of it.
            '\r' => escaped.push_str("&#13;"),
            '\t' | '\n' => escaped.push(char),
            '\0'..'\u{20}' | '\u{fffe}' | '\u{ffff}' => {}
            char => escaped.push(char),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
