//! Cuts a record into its cells by the rules of RFC 4180, line by line. A quote that breaks them is told
//! and not guessed around: it would move the borders of cells and rows.

/// The most bytes of a quoted cell: no field of a product is as long, so that its quote is not closed.
const QUOTED_BYTES_MAX: usize = 256 * 1024;
/// How much of a text is shown in a message.
const SHOWN_CHARS_MAX: usize = 20;

/// How far a record is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Complete,
    /// A quote is open: the next line belongs to the record.
    Open,
    Broken(String),
}

/// The cells of one record after the other.
#[derive(Debug, Default)]
pub(super) struct Cells {
    pub(super) cells: Vec<Vec<u8>>,
    cell: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Start,
    Plain,
    Quoted,
    /// Behind the closing quote of a cell.
    Closed,
}

impl Cells {
    /// Begins another record.
    pub(super) fn clear(&mut self) {
        self.cells.clear();
        self.cell.clear();
        self.state = State::Start;
    }

    /// The number of the cell that is being read, from 0.
    pub(super) fn column(&self) -> usize {
        self.cells.len()
    }

    /// Leaves out what separators at the end of a row have behind them, where that is nothing: they are no
    /// columns.
    pub(super) fn trim(&mut self, columns: usize) {
        while self.cells.len() > columns && self.cells.last().is_some_and(Vec::is_empty) {
            self.cells.pop();
        }
    }

    /// Adds a line, with its line break.
    pub(super) fn add(&mut self, line: &[u8], separator: &[u8]) -> Progress {
        let content = without_end(line);
        if self.state != State::Quoted && !line.contains(&b'"') {
            self.add_plain(content, separator);
            return Progress::Complete;
        }
        let mut rest = line;
        while !rest.is_empty() {
            let step = match self.state {
                State::Start => self.start(rest, separator),
                State::Plain => self.plain(rest, separator),
                State::Quoted => self.quoted(rest),
                State::Closed => match self.closed(rest, separator) {
                    Ok(step) => step,
                    Err(reason) => return Progress::Broken(reason),
                },
            };
            rest = &rest[step..];
        }
        match self.state {
            State::Quoted if self.cell.len() > QUOTED_BYTES_MAX => {
                Progress::Broken(format!("takes in more than {QUOTED_BYTES_MAX} bytes"))
            }
            State::Quoted => Progress::Open,
            _ => {
                self.end_cell();
                Progress::Complete
            }
        }
    }

    /// Ends a cell whose quote is open at the separators in it, as if there were no quote.
    pub(super) fn end_at_separators(&mut self, separator: &[u8]) {
        let open = std::mem::take(&mut self.cell);
        self.state = State::Start;
        self.add_plain(without_end(&open), separator);
    }

    /// Cuts a line without a quote.
    fn add_plain(&mut self, mut rest: &[u8], separator: &[u8]) {
        while let Some(at) = find(rest, separator) {
            self.cells.push(rest[..at].to_vec());
            rest = &rest[at + separator.len()..];
        }
        self.cells.push(rest.to_vec());
    }

    fn end_cell(&mut self) {
        self.cells.push(std::mem::take(&mut self.cell));
        self.state = State::Start;
    }

    fn start(&mut self, rest: &[u8], separator: &[u8]) -> usize {
        let blanks = rest.iter().take_while(|byte| **byte == b' ').count();
        let is_quoted = rest.get(blanks) == Some(&b'"') && !separator.starts_with(b" ");
        if is_quoted {
            self.state = State::Quoted;
            blanks + 1
        } else {
            self.state = State::Plain;
            0
        }
    }

    fn plain(&mut self, rest: &[u8], separator: &[u8]) -> usize {
        match find(rest, separator) {
            Some(at) => {
                self.cell.extend_from_slice(&rest[..at]);
                self.end_cell();
                at + separator.len()
            }
            None => {
                self.cell.extend_from_slice(without_end(rest));
                rest.len()
            }
        }
    }

