//! Every format is read through the function that the importer uses.

mod bounds;
mod columns;
mod currencies;
mod forms;
mod fuzz;
mod google;
mod headers;
mod malformed;
mod notation;
mod shopify;
mod shown;
mod splits;
mod tables;
mod written;

use std::fmt::Write as _;
use std::io::{Cursor, Read, Write as _};

use clap::Parser;
use expect_test::{Expect, expect};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

pub(crate) use self::forms::sheet::ods;
use self::shown::show;
use super::*;

#[derive(clap::Parser)]
struct Args {
    #[command(flatten)]
    mapping: MappingArgs,
}

fn mapping(options: &str) -> Mapping {
    let args = std::iter::once("test").chain(options.split_whitespace());
    Mapping::new(Args::parse_from(args).mapping).expect("mapping")
}

fn check(options: &str, feed: impl AsRef<[u8]>, expected: Expect) {
    let feed = Cursor::new(feed.as_ref().to_vec());
    expected.assert_eq(&read(options, None, feed));
}

/// Shows one line a row: `line: fields` or `line! id field: reason`.
fn read(options: &str, format: Option<Format>, feed: impl Read + Send + 'static) -> String {
    let opened =
        Source::from_reader("feed", feed).and_then(|source| rows(source, format, mapping(options)));
    show_rows(opened)
}

fn show_rows(opened: Result<Rows, FeedError>) -> String {
    let rows = match opened {
        Ok(rows) => rows,
        Err(err) => return chain(&err),
    };
    read_rows(rows)
}

fn read_rows(rows: Rows) -> String {
    let mut text = String::new();
    for row in rows {
        let row = match row {
            Ok(row) => row,
            Err(err) => {
                let _ = writeln!(text, "{}", chain(&err));
                continue;
            }
        };
        let line = row.line;
        let _ = match &row.parsed {
            Ok(None) => writeln!(text, "{line}: left out"),
            Ok(Some(row)) => writeln!(text, "{line}: {}", show(row)),
            Err(Mistake { id, field, reason }) => writeln!(text, "{line}! {id} {field}: {reason}"),
        };
        for Mistake { id, field, reason } in &row.warnings {
            let _ = writeln!(text, "{line}~ {id} {field}: {reason}");
        }
    }
    text
}

fn chain(err: &FeedError) -> String {
    match std::error::Error::source(err) {
        Some(source) => format!("{err}: {source}"),
        None => err.to_string(),
    }
}

/// A reader that gives byte after byte.
struct Slow(Cursor<Vec<u8>>);

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let one = buffer.len().min(1);
        self.0.read(&mut buffer[..one])
    }
}

