//! JSON: objects around the products, and objects one after the other.

use std::io::Cursor;

use expect_test::expect;

use super::{check, told};
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

#[test]
fn products_may_be_members_by_their_ids() {
    let whole = "products are the members of the whole object, and without an id have the name of their member: \
                 --item PATH names another place";
    let inside = "products are the members of data/items, and without an id have the name of their member: \
                  --item PATH names another place";
    let rows = "1: a \"One\" 1.5\n1: b \"Two\" 2.5\n";
    for (form, options, feed, expected, note) in [
        (
            "",
            "",
            r#"{"a":{"title":"One","price":1.5},"b":{"title":"Two","price":2.5}}"#,
            rows,
            whole,
        ),
        (
            "",
            "--map title=label",
            r#"{"a":{"label":"One","price":1.5},"b":{"label":"Two","price":2.5}}"#,
            rows,
            whole,
        ),
        // One of them has an id of its own, and one an empty one.
        (
            "",
            "",
            r#"{"x":{"id":"a","title":"One","price":1.5},"b":{"id":"","title":"Two","price":2.5}}"#,
            rows,
            whole,
        ),
        (
            "",
            "",
            r#"{"ok":true,"data":{"n":[1],"items":{"a":{"title":"One","price":1.5},"b":{"title":"Two","price":2.5}}},"end":1}"#,
            rows,
            inside,
        ),
        (
            "--item data/items",
            "",
            r#"{"data":{"items":{"a":{"title":"One","price":1.5},"b":{"title":"Two","price":2.5}},"x":[{"id":1}]}}"#,
            rows,
            "",
        ),
        (
            "--item /",
            "",
            r#"{"a":{"title":"One","price":1.5},"b":{"title":"Two","price":2.5}}"#,
            rows,
            "",
        ),
        // Their lists of objects are no products.
        (
            "",
            "--ignore variants",
            r#"{"a":{"title":"One","price":1.5,"variants":[{"id":"v","title":"V","price":1}]},"b":{"title":"Two","price":2.5}}"#,
            rows,
            whole,
        ),
        // A member that is no object, or no valid one, is rejected, and the next one read.
        (
            "--item /",
            "",
            r#"{"a":{"title":"One","price":1.5},"n":7,"x":{"title":NaN},"b":{"title":"Two","price":2.5},}"#,
            "1: a \"One\" 1.5\n1!  : expected a JSON object, found a single value\n1!  : no valid JSON: expected value (column 10)\n1: b \"Two\" 2.5\n",
            "",
        ),
    ] {
        let mut expected = expected.to_owned();
        if !note.is_empty() {
            expected.push_str(&format!("note: {note}\n"));
        }
        let found = told(form, options, Cursor::new(feed));
        assert_eq!(found, expected, "{feed}");
    }
}

#[test]
fn a_long_object_of_products_is_read_by_its_members() {
    let member = |number: usize| {
        let padding = "x".repeat(500);
        format!("\n\"p{number}\":{{\"title\":\"T\",\"price\":1,\"note\":\"{padding}\"}}")
    };
    let count = 3 * ROW_BYTES_MAX / 500;
    let members: Vec<String> = (0..count).map(member).collect();
    let feed = format!("{{{}\n}}\n", members.join(","));
    let text = told("", "", Cursor::new(feed));
    assert_eq!(text.lines().count(), count + 1);
    assert!(text.starts_with("2: p0 \"T\" 1 "), "the first");
    let last = format!("\n{}: p{} ", count + 1, count - 1);
    assert!(text.contains(&last), "the last");
}

