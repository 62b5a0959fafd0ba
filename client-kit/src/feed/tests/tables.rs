//! Tables as spreadsheets and suppliers write them. A file is looked through before it is read.

use std::io::Cursor;

use expect_test::{Expect, expect};

use super::forms::{Table, check_table, told};
use super::{check, mapping, read_rows};
use crate::feed::{ROW_BYTES_MAX, Source, rows};

/// Reads a feed from a file, and shows its notes before its rows.
fn check_file(options: &str, feed: &str, expected: Expect) {
    expected.assert_eq(&read_file(options, feed));
}

pub(super) fn read_file(options: &str, feed: &str) -> String {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("feed.csv");
    std::fs::write(&file, feed).expect("file");
    let source = Source::open(&file).expect("opened");
    let notes = source.notes();
    let found = rows(source, None, mapping(options)).expect("rows");
    let mut text: String = notes
        .take()
        .iter()
        .map(|note| format!("{note}\n"))
        .collect();
    text.push_str(&read_rows(found));
    text
}

#[test]
fn a_column_with_codes_is_text_in_all_rows() {
    check_file(
        "",
        "id,os,weight,batch,size\na,4.1,1.5,7,10\nb,4.10,2,007,\nc,5,,12,n/a\n",
        expect![[r#"
            column "os" stays text, as "4.10" in line 3 is a code: --number os makes numbers of it
            column "batch" stays text, as "007" in line 3 is a code: --number batch makes numbers of it
            2: a "" batch="7" os="4.1" size=10 weight=1.5
            3: b "" batch="007" os="4.10" weight=2
            4: c "" batch="12" os="5" size="n/a"
        "#]],
    );
    check_file(
        "--number os --text weight",
        "id,os,weight\na,4.10,1.5\n",
        expect![[r#"
            2: a "" os=4.1 weight="1.5"
        "#]],
    );
    // Many numbers with two decimals each are no versions.
    let weights: String = (10..40)
        .map(|n| format!("{n},{n}.{:02}\n", (n * 37) % 100))
        .collect();
    let text = read_file("", &format!("id,weight\n{weights}99,12.50\n"));
    assert!(text.ends_with("99 \"\" weight=12.5\n"), "{text}");
}

#[test]
fn prices_show_how_a_feed_writes_decimals() {
    check_file(
        "",
        "id;price\na;1.299\nb;49,90\nc;1.299,00 €\nd;5\n",
        expect![[r#"
            prices are read with a decimal comma, as "49,90" in line 3 shows: --decimal-point reads them otherwise
            2: a "" 1299
            3: b "" 49.90
            4: c "" 1299.00 EUR
            5: d "" 5
        "#]],
    );
    check_file(
        "",
        "id,price\na,\"1,299\"\nb,49.90\n",
        expect![[r#"
        2: a "" 1299
        3: b "" 49.90
    "#]],
    );
    check_file(
        "",
        "id;price\na;1.299\n",
        expect![[r#"
        2! a price: "1.299" may be 1299 or 1.299: --decimal-comma or --decimal-point tells which
    "#]],
    );
    check_file(
        "--decimal-comma",
        "id;price;kg\na;1.299;1,5\n",
        expect![[r#"
            2: a "" 1299 kg=1.5
        "#]],
    );
}

#[test]
fn columns_are_known_however_their_header_is_written() {
    check(
        "--skip 2",
        "Price list\n\nsep=|\nID|Title|PRICE|Brand\na|T|1|Acme\n|||\n",
        expect![[r#"
            5: a "T" 1 brand=Acme
        "#]],
    );
    check(
        "--delimiter ||",
        "id||title||price\na||T|U||1\n",
        expect![[r#"
            2: a "T|U" 1
        "#]],
    );
    check(
        "",
        "id,title,price\ra,T,1\rb,U,2\r",
        expect![[r#"
        2: a "T" 1
        3: b "U" 2
    "#]],
    );
    check(
        "",
        "id,title,price,\na,T,1,\nb,U,2,,,\n",
        expect![[r#"
        2: a "T" 1
        3: b "U" 2
    "#]],
    );
    check("", "", expect![[r#""#]]);
}

#[test]
fn cells_may_say_more_than_the_field_can_hold() {
    check(
        "--flag new --expect-version rev",
        "id,gtins,new,rev,title,categories,currency,price\n\
         a,4.0E+12,Yes,3,Black &amp; Decker,Tools &gt; Drills,,\n\
         b,4006381333931;12,x,1,T,,EUR,5 €\n\
         c,,maybe,1,T,,,1\n\
         d,,no,0,T,,,1\n\
         e,,,1,T,,USD,5 €\n",
        expect![[r#"
            2! a price: there is nothing in column "price"
            2~ a gtins: "4.0E+12" is left out: a GTIN has 8 to 14 digits
            3: b "T" 5 EUR gtins=["4006381333931"] new=true clears=categories
            3~ b gtins: "12" is left out: a GTIN has 8 to 14 digits
            4! c attributes: column "new" has "maybe", which is neither yes nor no
            5! d version: "0" is no version: they count from 1
            6! e price: "5 €" is not in USD, the currency of the row
        "#]],
    );
}

#[test]
fn a_quote_that_is_not_closed_takes_no_row_with_it() {
    check(
        "",
        "id,title,price\na,\"Lamp,1\nb,\"Next\",2\nc,T \"x\" y,3\nd,\"U\",4\n",
        expect![[r#"
            2!  : the quote of value 2 is followed by "Next\",2": a quote inside of quotes is written twice (""); it would take in the next line, 3
            3: b "Next" 2
            4: c "T \"x\" y" 3
            5: d "U" 4
        "#]],
    );
    check(
        "",
        "id,title,price\na,\"Lamp,1\nb,Next,2\nc,\"\",3\n",
        expect![[r#"
            2!  : the quote of value 2 is never closed; it would take in the next 2 lines, to line 4
            3: b "Next" 2
            4! c title: there is nothing in column "title"
        "#]],
    );
}

#[test]
fn rows_behind_an_open_quote_show_how_prices_are_written() {
    check_file(
        "",
        "id;title;price\na;\"Lamp;5\nb;Next;2,50\nc;Pipe 5\";5\nd;Fin;1.299\n",
        expect![[r#"
            prices are read with a decimal comma, as "2,50" in line 3 shows: --decimal-point reads them otherwise
            2!  : the quote of value 2 is not closed in its row; it would take in the next 2 lines, to line 4
            3: b "Next" 2.50
            4: c "Pipe 5\"" 5
            5: d "Fin" 1299
        "#]],
    );
}

#[test]
fn a_quote_that_ends_in_another_row_takes_no_row_with_it() {
    check(
        "",
        "id,title,price\na,\"Lamp 12 inch,3.00\nb,Next,4.00\nc,Pipe 5\",5.00\nd,Fin,6.00\n",
        expect![[r#"
            2!  : the quote of value 2 is not closed in its row; it would take in the next 2 lines, to line 4
            3: b "Next" 4.00
            4: c "Pipe 5\"" 5.00
            5: d "Fin" 6.00
        "#]],
    );
    // A text of several lines may hold rows: what is right by the rules is read, and told.
    check(
        "",
        "id,title,price,note\na,S,3.00,\"30 cm deep\nb,S,4.00,plain\nc,S,5.00,wide 12\"\nd,Fin,6.00,x\n",
        expect![[r#"
            2: a "S" 3.00 note="30 cm deep\nb,S,4.00,plain\nc,S,5.00,wide 12"
            2~ a : the quote of value 4 takes in the next 2 lines, to line 4, where there seem to be rows: is it not closed?
            5: d "Fin" 6.00 note="x"
        "#]],
    );
    check(
        "",
        "id,\"title,price\na,Lamp 5\",1.00\nb,Desk,2.00\n",
        expect![
            "line 1: the quote of value 2 is not closed in its line; it would take in the next line, 2 (this is the header; --skip LINES skips what is before it)"
        ],
    );
}

#[test]
fn line_breaks_are_blanks_where_a_field_has_one_line() {
    check_table(
        "",
        Table(&[
            &["id", "title", "brand", "categories", "description", "note"],
            &[
                "a",
                "two\nlines, short",
                "Ac\n me",
                "A >\nB\nC",
                "one\ntwo",
                "x\ny",
            ],
        ]),
        expect![[r#"
            2: a "two lines, short" description=one
            two brand=Ac me categories=["A", "B C"] note="x\ny"
        "#]],
    );
    for feed in [
        "{\"id\":\"a\",\"title\":\"two\\nlines\"}\n",
        "<f><i><id>a</id><title>two\n   lines</title></i></f>",
    ] {
        let text = told("--item i", "", Cursor::new(feed.to_owned()));
        assert!(text.starts_with("1: a \"two lines\"\n"), "{text}");
    }
}

#[test]
fn a_long_line_behind_an_open_quote_takes_no_row_with_it() {
    let long = "x".repeat(ROW_BYTES_MAX + 1);
    let feed = format!("id,title,price\na,\"Lamp,1\nb,Next,2\nc,{long}\nd,Fin,3\n");
    check(
        "",
        feed,
        expect![[r#"
            2!  : the quote of value 2 takes in more than 262144 bytes; it would take in the next 2 lines, to line 4
            3: b "Next" 2
            4!  : the row is longer than 1048576 bytes
            5: d "Fin" 3
        "#]],
    );
}

#[test]
fn what_a_report_of_rejected_rows_adds_is_no_attribute() {
    check(
        "",
        "id,size,import_line,import_error,import_row\na,1,7,wrong,\n",
        expect![[r#"
            2: a "" size=1
        "#]],
    );
    check(
        "",
        r#"{"id":"a","size":1,"import_line":7,"import_error":"wrong","import_row":"x"}"#,
        expect![[r#"
            1: a "" size=1
        "#]],
    );
}

#[test]
fn a_reported_text_that_was_mended_is_a_row() {
    // The feed had other separators than the report.
    check(
        "",
        "id,title,size,import_line,import_error,import_row\n\
         ,,,7,the quote of value 2 is not closed,\"a;\"\"18\"\"\"\" pipe\"\";1\"\n\
         ,,,8,wrong,\"b,\"\"two\nlines\"\",2\"\n\
         ,,,9,wrong,c;T\n\
         ,,,10,wrong,\"d,\"\"T,1\"\n\
         e,E,3,11,wrong,\"e;\"\"E\"\n",
        expect![[r#"
            2: a "18\" pipe" size=1
            3: b "two lines" size=2
            5!  : import_row is no row of the 3 columns: mend it, or write its values into them
            6!  : import_row: the quote of value 2 is never closed
            7: e "E" size=3
        "#]],
    );
    check(
        "",
        r#"{"import_line":7,"import_error":"wrong","import_row":"{\"id\":\"a\",\"size\":1}"}
{"import_line":8,"import_error":"wrong","import_row":"{\"id\":"}
{"import_line":9,"import_error":"wrong","import_row":"<item/>"}
{"import_line":10,"import_error":"wrong","import_row":"1"}"#,
        expect![[r#"
            1: a "" size=1
            2!  : import_row: EOF while parsing a value at line 1 column 6
            3!  : import_row is XML, which a report in JSON cannot have: mend it in its feed
            4!  : import_row is no object
        "#]],
    );
}

#[test]
fn a_feed_of_two_columns_states_two_fields() {
    check(
        "",
        "id,price\na,1\nb,\n",
        expect![[r#"
        2: a "" 1
        3! b price: there is nothing in column "price"
    "#]],
    );
    check(
        "",
        "id,stock\na,1\nb,\n",
        expect![[r#"
        2: a "" stock=1
        3: b ""
    "#]],
    );
    check(
        "--replace",
        "id,price\na,1\n",
        expect![[r#"
        2! a title: there is nothing in column "title"
    "#]],
    );
}