    fn quoted(&mut self, rest: &[u8]) -> usize {
        let quote = rest.iter().position(|byte| *byte == b'"');
        let text = quote.unwrap_or(rest.len());
        self.cell.extend_from_slice(&rest[..text]);
        match quote {
            None => text,
            Some(at) if rest.get(at + 1) == Some(&b'"') => {
                self.cell.push(b'"');
                at + 2
            }
            Some(at) => {
                self.state = State::Closed;
                at + 1
            }
        }
    }

    fn closed(&mut self, rest: &[u8], separator: &[u8]) -> Result<usize, String> {
        let blanks = rest.iter().take_while(|byte| **byte == b' ').count();
        let text = &rest[blanks..];
        if text.starts_with(separator) {
            self.end_cell();
            Ok(blanks + separator.len())
        } else if rest.starts_with(separator) {
            self.end_cell();
            Ok(separator.len())
        } else if without_end(text).is_empty() {
            Ok(rest.len())
        } else {
            let text = String::from_utf8_lossy(without_end(text));
            let shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
            Err(format!(
                "is followed by {shown:?}: a quote inside of quotes is written twice (\"\")"
            ))
        }
    }
}

/// A line without the line break at its end.
pub(super) fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn find(text: &[u8], separator: &[u8]) -> Option<usize> {
    match separator {
        [byte] => text.iter().position(|found| found == byte),
        several => text
            .windows(several.len())
            .position(|window| window == several),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[&str], separator: &str, expected: Result<&[&str], &str>) {
        let mut cells = Cells::default();
        let mut progress = Progress::Open;
        for line in lines {
            assert_eq!(progress, Progress::Open, "{lines:?}");
            progress = cells.add(line.as_bytes(), separator.as_bytes());
        }
        let found: Vec<&str> = cells
            .cells
            .iter()
            .map(|cell| str::from_utf8(cell).expect("UTF-8"))
            .collect();
        match expected {
            Ok(expected) => assert_eq!((progress, &found[..]), (Progress::Complete, expected)),
            Err("open") => assert_eq!(progress, Progress::Open, "{lines:?}"),
            Err(reason) => assert_eq!(progress, Progress::Broken(reason.to_owned())),
        }
    }

    #[test]
    fn cells_are_cut_at_separators_outside_of_quotes() {
        check(&["a,b,\r\n"], ",", Ok(&["a", "b", ""]));
        check(&["a,\"b,\"\"c\"\"\",d"], ",", Ok(&["a", "b,\"c\"", "d"]));
        check(&["\"a\n", "\r\n", "b\",c\n"], ",", Ok(&["a\n\r\nb", "c"]));
        check(&["a, \"b\" , c\n"], ",", Ok(&["a", "b", " c"]));
        check(&["a\t\"b\"\t\"\"\n"], "\t", Ok(&["a", "b", ""]));
        check(&["a||\"b||c\"||d"], "||", Ok(&["a", "b||c", "d"]));
        check(&["5\" pipe,b\n"], ",", Ok(&["5\" pipe", "b"]));
        check(&["\"\",\"\""], ",", Ok(&["", ""]));
    }

    #[test]
    fn quotes_that_break_the_rules_are_told() {
        let twice = |shown: &str| {
            format!("is followed by {shown:?}: a quote inside of quotes is written twice (\"\")")
        };
        check(&["a,\"5\" pipe\",b\n"], ",", Err(&twice("pipe\",b")));
        check(
            &["a,\"x \\\"y\\\" z\",b\n"],
            ",",
            Err(&twice("y\\\" z\",b")),
        );
        check(&["a,\"b\n"], ",", Err("open"));
        let long = format!("\"{}", "x".repeat(QUOTED_BYTES_MAX + 1));
        check(&[&long], ",", Err("takes in more than 262144 bytes"));
    }
}
