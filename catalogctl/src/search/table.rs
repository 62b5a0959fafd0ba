//! Shows products as a table that fits the terminal.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _};
use std::process::{Command, Stdio};

use catalog_proto::v1;
use client_kit::output::{plain, shorten};
use client_kit::price::amount;

const COLUMNS_DEFAULT: usize = 100;
const TITLE_CHARS_MIN: usize = 20;
const BRAND_CHARS_MAX: usize = 18;

/// One line for each product, cut to `width` characters: id, price, brand, title.
pub(super) fn table(products: &[v1::Product], width: usize) -> String {
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

/// The width of the terminal in characters; unlimited where the output goes elsewhere.
pub(super) fn terminal_width() -> usize {
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

/// Asks `stty`, which every Unix has; the standard library cannot ask.
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
}
