//! What to do about a header that is none: the lines behind it, or another sign between its cells, may show it.

use std::io::BufRead;

use crate::feed::columns::{header_at, is_title};
use crate::feed::csv::cells::without_end;
use crate::feed::csv::dialect::{LOOK_LINES_MAX, outside_of_quotes, rows_of};
use crate::feed::csv::lines::{Line, Lines};

/// The signs that separate cells in some feeds.
const SIGNS: &[u8] = b",;\t|^~:#!*&/\x1f\x1e\x01";
/// From how many columns on a sign separates them, where none has a name that is looked for.
const COLUMNS_MIN: usize = 3;

/// What continues the error of a header, which is followed by these lines.
pub(super) fn of_header<R: BufRead>(
    header: Line,
    lines: &mut Lines<R>,
    separator: &[u8],
    id: &str,
) -> Option<String> {
    let mut looked = vec![header];
    while looked.len() < LOOK_LINES_MAX {
        // An error of reading says no more than there is to say already.
        match lines.next() {
            Ok(Some(line)) => looked.push(line),
            Ok(None) | Err(_) => break,
        }
    }
    let texts: Vec<&[u8]> = looked.iter().map(|line| without_end(&line.text)).collect();
    if let Some(hint) = of_sign(&texts, separator, id) {
        return Some(hint);
    }
    let rows = rows_of(&texts, None);
    let place = header_at(&rows, id).filter(|place| *place > 0);
    match place.and_then(|place| looked.get(place)) {
        Some(Line { number, .. }) => Some(format!(
            "line {number} looks like the header: --skip {} skips what is before it",
            number - 1
        )),
        None if rows.first().is_some_and(|row| is_title(row, id)) => {
            Some("--skip LINES skips what is before the header".to_owned())
        }
        None => None,
    }
}

/// Names the sign by which a header has the column of ids, or as many columns as the line behind it.
fn of_sign(texts: &[&[u8]], separator: &[u8], id: &str) -> Option<String> {
    let [header, ..] = texts else {
        return None;
    };
    let found = outside_of_quotes(header, separator);
    let next = texts[1..].iter().find(|text| !text.trim_ascii().is_empty());
    let is_it = |sign: &&u8| {
        let sign = std::slice::from_ref(*sign);
        let count = outside_of_quotes(header, sign);
        let is_id = |cell: &[u8]| {
            let cell = String::from_utf8_lossy(cell);
            cell.trim().trim_matches('"').to_lowercase() == id.to_lowercase()
        };
        let has_id = header.split(|byte| sign == [*byte]).any(is_id);
        let is_alike = next.is_some_and(|next| outside_of_quotes(next, sign) == count);
        sign != separator && count > found && (has_id || (count + 1 >= COLUMNS_MIN && is_alike))
    };
    let sign = SIGNS.iter().find(is_it)?;
    let columns = outside_of_quotes(header, std::slice::from_ref(sign)) + 1;
    let shown = match char::from(*sign) {
        control if control.is_ascii_control() => format!("$'\\x{:02x}'", u32::from(control)),
        sign => format!("'{sign}'"),
    };
    Some(format!(
        "--delimiter {shown} cuts it into {columns} columns"
    ))
}
