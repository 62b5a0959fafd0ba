//! Headers that are not where they are looked for, and what their errors and notes say to do.

use std::io::Cursor;

use super::forms::sheet::{ods, row, xlsx};
use super::forms::told;

/// The lines to skip that an error of a feed names; 0 where it names none.
fn skip_of(text: &str) -> u64 {
    let number = text.split_once("--skip ").map(|(_, rest)| rest);
    let number = number.and_then(|rest| rest.split(' ').next()?.parse().ok());
    number.unwrap_or(0)
}

/// Lines before a header, and how many there are.
const PREAMBLES: &[(&str, u64)] = &[
    ("Export vom 1.1.2026\n", 1),
    ("Export vom 1.1.2026;;;\n", 1),
    ("Report for shop X\n\n", 2),
    ("\n\nReport for shop X;;;\n;;;\n", 4),
    ("Report for shop X;;;\nDate:;1.1.2026;;\n", 2),
    ("Report;Shop X;1.1.2026;EUR\n", 1),
    ("Shop;X\nCurrency;EUR\nLines;2\n", 3),
    ("sep=;\nExport;;;\n", 2),
    ("A\nB\nC\nD\nE\n", 5),
];
/// Headers, each with two rows and the options for it.
const TABLES: &[(&str, &str)] = &[
    ("id;title;price;brand\na;One;1.5;X\nb;Two;2.5;Y\n", ""),
    (
        "Artikel-Nr.;Bezeichnung;Preis;Marke\na;One;1.5;X\nb;Two;2.5;Y\n",
        "--map id=Artikel-Nr. --map title=Bezeichnung --price Preis --map brand=Marke",
    ),
    (
        "Kod;Nimi;Hind;Bränd\na;One;1.5;X\nb;Two;2.5;Y\n",
        "--map id=Kod --map title=Nimi --price Hind --map brand=Bränd",
    ),
];

#[test]
fn lines_before_the_header_are_told_with_their_number() {
    for (preamble, lines) in PREAMBLES {
        for (table, options) in TABLES {
            let feed = format!("{preamble}{table}");
            let found = told("", options, Cursor::new(feed.clone()));
            let line = lines + 1;
            let expected = format!("line {line} looks like the header: --skip {lines} ");
            assert!(found.contains(&expected), "{feed}\n{found}");
            let skipped = format!("{options} --skip {lines}");
            let found = told("", &skipped, Cursor::new(feed.clone()));
            let row = format!("{}: a \"One\" 1.5 brand=X\n", lines + 2);
            assert!(found.starts_with(&row), "{feed}\n{found}");
        }
    }
}

#[test]
fn a_header_that_stands_first_is_not_taken_for_a_title() {
    for feed in [
        "Nr;Name;Preis\na;One;1.5\nb;Two;2.5\n",
        "Nr;Name;\na;One;rot\nb;Two;blau\n",
        "Nr;Name;;\na;One;rot;1.5\nb;Two;blau;2.5\n",
        "Nr;Baujahr 2024;Baujahr 2025\na;1;2\nb;3;4\n",
        "Nr\na\nb\n",
        "Nr;Name\na;One\nb;Two\n",
    ] {
        let found = told("", "", Cursor::new(feed));
        assert_eq!(skip_of(&found), 0, "{feed}\n{found}");
        assert!(
            found.starts_with("the header has no column \"id\""),
            "{found}"
        );
    }
}

