//! Spreadsheets.

use std::io::Read as _;

use expect_test::expect;
use flate2::read::GzDecoder;

use super::{archive, check, zipped};

const TYPES: &str =
    r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>"#;
const RELATIONS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet2.xml"/></Relationships>"#;
const ROOT: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const BOOK: &str = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Products" sheetId="1" r:id="r1"/><sheet name="Old" sheetId="2" r:id="r2"/></sheets></workbook>"#;

/// The entries of an xlsx with two sheets of these rows.
pub(in crate::feed::tests) fn xlsx_entries(
    first: &str,
    second: &str,
) -> Vec<(&'static str, String)> {
    let sheet = |rows: &str| {
        format!(
            r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>"#
        )
    };
    vec![
        ("[Content_Types].xml", TYPES.to_owned()),
        ("_rels/.rels", ROOT.to_owned()),
        ("xl/workbook.xml", BOOK.to_owned()),
        ("xl/_rels/workbook.xml.rels", RELATIONS.to_owned()),
        ("xl/worksheets/sheet1.xml", sheet(first)),
        ("xl/worksheets/sheet2.xml", sheet(second)),
    ]
}

fn packed(entries: &[(&str, String)]) -> Vec<u8> {
    let entries = entries.iter().map(|(name, text)| (*name, text.as_str()));
    zipped(&entries.collect::<Vec<_>>())
}

/// An xlsx with two sheets of these rows.
pub(in crate::feed::tests) fn xlsx(first: &str, second: &str) -> Vec<u8> {
    packed(&xlsx_entries(first, second))
}

/// An OpenDocument with one table of these rows of texts.
pub(crate) fn ods(rows: &[&[&str]]) -> Vec<u8> {
    let rows: String = rows.iter().map(|cells| ods_row(cells, "")).collect();
    packed(&ods_entries(&rows))
}

