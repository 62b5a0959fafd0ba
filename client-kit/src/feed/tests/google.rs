//! Feeds for Google as XML, as tables and as JSON: all are read the same.

use std::io::Cursor;

use expect_test::expect;

use super::forms::{Table, check_table, told};

const XML: &str = r#"<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>
<item><g:id>a</g:id><g:title>Lamp</g:title><g:description>Warm</g:description><g:link>http://x/a</g:link><g:image_link>http://x/a.jpg</g:image_link><g:availability>in stock</g:availability><g:price>59.00 EUR</g:price><g:brand>Zef</g:brand><g:gtin>4006381333931</g:gtin><g:mpn>Z-2</g:mpn><g:google_product_category>212</g:google_product_category><g:product_type>Home &gt; Lamps</g:product_type></item>
</channel></rss>"#;
const HEADER: [&str; 12] = [
    "id",
    "title",
    "description",
    "link",
    "image_link",
    "availability",
    "price",
    "brand",
    "gtin",
    "mpn",
    "google_product_category",
    "product_type",
];
const ROW: [&str; 12] = [
    "a",
    "Lamp",
    "Warm",
    "http://x/a",
    "http://x/a.jpg",
    "in stock",
    "59.00 EUR",
    "Zef",
    "4006381333931",
    "Z-2",
    "212",
    "Home > Lamps",
];

fn read_as(options: &str, feed: String) -> (String, Vec<String>) {
    let text = told("", options, Cursor::new(feed));
    let (notes, rows): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.starts_with("note: "));
    let rows = rows.iter().filter_map(|row| row.split_once(": "));
    let rows: Vec<&str> = rows.map(|(_, row)| row).collect();
    let notes = notes.iter().filter(|note| note.contains("Google"));
    (
        rows.join("\n"),
        notes.map(|note| (*note).to_owned()).collect(),
    )
}

fn table(header: &[String], separator: &str) -> String {
    format!("{}\n{}\n", header.join(separator), ROW.join(separator))
}

