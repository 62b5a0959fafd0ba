//! What commands write to standard output: JSON for programs, tables for people.
//! Invariant: text of a catalogue reaches a terminal without its control characters.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::process::{Command, Stdio};

use catalog_events::{AttributeValue, Currency};
use catalog_proto::v1::{self, ProductStatus};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const COLUMNS_DEFAULT: usize = 100;
const TITLE_CHARS_MIN: usize = 20;
const BRAND_CHARS_MAX: usize = 18;

/// A closed pipe is an error, which ends the command quietly.
pub(crate) fn line(text: &str) -> io::Result<()> {
    self::text(&format!("{text}\n"))
}

pub(crate) fn text(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    Ok(line(&serde_json::to_string(value)?)?)
}

/// A product in the form of the HTTP API, which `catalogctl import` reads back.
#[derive(Debug, Serialize)]
pub(crate) struct ProductJson<'p> {
    id: &'p str,
    title: &'p str,
    description: &'p str,
    /// Major units.
    price: f64,
    currency: &'p str,
    image_url: Option<&'p str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    brand: &'p str,
    #[serde(skip_serializing_if = "str::is_empty")]
    sku: &'p str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    gtins: &'p [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    categories: &'p [String],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<&'p str, AttributeValue>,
    status: &'static str,
    #[serde(flatten)]
    stored: Option<Stored>,
}

/// What only a product in the catalogue has.
#[derive(Debug, Serialize)]
struct Stored {
    price_minor: i64,
    version: i64,
    created_at: Option<String>,
    updated_at: Option<String>,
}

impl<'p> From<&'p v1::ProductInput> for ProductJson<'p> {
    fn from(product: &'p v1::ProductInput) -> Self {
        Self {
            id: &product.id,
            title: &product.title,
            description: &product.description,
            price: major(product.price_minor, &product.currency),
            currency: &product.currency,
            image_url: Some(product.image_url.as_str()).filter(|url| !url.is_empty()),
            brand: &product.brand,
            sku: &product.sku,
            gtins: &product.gtins,
            categories: &product.categories,
            attributes: attributes(&product.attributes),
            status: status(product.status()),
            stored: None,
        }
    }
}

impl<'p> From<&'p v1::Product> for ProductJson<'p> {
    fn from(product: &'p v1::Product) -> Self {
        Self {
            id: &product.id,
            title: &product.title,
            description: &product.description,
            price: major(product.price_minor, &product.currency),
            currency: &product.currency,
            image_url: Some(product.image_url.as_str()).filter(|url| !url.is_empty()),
            brand: &product.brand,
            sku: &product.sku,
            gtins: &product.gtins,
            categories: &product.categories,
            attributes: attributes(&product.attributes),
            status: status(product.status()),
            stored: Some(Stored {
                price_minor: product.price_minor,
                version: product.version,
                created_at: product
                    .created_at
                    .as_ref()
                    .and_then(|at| rfc3339(at.seconds, at.nanos)),
                updated_at: product
                    .updated_at
                    .as_ref()
                    .and_then(|at| rfc3339(at.seconds, at.nanos)),
            }),
        }
    }
}

fn attributes(attributes: &BTreeMap<String, v1::AttributeValue>) -> BTreeMap<&str, AttributeValue> {
    let known = attributes.iter().filter_map(|(name, value)| {
        AttributeValue::from_message(value.clone()).map(|value| (name.as_str(), value))
    });
    known.collect()
}

fn status(status: ProductStatus) -> &'static str {
    match status {
        ProductStatus::Unspecified | ProductStatus::Active => "active",
        ProductStatus::Discontinued => "discontinued",
    }
}

fn rfc3339(seconds: i64, nanos: i32) -> Option<String> {
    let at = i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    OffsetDateTime::from_unix_timestamp_nanos(at)
        .ok()?
        .format(&Rfc3339)
        .ok()
}

fn decimals(currency: &str) -> usize {
    currency.parse().unwrap_or(Currency::USD).decimals() as usize
}

fn major(minor: i64, currency: &str) -> f64 {
    minor as f64 / 10_f64.powi(decimals(currency) as i32)
}

