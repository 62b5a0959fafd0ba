//! Spreadsheets.

use expect_test::expect;

use super::{check, zipped};

const TYPES: &str =
    r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>"#;
const RELATIONS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet2.xml"/></Relationships>"#;
const ROOT: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const BOOK: &str = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Products" sheetId="1" r:id="r1"/><sheet name="Old" sheetId="2" r:id="r2"/></sheets></workbook>"#;

fn xlsx(first: &str, second: &str) -> Vec<u8> {
    let sheet = |rows: &str| {
        format!(
            r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>"#
        )
    };
    zipped(&[
        ("[Content_Types].xml", TYPES),
        ("_rels/.rels", ROOT),
        ("xl/workbook.xml", BOOK),
        ("xl/_rels/workbook.xml.rels", RELATIONS),
        ("xl/worksheets/sheet1.xml", &sheet(first)),
        ("xl/worksheets/sheet2.xml", &sheet(second)),
    ])
}

fn row(number: u32, cells: &[&str]) -> String {
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
    let ods = |rows: &str| {
        let content = format!(
            r#"<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet><table:table table:name="S">{rows}</table:table></office:spreadsheet></office:body></office:document-content>"#
        );
        zipped(&[
            ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
            (
                "META-INF/manifest.xml",
                r#"<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>"#,
            ),
            ("content.xml", &content),
        ])
    };
    let cell = |text: &str| {
        format!(
            r#"<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>"#
        )
    };
    let row = |cells: &[&str]| {
        let cells: String = cells.iter().map(|text| cell(text)).collect();
        format!(
            r#"<table:table-row>{cells}<table:table-cell table:number-columns-repeated="16000"/></table:table-row>"#
        )
    };
    let feed = [row(&["id", "title", "price"]), row(&["a", "T", "1"])].concat();
    check(
        "",
        "",
        ods(&feed),
        expect![[r#"
            2: a "T" 1
        "#]],
    );
    let bomb = r#"<table:table-row table:number-rows-repeated="1000000"><table:table-cell table:number-columns-repeated="16000" office:value-type="string"><text:p>x</text:p></table:table-cell></table:table-row>"#;
    check(
        "",
        "",
        ods(bomb),
        expect![
            "feed: a spreadsheet with more than 10000000 cells, counting those that repeat: save it as CSV"
        ],
    );
}
