//! The limits on a spreadsheet, checked before it is opened: its readers hold parts of it in memory,
//! and what a file says of its own size may be a lie.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};

use crate::feed::source::{Workbook, entries_of};
use crate::feed::xml::{Scanner, Token};

const FILE_BYTES_MAX: u64 = 256 << 20;
/// The most bytes of an old spreadsheet, which is read as a whole.
const XLS_BYTES_MAX: u64 = 64 << 20;
/// The most bytes that are packed in a spreadsheet.
const UNPACKED_BYTES_MAX: u64 = 512 << 20;
/// The most bytes that are packed in an OpenDocument, whose tables are read as a whole.
const ODS_BYTES_MAX: u64 = 128 << 20;
/// The most cells of an OpenDocument, which may say of one cell that it repeats.
const ODS_CELLS_MAX: u64 = 10_000_000;

/// Refuses a spreadsheet that is too large. The error says what to do.
pub(super) fn check(file: &File, kind: Workbook) -> Result<(), String> {
    let told = |err: io::Error| format!("the spreadsheet cannot be read: {err}");
    let mut file = file.try_clone().map_err(told)?;
    let bytes = file.seek(SeekFrom::End(0)).map_err(told)?;
    let max = if kind == Workbook::Xls {
        XLS_BYTES_MAX
    } else {
        FILE_BYTES_MAX
    };
    if bytes > max {
        return Err(too_large(max));
    }
    file.seek(SeekFrom::Start(0)).map_err(told)?;
    if kind != Workbook::Xls {
        check_entries(&file, kind).map_err(told)??;
    }
    file.seek(SeekFrom::Start(0)).map_err(told)?;
    Ok(())
}

fn check_entries(file: &File, kind: Workbook) -> io::Result<Result<(), String>> {
    let max = if kind == Workbook::Ods {
        ODS_BYTES_MAX
    } else {
        UNPACKED_BYTES_MAX
    };
    let mut left = max;
    let mut cells = 0;
    entries_of(file, &mut |name, text| {
        let mut limited = text.take(left + 1);
        if kind == Workbook::Ods && name == "content.xml" {
            cells = cells_of(&mut limited)?;
        }
        io::copy(&mut limited, &mut io::sink())?;
        left = limited.limit().saturating_sub(1);
        Ok(left > 0)
    })?;
    Ok(if left == 0 {
        Err(too_large(max))
    } else if cells > ODS_CELLS_MAX {
        Err(format!(
            "a spreadsheet with more than {ODS_CELLS_MAX} cells, counting those that repeat: save it as CSV"
        ))
    } else {
        Ok(())
    })
}

fn too_large(max: u64) -> String {
    format!(
        "a spreadsheet of more than {} MiB: save it as CSV",
        max >> 20
    )
}

/// How many cells the tables of an OpenDocument have, once those that repeat are written out.
fn cells_of(content: &mut impl Read) -> io::Result<u64> {
    let mut scanner = Scanner::new(BufReader::new(content));
    let (mut cells, mut row, mut empty, mut repeats) = (0_u64, 0_u64, 0_u64, 1_u64);
    loop {
        let token = scanner.next()?;
        let name = match token {
            Token::EndOfFeed => return Ok(cells),
            Token::Start | Token::Empty | Token::End => scanner.name(),
            _ => continue,
        };
        match (&*name, token) {
            ("table:table-row", Token::Start) => {
                (row, empty) = (0, 0);
                repeats = number(scanner.token(), b"table:number-rows-repeated=");
            }
            ("table:table-row", Token::End) => {
                cells = cells.saturating_add(row.saturating_mul(repeats.min(1 << 20)));
            }
            ("table:table-cell" | "table:covered-table-cell", Token::Start | Token::Empty) => {
                let count = number(scanner.token(), b"table:number-columns-repeated=");
                let has_value =
                    token == Token::Start || find(scanner.token(), b"office:").is_some();
                if has_value {
                    row = row.saturating_add(empty).saturating_add(count.min(1 << 14));
                    empty = 0;
                } else {
                    empty = count.min(1 << 14);
                }
            }
            _ => {}
        }
    }
}

/// The number in an attribute; 1 without it.
fn number(tag: &[u8], attribute: &[u8]) -> u64 {
    let Some(place) = find(tag, attribute) else {
        return 1;
    };
    let value = &tag[place + attribute.len()..];
    let digits = value
        .iter()
        .skip(1)
        .take_while(|byte| byte.is_ascii_digit());
    digits.fold(0_u64, |number, digit| {
        number
            .saturating_mul(10)
            .saturating_add(u64::from(digit - b'0'))
    })
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}
