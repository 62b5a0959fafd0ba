//! Feeds of different shops, and what is proposed for them.

mod feeds;

use std::path::Path;

use clap::Parser;
use expect_test::expect;

use super::*;

#[derive(Debug, Parser)]
struct Args {
    #[command(flatten)]
    form: FormArgs,
    #[command(flatten)]
    mapping: MappingArgs,
}

/// Looks at a feed in a file of this name, with options.
fn look(name: &str, options: &str, feed: &[u8]) -> Suggestion {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join(name);
    std::fs::write(&file, feed).expect("file");
    look_at(&file, options)
}

fn look_at(file: &Path, options: &str) -> Suggestion {
    let args = std::iter::once("test").chain(options.split_whitespace());
    let args = Args::parse_from(args);
    let found = suggest(file, &args.form, &args.mapping).expect("a suggestion");
    // The options are those of the tool, and say the same again.
    let words = std::iter::once("test".to_owned()).chain(found.options.iter().cloned());
    let again = Args::try_parse_from(words).expect("options");
    assert_eq!(command::options(&again.form, &again.mapping), found.options);
    found
}

/// What is told of a feed, without the table of its columns.
fn told(found: &Suggestion) -> String {
    let Trial {
        rows,
        products,
        rejected,
        warnings,
        ..
    } = found.trial;
    let mut text = format!("{}\n", found.form);
    for (kind, lines) in [
        ("note", &found.remarks),
        ("to do", &found.missing),
        ("problem", &found.trial.problems),
    ] {
        for line in lines {
            text.push_str(&format!("{kind}: {line}\n"));
        }
    }
    text.push_str(&format!(
        "{products} of {rows}, {rejected} rejected, {warnings} warnings\n"
    ));
    text.push_str(&format!("{}\n", command::quoted(&found.options)));
    text
}

