//! Options that name columns which a feed does not have.

use std::io::Cursor;

use super::forms::told;

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
