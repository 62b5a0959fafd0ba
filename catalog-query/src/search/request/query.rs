//! Parses what a user typed into words, "phrases", -exclusions and identifiers. Every text is a
//! query: signs without a meaning are ignored.

use crate::index::{
    Identifier, Language, MatchMode, QueryTerms, Rows, Word, identifier, identifiers, is_minus,
    is_quotation_mark,
};
use crate::search::error::{QUERY_BYTES_MAX, SearchError};

/// The most phrases of a query; the words of further ones are plain words.
const PHRASES_MAX: usize = 8;
/// The most exclusions of a query; further ones are plain words.
const EXCLUSIONS_MAX: usize = 16;

/// A query taken apart, before the catalog is asked about it. Invariant: `text` has no control
/// characters and is not blank, and the words tell their places in it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ParsedQuery {
    pub(crate) text: String,
    /// The byte ranges of `text` that are looked for: all but exclusions and quotation marks.
    pub(crate) wanted: Vec<(usize, usize)>,
    /// The words that are looked for, those of phrases too. There are none when the text is all
    /// punctuation, which finds nothing, or all exclusions, which leave every other product.
    pub(crate) words: Vec<QueriedWord>,
    pub(crate) phrases: Vec<Rows>,
    pub(crate) exclusions: Vec<Exclusion>,
    pub(crate) identifiers: Vec<Identifier>,
    pub(crate) mode: MatchMode,
    /// Whether the last word may be the beginning of a word.
    pub(crate) is_open: bool,
}

/// A word that is looked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct QueriedWord {
    pub(crate) word: Word,
    /// True for a word of a phrase, which is taken as it is.
    pub(crate) quoted: bool,
}

/// A word or phrase that products must not have.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Exclusion {
    pub(crate) words: Vec<Word>,
    pub(crate) rows: Rows,
}

/// A part of a text, from one byte to another.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Plain(usize, usize),
    Phrase(usize, usize),
    Exclusion(usize, usize),
}

impl ParsedQuery {
    /// Takes a query apart. Blank and overlong ones are errors.
    pub(crate) fn parse(typed: &str, language: Language) -> Result<Self, SearchError> {
        if typed.len() > QUERY_BYTES_MAX {
            return Err(SearchError::QueryTooLong { bytes: typed.len() });
        }
        let is_gap = |c: char| c.is_whitespace() || c.is_control();
        let pieces: Vec<&str> = typed
            .split(is_gap)
            .filter(|piece| !piece.is_empty())
            .collect();
        if pieces.is_empty() {
            return Err(SearchError::EmptyQuery);
        }
        let text = with_plain_signs(&pieces.join(" "));
        let parts = parts(&text);
        Ok(Self::of(text, parts, language))
    }

    /// Whether all products are asked for that no exclusion leaves out.
    pub(crate) fn is_everything(&self) -> bool {
        self.words.is_empty() && self.phrases.is_empty() && !self.exclusions.is_empty()
    }

    /// The identifier that the whole text may be, where it has phrases or exclusions: in
    /// "TB-7 -H (refurb)" the minus sign may belong to a part number. One without digits is made of words:
    /// "black -toner" leaves out toner, even if there is a part number "BLACK-TONER".
    pub(crate) fn as_identifier(&self) -> Option<String> {
        let has_signs = !self.phrases.is_empty() || !self.exclusions.is_empty();
        (has_signs && !self.words.is_empty())
            .then(|| identifier(&self.text))
            .flatten()
            .filter(|text| text.bytes().any(|byte| byte.is_ascii_digit()))
    }

    /// The words that stand behind a minus sign or in quotation marks.
    pub(crate) fn words_with_signs(&self) -> impl Iterator<Item = &Word> {
        let quoted = self.words.iter().filter(|word| word.quoted);
        let quoted = quoted.map(|word| &word.word);
        let excluded = self.exclusions.iter().flat_map(|one| &one.words);
        quoted.chain(excluded)
    }