/// `19.99 USD`, from integers alone.
pub(crate) fn amount(minor: i64, currency: &str) -> String {
    let decimals = decimals(currency);
    let unit = 10_i64.pow(decimals as u32);
    let (whole, fraction) = (minor / unit, minor % unit);
    match decimals {
        0 => format!("{whole} {currency}"),
        _ => format!("{whole}.{fraction:0decimals$} {currency}"),
    }
}

/// One line a product, cut to `width` characters: id, price, brand, title.
pub(crate) fn table(products: &[v1::Product], width: usize) -> String {
    let rows: Vec<[String; 4]> = products
        .iter()
        .map(|product| {
            let price = amount(product.price_minor, &product.currency);
            let brand = shorten(&plain(&product.brand), BRAND_CHARS_MAX);
            [plain(&product.id), price, brand, plain(&product.title)]
        })
        .collect();
    let widest = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let [id, price, brand] = [0, 1, 2].map(|column| widest(column).unwrap_or(0));
    let title = width
        .saturating_sub(id + price + brand + 6)
        .max(TITLE_CHARS_MIN);
    let mut text = String::new();
    for [row_id, row_price, row_brand, row_title] in &rows {
        let row_title = shorten(row_title, title);
        let _ = writeln!(
            text,
            "{row_id:id$}  {row_price:>price$}  {row_brand:brand$}  {row_title}"
        );
    }
    text
}

pub(crate) fn shorten(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    let kept = text.chars().take(chars_max.saturating_sub(1));
    kept.chain(['…']).collect()
}

/// Without control characters and those that reverse the direction of writing.
pub(crate) fn plain(text: &str) -> String {
    let is_harmless = |char: &char| {
        !char.is_control()
            && !matches!(char, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().filter(is_harmless).collect()
}

/// Of the terminal; unlimited where the output goes elsewhere.
pub(crate) fn terminal_width() -> usize {
    if !io::stdout().is_terminal() {
        return usize::MAX;
    }
    let told = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    told.or_else(asked_width)
        .filter(|columns| *columns > 0)
        .unwrap_or(COLUMNS_DEFAULT)
}

/// By `stty`, which every Unix has: the standard library cannot ask.
fn asked_width() -> Option<usize> {
    let mut stty = Command::new("stty");
    stty.arg("size")
        .stdin(Stdio::inherit())
        .stderr(Stdio::null());
    let answer = stty.output().ok()?;
    let text = String::from_utf8(answer.stdout).ok()?;
    text.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn product(id: &str, title: &str, price_minor: i64, currency: &str) -> v1::Product {
        v1::Product {
            id: id.to_owned(),
            title: title.to_owned(),
            price_minor,
            currency: currency.to_owned(),
            brand: "Acme".to_owned(),
            ..v1::Product::default()
        }
    }

    #[test]
    fn a_table_fits_the_terminal_and_obeys_no_escape_sequence() {
        let products = [
            product(
                "a-1",
                "A \u{1b}[31mred\u{1b}[0m lamp with a very long name indeed",
                1999,
                "USD",
            ),
            product("b-22", "Kimono", 12_000, "JPY"),
            product("c-333", "Oud \u{202e}txet", 1234, "KWD"),
        ];
        expect![[r#"
            a-1    19.99 USD  Acme  A [31mred[0m lamp with a very long …
            b-22   12000 JPY  Acme  Kimono
            c-333  1.234 KWD  Acme  Oud txet
        "#]]
        .assert_eq(&table(&products, 60));
    }

    #[test]
    fn json_is_what_the_http_api_answers() {
        let mut product = product("a", "T", 1999, "USD");
        product.created_at = Some(Default::default());
        product
            .attributes
            .insert("w".to_owned(), AttributeValue::Number(1.5).to_message());
        let text = serde_json::to_string(&ProductJson::from(&product)).unwrap();
        expect![[r#"{"id":"a","title":"T","description":"","price":19.99,"currency":"USD","image_url":null,"brand":"Acme","attributes":{"w":1.5},"status":"active","price_minor":1999,"version":0,"created_at":"1970-01-01T00:00:00Z","updated_at":null}"#]].assert_eq(&text);
    }
}