#[test]
fn rows_before_the_header_of_a_spreadsheet_are_skipped_and_told() {
    let cells: [&[&str]; 4] = [
        &["Export vom 1.1.2026"],
        &["Shop:", "X"],
        &["id", "title", "price"],
        &["a", "One", "1.5"],
    ];
    // A row without content has a number all the same.
    let numbered = [1, 3, 4, 5].into_iter().zip(cells);
    let rows: String = numbered.map(|(number, cells)| row(number, cells)).collect();
    let feed = xlsx(&rows, "");
    let found = told("", "", Cursor::new(feed.clone()));
    assert!(
        found.contains("row 4 looks like the header: --skip 3 "),
        "{found}"
    );
    for skip in ["--skip 3", "--skip 2 --map id=id"] {
        let found = told("", skip, Cursor::new(feed.clone()));
        let expected = if skip.contains('3') {
            "5: a \"One\" 1.5\n"
        } else {
            "the header has no column \"id\""
        };
        assert!(found.starts_with(expected), "{skip} {found}");
    }
    let feed = ods(&[&["Export"], &["id", "title"], &["a", "One"]]);
    assert_eq!(
        told("", "--skip 1", Cursor::new(feed.clone())),
        "3: a \"One\"\n"
    );
    let found = told("", "--skip 9", Cursor::new(feed));
    assert_eq!(
        found,
        "feed: a spreadsheet without content behind 9 rows: --skip fewer"
    );
}

#[test]
fn another_sheet_with_the_products_is_named() {
    let info = [row(1, &["About", "Contact"]), row(2, &["x", "y"])].concat();
    let products = [row(1, &["id", "title"]), row(2, &["a", "One"])].concat();
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("feed.xlsx");
    std::fs::write(&file, xlsx(&info, &products)).expect("file");
    let read = |options: &str| {
        let form = super::forms::form(options);
        let source = crate::feed::Source::open_as(&file, &form);
        super::show_rows(
            source.and_then(|source| crate::feed::rows(source, None, super::mapping(""))),
        )
    };
    assert_eq!(
        read(""),
        "the header has no column \"id\": use --map id=COLUMN; it has About, Contact; the sheet \"Old\" has it: \
         --sheet Old reads it (there are Products, Old)"
    );
    assert_eq!(read("--sheet Old"), "2: a \"One\"\n");
}

#[test]
fn a_column_without_a_name_is_told_where_it_has_a_value() {
    let note = "note: column 2 has no name in the header and is left out, with \"x\" in line 3\n";
    let feed = "id,,title,\na,,T,\nb,x,U,\nc,y,V,\n";
    let expected = format!("2: a \"T\"\n3: b \"U\"\n4: c \"V\"\n{note}");
    assert_eq!(told("", "", Cursor::new(feed)), expected);
    let feed = "id,title,\na,T,\n";
    assert_eq!(told("", "", Cursor::new(feed)), "2: a \"T\"\n");
}

#[test]
fn another_separator_is_told() {
    for sign in ["^", "~", ":", "#", "\x1f", "!"] {
        let feed = "id^title^price\na^T^1\n".replace('^', sign);
        let found = told("", "", Cursor::new(feed));
        let shown = match sign {
            "\x1f" => "$'\\x1f'".to_owned(),
            sign => format!("'{sign}'"),
        };
        let hint = format!("--delimiter {shown} cuts it into 3 columns");
        assert!(found.contains(&hint), "{found}");
    }
    // A comma in a name is no separator of the others.
    let feed = "nr^title, long^price\na^T^1\nb^U, V^2\n";
    let found = told("", "", Cursor::new(feed));
    assert!(
        found.contains("--delimiter '^' cuts it into 3 columns"),
        "{found}"
    );
    let feed = "nr;title;price;size: a\nb;U;2;3\n";
    let found = told("", "", Cursor::new(feed));
    assert!(!found.contains("--delimiter"), "{found}");
}

#[test]
fn a_text_in_utf_32_is_told() {
    let little = "id,title\na,T\n"
        .chars()
        .flat_map(|c| u32::from(c).to_le_bytes());
    let little: Vec<u8> = little.collect();
    let big = "id,title\na,T\n"
        .chars()
        .flat_map(|c| u32::from(c).to_be_bytes());
    let big: Vec<u8> = big.collect();
    let marked = [&[0xff, 0xfe, 0, 0], &little[..]].concat();
    let marked_big = [&[0, 0, 0xfe, 0xff], &big[..]].concat();
    for feed in [little, big, marked, marked_big] {
        assert_eq!(
            told("", "", Cursor::new(feed)),
            "feed: a text in UTF-32, which is not read: save it as UTF-8"
        );
    }
}
