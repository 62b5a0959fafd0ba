//! How much of a text shows its form: the first line, what begins the next one, and an XML declaration. What is
//! behind them must not matter, as it depends on the pipe how much of it is there.

/// Follows the beginning of a text while it grows. Every byte is looked at once, however few come at a time.
#[derive(Debug, Default)]
pub(super) struct Beginning {
    /// The first byte that is no blank.
    start: usize,
    /// Where the search for the end of the first line goes on, and then for what is behind it.
    place: usize,
    has_line: bool,
    /// Where the search for the end of an XML declaration goes on.
    declaration: usize,
}

impl Beginning {
    pub(super) fn is_enough(&mut self, first: &[u8]) -> bool {
        self.start = past_blanks(first, self.start);
        if !self.has_line {
            let from = self.place.max(self.start);
            let end = first[from..].iter().position(|byte| *byte == b'\n');
            self.has_line = end.is_some();
            self.place = end.map_or(first.len(), |end| from + end);
        }
        if !self.has_line {
            return false;
        }
        self.place = past_blanks(first, self.place);
        self.place < first.len() && !self.is_in_declaration(first)
    }

    fn is_in_declaration(&mut self, first: &[u8]) -> bool {
        if !first[self.start..].starts_with(b"<?xml") {
            return false;
        }
        let from = self.declaration.max(self.start);
        let end = first[from..].windows(2).position(|part| part == b"?>");
        self.declaration = end.map_or(first.len() - 1, |end| from + end);
        end.is_none()
    }
}

fn past_blanks(text: &[u8], from: usize) -> usize {
    let blanks = text[from..]
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace());
    from + blanks.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_and_what_follows_are_enough() {
        let check = |text: &str, expected: usize| {
            let mut beginning = Beginning::default();
            let mut lengths = 0..=text.len();
            let found = lengths.find(|length| beginning.is_enough(&text.as_bytes()[..*length]));
            assert_eq!(found, Some(expected).filter(|it| *it > 0), "{text:?}");
            let whole = Beginning::default().is_enough(text.as_bytes());
            assert_eq!(whole, found.is_some(), "{text:?}");
        };
        check("id,title\na,T\n", 10);
        check("\n \nid\n\n\r\na", 10);
        check("id\n\n ", 0);
        check("id", 0);
        check("<?xml version='1.0'\n encoding='x'\n?><f>", 36);
        check("<?xml version='1.0'\n?", 0);
        check("<f>\n<?xml", 5);
    }
}