    /// Parses the same text again, without phrases and exclusions.
    pub(crate) fn plain(self, language: Language) -> Self {
        let all = Part::Plain(0, self.text.len());
        Self {
            mode: self.mode,
            is_open: self.is_open,
            ..Self::of(self.text, vec![all], language)
        }
    }

    fn of(text: String, parts: Vec<Part>, language: Language) -> Self {
        let mut query = Self {
            text,
            wanted: Vec::new(),
            words: Vec::new(),
            phrases: Vec::new(),
            exclusions: Vec::new(),
            identifiers: Vec::new(),
            mode: MatchMode::default(),
            is_open: false,
        };
        for part in parts {
            query.add(part, language);
        }
        query.identifiers = identifiers(&query.wanted_text());
        query
    }

    fn add(&mut self, part: Part, language: Language) {
        let (Part::Plain(from, to) | Part::Phrase(from, to) | Part::Exclusion(from, to)) = part;
        let rest = QueryTerms::WORDS_MAX - self.words.len();
        let mut words = language.words(&self.text[from..to], rest.max(1));
        for word in &mut words {
            word.shift(from);
        }
        let rows = || language.rows(&self.text[from..to]);
        let is_quoted = matches!(part, Part::Phrase(..)) && self.phrases.len() < PHRASES_MAX;
        match part {
            Part::Exclusion(..) if words.is_empty() => return,
            Part::Exclusion(..) => {
                let rows = rows();
                return self.exclusions.push(Exclusion { words, rows });
            }
            Part::Phrase(..) if is_quoted && !words.is_empty() => self.phrases.push(rows()),
            Part::Plain(..) | Part::Phrase(..) => {}
        }
        self.wanted.push((from, to));
        let quoted = words.into_iter().take(rest).map(|word| QueriedWord {
            word,
            quoted: is_quoted,
        });
        self.words.extend(quoted);
    }

    /// The parts that are looked for, as one text.
    pub(crate) fn wanted_text(&self) -> String {
        let parts: Vec<&str> = self
            .wanted
            .iter()
            .map(|(from, to)| self.text[*from..*to].trim())
            .filter(|part| !part.is_empty())
            .collect();
        parts.join(" ")
    }

    /// The query with other words in some byte ranges of its text; `changes` are in the order of
    /// the text.
    pub(crate) fn replaced(&self, changes: &[((usize, usize), String)]) -> Self {
        let mut text = String::new();
        let mut copied = 0;
        // Pairs of a place in the old text and the bytes by which everything from there on moves.
        let mut shifts: Vec<(usize, isize)> = Vec::new();
        for ((from, to), word) in changes {
            text.push_str(&self.text[copied..*from]);
            text.push_str(word);
            copied = *to;
            shifts.push((*to, text.len() as isize - *to as isize));
        }
        text.push_str(&self.text[copied..]);
        let place = |at: usize| {
            let shift = shifts.iter().rev().find(|(from, _)| *from <= at);
            at.saturating_add_signed(shift.map_or(0, |(_, shift)| *shift))
        };
        let wanted = self.wanted.iter();
        Self {
            wanted: wanted
                .map(|(from, to)| (place(*from), place(*to)))
                .collect(),
            text,
            ..self.clone()
        }
    }
}

/// Writes all quotation marks and minus signs of a text as those of a keyboard.
fn with_plain_signs(text: &str) -> String {
    let plain = text.chars().map(|c| match c {
        c if is_quotation_mark(c) => '"',
        c if is_minus(c) => '-',
        other => other,
    });
    plain.collect()
}