/// A row of an xlsx.
pub(in crate::feed::tests) fn row(number: u32, cells: &[&str]) -> String {
    let cells: String = ('A'..='Z')
        .zip(cells)
        .map(|(column, cell)| match *cell {
            "#N/A" => format!(r##"<c r="{column}{number}" t="e"><v>#N/A</v></c>"##),
            "TRUE" => format!(r#"<c r="{column}{number}" t="b"><v>1</v></c>"#),
            cell if cell.parse::<f64>().is_ok() => {
                format!(r#"<c r="{column}{number}"><v>{cell}</v></c>"#)
            }
            cell => format!(r#"<c r="{column}{number}" t="inlineStr"><is><t>{cell}</t></is></c>"#),
        })
        .collect();
    format!(r#"<row r="{number}">{cells}</row>"#)
}

/// The entries of an OpenDocument with one table of these rows.
pub(in crate::feed::tests) fn ods_entries(rows: &str) -> Vec<(&'static str, String)> {
    let content = format!(
        r#"<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet><table:table table:name="S">{rows}</table:table></office:spreadsheet></office:body></office:document-content>"#
    );
    let manifest = r#"<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>"#;
    let kind = "application/vnd.oasis.opendocument.spreadsheet";
    vec![
        ("mimetype", kind.to_owned()),
        ("META-INF/manifest.xml", manifest.to_owned()),
        ("content.xml", content),
    ]
}

/// A row of an OpenDocument, with what stands behind its cells.
pub(in crate::feed::tests) fn ods_row(cells: &[&str], behind: &str) -> String {
    let cell = |text: &&str| {
        format!(
            r#"<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>"#
        )
    };
    let cells: String = cells.iter().map(cell).collect();
    format!("<table:table-row>{cells}{behind}</table:table-row>")
}

/// The entries of an xlsb with one sheet of these rows of texts.
pub(in crate::feed::tests) fn xlsb_entries(rows: &[&[&str]]) -> Vec<(&'static str, Vec<u8>)> {
    let relations = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Target="worksheets/sheet1.bin"/></Relationships>"#;
    let sheet = [number(0), number(1), wide("r1"), wide("Products")].concat();
    let book = [record(0x9c, &sheet), record(0x90, &[]), record(0x9d, &[])];
    let mut cells = [record(0x94, &[0; 16]), record(0x91, &[])].concat();
    for (index, row) in (0..).zip(rows) {
        cells.extend(record(0x00, &[number(index), vec![0; 13]].concat()));
        for (column, text) in (0..).zip(*row) {
            let place = [number(column), number(0)].concat();
            let cell = match text.parse::<f64>() {
                Ok(value) => record(0x05, &[place, value.to_le_bytes().to_vec()].concat()),
                Err(_) => record(0x06, &[place, wide(text)].concat()),
            };
            cells.extend(cell);
        }
    }
    cells.extend(record(0x92, &[]));
    vec![
        ("xl/workbook.bin", book.concat()),
        ("xl/_rels/workbook.bin.rels", relations.as_bytes().to_vec()),
        ("xl/worksheets/sheet1.bin", cells),
    ]
}

/// A record of BIFF12: its type and its length, seven bits a byte, and its content.
fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    let kind = match kind {
        0x80.. => vec![kind, 1],
        _ => vec![kind],
    };
    let length = content.len();
    let length = [(length & 0x7f | 0x80) as u8, (length >> 7) as u8];
    [&kind, &length[..], content].concat()
}

fn number(number: u32) -> Vec<u8> {
    number.to_le_bytes().to_vec()
}

fn wide(text: &str) -> Vec<u8> {
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    [number(units.len() as u32 / 2), units].concat()
}

/// An old spreadsheet, as xlwt writes it: a header and two products in its second row and below.
pub(in crate::feed::tests) fn xls() -> Vec<u8> {
    let mut xls = Vec::new();
    let packed = include_bytes!("../products.xls.gz");
    GzDecoder::new(&packed[..]).read_to_end(&mut xls).unwrap();
    xls
}

#[test]
fn binary_spreadsheets_are_read() {
    let rows: [&[&str]; 3] = [
        &["id", "title", "price"],
        &["a", "Säge", "19.99"],
        &["b", "T", "5"],
    ];
    let entries = xlsb_entries(&rows);
    let entries: Vec<(&str, &[u8])> = entries.iter().map(|(name, it)| (*name, &**it)).collect();
    check(
        "",
        "",
        archive(&entries),
        expect![[r#"
        2: a "Säge" 19.99
        3: b "T" 5
    "#]],
    );
    check(
        "",
        "",
        xls(),
        expect![[r#"
        3: a "Säge" 19.99 new=true stock=7
        4: 4006381333931 "T" 5 new=false
        note: products are read from the sheet Products: --sheet NAME reads another of Products, Old
    "#]],
    );
}

#[test]
fn the_first_row_with_content_is_the_header_and_the_first_sheet_is_read() {
    let products = [
        row(2, &["id", "title", "price", "new", "stock"]),
        row(3, &["4006381333931", "T", "19.99", "TRUE", "#N/A"]),
        row(5, &["b", "U", "x", "TRUE", "7.0"]),
    ];
    let old = [row(1, &["id", "title", "price"]), row(2, &["z", "Z", "1"])];
    let book = xlsx(&products.concat(), &old.concat());
    check(
        "",
        "",
        &book,
        expect![[r#"
            3: 4006381333931 "T" 19.99 new=true
            5! b price: "x" is not a price such as 19.99
            note: products are read from the sheet Products: --sheet NAME reads another of Products, Old
            note: cells with an error such as #N/A in row 3 are read as empty
        "#]],
    );
    check(
        "--sheet Old",
        "",
        &book,
        expect![[r#"
            2: z "Z" 1
        "#]],
    );
    check(
        "--sheet 2",
        "",
        &book,
        expect![[r#"
            2: z "Z" 1
        "#]],
    );
    check(
        "--sheet New",
        "",
        &book,
        expect![[
            r#"feed: there is no sheet "New": --sheet takes a name or a number of Products, Old"#
        ]],
    );
    check(
        "--sheet Old",
        "--map id=nr",
        &book,
        expect![[r#"the header has no column "nr": use --map id=COLUMN; it has id, title, price"#]],
    );
    check(
        "--format sheet",
        "",
        "id,title,price\n",
        expect!["feed: a text and no spreadsheet: --format csv, json or xml reads it"],
    );
    check(
        "",
        "",
        xlsx("", ""),
        expect!["feed: a spreadsheet without content"],
    );
    check(
        "",
        "",
        &book[..book.len() / 2],
        expect!["feed: the zip archive is damaged: invalid Zip archive: Could not find EOCD"],
    );
}

#[test]
fn an_open_document_is_read_and_its_repetitions_are_bounded() {
    let row = |cells: &[&str]| {
        let blanks = r#"<table:table-cell table:number-columns-repeated="16000"/>"#;
        ods_row(cells, blanks)
    };
    let feed = [row(&["id", "title", "price"]), row(&["a", "T", "1"])].concat();
    check(
        "",
        "",
        packed(&ods_entries(&feed)),
        expect![[r#"
            2: a "T" 1
        "#]],
    );
    let bomb = r#"<table:table-row table:number-rows-repeated="1000000"><table:table-cell table:number-columns-repeated="16000" office:value-type="string"><text:p>x</text:p></table:table-cell></table:table-row>"#;
    check(
        "",
        "",
        packed(&ods_entries(bomb)),
        expect![
            "feed: a spreadsheet with more than 10000000 cells, counting those that repeat: save it as CSV"
        ],
    );
}