#[test]
fn a_table_for_google_is_read_like_the_xml() {
    let (expected, _) = read_as("", XML.to_owned());
    expect![[r#"a "Lamp" 59.00 EUR description=Warm image=http://x/a.jpg brand=Zef sku=Z-2 gtins=["4006381333931"] categories=["Home", "Lamps"] availability="in stock" google_product_category=212 link="http://x/a""#]]
        .assert_eq(&expected);
    let plain = HEADER.map(str::to_owned);
    let headers = [
        (plain.clone(), "image_link, gtin, product_type"),
        (
            plain.clone().map(|name| name.replace('_', " ")),
            "image_link, gtin, product_type",
        ),
        (
            plain.clone().map(|name| format!("g:{name}")),
            "g:id, g:price, g:gtin",
        ),
        (
            plain.clone().map(|name| format!("G:{name}")),
            "g:id, g:price, g:gtin",
        ),
        (
            plain.map(|name| match &*name {
                "id" | "title" | "description" | "link" => name,
                _ => format!("g:{name}"),
            }),
            "g:id, g:price, g:gtin",
        ),
    ];
    for (header, columns) in headers {
        for separator in ["\t", ";", "|"] {
            let (found, notes) = read_as("", table(&header, separator));
            assert_eq!(found, expected, "{header:?}");
            let note = format!(
                "note: the feed is one of Google: {columns} and others fill the fields that no --map names"
            );
            assert_eq!(notes, [note], "{header:?}");
        }
    }
}

#[test]
fn a_price_for_google_may_have_its_currency_beside_it() {
    let (found, _) = read_as(
        "",
        XML.replace("<g:price>59.00 EUR", "<g:price currency='GBP'>59.00"),
    );
    assert!(
        found.starts_with("a \"Lamp\" 59.00 GBP description"),
        "{found}"
    );
}

#[test]
fn the_columns_of_google_are_known_in_part_too() {
    check_table(
        "",
        Table(&[
            &["id", "title", "g:price", "g:gtin"],
            &["a", "Lamp", "59.00 EUR", "4006381333931"],
        ]),
        expect![[r#"
            2: a "Lamp" 59.00 EUR gtins=["4006381333931"]
            note: the feed is one of Google: g:id, g:price, g:gtin and others fill the fields that no --map names
        "#]],
    );
    // What the user says goes before, and so does a column of the field's own name.
    check_table(
        "--map sku=g:id --map categories=kind --ignore g:mpn",
        Table(&[
            &[
                "id",
                "g:id",
                "g:title",
                "title",
                "g:mpn",
                "kind",
                "g:product_type",
                "g:colour",
            ],
            &["a", "X-1", "Other", "Lamp", "Z-2", "Home", "Lamps", "red"],
        ]),
        expect![[r#"
            2: a "Lamp" sku=X-1 categories=["Home"] colour="red" g_title="Other" product_type="Lamps"
            note: the feed is one of Google: g:id, g:price, g:gtin and others fill the fields that no --map names
        "#]],
    );
    check_table(
        "--price price --map title=title",
        Table(&[
            &["id", "title", "price", "g:title", "g:price"],
            &["a", "T", "5", "Other", "6"],
        ]),
        expect![[r#"
            2: a "T" 5 g_price=6 g_title="Other"
            note: the feed is one of Google: g:id, g:price, g:gtin and others fill the fields that no --map names
        "#]],
    );
    check_table(
        "--map image_url=image_link --map gtins=gtin --map sku=mpn --map categories=product_type",
        Table(&[&HEADER, &ROW]),
        expect![[r#"
            2: a "Lamp" 59.00 EUR description=Warm image=http://x/a.jpg brand=Zef sku=Z-2 gtins=["4006381333931"] categories=["Home", "Lamps"] availability="in stock" google_product_category=212 link="http://x/a"
        "#]],
    );
}

#[test]
fn another_table_stays_what_it_is() {
    check_table(
        "",
        Table(&[
            &["id", "title", "mpn", "product_type", "availability"],
            &["a", "Lamp", "Z-2", "Lamps", "yes"],
        ]),
        expect![[r#"
            2: a "Lamp" availability="yes" mpn="Z-2" product_type="Lamps"
        "#]],
    );
    check_table(
        "",
        Table(&[&["id", "g:force"], &["a", "9.81"]]),
        expect![[r#"
            2: a "" g_force=9.81
        "#]],
    );
}

#[test]
fn a_chosen_preset_takes_what_the_header_has() {
    let feed = "id,title,image_url,gtin,product_type\na,Lamp,http://x/a,4006381333931,Lamps\n";
    assert_eq!(
        told("--preset google", "", Cursor::new(feed)),
        "2: a \"Lamp\" image=http://x/a gtins=[\"4006381333931\"] categories=[\"Lamps\"]\n"
    );
}

#[test]
fn objects_made_of_the_xml_are_found_by_their_ids() {
    for feed in [
        "{\"g:id\":\"a\",\"g:title\":\"T\",\"g:price\":\"5.00 EUR\",\"g:gtin\":\"4006381333931\",\"g:colour\":\"red\"}\n",
        "[{\"g:id\":\"a\",\"title\":\"T\",\"g:price\":\"5.00 EUR\",\"g:gtin\":\"4006381333931\",\"g:colour\":\"red\"}]",
    ] {
        let (found, notes) = read_as("", feed.to_owned());
        assert_eq!(
            found,
            "a \"T\" 5.00 EUR gtins=[\"4006381333931\"] colour=\"red\""
        );
        assert_eq!(notes.len(), 1, "{notes:?}");
    }
    let (found, notes) = read_as(
        "--map id=g:id",
        "{\"g:id\":\"a\",\"g:colour\":\"red\"}\n".to_owned(),
    );
    assert_eq!((&*found, notes.len()), ("a \"\" g_colour=\"red\"", 0));
}