/// Splits a text into plain parts, phrases and exclusions.
fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let (mut plain, mut at) = (0, 0);
    let (mut phrases, mut exclusions) = (0, 0);
    while at < text.len() {
        let begins = at == 0 || text[..at].ends_with(' ');
        let special = begins.then(|| special(text, at)).flatten();
        let is_allowed = match special {
            Some((Part::Phrase(..), _)) => phrases < PHRASES_MAX,
            Some((Part::Exclusion(..), _)) => exclusions < EXCLUSIONS_MAX,
            Some((Part::Plain(..), _)) | None => false,
        };
        match special.filter(|_| is_allowed) {
            Some((part, next)) => {
                match part {
                    Part::Phrase(..) => phrases += 1,
                    Part::Exclusion(..) | Part::Plain(..) => exclusions += 1,
                }
                if plain < at {
                    parts.push(Part::Plain(plain, at));
                }
                parts.push(part);
                (plain, at) = (next, next);
            }
            None => at += text[at..].chars().next().map_or(1, char::len_utf8),
        }
    }
    if plain < text.len() {
        parts.push(Part::Plain(plain, text.len()));
    }
    parts
}

/// The phrase or exclusion that begins at `at`, and where the text goes on.
fn special(text: &str, at: usize) -> Option<(Part, usize)> {
    let rest = &text[at..];
    if let Some(excluded) = rest.strip_prefix('-') {
        if let Some((from, to, next)) = quoted(text, at + 1) {
            return Some((Part::Exclusion(from, to), next));
        }
        let length = excluded.find(' ').unwrap_or(excluded.len());
        let begins = excluded.chars().next().is_some_and(char::is_alphanumeric);
        let is_word = begins && !is_temperature(&excluded[..length]);
        return is_word.then(|| (Part::Exclusion(at + 1, at + 1 + length), at + 1 + length));
    }
    let (from, to, next) = quoted(text, at)?;
    Some((Part::Phrase(from, to), next))
}

/// Whether a minus sign before the text makes it a negative number, as in "-20" and "-5.5°C".
fn is_temperature(text: &str) -> bool {
    let number = text.trim_end_matches(|c: char| "°CcFf%".contains(c));
    let is_digit = |c: char| c.is_ascii_digit() || c == '.' || c == ',';
    !number.is_empty() && number.chars().all(is_digit)
}

