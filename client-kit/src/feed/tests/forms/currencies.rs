//! The currencies that cells of spreadsheets are shown in.

use std::io::Cursor;

use expect_test::{Expect, expect};

use super::sheet::{ods_entries, xlsx_entries};
use super::{told, zipped};

fn check(options: &str, entries: &[(&str, String)], expected: Expect) {
    let entries: Vec<(&str, &str)> = entries
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    expected.assert_eq(&told("", options, Cursor::new(zipped(&entries))));
}

const STYLES: &str = r##"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts count="2"><numFmt numFmtId="164" formatCode="#,##0.00\ [$€-407]"/><numFmt numFmtId="165" formatCode="[$$-409]#,##0.00"/></numFmts><cellStyleXfs count="1"><xf numFmtId="165"/></cellStyleXfs><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="165"/></cellXfs></styleSheet>"##;

/// An xlsx whose prices have these styles.
fn book(first: u32, second: u32) -> Vec<(&'static str, String)> {
    let text = |place: &str, text: &str| {
        format!(r#"<c r="{place}" t="inlineStr" s="2"><is><t>{text}</t></is></c>"#)
    };
    let rows = format!(
        r#"<row r="1">{}{}{}</row><row r="2">{}<c r="B2" s="{first}"><v>12.5</v></c><c r="C2" s="2"><v>1</v></c></row><row r="3">{}<c r="B3" s="{second}" t="n"><v>3</v></c></row>"#,
        text("A1", "id"),
        text("B1", "price"),
        text("C1", "fee"),
        text("A2", "a"),
        text("A3", "b"),
    );
    let mut entries = xlsx_entries(&rows, "");
    entries.push(("xl/styles.xml", STYLES.to_owned()));
    entries
}

#[test]
fn a_price_is_in_the_currency_that_its_cells_show() {
    check(
        "",
        &book(1, 1),
        expect![[r#"
        2: a "" 12.5 EUR fee=1
        3: b "" 3 EUR
        note: column "price" is in EUR, as its cells are shown: --currency CODE says otherwise
    "#]],
    );
    check(
        "",
        &book(0, 1),
        expect![[r#"
        2: a "" 12.5 EUR fee=1
        3: b "" 3 EUR
        note: column "price" is in EUR, as its cells are shown: --currency CODE says otherwise
    "#]],
    );
    check(
        "",
        &book(0, 0),
        expect![[r#"
        2: a "" 12.5 fee=1
        3: b "" 3
    "#]],
    );
    check(
        "--currency CHF",
        &book(1, 1),
        expect![[r#"
        2: a "" 12.5 CHF fee=1
        3: b "" 3 CHF
    "#]],
    );
    check(
        "--price fee",
        &book(1, 1),
        expect![[r#"
        2: a "" 1 USD price=12.5
        3! b price: there is nothing in column "fee"
        note: column "fee" is in USD, as its cells are shown: --currency CODE says otherwise
    "#]],
    );
    check(
        "",
        &book(1, 2),
        expect![[
            r#"the cells of column "price" are shown in several currencies, such as EUR and USD: name them in a column of their own, or --currency CODE for all"#
        ]],
    );
    check(
        "--map currency=fee",
        &book(1, 2),
        expect![[r#"
        2! a currency: "1" is not an ISO 4217 currency code such as USD
        3: b "" 3
    "#]],
    );
}

#[test]
fn a_price_of_an_open_document_has_the_currency_of_its_cells() {
    let rows = r#"<table:table-row><table:table-cell office:value-type="string"><text:p>id</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>price</text:p></table:table-cell></table:table-row><table:table-row><table:table-cell office:value-type="string"><text:p>a</text:p></table:table-cell><table:table-cell office:value-type="currency" office:currency="EUR" office:value="1299.5"><text:p>1.299,50 €</text:p></table:table-cell></table:table-row>"#;
    check(
        "",
        &ods_entries(rows),
        expect![[r#"
        2: a "" 1299.5 EUR
        note: column "price" is in EUR, as its cells are shown: --currency CODE says otherwise
    "#]],
    );
    check(
        "--currency GBP",
        &ods_entries(rows),
        expect![[r#"
        2: a "" 1299.5 GBP
    "#]],
    );
}
