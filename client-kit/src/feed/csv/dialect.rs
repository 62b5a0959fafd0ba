//! What separates the cells of a feed, as it says itself or as its header shows.

/// The separators that a header is searched for, the likeliest last.
const SEPARATORS: [u8; 4] = [b'|', b'\t', b';', b','];

/// How many lines are searched for a header.
const LOOK_LINES_MAX: usize = 20;

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

/// How many lines stand before the header: a title or a date have fewer separators than the lines that follow,
/// of which several have as many as the header.
pub(in crate::feed) fn lines_before_header(beginning: &[u8]) -> u64 {
    let lines: Vec<&[u8]> = beginning
        .split(|byte| *byte == b'\n')
        .take(LOOK_LINES_MAX)
        .collect();
    let counts = |separator: u8| {
        let count = move |line: &&[u8]| outside_of_quotes(line, separator);
        lines.iter().map(count).collect::<Vec<usize>>()
    };
    let header = |counts: Vec<usize>| {
        let most = counts.iter().copied().max().filter(|most| *most > 0)?;
        let at = counts.iter().position(|count| *count == most)?;
        let alike = counts.iter().filter(|count| **count == most).count();
        let are_fewer = counts.iter().take(at).all(|count| count * 2 < most);
        (alike > 1 && are_fewer).then_some((most, at))
    };
    let found = SEPARATORS.into_iter().filter_map(|one| header(counts(one)));
    let Some((_, at)) = found.max_by_key(|(most, _)| *most) else {
        return 0;
    };
    let is_said = lines.iter().take(at).any(|line| named(line).is_some());
    let is_blank = |line: &&[u8]| line.trim_ascii().is_empty();
    if is_said || lines.iter().take(at).all(is_blank) {
        return 0;
    }
    at as u64
}

fn outside_of_quotes(line: &[u8], separator: u8) -> usize {
    let mut is_quoted = false;
    let is_one = |byte: &&u8| {
        is_quoted ^= **byte == b'"';
        !is_quoted && **byte == separator
    };
    line.iter().filter(is_one).count()
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
        let check = |text: &str, lines| assert_eq!(lines_before_header(text.as_bytes()), lines);
        check("id;title;price\na;T;1\n", 0);
        check("Prices 2026\n\nid;title;price\na;T;1\n", 2);
        check("Prices; 2026\nid;title;price;brand\na;T;1;b\n", 1);
        check("sep=;\nid;title;price\na;T;1\n", 0);
        check("\n\nid;title\na;T\n", 0);
        check("id\na\n", 0);
        check("id;title\na;\"x;y\"\nb;\"x;y;z\"\n", 0);
        check("id;title\na;T;;\n", 0);
    }
}
