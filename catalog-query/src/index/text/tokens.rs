//! Cuts text into words. A number and its unit become one more word, however they are written:
//! `17"`, `17 inch` and `17-inch` are all `17inch`, `1 TB` and `1TB` are `1tb`.

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

/// Spellings of units that may follow a number, and the name of each unit in the index.
const UNITS: &[(&str, &str)] = &[
    ("inch", "inch"),
    ("inches", "inch"),
    ("zoll", "inch"),
    ("mm", "mm"),
    ("millimeter", "mm"),
    ("millimeters", "mm"),
    ("cm", "cm"),
    ("centimeter", "cm"),
    ("centimeters", "cm"),
    ("m", "m"),
    ("meter", "m"),
    ("meters", "m"),
    ("metre", "m"),
    ("metres", "m"),
    ("ft", "ft"),
    ("feet", "ft"),
    ("foot", "ft"),
    ("kb", "kb"),
    ("mb", "mb"),
    ("gb", "gb"),
    ("gigabyte", "gb"),
    ("gigabytes", "gb"),
    ("tb", "tb"),
    ("terabyte", "tb"),
    ("terabytes", "tb"),
    ("mhz", "mhz"),
    ("ghz", "ghz"),
    ("hz", "hz"),
    ("w", "w"),
    ("watt", "w"),
    ("watts", "w"),
    ("kw", "kw"),
    ("v", "v"),
    ("volt", "v"),
    ("volts", "v"),
    ("ah", "ah"),
    ("mah", "mah"),
    ("wh", "wh"),
    ("kg", "kg"),
    ("g", "g"),
    ("ml", "ml"),
    ("l", "l"),
    ("mp", "mp"),
    ("megapixel", "mp"),
    ("megapixels", "mp"),
    ("dpi", "dpi"),
    ("rpm", "rpm"),
    ("mbps", "mbps"),
    ("gbps", "gbps"),
];
/// Units that must follow a number without a gap. Elsewhere they are too ambiguous, as in "10 in
/// 1".
const GLUED_UNITS: &[(&str, &str)] = &[("in", "inch"), ("gig", "gb")];
/// Marks that follow a number of inches, the longest first.
const INCH_MARKS: &[&str] = &["''", "\"", "″", "”", "“", "´´", "’’"];
/// The most digits of a number with a unit. Longer ones are part numbers.
const NUMBER_BYTES_MAX: usize = 6;

/// How a number with its unit becomes words. A document also has the parts as words, so that a
/// query for a part finds it; a query asks only for the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measures {
    WithParts,
    Whole,
}

#[derive(Clone)]
pub(crate) struct WordTokenizer {
    measures: Measures,
}

impl WordTokenizer {
    pub(crate) fn new(measures: Measures) -> Self {
        Self { measures }
    }
}

impl Tokenizer for WordTokenizer {
    type TokenStream<'a> = Tokens;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Tokens {
        Tokens {
            tokens: tokens(text, self.measures),
            next: 0,
        }
    }
}

pub(crate) struct Tokens {
    tokens: Vec<Token>,
    next: usize,
}

impl TokenStream for Tokens {
    fn advance(&mut self) -> bool {
        self.next += 1;
        self.next <= self.tokens.len()
    }

    fn token(&self) -> &Token {
        &self.tokens[self.next - 1]
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.tokens[self.next - 1]
    }
}

/// A run of letters and digits, in bytes of the text.
#[derive(Clone, Copy)]
struct Run {
    from: usize,
    to: usize,
}

/// A number with its unit.
struct Measure {
    text: String,
    /// The number of runs that the measure covers.
    runs: usize,
    to: usize,
}

fn tokens(text: &str, measures: Measures) -> Vec<Token> {
    let runs = runs(text);
    let mut tokens = Vec::with_capacity(runs.len());
    let mut position = 0;
    let mut at = 0;
    while at < runs.len() {
        let measure = measure(text, &runs[at..]);
        let taken = measure.as_ref().map_or(1, |measure| measure.runs);
        let mut put = |from: usize, to: usize, text: &str| {
            tokens.push(Token {
                offset_from: from,
                offset_to: to,
                position,
                text: text.to_owned(),
                position_length: 1,
            });
        };
        if measure.is_none() || measures == Measures::WithParts {
            for run in &runs[at..at + taken] {
                let part = &text[run.from..run.to];
                let is_whole = |measure: &Measure| measure.text.eq_ignore_ascii_case(part);
                if !measure.as_ref().is_some_and(is_whole) {
                    put(run.from, run.to, part);
                }
            }
        }
        if let Some(measure) = measure {
            put(runs[at].from, measure.to, &measure.text);
        }
        position += 1;
        at += taken;
    }
    tokens
}

fn runs(text: &str) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut begun: Option<usize> = None;
    for (at, c) in text.char_indices() {
        match (begun, c.is_alphanumeric()) {
            (None, true) => begun = Some(at),
            (Some(from), false) => {
                runs.push(Run { from, to: at });
                begun = None;
            }
            _ => {}
        }
    }
    if let Some(from) = begun {
        let to = text.len();
        runs.push(Run { from, to });
    }
    runs
}

