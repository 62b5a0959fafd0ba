//! What separates the cells of a feed, as it says itself or as its header shows.

use crate::feed::columns::header_at;
use crate::feed::csv::cells::{Cells, Progress};

/// The separators that a header is searched for, the likeliest last.
const SEPARATORS: [u8; 4] = [b'|', b'\t', b';', b','];

/// How many lines are searched for a header.
pub(super) const LOOK_LINES_MAX: usize = 20;

/// The separator that a first line names as spreadsheets do: `sep=;`.
pub(super) fn named(line: &[u8]) -> Option<Vec<u8>> {
    let text = line.trim_ascii_end();
    let text = text.strip_prefix(b"\"").unwrap_or(text);
    let text = text.strip_suffix(b"\"").unwrap_or(text);
    let (name, separator) = text.split_at_checked(4)?;
    let is_named = name.eq_ignore_ascii_case(b"sep=");
    // The tab of "sep=\t" was trimmed away.
    let separator = if separator.is_empty() {
        b"\t"
    } else {
        separator
    };
    is_named.then(|| separator.to_vec())
}

/// The separator that comes most often in a header, outside of quotes.
pub(super) fn shown_by(header: &[u8]) -> Vec<u8> {
    let mut is_quoted = false;
    let mut counts = [0_usize; SEPARATORS.len()];
    for byte in header {
        is_quoted ^= *byte == b'"';
        if let Some(at) = SEPARATORS
            .iter()
            .position(|one| one == byte)
            .filter(|_| !is_quoted)
        {
            counts[at] += 1;
        }
    }
    // `max_by_key` takes the last of equals: the comma.
    let most = SEPARATORS
        .iter()
        .zip(counts)
        .max_by_key(|(_, count)| *count);
    vec![most.map_or(b',', |(separator, _)| *separator)]
}

/// How many lines stand before the header, such as a title or a date. Blank ones are none of them.
pub(in crate::feed) fn lines_before_header(
    beginning: &[u8],
    delimiter: Option<&str>,
    id: &str,
) -> u64 {
    let end = if beginning.contains(&b'\n') {
        b'\n'
    } else {
        b'\r'
    };
    let lines: Vec<&[u8]> = beginning
        .split(|byte| *byte == end)
        .take(LOOK_LINES_MAX)
        .collect();
    let rows = rows_of(&lines, delimiter.map(str::as_bytes));
    let Some(place) = header_at(&rows, id) else {
        return 0;
    };
    let (before, header) = (&lines[..place], lines[place]);
    // The line is skipped too that names the separator, which the header has to show then.
    let said = before.iter().find_map(|line| named(line));
    let is_lost = said.is_some_and(|said| said != shown_by(header));
    let is_blank = |line: &&[u8]| line.trim_ascii().is_empty() || named(line).is_some();
    if is_lost || before.iter().all(is_blank) {
        return 0;
    }
    place as u64
}

/// The cells of lines, without a look at what quotes take in of the next ones. Without a separator, it is the one
/// of which most lines have the same number. A line that names it has no cells.
pub(super) fn rows_of(lines: &[&[u8]], delimiter: Option<&[u8]>) -> Vec<Vec<String>> {
    let said = lines.iter().find_map(|line| named(line));
    let separator = match delimiter {
        Some(delimiter) => delimiter.to_vec(),
        None => said.unwrap_or_else(|| vec![commonest(lines)]),
    };
    let row = |line: &&[u8]| {
        if named(line).is_some() {
            return Vec::new();
        }
        let mut cells = Cells::default();
        if cells.add(line, &separator) == Progress::Open {
            cells.end_at_separators(&separator);
        }
        let texts = cells.cells.iter();
        let texts = texts.map(|cell| String::from_utf8_lossy(cell).into_owned());
        texts.collect()
    };
    lines.iter().map(row).collect()
}

/// The separator that most lines have equally often.
fn commonest(lines: &[&[u8]]) -> u8 {
    let alike = |separator: u8| {
        let count = |line: &&[u8]| outside_of_quotes(line, &[separator]);
        let counts: Vec<usize> = lines.iter().map(count).collect();
        let times = |count: usize| counts.iter().filter(|one| **one == count).count();
        let found = counts.iter().filter(|count| **count > 0);
        found.map(|count| (times(*count), *count)).max()
    };
    // `max_by_key` takes the last of equals: the comma.
    let found = SEPARATORS.into_iter().max_by_key(|one| alike(*one));
    found.unwrap_or(b',')
}

/// How often a line has a separator that is no part of a quoted cell.
pub(super) fn outside_of_quotes(line: &[u8], separator: &[u8]) -> usize {
    let mut is_quoted = false;
    let is_one = |place: &usize| {
        let rest = &line[*place..];
        is_quoted ^= rest.starts_with(b"\"");
        !is_quoted && rest.starts_with(separator)
    };
    (0..line.len()).filter(is_one).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_says_or_shows_its_separator() {
        assert_eq!(named(b"sep=;\r\n"), Some(b";".to_vec()));
        assert_eq!(named(b"\"SEP=|\"\n"), Some(b"|".to_vec()));
        assert_eq!(named(b"sep=\t\n"), Some(b"\t".to_vec()));
        assert_eq!(named(b"separator;a\n"), None);
        assert_eq!(shown_by(b"id;title, long;price"), b";");
        assert_eq!(shown_by(b"\"a;b;c\",d"), b",");
        assert_eq!(shown_by(b"id"), b",");
    }

    #[test]
    fn titles_before_a_header_are_lines_to_skip() {
        let check = |text: &str, lines| {
            let found = lines_before_header(text.as_bytes(), None, "id");
            assert_eq!(found, lines, "{text}");
        };
        check("id;title;price\na;T;1\n", 0);
        check("Prices 2026\n\nid;title;price\na;T;1\n", 2);
        check("Prices; 2026\nid;title;price;brand\na;T;1;b\n", 1);
        check("sep=;\nid;title;price\na;T;1\n", 0);
        check("\n\nid;title\na;T\n", 0);
        check("id\na\n", 0);
        check("id;title\na;\"x;y\"\nb;\"x;y;z\"\n", 0);
        check("id;title\na;T;;\n", 0);
        check("Prices 2026;;;\n;;;\nid;title;price;brand\na;T;1;b\n", 2);
        check("sep=;\nPrices;;\nid;title;price\na;T;1\n", 2);
        check("sep=^\nPrices^^\nid^title^price\na^T^1\n", 0);
        check("Prices, old, new\nid;text\na;x, y\nb;x, y, z\n", 1);
        check("Prices\rid;title\ra;T\r", 1);
    }
}