#[test]
fn every_column_is_told_with_what_it_becomes_and_why() {
    let feed = "SKU;Produktname;Marke;Preis;Farben;Neu;leer;!\nA-1;Lampe;Fjell;49,90;rot|blau;ja;;x\nA-2;Tisch;Acme;1.299,00;rot;nein;;y\n";
    let found = look("a.csv", "", feed.as_bytes());
    let lines = found.columns.iter().map(|column| {
        let ColumnUse {
            column,
            becomes,
            confidence,
            why,
            examples,
        } = column;
        format!(
            "{column}: {becomes} ({confidence}: {why}) {}\n",
            examples.join(" · ")
        )
    });
    expect![[r#"
        SKU: id, sku (sure: its name, and every row has another one) A-1 · A-2
        Produktname: title (sure: its name) Lampe · Tisch
        Marke: brand (sure: its name) Fjell · Acme
        Preis: price (sure: its name, and values that are prices) 49,90 · 1.299,00
        Farben: list attribute farben (: several values in a text) rot|blau · rot
        Neu: flag attribute neu (: words for yes and no) ja · nein
        leer: nothing (: it is empty in these rows) 
        !: left out (: its name has no letter or digit) x · y
    "#]]
    .assert_eq(&lines.collect::<String>());
}

#[test]
fn titles_before_the_header_and_encodings_are_seen() {
    let feed = "Preisliste\n\nArtikel-Nr.;Bezeichnung;Preis (EUR);Gr\u{f6}\u{df}e\na1;S\u{e4}ge;49,90;1,5\na2;Bohrer;5,00;2,25\n";
    let bytes: Vec<u8> = feed.chars().map(|c| c as u8).collect();
    expect![[r#"
        CSV, windows-1252, cells separated by ;
        note: the text is no UTF-8 and is taken as windows-1252, in which it has "Größe": --encoding UTF-8 or another says otherwise
        note: prices have a decimal comma, such as "49,90"
        note: "Größe" has numbers with a decimal comma
        note: the name of "Preis (EUR)" says that they are in EUR
        2 of 2, 0 rejected, 0 warnings
        --skip 2 --map id=Artikel-Nr. --map sku=Artikel-Nr. --map title=Bezeichnung --price 'Preis (EUR)' --currency EUR --decimal-comma
    "#]].assert_eq(&told(&look("a.csv", "", &bytes)));
}

#[test]
fn objects_of_json_are_taken_apart() {
    let feed = r#"{"products":[
        {"sku":"A-1","name":{"en":"Lamp"},"price":{"amount":"19.99","currency":"EUR"},"brand":{"name":"Fjell"},
         "images":["http://a/1.jpg"],"variants":[{"a":1}],"in_stock":"yes","status":"in stock","tags":"x|y"},
        {"sku":"A-2","name":{"en":"Desk"},"price":{"amount":"119.99","currency":"EUR"},"brand":{"name":"Acme"},
         "images":[],"variants":[],"in_stock":"no","status":"sold out","tags":"x"}]}"#;
    expect![[r#"
        JSON, UTF-8
        note: products are read from the member products: --item PATH names another
        note: prices have a decimal point, such as "19.99"
        note: "images" has not one address of http or https in a value, which an image needs
        2 of 2, 0 rejected, 0 warnings
        --map id=sku --map title=name.en --map currency=price.currency --map brand=brand.name --price price.amount --ignore status --ignore variants --flag in_stock --split 'tags=|'
    "#]].assert_eq(&told(&look("a.json", "", feed.as_bytes())));
    let feed = r#"<shop><product sku="A"><nom>Lampe</nom><prix devise="EUR">1 299,90</prix><marque>Fjell</marque></product>
        <product sku="B"><nom>Table</nom><prix devise="EUR">49,90</prix><marque>Acme</marque></product></shop>"#;
    expect![[r#"
        XML, UTF-8
        note: products are read from the element shop/product: --item PATH names another
        note: prices have a decimal comma, such as "1 299,90"
        2 of 2, 0 rejected, 0 warnings
        --map id=@sku --map sku=@sku --map title=nom --map currency=prix.@devise --map brand=marque --price prix --decimal-comma
    "#]].assert_eq(&told(&look("a.xml", "", feed.as_bytes())));
}

#[test]
fn kinds_of_feeds_that_are_not_found_by_an_import_are_proposed() {
    let feed = r#"{"id":1,"title":"T","supplier":"Fjell","price":4995,"ean":"4006381333931","attr_t_colour":"red","img_high":"http://x/a.jpg"}"#;
    expect![[r#"
        JSON, UTF-8
        note: the feed is one of Icecat: supplier, ean and others fill the fields that no --map names
        note: nothing tells the currency of all prices: new products get that of the catalog, USD unless set; --currency EUR says another one
        1 of 1, 0 rejected, 0 warnings
        --preset icecat
    "#]].assert_eq(&told(&look("a.jsonl", "", feed.as_bytes())));
    let feed = r#"[{"@type":"Product","sku":"a","name":"T","offers":{"price":"5.00","priceCurrency":"EUR"},"brand":{"name":"Fjell"}}]"#;
    expect![[r#"
        JSON, UTF-8
        note: the feed is one of schema.org: sku, offers.price and others fill the fields that no --map names
        note: prices have a decimal point, such as "5.00"
        1 of 1, 0 rejected, 0 warnings
        --preset schema-org
    "#]].assert_eq(&told(&look("a.json", "", feed.as_bytes())));
}

#[test]
fn what_is_missing_is_told_with_what_to_do() {
    let feed = "Colour,Size\nred,1\nred,2\n";
    expect![[r#"
        CSV, UTF-8, cells separated by ,
        to do: no column has ids: name one with --map id=COLUMN; the catalog knows a product by it, so that it must be another one in every row and stay the same in the next feed
        to do: no column has titles, which new products need: name one with --map title=COLUMN
        to do: no column has prices, which new products need: name one with --price COLUMN or --price-minor COLUMN
        problem: the header has no column "id": use --map id=COLUMN; it has Colour, Size
        0 of 0, 0 rejected, 0 warnings

    "#]].assert_eq(&told(&look("a.csv", "", feed.as_bytes())));
    let feed = "sku,name,price,status\nA/1,Lamp,free,in stock\nA/2,Desk,free,sold out\n";
    expect![[r#"
        CSV, UTF-8, cells separated by ,
        to do: "sku" has ids that cannot be imported, such as "A/1": an id has 1 to 64 letters, digits, - and _
        to do: no column has prices, which new products need: name one with --price COLUMN or --price-minor COLUMN
        problem: line 2, A/1, id: a product id is 1 to 64 characters of A-Z a-z 0-9 _ -, got "A/1"
        problem: line 3, A/2, id: a product id is 1 to 64 characters of A-Z a-z 0-9 _ -, got "A/2"
        0 of 2, 2 rejected, 0 warnings
        --map id=sku --map title=name --ignore price --ignore status
    "#]].assert_eq(&told(&look("a.csv", "", feed.as_bytes())));
    let feed = "id,name,title 2,price\na,Lamp,Fjell lamp,\"1,5\"\na,Desk,Desk,2.5\n";
    expect![[r#"
        CSV, UTF-8, cells separated by ,
        note: nothing tells the currency of all prices: new products get that of the catalog, USD unless set; --currency EUR says another one
        note: title could be "title 2" too, and is taken from "name"
        to do: prices have decimal commas and points: mend the feed, or say what is right with --decimal-comma or --decimal-point
        2 of 2, 0 rejected, 0 warnings
        --map title=name
    "#]].assert_eq(&told(&look("a.csv", "", feed.as_bytes())));
}

#[test]
fn an_export_of_shopify_and_one_of_the_catalog_need_no_options() {
    let feed = "Handle,Title,Option1 Name,Option1 Value,Variant Price,Image Src\ntee,Tee,Size,M,5.00,\ntee,,,L,6.00,\ntee,,,,,http://i/1.jpg\n";
    let found = look("a.csv", "", feed.as_bytes());
    assert_eq!((found.trial.products, found.trial.left_out), (2, 1));
    assert!(found.options.is_empty(), "{:?}", found.options);
    let feed = "id,title,price,currency,categories,attributes.size:number,attributes.colours:json\na,T,5.00,EUR,A > B,3,\"[\"\"x\"\"]\"\n";
    let found = look("a.csv", "", feed.as_bytes());
    assert_eq!((found.trial.products, found.options.len()), (1, 0));
}

#[test]
fn what_options_say_stays() {
    let feed = "Nr;Name;Alt;Preis\na;x;A lamp;1,50\nb;x;A desk;2,50\n";
    expect![[r#"
        CSV, UTF-8, cells separated by ;
        note: prices have a decimal comma, such as "1,50"
        note: nothing tells the currency of all prices: new products get that of the catalog, USD unless set; --currency EUR says another one
        2 of 2, 0 rejected, 0 warnings
        --map title=Alt --map id=Nr --price Preis --ignore Name --keep-text
    "#]].assert_eq(&told(&look(
        "a.csv",
        "--map title=Alt --ignore Name --keep-text",
        feed.as_bytes(),
    )));
}

#[test]
fn a_command_is_quoted_for_a_shell() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("it's $HOME.csv");
    std::fs::write(&file, "Code 'x';Name;-p\na;T;1.50\nb;U;2.50\n").expect("file");
    let found = look_at(&file, "--map id=Code --price=-p");
    let shell = std::process::Command::new("sh")
        .args([
            "-c",
            &format!(
                "catalogctl() {{ printf '%s\\n' \"$@\"; }}; {}",
                found.command
            ),
        ])
        .output()
        .expect("a shell");
    let words = String::from_utf8_lossy(&shell.stdout).into_owned();
    let expected = ["import".to_owned(), file.display().to_string()];
    let expected = expected
        .into_iter()
        .chain(found.options)
        .collect::<Vec<_>>();
    assert_eq!(words.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn titles_in_several_cells_before_the_header_are_seen() {
    let table = "Artikel;Bezeichnung;Preis\na1;Lampe;49,90\na2;Tisch;5,00\n";
    for (titles, lines) in [
        ("Export vom 1.1.2026;;\n", 1),
        ("Export vom 1.1.2026;;\n;;\nShop:;X;\n", 3),
        ("Report;1.1.2026;EUR\n", 1),
        ("Export vom 1.1.2026\n", 1),
    ] {
        let found = look("a.csv", "", format!("{titles}{table}").as_bytes());
        let expected =
            format!("--skip {lines} --map id=Artikel --map title=Bezeichnung --price Preis");
        assert_eq!(command::quoted(&found.options), expected, "{titles}");
        assert_eq!((found.trial.products, found.trial.rejected), (2, 0));
    }
}

#[test]
fn titles_before_the_header_of_a_spreadsheet_are_seen() {
    let rows: [&[&str]; 4] = [
        &["Export vom 1.1.2026"],
        &["Artikel", "Bezeichnung", "Preis"],
        &["a1", "Lampe", "49.9"],
        &["a2", "Tisch", "5"],
    ];
    let found = look("a.ods", "", &crate::feed::tests::ods(&rows));
    let options = command::quoted(&found.options);
    assert!(
        options.starts_with("--skip 1 --map id=Artikel --map title=Bezeichnung --price Preis"),
        "{options}"
    );
    assert_eq!((found.trial.products, found.trial.rejected), (2, 0));
}

#[test]
fn gtins_with_blanks_are_known() {
    let feed = "id;title;price;ean\na;Lamp;1.5;4 006381 333931\nb;Desk;2.5;5 901234 123457\n";
    let found = look("a.csv", "--currency EUR", feed.as_bytes());
    assert_eq!(
        command::quoted(&found.options),
        "--map gtins=ean --currency EUR"
    );
}