/// Returns the measure that begins at the first run.
fn measure(text: &str, runs: &[Run]) -> Option<Measure> {
    let run = |at: usize| runs.get(at).map(|run: &Run| &text[run.from..run.to]);
    let gap = |at: usize| Some(&text[runs.get(at)?.to..runs.get(at + 1)?.from]);
    let (whole, mut rest) = split_number(run(0)?)?;
    let mut number = whole.to_owned();
    let mut last = 0;
    if rest.is_empty()
        && let Some("." | ",") = gap(0)
        && let Some((decimals, unit)) = run(1).and_then(split_number)
        && decimals.len() <= 2
    {
        let decimals = decimals.trim_end_matches('0');
        if !decimals.is_empty() {
            number = format!("{number}.{decimals}");
        }
        rest = unit;
        last = 1;
    }
    let whole = |unit: &str, last: usize, to: usize| {
        Some(Measure {
            text: format!("{number}{unit}"),
            runs: last + 1,
            to,
        })
    };
    let to = runs[last].to;
    if !rest.is_empty() {
        let unit = unit_of(rest, UNITS).or_else(|| unit_of(rest, GLUED_UNITS))?;
        return whole(unit, last, to);
    }
    if let Some(mark) = INCH_MARKS
        .iter()
        .find(|mark| text[to..].starts_with(**mark))
    {
        return whole("inch", last, to + mark.len());
    }
    let unit = gap(last)
        .filter(|gap| [" ", "-", "\u{a0}"].contains(gap))
        .and_then(|_| unit_of(run(last + 1)?, UNITS))?;
    whole(unit, last + 1, runs[last + 1].to)
}

/// Splits a run into the digits that it begins with and the letters of its rest.
fn split_number(run: &str) -> Option<(&str, &str)> {
    let digits = run.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = run.split_at(digits);
    let plausible = (1..=NUMBER_BYTES_MAX).contains(&digits);
    (plausible && rest.chars().all(char::is_alphabetic)).then_some((number, rest))
}

fn unit_of(word: &str, units: &[(&str, &'static str)]) -> Option<&'static str> {
    let known = units
        .iter()
        .find(|(spelling, _)| spelling.eq_ignore_ascii_case(word));
    known.map(|(_, unit)| *unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, documents: &[&str], query: &[&str]) {
        for (measures, expected) in [(Measures::WithParts, documents), (Measures::Whole, query)] {
            let found = tokens(text, measures);
            let words: Vec<String> = found
                .iter()
                .map(|token| token.text.to_lowercase())
                .collect();
            assert_eq!(words, expected, "{text:?} {measures:?}");
            for token in &found {
                assert!(text.is_char_boundary(token.offset_from));
                assert!(text.is_char_boundary(token.offset_to));
            }
        }
    }

    #[test]
    fn a_measure_is_one_word_however_it_is_written() {
        for text in ["17\"", "17''", "17”", "17″"] {
            check(text, &["17", "17inch"], &["17inch"]);
        }
        check("17 inch", &["17", "inch", "17inch"], &["17inch"]);
        check("17-Inches", &["17", "inches", "17inch"], &["17inch"]);
        check("17in", &["17in", "17inch"], &["17inch"]);
        check("1TB", &["1tb"], &["1tb"]);
        check("1 TB", &["1", "tb", "1tb"], &["1tb"]);
        check("15.6\"", &["15", "6", "15.6inch"], &["15.6inch"]);
        check("2.0 m", &["2", "0", "m", "2m"], &["2m"]);
        check("3,5 inch", &["3", "5", "inch", "3.5inch"], &["3.5inch"]);
        check("2.5GHz", &["2", "5ghz", "2.5ghz"], &["2.5ghz"]);
    }

    #[test]
    fn other_numbers_are_words() {
        for (text, words) in [
            ("10 in 1", &["10", "in", "1"][..]),
            ("WH-1000XM4", &["wh", "1000xm4"]),
            ("usb 3.0 hub", &["usb", "3", "0", "hub"]),
            ("iphone 11 pro", &["iphone", "11", "pro"]),
            ("1234567 mm", &["1234567", "mm"]),
            ("ノート 7", &["ノート", "7"]),
            ("", &[]),
        ] {
            check(text, words, words);
        }
    }

    #[test]
    fn phrases_are_the_same_around_a_measure() {
        let place = |text: &str, measures| {
            let found = tokens(text, measures);
            let place = |word: &str| found.iter().find(|token| token.text == word);
            place("monitor").expect("monitor").position - place("17inch").expect("17").position
        };
        for text in ["17\" monitor", "17 inch monitor"] {
            assert_eq!(place(text, Measures::WithParts), 1);
            assert_eq!(place(text, Measures::Whole), 1);
        }
    }
}
