//! Feeds that would take all memory, or never end, and what depends on the pieces in which a pipe gives them.
//! Most were found by the fuzzer.

use std::io::Cursor;
use std::time::{Duration, Instant};

use expect_test::{Expect, expect};

use super::forms::archive;
use super::forms::sheet::{ods_entries, ods_row, row, xls, xlsb_entries, xlsx_entries};
use super::{Slow, check, read};

/// Far more than is needed, and far less than what grows with the square of a feed would take.
const MOMENT: Duration = Duration::from_secs(20);

fn spreadsheet(entries: &[(&str, impl AsRef<[u8]>)], expected: Expect) {
    let entries = entries.iter().map(|(name, it)| (*name, it.as_ref()));
    check("", archive(&entries.collect::<Vec<_>>()), expected);
}

/// The number of lines that are shown of a feed, which is read in a moment.
fn quickly(feed: String) -> usize {
    let started = Instant::now();
    let text = read("", None, Cursor::new(feed.into_bytes()));
    assert!(started.elapsed() < MOMENT, "{:?}", started.elapsed());
    assert!(text.len() < 50 << 20, "{} bytes", text.len());
    text.lines().count()
}

#[test]
fn a_spreadsheet_that_is_damaged_does_not_seem_to_end() {
    let rows: [&[&str]; 3] = [
        &["id", "title", "price"],
        &["a", "T", "1"],
        &["b", "U", "2"],
    ];
    let damaged = |from: &[u8], to: &[u8]| {
        let mut entries = xlsb_entries(&rows);
        let sheet = &mut entries[2].1;
        let mut places = sheet.windows(from.len());
        let place = places.rposition(|part| part == from).unwrap();
        sheet[place..place + to.len()].copy_from_slice(to);
        entries
    };
    // The last title is one of the shared strings, of which there are none.
    let text = [&[0x06, 0x8e, 0x00, 1, 0, 0, 0][..], &[0; 4]].concat();
    let shared = [&[0x07, 0x8e, 0x00, 1, 0, 0, 0][..], &[0; 4]].concat();
    spreadsheet(
        &damaged(&text, &shared),
        expect![[r#"
        2: a "T" 1
        feed: the spreadsheet cannot be read: it is damaged; save it anew, or as CSV
    "#]],
    );
    // Its column is none that a sheet has.
    let far = [&[0x06, 0x8e, 0x00, 1, 0, 0, 0x70][..], &[0; 4]].concat();
    spreadsheet(
        &damaged(&text, &far),
        expect![[r#"
            2: a "T" 1
            feed: the spreadsheet cannot be read: a cell is right of column 16384; save it anew, or as CSV
        "#]],
    );
}

#[test]
fn an_old_spreadsheet_takes_no_more_than_its_size() {
    let xls = |at: usize, bytes: &[u8]| {
        let mut xls = xls();
        xls[at..at + bytes.len()].copy_from_slice(bytes);
        xls
    };
    let whole = xls(0, &[]);
    let find = |part: &[u8]| {
        let place = whole.windows(part.len()).position(|it| it == part);
        place.expect("a record")
    };
    // The first table of sectors says that each comes after itself.
    let table = 512 * (1 + whole[76] as usize);
    let circle: Vec<u8> = (0..10_u32).flat_map(u32::to_le_bytes).collect();
    check(
        "",
        xls(table, &circle),
        expect![
            "feed: the spreadsheet cannot be read: it is damaged: its sectors are in a circle; save it anew, or as CSV"
        ],
    );
    // The dimensions of the sheet, and then the place of a number in it.
    let dimensions = find(&[0x00, 0x02, 14, 0]);
    check(
        "",
        xls(dimensions + 4, &[0, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f]),
        expect![
            "feed: the spreadsheet cannot be read: it is damaged: it says that it has more cells than a sheet has; save it anew, or as CSV"
        ],
    );
    let number = find(&[0x7e, 0x02, 10, 0]);
    check(
        "",
        xls(number + 4, &[0xff, 0xff, 0xff, 0xff]),
        expect![
            "feed: a spreadsheet with more than 10000000 cells, counting those that repeat: save it as CSV"
        ],
    );
}

#[test]
fn a_row_of_a_spreadsheet_is_no_longer_than_others() {
    let long = "x".repeat(400_000);
    let rows = [
        row(1, &["id", "title", "price", "more"]),
        row(2, &["a", &long, &long, &long]),
        row(3, &["b", "U", "2"]),
    ];
    spreadsheet(
        &xlsx_entries(&rows.concat(), ""),
        expect![[r#"
        2!  : the row is longer than 1048576 bytes
        3: b "U" 2
    "#]],
    );
}

#[test]
fn an_open_document_is_whole_and_its_repeated_texts_are_bounded() {
    let header = ods_row(&["id", "title", "price"], "");
    let cut = format!("{header}<table:table-row><table:table-cell>");
    spreadsheet(
        &ods_entries(&cut),
        expect![
            "feed: the spreadsheet cannot be read: it is damaged: ill-formed document: expected `</table:table-cell>`, but `</table:table>` was found; save it anew, or as CSV"
        ],
    );
    let long = "x".repeat(100_000);
    let bomb = format!(
        r#"{header}<table:table-row><table:table-cell table:number-columns-repeated="9000" office:value-type="string"><text:p>{long}</text:p></table:table-cell></table:table-row>"#
    );
    spreadsheet(
        &ods_entries(&bomb),
        expect!["feed: a spreadsheet of more than 256 MiB: save it as CSV"],
    );
}

#[test]
fn quotes_that_open_in_every_line_end_somewhere() {
    let feed = format!("id,title,price\n{}", "x\",\" \n".repeat(20_000));
    assert_eq!(quickly(feed), 20_000);
}

#[test]
fn names_that_are_long_or_alike_do_not_multiply() {
    let signs = |number: u32| format!("{number:b}").replace('1', "!").replace('0', "?");
    let members: String = (0..60_000)
        .map(|number| format!(",\"a{}b\":1", signs(number)))
        .collect();
    assert_eq!(quickly(format!("{{\"id\":\"a\"{members}}}")), 1);
    let header: String = (0..40_000)
        .map(|number| format!(",a{}b", signs(number)))
        .collect();
    assert_eq!(quickly(format!("id{header}\n")), 0);
    let inner: String = (0..40_000)
        .map(|number| format!(",\"{number}\":1"))
        .collect();
    let long = "x".repeat(400_000);
    let nested = format!("{{\"id\":\"a\",\"{long}\":{{\"a\":1{inner}}}}}");
    assert_eq!(quickly(nested), 1);
    let inner: String = (0..40_000)
        .map(|number| format!(" a{number}='1'"))
        .collect();
    let xml = format!("<f><p><id>b</id></p><p><id>a</id><{long}{inner}/></p></f>");
    assert_eq!(quickly(xml), 2);
}

#[test]
fn messages_are_short_enough_to_be_read() {
    let long = "x".repeat(10_000);
    let feed = format!(
        "{{\"id\":\"a\",\"status\":\"{long}\"}}\n{{\"id\":\"b\",\"{long}\":{{\"y\":[[]]}}}}\n{{\"id\":\"{long}\"}}\n"
    );
    let text = read("", None, Cursor::new(feed.into_bytes()));
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() < 1_200),
        "{text}"
    );
}

#[test]
fn the_pieces_of_a_pipe_do_not_matter() {
    for (feed, expected) in [
        (&b"id,title,price\na,T,1\nb,gr\xfcn,1\n"[..], "3: b \"grün\" 1\n"),
        (b"id,title,price\na,T\xc3\xa4,1\nb,gr\xfcn,1\n", "3!  : column \"title\" is not UTF-8"),
        (
            b"<?xml version='1.0'\n encoding='windows-1251'?>\n<f><p><id>a</id><title>\xec\xfb</title></p><p><id>b</id></p></f>",
            "3: a \"мы\"\n",
        ),
        (b"{\"id\":\"a\",\"v\":[{\"x\":1}]}\n\n{\"id\":\"b\"}\n", "1! a attributes"),
    ] {
        let whole = read("", None, Cursor::new(feed.to_vec()));
        let slow = read("", None, Slow(Cursor::new(feed.to_vec())));
        assert!(whole.contains(expected), "{whole}");
        assert_eq!(whole, slow);
    }
}

#[test]
fn of_several_missing_columns_always_the_same_is_told() {
    for _ in 0..8 {
        check(
            "--map title=x --map brand=y --price z",
            "id\n",
            expect![[r#"the header has no column "y" for the field brand; it has id"#]],
        );
    }
}