/// The bytes between a quotation mark at `at` and the mark that closes it, and where the text goes
/// on. A mark before a space or the end closes; one behind a digit may mean inches, and closes only
/// when no other mark does.
fn quoted(text: &str, at: usize) -> Option<(usize, usize, usize)> {
    let inner = text[at..].strip_prefix('"')?;
    let from = at + 1;
    let closes = |place: usize| {
        let after = inner[place + 1..].chars().next();
        after.is_none_or(|c| c == ' ')
    };
    let is_inch = |place: usize| inner[..place].ends_with(|c: char| c.is_ascii_digit());
    let marks: Vec<usize> = inner
        .match_indices('"')
        .map(|(place, _)| place)
        .filter(|place| closes(*place))
        .collect();
    let mark = marks
        .iter()
        .find(|place| !is_inch(**place))
        .or(marks.first())?;
    let has_words = inner[..*mark].chars().any(char::is_alphanumeric);
    has_words.then(|| (from, from + mark, from + mark + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(typed: &str, text: &str, has_words: bool) {
        let query = ParsedQuery::parse(typed, Language::English).expect(typed);
        assert_eq!(
            (query.text.as_str(), !query.words.is_empty()),
            (text, has_words),
            "{typed:?}"
        );
    }

    #[test]
    fn exclusions_alone_are_no_identifier() {
        let identifier = |typed| {
            let query = ParsedQuery::parse(typed, Language::English).expect(typed);
            query.as_identifier()
        };
        assert_eq!(identifier("-toner"), None);
        assert_eq!(identifier("black -toner"), None);
        assert_eq!(identifier("\"usb cable\""), None);
        assert_eq!(
            identifier("TB-7 -H (refurb)").as_deref(),
            Some("tb7hrefurb")
        );
    }

    #[test]
    fn whatever_is_typed_is_text() {
        check("  usb\u{0}hub\n", "usb hub", true);
        check("title:(usb AND *) OR \"", "title:(usb AND *) OR \"", true);
        check(&"(".repeat(1_000), &"(".repeat(1_000), false);
        check(&"\"a\" ".repeat(250), "\"a\" ".repeat(250).trim(), true);
        check(&"-a ".repeat(333), "-a ".repeat(333).trim(), true);
        check("!?", "!?", false);
        check("ノート", "ノート", true);
        check("\"", "\"", false);
        check("-", "-", false);
        check("- \"\" -\"", "- \"\" -\"", false);
    }

    fn parsed(typed: &str) -> (String, Vec<String>, Vec<String>) {
        let query = ParsedQuery::parse(typed, Language::English).expect(typed);
        let texts = |parts: &[Rows]| {
            let text = |rows: &Rows| rows[0].join(" ");
            parts.iter().map(text).collect::<Vec<_>>()
        };
        for QueriedWord { word, .. } in &query.words {
            let written = query.text[word.from..word.to].to_lowercase();
            assert!(
                written.starts_with(word.surface.get(..1).unwrap_or_default()),
                "{typed:?}"
            );
        }
        (
            query.wanted_text(),
            texts(&query.phrases),
            texts(
                &query
                    .exclusions
                    .iter()
                    .map(|one| one.rows.clone())
                    .collect::<Vec<_>>(),
            ),
        )
    }

    #[test]
    fn phrases_and_exclusions_are_told_from_words() {
        let check = |typed: &str, wanted: &str, phrases: &[&str], exclusions: &[&str]| {
            let expected = (
                wanted.to_owned(),
                phrases.iter().map(ToString::to_string).collect(),
                exclusions.iter().map(ToString::to_string).collect(),
            );
            assert_eq!(parsed(typed), expected, "{typed:?}");
        };
        check(
            "usb \"Power Bank\" red",
            "usb Power Bank red",
            &["power bank"],
            &[],
        );
        check(
            "laptop -bag -\"hard case\"",
            "laptop",
            &[],
            &["bag", "hard case"],
        );
        check("-bag laptop", "laptop", &[], &["bag"]);
        check("Sony WH-1000 XM4", "Sony WH-1000 XM4", &[], &[]);
        check("a - b -- c", "a - b -- c", &[], &[]);
        check("17\" monitor", "17\" monitor", &[], &[]);
        check(
            "\"17\" monitor\" lg",
            "17\" monitor lg",
            &["17inch monitor"],
            &[],
        );
        check("12\" or 13\" case", "12\" or 13\" case", &[], &[]);
        check("\"unclosed phrase", "\"unclosed phrase", &[], &[]);
        check("headphones -wi-fi", "headphones", &[], &["wi fi"]);
    }

    #[test]
    fn words_are_replaced_where_they_stand() {
        let query =
            ParsedQuery::parse("lapotp -bag \"usb hub\" sleve", Language::English).expect("query");
        let changes = [
            ((0, 6), "laptop".to_owned()),
            ((22, 27), "sleeves".to_owned()),
        ];
        let replaced = query.replaced(&changes);
        assert_eq!(replaced.text, "laptop -bag \"usb hub\" sleeves");
        assert_eq!(replaced.wanted_text(), "laptop usb hub sleeves");
    }

    #[test]
    fn blank_and_long_queries_are_errors() {
        for blank in ["", " ", "\u{0}\t\u{7f}\u{a0}"] {
            assert!(
                matches!(
                    ParsedQuery::parse(blank, Language::English),
                    Err(SearchError::EmptyQuery)
                ),
                "{blank:?}"
            );
        }
        for bytes in [1_001, 20_000, 1_000_000] {
            let err =
                ParsedQuery::parse(&"(".repeat(bytes), Language::English).expect_err("too long");
            assert_eq!(
                err.to_string(),
                format!("the query has {bytes} bytes, more than 1000")
            );
        }
    }
}
