//! Marks what matches a query in the texts of a product.

use std::collections::HashMap;

use crate::index::{Language, PlacedStem};
use crate::search::request::understanding::UnderstoodQuery;

/// The most bytes of a text that are shown; of a longer one, they are around the first match.
const TEXT_BYTES_MAX: usize = 320;
/// The bytes before the first match that are shown of a longer text.
const LEAD_BYTES: usize = 80;

/// Marks the words of one query.
pub(crate) struct Highlighter {
    language: Language,
    /// The rows of stems that are marked, by their first stem.
    rows: HashMap<String, Vec<Vec<String>>>,
}

/// A text or a part of it, and the byte ranges in it that match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Highlighted {
    pub(crate) text: String,
    pub(crate) spans: Vec<(usize, usize)>,
}

impl Highlighter {
    /// A marker of the words of the query in all their forms, and of their synonyms.
    pub(crate) fn new(understood: &UnderstoodQuery) -> Self {
        let words = understood.terms.words.iter();
        let alternatives = words.flat_map(|word| &word.alternatives);
        let rows = alternatives.map(|alternative| &alternative.stems);
        let phrases = understood.terms.phrases.iter().flatten();
        Self::of(understood.language, rows.chain(phrases).cloned())
    }

    fn of(language: Language, rows: impl IntoIterator<Item = Vec<String>>) -> Self {
        let mut by_first: HashMap<String, Vec<Vec<String>>> = HashMap::new();
        for row in rows {
            if let Some(first) = row.first() {
                by_first.entry(first.clone()).or_default().push(row);
            }
        }
        Self {
            language,
            rows: by_first,
        }
    }

    /// Marks a text; None when nothing matches.
    pub(crate) fn mark(&self, text: &str) -> Option<Highlighted> {
        let spans = self.spans(text);
        let (first, _) = *spans.first()?;
        let (from, to) = window(text, first);
        let shown = spans
            .iter()
            .filter(|(start, end)| from <= *start && *end <= to)
            .map(|(start, end)| (start - from, end - from));
        Some(Highlighted {
            spans: shown.collect(),
            text: text[from..to].to_owned(),
        })
    }

    /// The byte ranges that match, in their order and without overlaps.
    fn spans(&self, text: &str) -> Vec<(usize, usize)> {
        let stems = self.language.document_stems(text);
        let mut found: Vec<(usize, usize)> = Vec::new();
        for (at, stem) in stems.iter().enumerate() {
            for row in self.rows.get(&stem.stem).into_iter().flatten() {
                found.extend(span_of(row, &stems[at..]));
            }
        }
        found.sort_unstable();
        let mut spans: Vec<(usize, usize)> = Vec::new();
        for (from, to) in found {
            match spans.last_mut() {
                Some(last) if from < last.1 => last.1 = last.1.max(to),
                _ => spans.push((from, to)),
            }
        }
        spans
    }
}

/// The byte range of a row that begins with the first of the stems, if the others follow it.
fn span_of(row: &[String], stems: &[PlacedStem]) -> Option<(usize, usize)> {
    let first = stems.first()?;
    let mut to = first.to;
    for (stem, position) in row.iter().zip(first.position..).skip(1) {
        let mut here = stems.iter().skip_while(|next| next.position < position);
        let next = here.find(|next| next.position > position || next.stem == *stem)?;
        if next.position > position {
            return None;
        }
        to = next.to;
    }
    Some((first.from, to))
}

/// The byte range of a text that is shown, of whole words where possible.
fn window(text: &str, first: usize) -> (usize, usize) {
    if text.len() <= TEXT_BYTES_MAX {
        return (0, text.len());
    }
    let lead = text.ceil_char_boundary(first.saturating_sub(LEAD_BYTES));
    let from = match text[lead..first].find(' ') {
        Some(gap) if lead > 0 => lead + gap + 1,
        _ if lead == 0 => 0,
        _ => first,
    };
    let end = text.floor_char_boundary((from + TEXT_BYTES_MAX).min(text.len()));
    let to = match text[from..end].rfind(' ') {
        Some(gap) if end < text.len() && from + gap > first => from + gap,
        _ => end,
    };
    (from, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &[&str], text: &str, expected: &str) {
        let rows = words.iter().map(|word| vec![Language::English.stem(word)]);
        let marked = Highlighter::of(Language::English, rows).mark(text);
        let mut shown = String::new();
        if let Some(Highlighted { text, spans }) = marked {
            let mut copied = 0;
            for (from, to) in spans {
                shown += &format!("{}[{}]", &text[copied..from], &text[from..to]);
                copied = to;
            }
            shown += &text[copied..];
        }
        assert_eq!(shown, expected, "{words:?} in {text:?}");
    }

    #[test]
    fn marks_words_in_all_their_forms() {
        check(
            &["battery", "usb"],
            "USB-Batteries, 4 pcs",
            "[USB]-[Batteries], 4 pcs",
        );
        check(&["cafe"], "Für das Café!", "Für das [Café]!");
        check(
            &["17inch"],
            "A 17\" monitor, 17 inch",
            "A [17\"] monitor, [17 inch]",
        );
        check(&["17"], "A 17\" monitor", "A [17\"] monitor");
        check(&["mouse"], "nothing here", "");
        check(&[], "", "");
    }

    #[test]
    fn of_a_long_text_the_part_around_the_first_match_is_shown() {
        for filler in ["lorem ", "łórem ", "łórem"] {
            let text = format!("{} mouse {}", filler.repeat(100), filler.repeat(100));
            let highlighter = Highlighter::of(Language::English, [vec!["mous".to_owned()]]);
            let marked = highlighter.mark(&text).expect("match");
            assert!(marked.text.len() <= TEXT_BYTES_MAX, "{}", marked.text.len());
            let (from, to) = marked.spans[0];
            assert_eq!(&marked.text[from..to], "mouse");
        }
    }
}
