//! JSON: objects around the products, and objects one after the other.

use std::io::Cursor;

use expect_test::expect;

use super::check;
use crate::feed::tests::mapping;
use crate::feed::{Original, ROW_BYTES_MAX, Source, rows};

#[test]
fn an_object_around_the_products_is_looked_into() {
    check(
        "",
        "",
        "{\"shop\":{\"name\":\"x\"},\"data\":{\"items\":[\n{\"id\":\"a\",\"title\":\"T\",\"price\":1},\n{\"id\":\"b\",\"title\":\"T\",\"price\":NaN}],\"n\":[{}]},\n\"page\":1}\n",
        expect![[r#"
            2: a "T" 1
            3!  : no valid JSON: expected value (column 31)
            note: products are read from the member data/items: --item PATH names another
        "#]],
    );
    check(
        "",
        "",
        r#"{"products":[{"id":"a","title":"T","price":1}]}"#,
        expect![[r#"
            1: a "T" 1
            note: products are read from the member products: --item PATH names another
        "#]],
    );
    check(
        "--item b",
        "",
        r#"{"a":[{"x":1}],"b":[{"id":"a","title":"T","price":1}]}"#,
        expect![[r#"
            1: a "T" 1
        "#]],
    );
    check(
        "--item c",
        "",
        r#"{"a":[{"x":1}]}"#,
        expect![[r#"
            1!  attributes: column "a" is a list of objects or lists: --map or --ignore it
            line 1: the JSON has no array c: --item PATH names the array of products
        "#]],
    );
    let header = "x".repeat(2 * ROW_BYTES_MAX);
    let long = format!(
        "{{\"h\":\"{header}\",\"products\":[\n{{\"id\":\"a\",\"title\":\"T\",\"price\":1}}]}}"
    );
    check(
        "",
        "",
        long,
        expect![[r#"
            2: a "T" 1
            note: products are read from the member products: --item PATH names another
        "#]],
    );
}

#[test]
fn objects_may_follow_each_other_over_several_lines() {
    check(
        "",
        "",
        "\u{feff}{\n \"id\": \"a\", \"title\": \"T\",\n \"price\": 1, \"variants\": [{\"x\": 1}]\n}\n{\n\"id\":\"b\",\"title\":\"T\",\"price\":1\n}\n",
        expect![[r#"
            1! a attributes: column "variants" is a list of objects or lists: --map or --ignore it
            5: b "T" 1
        "#]],
    );
    check(
        "",
        "",
        "{\"id\":\"a\",\"title\":\"T\",\"price\":1},\n{\"id\":\"b\",\"title\":\"T\",\"price\":1},\n",
        expect![[r#"
            1: a "T" 1
            2: b "T" 1
        "#]],
    );
}

#[test]
fn products_of_schema_org_have_their_offers_inside() {
    check(
        "--preset schema-org",
        "",
        r#"{"@context":"https://schema.org","@type":"Product","sku":"a","name":"T","image":["http://x/a"],"brand":{"@type":"Brand","name":"Acme"},"gtin13":"4006381333931","offers":[{"@type":"Offer","price":"4.50","priceCurrency":"EUR","availability":"https://schema.org/InStock"}]}"#,
        expect![[r#"
            1: a "T" 4.50 EUR image=http://x/a brand=Acme sku=a gtins=["4006381333931"] availability="InStock"
        "#]],
    );
}

#[test]
fn a_row_that_cannot_be_taken_apart_is_kept_as_it_stands() {
    let originals = |feed: String| {
        let source = Source::from_reader("feed", Cursor::new(feed.into_bytes())).unwrap();
        let read = rows(source, None, mapping("").keeping_originals()).unwrap();
        let texts = read.map(|row| match row.unwrap().original {
            Some(Original::Text(text)) => text,
            other => format!("{other:?}"),
        });
        texts.collect::<Vec<_>>()
    };
    let bad = "{\"id\":\"b\",\"price\":1.2.3}";
    let good = "{\"id\":\"a\"}";
    let object = "Some(Object(\"{\\\"id\\\":\\\"a\\\"}\"))";
    assert_eq!(originals(format!("{good}\n{bad}\n")), [object, bad]);
    assert_eq!(originals(format!("[{good},\n{bad}]")), [object, bad]);
    let xml = "<f><p><id>b</id></p><p><id>a</ix></p></f>";
    assert_eq!(originals(xml.to_owned())[1], "<p><id>a</ix></p>");
    // Of a row that is too long, the beginning shows which one it is.
    let long = format!("{{\"id\":\"{}\"}}\n", "x".repeat(2 * ROW_BYTES_MAX));
    let kept = originals(long).remove(0);
    assert!(kept.starts_with("{\"id\":\"xx") && kept.ends_with('…') && kept.len() < 4_096);
}
