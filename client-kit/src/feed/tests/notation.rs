//! How numbers are written: in prices and in attributes, in texts and in cells that are numbers.

use expect_test::{Expect, expect};

use super::forms::sheet::{row, xlsx};
use super::tables::read_file;
use super::{check, read_rows};
use crate::feed::{Original, Source, rows};

fn check_file(options: &str, feed: &str, expected: Expect) {
    expected.assert_eq(&read_file(options, feed));
}

#[test]
fn an_option_tells_how_prices_and_attributes_are_written() {
    let feed = "id;price;w;n\na;1.299;1.299;2,5\nb;12,5;1.299,5;1.5\nc;1.299.000;1.299.000;12,50\n";
    check(
        "--decimal-comma",
        feed,
        expect![[r#"
            2: a "" 1299 n=2.5 w=1299
            3: b "" 12.5 n="1.5" w=1299.5
            4: c "" 1299000 n="12,50" w=1299000
        "#]],
    );
    check(
        "--decimal-comma --number n",
        feed,
        expect![[r#"
            2: a "" 1299 n=2.5 w=1299
            3: b "" 12.5 n="1.5" w=1299.5
            4: c "" 1299000 n=12.5 w=1299000
        "#]],
    );
    check(
        "--decimal-point",
        "id;price;w;n\na;1,299;1,299;2,5\nb;1,299.5;1.299;1,299.5\n",
        expect![[r#"
            2: a "" 1299 n="2,5" w=1299
            3: b "" 1299.5 n=1299.5 w=1.299
        "#]],
    );
    check(
        "--decimal-comma --split w=/",
        "<products><product><id>a</id><price>1.299</price><w>1.299/2,5</w><n>2,5</n></product>\
         <product><id>b</id><price>2,5</price><w>1</w><n>1.5</n></product></products>",
        expect![[r#"
            1: a "" 1299 n=2.5 w=["1.299", "2,5"]
            1: b "" 2.5 n="1.5" w=["1"]
        "#]],
    );
    check(
        "--text w --number n",
        "<products><product><id>a</id><w>4.1</w><n>4.10</n></product></products>",
        expect![[r#"
            1: a "" n=4.1 w="4.1"
        "#]],
    );
}

#[test]
fn a_column_is_written_as_its_values_show() {
    // Like the prices.
    check_file(
        "",
        "id;price;w;sizes\na;49,90;2,5;1,2\nb;5;1.299;1,2,3\n",
        expect![[r#"
            prices are read with a decimal comma, as "49,90" in line 2 shows: --decimal-point reads them otherwise
            column "w" is read with a decimal comma, as "2,5" in line 2 shows: --text w leaves it as it is
            2: a "" 49.90 sizes="1,2" w=2.5
            3: b "" 5 sizes="1,2,3" w=1299
        "#]],
    );
    // Not like the prices.
    check_file(
        "",
        "id;price;w;os\na;49,90;1.5;4.1\nb;5;1.299;4.10\n",
        expect![[r#"
            prices are read with a decimal comma, as "49,90" in line 2 shows: --decimal-point reads them otherwise
            column "os" stays text, as "4.10" in line 3 is a code: --number os makes numbers of it
            2: a "" 49.90 os="4.1" w=1.5
            3: b "" 5 os="4.10" w=1.299
        "#]],
    );
    check_file(
        "--decimal-comma",
        "id;price;w;n\na;49,90;1.5;1.5\nb;5;1.299;2,5\n",
        expect![[r#"
            column "w" is read with a decimal point, as "1.5" in line 2 shows: --text w leaves it as it is
            2: a "" 49.90 n="1.5" w=1.5
            3: b "" 5 n=2.5 w=1.299
        "#]],
    );
    // Neither: like the prices or as programs write numbers.
    check_file(
        "",
        "id;price;w\na;49,90;1.299\nb;5;12\n",
        expect![[r#"
        prices are read with a decimal comma, as "49,90" in line 2 shows: --decimal-point reads them otherwise
        column "w" stays text, as "1.299" in line 2 may have a decimal point or, like the prices, none: --decimal-comma reads it as they are, --number w takes the point for the decimal one
        2: a "" 49.90 w="1.299"
        3: b "" 5 w="12"
    "#]],
    );
    check_file(
        "--number w",
        "id;price;w\na;49,90;1.299\nb;5;12\n",
        expect![[r#"
            prices are read with a decimal comma, as "49,90" in line 2 shows: --decimal-point reads them otherwise
            2: a "" 49.90 w=1.299
            3: b "" 5 w=12
        "#]],
    );
    // Nothing says how the feed writes numbers.
    check_file(
        "",
        "id;w;n\na;2,5;0,5 kg\nb;12;1,5\n",
        expect![[r#"
        texts such as "2,5" in line 2 would be numbers with a decimal comma (columns: w): --decimal-comma makes numbers of them
        2: a "" n="0,5 kg" w="2,5"
        3: b "" n="1,5" w=12
    "#]],
    );
    // Decimals that end in 0.
    check_file(
        "",
        "id;price;w\na;49,90;2,50\nb;5;1,5\nc;5;007\n",
        expect![[r#"
            prices are read with a decimal comma, as "49,90" in line 2 shows: --decimal-point reads them otherwise
            column "w" stays text, as "007" in line 4 is a code: --number w makes numbers of it
            2: a "" 49.90 w="2,50"
            3: b "" 5 w="1,5"
            4: c "" 5 w="007"
        "#]],
    );
}

#[test]
fn a_cell_that_is_a_number_has_no_notation() {
    let rows = [
        row(1, &["id", "price", "w", "note"]),
        row(2, &["a", "1.299", "1.299", "1.299,5"]),
        row(3, &["b", "12.5", "0.5", "2,5"]),
    ];
    let book = xlsx(&rows.concat(), "");
    check(
        "",
        &book,
        expect![[r#"
        2: a "" 1.299 note="1.299,5" w=1.299
        3: b "" 12.5 note="2,5" w=0.5
    "#]],
    );
    check(
        "--decimal-comma",
        &book,
        expect![[r#"
        2: a "" 1.299 note=1299.5 w=1.299
        3: b "" 12.5 note=2.5 w=0.5
    "#]],
    );
    check(
        "--decimal-comma --number note",
        &book,
        expect![[r#"
        2: a "" 1.299 note=1299.5 w=1.299
        3: b "" 12.5 note=2.5 w=0.5
    "#]],
    );
    check(
        "--decimal-point --split w=. --currency KWD",
        &book,
        expect![[r#"
        2: a "" 1.299 KWD note="1.299,5" w=1.299
        3: b "" 12.5 KWD note="2,5" w=0.5
    "#]],
    );
}

#[test]
fn a_rejected_row_of_numbers_is_read_again_as_it_was() {
    let cells = [
        row(1, &["id", "price", "w"]),
        row(2, &["a b", "12.5", "0.5"]),
    ];
    for (options, expected) in [
        ("--decimal-comma", ["a b", "12,5", "0,5"]),
        ("", ["a b", "12.5", "0.5"]),
    ] {
        let book = std::io::Cursor::new(xlsx(&cells.concat(), ""));
        let source = Source::from_reader("feed", book).expect("source");
        let mapping = super::mapping(options).keeping_originals();
        let mut found = rows(source, None, mapping).expect("rows");
        let original = found.next().expect("a row").expect("read").original;
        let expected = expected.map(str::to_owned).to_vec();
        assert_eq!(original, Some(Original::Cells(expected)), "{options:?}");
        assert_eq!(read_rows(found), "");
    }
}
