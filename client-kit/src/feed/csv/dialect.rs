//! What separates the cells of a feed, as it says itself or as its header shows.

/// The separators that a header is searched for, the likeliest last.
const SEPARATORS: [u8; 4] = [b'|', b'\t', b';', b','];

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
}
