//! A feed for Google Merchant Center: RSS 2.0 with the members of the `g:` namespace, as its product data
//! specification names and bounds them.

use std::str::FromStr;

use catalog_proto::v1::{self, ProductStatus};

use crate::price::amount;

const ID_CHARS_MAX: usize = 50;
const TITLE_CHARS_MAX: usize = 150;
const DESCRIPTION_CHARS_MAX: usize = 5_000;
const NAME_CHARS_MAX: usize = 70;
const TYPE_CHARS_MAX: usize = 750;
const GTINS_MAX: usize = 10;
/// What stands for the id in the template of a link.
const ID: &str = "{id}";

/// Why a product is not part of an export: what it lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut(pub &'static str);

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
pub(super) fn write(product: &v1::Product, link: &Link, out: &mut Vec<u8>) -> Result<(), LeftOut> {
    complete(product)?;
    let mut item = Item(out);
    item.0.extend_from_slice(b"<item>\n");
    item.member("id", &product.id);
    item.member("title", cut(&product.title, TITLE_CHARS_MAX));
    item.member(
        "description",
        cut(&product.description, DESCRIPTION_CHARS_MAX),
    );
    item.member("link", &link.to(&product.id));
    item.member("image_link", &product.image_url);
    let availability = match product.status() {
        ProductStatus::Unspecified | ProductStatus::Active => "in_stock",
        ProductStatus::Discontinued => "out_of_stock",
    };
    item.member("availability", availability);
    item.member("price", &amount(product.price_minor, &product.currency));
    item.member("condition", "new");
    item.optional("brand", cut(&product.brand, NAME_CHARS_MAX));
    let gtins: Vec<_> = product.gtins.iter().filter(|it| is_gtin(it)).collect();
    for gtin in gtins.iter().take(GTINS_MAX) {
        item.member("gtin", gtin);
    }
    // A part number that is cut would be another one.
    let mpn = Some(product.sku.as_str()).filter(|sku| sku.chars().count() <= NAME_CHARS_MAX);
    let mpn = mpn.unwrap_or_default();
    item.optional("mpn", mpn);
    if gtins.is_empty() && (mpn.is_empty() || product.brand.is_empty()) {
        item.member("identifier_exists", "no");
    }
    let path = product.categories.join(" > ");
    item.optional("product_type", cut(&path, TYPE_CHARS_MAX));
    item.0.extend_from_slice(b"</item>\n");
    Ok(())
}

/// Fails with the first of the required members that a product cannot have.
fn complete(product: &v1::Product) -> Result<(), LeftOut> {
    if product.id.len() > ID_CHARS_MAX {
        return Err(LeftOut("an id of more than 50 characters"));
    }
    if product.title.is_empty() {
        return Err(LeftOut("no title"));
    }
    if product.description.is_empty() {
        return Err(LeftOut("no description"));
    }
    if product.image_url.is_empty() {
        return Err(LeftOut("no image_url"));
    }
    if product.price_minor == 0 {
        return Err(LeftOut("a price of 0"));
    }
    Ok(())
}

struct Item<'o>(&'o mut Vec<u8>);

impl Item<'_> {
    fn member(&mut self, name: &str, text: &str) {
        let text = escaped(text);
        self.0
            .extend_from_slice(format!("<g:{name}>{text}</g:{name}>\n").as_bytes());
    }

    fn optional(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.member(name, text);
        }
    }
}

/// A GTIN of a length that exists, whose check digit is right: others are refused there, and the product with
/// them.
fn is_gtin(text: &str) -> bool {
    let digits = text.bytes().rev().map(|digit| u32::from(digit - b'0'));
    let weighted = digits.zip([1, 3].into_iter().cycle());
    text.bytes().all(|byte| byte.is_ascii_digit())
        && matches!(text.len(), 8 | 12 | 13 | 14)
        && weighted.map(|(digit, weight)| digit * weight).sum::<u32>() % 10 == 0
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