fn gzipped(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn json_lines_with_mapped_columns_and_typed_attributes() {
    check(
        "--map brand=supplier --map gtins=ean --map image_url=media.main --price-minor cents \
         --strip-prefix attr_t_ --strip-prefix attr_n_ --ignore noise",
        r#"{"id":"a","title":" Mouse ","supplier":"Acme","ean":["4006381333931",96385074],"cents":1999}

{"id":7,"title":"Cable","cents":"5","attr_t_size":"2 m","attr_n_size":2.0,"noise":{"x":[[]]},"in_stock":true}
{"id":"c","title":"Lamp","cents":5.0,"media":{"main":"http://x/c","thumb":""},"dims":{"W":3,"box":{"H":null}},"tags":["a",1,null,true],"none":[]}"#,
        expect![[r#"
            1: a "Mouse" 1999 minor brand=Acme gtins=["4006381333931", "96385074"]
            3: 7 "Cable" 5 minor in_stock=true size=2 size_2="2 m"
            4: c "Lamp" 5 minor image=http://x/c dims.w=3 tags=["a", 1, true] clears=attributes.dims.box.h,attributes.media.thumb,attributes.none
        "#]],
    );
}

#[test]
fn products_as_this_catalog_prints_them_are_read_back() {
    check(
        "",
        r#"{"id":"a","title":"T","price":19.99,"currency":"EUR","categories":["A","B"],"status":"discontinued","attributes":{"colour":"red","w":1.5}}"#,
        expect![[r#"
            1: a "T" discontinued 19.99 EUR categories=["A", "B"] colour="red" w=1.5
        "#]],
    );
}

#[test]
fn every_bad_row_is_named_and_the_others_go_on() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let mut feed = br#"{"id":"a","title":"T","price":"1.999"}
{"id":"b","title":"T","price":1
{"title":"T","price":1}
{"id":"a.b","title":"T","price":1}
{"id":"c","price":1}
{"id":"d","title":"T"}
{"id":"e","title":"T","price":1,"currency":"EURO"}
{"id":"f","title":"T","price":1,"status":"gone"}
{"id":"g","title":["T"],"price":1}
{"id":"h","title":"T","price":1,"variants":[{"x":1}]}
{"id":"i","title":"T","price":1e400}
{"id":"j","title":"\ud800","price":1}
[1]
7
"#
    .to_vec();
    feed.extend_from_slice(b"{\"id\":\"k\",\"title\":\"\xff\",\"price\":1}\n");
    feed.extend_from_slice(format!("{{\"id\":\"l\",\"deep\":{deep}}}\n").as_bytes());
    feed.extend_from_slice(format!("{{\"id\":\"{}\"}}\n", "x".repeat(ROW_BYTES_MAX)).as_bytes());
    feed.extend_from_slice(b"{\"id\":\"ok\",\"title\":\"T\",\"price\":0.29}");
    check(
        "",
        feed,
        expect![[r#"
            1! a price: "1.999" may be 1999 or 1.999: --decimal-comma or --decimal-point tells which
            2!  : no valid JSON: EOF while parsing an object (column 31)
            3!  id: there is nothing in column "id"
            4! a.b id: a product id is 1 to 64 characters of A-Z a-z 0-9 _ -, got "a.b"
            5: c "" 1
            6: d "T"
            7! e currency: "EURO" is not an ISO 4217 currency code such as USD
            8! f status: "gone" is neither active nor discontinued
            9! g title: expected a single value, found a list
            10! h attributes: column "variants" is a list of objects or lists: --map or --ignore it
            11!  : no valid JSON: number out of range (column 35)
            12!  : no valid JSON: unexpected end of hex escape (column 26)
            13!  : expected a JSON object, found an array
            14!  : expected a JSON object, found a single value
            15: k "ÿ" 1
            16!  : no valid JSON: recursion limit exceeded (column 144)
            17!  : the row is longer than 1048576 bytes
            18: ok "T" 0.29
        "#]],
    );
}

#[test]
fn a_feed_of_blank_lines_is_an_error() {
    let empty = "the feed is empty: it has nothing but blank lines\n";
    for (format, feed, expected) in [
        (None, "\n\n  \n", empty),
        (Some(Format::Jsonl), "\r\n", empty),
        (Some(Format::Json), " \n\n", empty),
        (Some(Format::Csv), "\n\n", "the feed is empty"),
        // An export of an empty catalog is one.
        (None, "", ""),
        (None, "[]", ""),
        (Some(Format::Json), "", ""),
        (None, "\n{\"id\":\"a\"}\n\n", "2: a \"\"\n"),
    ] {
        assert_eq!(read("", format, Cursor::new(feed)), expected, "{feed:?}");
    }
}

#[test]
fn crlf_and_a_byte_order_mark_are_no_content() {
    check(
        "",
        "\u{feff}{\"id\":\"a\",\"title\":\"T\",\"price\":1}\r\n\r\n{\"id\":\"b\",\"title\":\"T\",\"price\":2}\r\n",
        expect![[r#"
            1: a "T" 1
            3: b "T" 2
        "#]],
    );
    check(
        "",
        "\u{feff}id,title,price\r\na,T,1\r\nb,T,2\r\n",
        expect![[r#"
            2: a "T" 1
            3: b "T" 2
        "#]],
    );
}

#[test]
fn a_json_array_is_cut_into_its_elements() {
    check(
        "",
        r#"
[
  {"id":"a","title":"] , } \" [","price":1},
  {"id":"b",
   "title":"T","price":2,"n":{"m":[1,2]}}, 3,
  {"id":"c",}, {"id":"d","title":"T","price":4}
]
"#,
        expect![[r#"
            3: a "] , } \" [" 1
            4: b "T" 2 n.m=[1, 2]
            5!  : expected a JSON object, found a single value
            6!  : no valid JSON: trailing comma (column 11)
            6: d "T" 4
        "#]],
    );
    check("", "[]", expect![""]);
    check(
        "",
        "[ {\"id\":\"a\",\"title\":\"T\",\"price\":1}, ]",
        expect![[r#"
            1: a "T" 1
        "#]],
    );
}

#[test]
fn a_broken_json_array_ends_with_its_line() {
    let good = r#"{"id":"a","title":"T","price":1}"#;
    check(
        "",
        format!("[{good},\n{good}"),
        expect![[r#"
            1: a "T" 1
            line 2: the element that starts here is not closed
        "#]],
    );
    check(
        "",
        format!("[{good},\n{{\"id\":\n\"b\""),
        expect![[r#"
            1: a "T" 1
            line 2: the element that starts here is not closed
        "#]],
    );
    check(
        "",
        format!("[{good}]\n\n{good}"),
        expect![[r#"
            1: a "T" 1
            line 3: there is more text after the end of the array
        "#]],
    );
    let long = "x".repeat(ROW_BYTES_MAX);
    check(
        "",
        format!("[\"{long}\",\n{good}]"),
        expect![[r#"
            1!  : the row is longer than 1048576 bytes
            2: a "T" 1
        "#]],
    );
}

#[test]
fn csv_with_quotes_and_typed_values() {
    check(
        "--map brand=Marke --map gtins=EAN",
        "id, title ,price,Marke,EAN,Weight (g),bluetooth,art,categories\n\
         a,\"He said \"\"hi\"\",\nand left\",19.9,Acme,4006381333931;96385074,250,true,007,Home > Toys\n\
         b,T,1,,,,,,\n",
        expect![[r#"
            2: a "He said \"hi\", and left" 19.9 brand=Acme gtins=["4006381333931", "96385074"] categories=["Home", "Toys"] art="007" bluetooth=true weight_g=250
            4: b "T" 1 clears=brand,gtins,categories
        "#]],
    );
    check(
        "--keep-text",
        "id;title;price;weight\na;T, U;1;250\n",
        expect![[r#"
            2: a "T, U" 1 weight="250"
        "#]],
    );
    check(
        "",
        "id\ttitle\tprice\na\tT;U\t1\n",
        expect![[r#"
            2: a "T;U" 1
        "#]],
    );
}

#[test]
fn bad_rows_of_a_csv_are_named_and_the_others_go_on() {
    check(
        "",
        b"id,title,price\na,T\nb,\"x\ny\",1,2\n\nc,\xff,1\nd,T,free\ne,T,1\n",
        expect![[r#"
            2!  : 2 values, but the header has 3 columns
            3!  : 4 values, but the header has 3 columns, and its quotes take in the next line, 4: is one of them not closed?
            4! y" id: a product id is 1 to 64 characters of A-Z a-z 0-9 _ -, got "y\""
            6: c "ÿ" 1
            7! d price: "free" is not a price such as 19.99
            8: e "T" 1
        "#]],
    );
    let unclosed = format!(
        "id,title,price\na,T,1\nb,\"{}",
        "x".repeat(2 * ROW_BYTES_MAX)
    );
    check(
        "",
        unclosed,
        expect![[r#"
            2: a "T" 1
            3!  : the row is longer than 1048576 bytes
        "#]],
    );
}

#[test]
fn a_header_that_cannot_do_is_refused_at_once() {
    check(
        "",
        "sku,title,price\n",
        expect![[
            r#"the header has no column "id": use --map id=COLUMN; it has sku, title, price"#
        ]],
    );
    check(
        "--price-minor cents",
        "id,title,price\n",
        expect![[
            r#"the header has no column "cents" for the field price; it has id, title, price"#
        ]],
    );
    check(
        "",
        "id,title,price,a,a\n",
        expect![[r#"the header has the column "a" twice"#]],
    );
}

#[test]
fn a_gzipped_pipe_is_unpacked_and_a_broken_one_told() {
    let line = "{\"id\":\"a\",\"title\":\"T\",\"price\":1}\n";
    let two_members = [gzipped(line), gzipped(line)].concat();
    check(
        "",
        &two_members,
        expect![[r#"
            1: a "T" 1
            2: a "T" 1
        "#]],
    );
    let long: String = (0..2_000).map(|_| line).collect();
    let packed = gzipped(&long);
    let text = read("", None, Cursor::new(packed[..packed.len() - 9].to_vec()));
    expect!["cannot read on after line 1994: incomplete deflate stream"]
        .assert_eq(text.lines().last().unwrap());
    check(
        "",
        [0x28, 0xb5, 0x2f, 0xfd, 0, 0],
        expect![
            "feed: the zstd file is damaged, get it again: Failed to parse/decode block body: Error while reading the block header"
        ],
    );
}

#[test]
fn a_reader_that_gives_byte_after_byte_is_enough() {
    let feed = b"\n[{\"id\":\"a\",\"title\":\"T\",\"price\":1}]".to_vec();
    let text = read("", None, Slow(Cursor::new(feed)));
    assert_eq!(text, "2: a \"T\" 1\n");
}

#[test]
fn a_field_cannot_be_mapped_twice() {
    let args = Args::parse_from(["test", "--map", "title=a", "--map", "title=b"]);
    let err = Mapping::new(args.mapping).expect_err("twice");
    assert_eq!(err, "--map names title twice");
    for bad in ["colour=x", "title", "title=", "price=x"] {
        assert!(
            Args::try_parse_from(["test", "--map", bad]).is_err(),
            "{bad}"
        );
    }
}

#[test]
fn an_array_is_cut_into_the_elements_that_a_parser_finds() {
    let text = "[a-c{}\\[\\],:\"\\\\\n é]{0,12}";
    let leaf = prop_oneof![
        text.prop_map(Value::from),
        any::<i32>().prop_map(Value::from)
    ];
    let value = leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((text, inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    proptest!(|(values in vec(value, 0..8), pretty: bool)| {
        let array = Value::from(values.clone());
        let text = if pretty { format!("{array:#}") } else { array.to_string() };
        let source = Source::from_reader("feed", Cursor::new(text.into_bytes())).unwrap();
        let found = rows(source, Some(Format::Json), mapping("")).unwrap();
        prop_assert_eq!(found.filter(Result::is_ok).count(), values.len());
    });
}