#[test]
fn an_object_of_objects_that_may_be_no_products_is_told() {
    let hint = |whose: &str, place: &str| {
        format!(
            "there is nothing in column \"id\": if {whose} are products and their names ids, --item {place} reads \
             them (--item a/b those of b inside of a)"
        )
    };
    let sizes = r#""sizes":{"s":{"title":"S","price":1},"m":{"title":"M","price":2}}"#;
    for (feed, expected) in [
        // One alone may be an object around a product.
        (
            r#"{"product":{"title":"One","price":1.5}}"#.to_owned(),
            hint("its members", "/"),
        ),
        (
            r#"{"a":{"x":1},"b":{"x":2}}"#.to_owned(),
            hint("its members", "/"),
        ),
        (
            r#"{"title":{"name":"T"},"price":{"name":"5"}}"#.to_owned(),
            hint("its members", "/"),
        ),
        (
            format!("{{\"data\":{{\"title\":\"T\",{sizes}}}}}"),
            hint("its members", "/"),
        ),
        // What has a title may be a product, and may be the whole shop.
        (
            format!("{{\"title\":\"T\",{sizes}}}"),
            hint("the members of \"sizes\"", "sizes"),
        ),
        (
            format!("{{{sizes},\"title\":\"T\"}}"),
            hint("the members of \"sizes\"", "sizes"),
        ),
        (
            r#"{"title":"One","names":{"en":"One","de":"Eins"}}"#.to_owned(),
            "there is nothing in column \"id\"".to_owned(),
        ),
    ] {
        let found = told("", "", Cursor::new(feed.clone()));
        assert_eq!(found, format!("1!  id: {expected}\n"), "{feed}");
    }
    // A product stays one, whatever objects it has.
    for (feed, expected) in [
        (
            r#"{"id":"a","title":"T","sizes":{"s":{"name":"S","price":1},"m":{"name":"M","price":2}}}"#,
            "1: a \"T\" sizes.m.name=\"M\" sizes.m.price=2 sizes.s.name=\"S\" sizes.s.price=1\n",
        ),
        (
            r#"{"sizes":{"s":{"name":"S","price":1},"m":{"name":"M","price":2}},"title":"T","id":"a"}"#,
            "1: a \"T\" sizes.m.name=\"M\" sizes.m.price=2 sizes.s.name=\"S\" sizes.s.price=1\n",
        ),
        (
            r#"{"facets":{"x":{"name":"X"},"y":{"name":"Y"}},"items":[{"id":"a","title":"T"}]}"#,
            "1: a \"T\"\nnote: products are read from the member items: --item PATH names another\n",
        ),
    ] {
        assert_eq!(told("", "", Cursor::new(feed)), expected, "{feed}");
    }
}

#[test]
fn several_objects_on_a_line_are_products_each() {
    for (feed, expected) in [
        (
            "{\"id\":\"a\"} {\"id\":\"b\"}\n{\"id\":\"c\"}\n",
            "1: a \"\"\n1: b \"\"\n2: c \"\"\n",
        ),
        (
            "{\"id\":\"a\"}\n{\"id\":\"b\"}{\"id\":\"c\"},{\"id\":\"d\"},\n",
            "1: a \"\"\n2: b \"\"\n2: c \"\"\n2: d \"\"\n",
        ),
        // What is no object in between leaves it open where the next one begins.
        (
            "{\"id\":\"a\"}\n{\"id\":\"b\"} x {\"id\":\"c\"}\n{\"id\":\"d\"}\n",
            "1: a \"\"\n2!  : no valid JSON: trailing characters (column 12)\n3: d \"\"\n",
        ),
    ] {
        assert_eq!(told("", "", Cursor::new(feed)), expected, "{feed}");
    }
}

#[test]
fn a_member_that_is_there_twice_is_told() {
    let twice = |member: &str| {
        format!("the member {member:?} is there twice with different values: one of them has to go")
    };
    for (feed, expected) in [
        (
            r#"{"id":"a","price":1,"price":2}"#,
            format!("1!  : {}\n", twice("price")),
        ),
        (
            r#"{"id":"a","title":"T","x":{"y":[{"z":1,"z":2}]}}"#,
            format!("1!  : {}\n", twice("x.y.z")),
        ),
        (
            r#"[{"id":"a","id":"b"},{"id":"c"}]"#,
            format!("1!  : {}\n1: c \"\"\n", twice("id")),
        ),
        // Twice the same is one.
        (
            r#"{"id":"a","brand":"X","brand":"X"}"#,
            "1: a \"\" brand=X\n".to_owned(),
        ),
        (
            r#"{"id":"a","n":"x:y","m":{"x":"{\"x\":1}"}}"#,
            "1: a \"\" m.x=\"{\\\"x\\\":1}\" n=\"x:y\"\n".to_owned(),
        ),
    ] {
        assert_eq!(told("", "", Cursor::new(feed)), expected, "{feed}");
    }
}

#[test]
fn an_empty_list_of_products_is_no_row() {
    for (feed, member) in [
        (r#"{"products":[]}"#, "products"),
        ("{\"total\":0,\"items\":[ ],\"page\":{\"n\":1}}\n", "items"),
        ("{\n\"data\":{\"products\":[\n]}\n}", "data/products"),
    ] {
        let expected = format!("note: the list {member} is empty: the feed has no product\n");
        let found = told("", "", Cursor::new(feed));
        assert_eq!(found.trim_start(), expected, "{feed}");
    }
    // An object with what a product has is one.
    for (feed, expected) in [
        (
            r#"{"id":"a","items":[]}"#,
            "1: a \"\" clears=attributes.items\n",
        ),
        (
            r#"{"title":"T","items":[]}"#,
            "1!  id: there is nothing in column \"id\"\n",
        ),
        (
            r#"{"sku":"a","tags":[]}"#,
            "1!  id: there is nothing in column \"id\"\n",
        ),
    ] {
        assert_eq!(told("", "", Cursor::new(feed)), expected, "{feed}");
    }
}
