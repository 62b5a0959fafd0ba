//! The names of columns: those that options name, those of GTINs, and what attributes are called.

use std::io::Cursor;

use expect_test::expect;

use super::forms::{Table, check_table, told};

/// Two products in every form that has no header.
const FEEDS: [&str; 3] = [
    "{\"id\":\"a\",\"title\":\"T\",\"vendor\":\"V\"}\n{\"id\":\"b\",\"maker\":{\"name\":\"N\"},\"new\":null}\n",
    "[{\"id\":\"a\",\"title\":\"T\",\"vendor\":\"V\"},{\"id\":\"b\",\"maker\":{\"name\":\"N\"},\"new\":null}]",
    "<f><i><id>a</id><title>T</title><vendor>V</vendor></i><i><id>b</id><maker><name>N</name></maker><new/></i></f>",
];

#[test]
fn a_column_that_no_product_has_is_told_at_the_end() {
    let none = |column: &str, option: &str, hint: &str| {
        format!("no product of the feed has the column {column:?} that {option} names: {hint}")
    };
    let listed = "there are id, maker, maker.name, new, title, vendor";
    for (options, expected) in [
        (
            "--map brand=vndor",
            vec![none("vndor", "--map brand", "did you mean \"vendor\"?")],
        ),
        (
            "--map title=Title",
            vec![none("Title", "--map title", "did you mean \"title\"?")],
        ),
        (
            "--map brand=maker.nmae",
            vec![none(
                "maker.nmae",
                "--map brand",
                "did you mean \"maker.name\"?",
            )],
        ),
        (
            "--map sku=nonexistent",
            vec![none("nonexistent", "--map sku", listed)],
        ),
        ("--price cost", vec![none("cost", "--price", listed)]),
        (
            "--price-minor cost",
            vec![none("cost", "--price-minor", listed)],
        ),
        (
            "--split colours=|",
            vec![none("colours", "--split", listed)],
        ),
        (
            "--flag nwe",
            vec![none("nwe", "--flag", "did you mean \"new\"?")],
        ),
        (
            "--expect-version revision",
            vec![none("revision", "--expect-version", listed)],
        ),
        (
            "--map sku=x1 --map gtins=x2",
            vec![
                none("x1", "--map sku", listed),
                none("x2", "--map gtins", listed),
            ],
        ),
        // One product that has it is enough, with whatever in it.
        ("--map brand=maker.name --map sku=vendor --flag new", vec![]),
        ("--ignore nonexistent", vec![]),
    ] {
        for feed in FEEDS {
            let text = told("", options, Cursor::new(feed));
            let notes = text.lines().filter_map(|line| line.strip_prefix("note: "));
            let found: Vec<&str> = notes.filter(|note| !note.starts_with("products")).collect();
            assert_eq!(found, expected, "{options} {feed}");
            assert!(text.contains(": b "), "the products are read: {text}");
        }
    }
}

#[test]
fn a_column_among_the_attributes_of_the_catalog_is_one() {
    let feed = "{\"id\":\"a\",\"attributes\":{\"colours\":\"x|y\"}}\n";
    assert_eq!(
        told("", "--split colours=|", Cursor::new(feed)),
        "1: a \"\" colours=[\"x\", \"y\"]\n"
    );
    // Without a product, nothing is known of columns.
    assert_eq!(told("", "--map sku=x", Cursor::new("[]")), "");
}

#[test]
fn the_digits_of_gtins_are_no_numbers() {
    check_table(
        "",
        Table(&[
            &["id", "ean", "Barcode", "codes.upc", "isbn13", "size"],
            &[
                "a",
                "4006381333931",
                "96385074",
                "36000291452",
                "9783161484100",
                "12",
            ],
            &["b", "", "12.5", "x", "1", "13"],
        ]),
        expect![[r#"
            2: a "" barcode="96385074" codes.upc="36000291452" ean="4006381333931" isbn13="9783161484100" size=12
            3: b "" barcode="12.5" codes.upc="x" isbn13="1" size=13
        "#]],
    );
    check_table(
        "--number ean",
        Table(&[&["id", "ean"], &["a", "4006381333931"]]),
        expect![[r#"
            2: a "" ean=4006381333931
        "#]],
    );
    for (feed, expected) in [
        (
            "<f><i><id>a</id><ean>4006381333931</ean><codes><upc>36000291452</upc></codes><n>5</n></i></f>",
            "codes.upc=\"36000291452\" ean=\"4006381333931\" n=5",
        ),
        (
            "<f><i ean='4006381333931'><id>a</id><gtin>96385074</gtin><gtin>96385075</gtin></i></f>",
            "ean=\"4006381333931\" gtin=[\"96385074\", \"96385075\"]",
        ),
        (
            "{\"id\":\"a\",\"ean\":4006381333931,\"upc\":36000291452.0,\"n\":5}",
            "ean=\"4006381333931\" n=5 upc=\"36000291452\"",
        ),
        (
            "{\"id\":\"a\",\"isbn\":[9783161484100,\"x\"],\"ean\":null}",
            "isbn=[\"9783161484100\", \"x\"] clears=attributes.ean",
        ),
        // What the catalog exported is what it was.
        (
            "{\"id\":\"a\",\"attributes\":{\"ean\":96385074}}",
            "ean=96385074",
        ),
    ] {
        let text = told("--item i", "", Cursor::new(feed));
        let text = if feed.starts_with('{') {
            told("", "", Cursor::new(feed))
        } else {
            text
        };
        assert_eq!(
            text.lines().next(),
            Some(&*format!("1: a \"\" {expected}")),
            "{feed}"
        );
    }
}

#[test]
fn an_attribute_has_one_name_in_every_encoding() {
    let feeds = [
        "id,größe\na,S\n".to_owned(),
        "id,gro\u{308}ße\na,S\n".to_owned(),
        "{\"id\":\"a\",\"größe\":\"S\"}".to_owned(),
        "{\"id\":\"a\",\"gro\u{308}ße\":\"S\"}".to_owned(),
        "<f><i><id>a</id><größe>S</größe></i></f>".to_owned(),
        "<f><i><id>a</id><gro\u{308}ße>S</gro\u{308}ße></i></f>".to_owned(),
    ];
    for feed in feeds {
        let form = if feed.starts_with('<') {
            "--item i"
        } else {
            ""
        };
        let text = told(form, "", Cursor::new(feed));
        assert!(text.contains(": a \"\" größe=\"S\"\n"), "{text}");
    }
}

#[test]
fn a_column_that_looks_like_what_new_products_need_is_a_hint() {
    let title = |option: &str, column: &str| {
        format!(
            "note: nothing fills the title, which new products need: {option} takes it from the column {column:?}\n"
        )
    };
    let price = |option: &str, column: &str| {
        format!(
            "note: nothing fills the price, which new products need: {option} takes it from the column {column:?}\n"
        )
    };
    let by_name = title("--map title=name", "name");
    for (options, feed, expected) in [
        ("", "id,name,price\na,T,1\n", by_name.clone()),
        (
            "",
            "{\"id\":\"a\",\"name\":\"T\",\"price\":1}\n",
            by_name.clone(),
        ),
        ("", "[{\"id\":\"a\",\"name\":\"T\",\"price\":1}]", by_name),
        (
            "",
            "id;Product Name;Preis\na;T;1\n",
            title("--map title=\"Product Name\"", "Product Name")
                + &price("--price Preis", "Preis"),
        ),
        (
            "",
            "{\"id\":\"a\",\"product\":{\"name\":\"T\"},\"price\":1}\n",
            title("--map title=product.name", "product.name"),
        ),
        ("--price Preis", "id,title,Preis\na,T,1\n", String::new()),
        ("--map title=name", "id,name,price\na,T,1\n", String::new()),
        ("--map sku=name", "id,name,price\na,T,1\n", String::new()),
        (
            "--ignore name",
            "{\"id\":\"a\",\"name\":\"T\",\"price\":1}\n",
            String::new(),
        ),
        // One product that has it is enough.
        (
            "",
            "{\"id\":\"a\",\"name\":\"T\",\"price\":1}\n{\"id\":\"b\",\"title\":\"T\"}\n",
            String::new(),
        ),
        ("", "id,stock\na,1\n", String::new()),
    ] {
        let text = told("", options, Cursor::new(feed));
        let notes = text.lines().filter(|line| line.starts_with("note: "));
        let found: String = notes.map(|note| format!("{note}\n")).collect();
        assert_eq!(found, expected, "{options} {feed}");
    }
}
