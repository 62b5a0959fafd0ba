//! Ends what a user has begun to type: words and word pairs of titles, and brands, as they are
//! written, the most common first.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use catalog_events::Product;
use tantivy::query::FuzzyTermQuery;
use tantivy::schema::{Field, IndexRecordOption, SchemaBuilder, TextFieldIndexing, TextOptions};
use tantivy::{DocSet as _, Searcher, SegmentReader, TERMINATED, TantivyDocument, Term};

use super::columns::folded;
use super::doc_sets::DocBits;

/// Of a title: what follows tells few products apart.
const TITLE_WORDS_MAX: usize = 16;
const WORD_BYTES_MAX: usize = 40;
/// With fewer letters, every word would be like some other.
const TYPO_CHARS_MIN: usize = 4;
const TWO_TYPOS_CHARS_MIN: usize = 8;
/// So many of the most common are counted exactly.
const COUNTED_PER_SUGGESTION: usize = 4;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Suggestion {
    pub(crate) text: String,
    /// Products that have all of it.
    pub(crate) documents: u64,
}

pub(super) fn add_to(schema: &mut SchemaBuilder) -> Field {
    let terms = TextFieldIndexing::default()
        .set_tokenizer("raw")
        .set_fieldnorms(false)
        .set_index_option(IndexRecordOption::Basic);
    schema.add_text_field(
        "suggest",
        TextOptions::default().set_indexing_options(terms),
    )
}

pub(super) fn fill(field: Field, document: &mut TantivyDocument, product: &Product) {
    let words = words(&product.title, TITLE_WORDS_MAX);
    let pairs = words.windows(2).map(|pair| pair.join(" "));
    let brand = product
        .brand
        .iter()
        .map(|brand| self::words(brand, 4).join(" "));
    let texts = pairs.chain(brand).chain(words.iter().cloned());
    let several = |text: &String| text.chars().nth(1).is_some();
    let distinct: HashSet<String> = texts.filter(several).collect();
    for text in distinct {
        document.add_text(field, text);
    }
}

/// As they are typed: letters and digits, in lower case.
fn words(text: &str, max: usize) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    let words = words.filter(|word| (1..=WORD_BYTES_MAX).contains(&word.len()));
    words.take(max).map(folded).collect()
}

/// The most common ends of what was typed; where those are few, also of what is alike.
pub(super) fn complete(
    searcher: &Searcher,
    field: Field,
    typed: &str,
    limit: usize,
) -> tantivy::Result<Vec<Suggestion>> {
    let words = words(typed, TITLE_WORDS_MAX);
    let Some((last, before)) = words.split_last() else {
        return Ok(Vec::new());
    };
    // After a space, another word is asked for.
    let open = match typed.ends_with(char::is_whitespace) {
        true => format!("{last} "),
        false => last.clone(),
    };
    let mut found = Found {
        searcher,
        field,
        limit,
        suggestions: Vec::new(),
    };
    // The longest beginning that the catalogue knows: of "a b c", "b c" after "a".
    if let Some((previous, first)) = before.split_last() {
        found.add(first, &format!("{previous} {open}"), None)?;
    }
    found.add(before, &open, None)?;
    let chars = last.chars().count();
    // A word that was ended and is known is no typo.
    let complete = open.ends_with(' ') && !found.suggestions.is_empty();
    if chars >= TYPO_CHARS_MIN && !complete {
        let typos = 1 + u8::from(chars >= TWO_TYPOS_CHARS_MIN);
        found.add(before, last, Some(typos))?;
    }
    Ok(found.suggestions)
}

struct Found<'a> {
    searcher: &'a Searcher,
    field: Field,
    limit: usize,
    suggestions: Vec<Suggestion>,
}

impl Found<'_> {
    /// Adds what ends `open`, in products that have `before`, up to the limit.
    fn add(&mut self, before: &[String], open: &str, typos: Option<u8>) -> tantivy::Result<()> {
        if self.suggestions.len() >= self.limit {
            return Ok(());
        }
        let mut within = Vec::new();
        for segment in self.searcher.segment_readers() {
            within.push(self.with_all(segment, before)?);
        }
        let mut counted = Vec::new();
        for text in self.most_common(open, typos)? {
            if text
                .split(' ')
                .any(|word| before.iter().any(|known| known == word))
            {
                continue;
            }
            let documents = self.count(&text, &within)?;
            let before = before.iter().map(String::as_str);
            let text = before.chain([text.as_str()]).collect::<Vec<_>>().join(" ");
            let is_new = self.suggestions.iter().all(|known| known.text != text);
            if documents > 0 && is_new {
                counted.push(Suggestion { text, documents });
            }
        }
        counted
            .sort_by(|a, b| (Reverse(a.documents), &a.text).cmp(&(Reverse(b.documents), &b.text)));
        counted.truncate(self.limit - self.suggestions.len());
        self.suggestions.append(&mut counted);
        Ok(())
    }

    /// By the number of documents, deleted ones included.
    fn most_common(&self, open: &str, typos: Option<u8>) -> tantivy::Result<Vec<String>> {
        let mut counts = Counts::default();
        for segment in self.searcher.segment_readers() {
            let index = segment.inverted_index(self.field)?;
            let terms = index.terms();
            match typos {
                None => {
                    let end = [open.as_bytes(), &[0xff]].concat();
                    let mut stream = terms.range().ge(open).lt(end).into_stream()?;
                    while stream.advance() {
                        counts.add(stream.key(), stream.value().doc_freq);
                    }
                }
                Some(typos) => {
                    let like = Term::from_field_text(self.field, open);
                    let like = FuzzyTermQuery::new_prefix(like, typos, true).automaton()?;
                    let mut stream = terms.search(like).into_stream()?;
                    while stream.advance() {
                        counts.add(stream.key(), stream.value().doc_freq);
                    }
                }
            }
        }
        Ok(counts.most(self.limit * COUNTED_PER_SUGGESTION))
    }

    fn count(&self, text: &str, within: &[DocBits]) -> tantivy::Result<u64> {
        let mut count = 0;
        for (segment, within) in self.searcher.segment_readers().iter().zip(within) {
            each_with(segment, self.field, text, |doc| {
                count += u64::from(within.contains(doc));
            })?;
        }
        Ok(count)
    }

    /// The live documents that have all of these words.
    fn with_all(&self, segment: &SegmentReader, words: &[String]) -> tantivy::Result<DocBits> {
        let mut all = DocBits::all(segment.max_doc());
        for word in words {
            let mut with = DocBits::none(segment.max_doc());
            each_with(segment, self.field, word, |doc| with.insert(doc))?;
            all.intersect(&with);
        }
        all.remove_deleted(segment);
        Ok(all)
    }
}

/// How many documents have a term, over the segments.
#[derive(Default)]
struct Counts(HashMap<Vec<u8>, u64>);

impl Counts {
    fn add(&mut self, term: &[u8], documents: u32) {
        match self.0.get_mut(term) {
            Some(count) => *count += u64::from(documents),
            None => {
                self.0.insert(term.to_owned(), u64::from(documents));
            }
        }
    }

    /// In no order.
    fn most(self, max: usize) -> Vec<String> {
        let counts = self.0.into_iter();
        let mut counts: Vec<(Reverse<u64>, Vec<u8>)> =
            counts.map(|(term, count)| (Reverse(count), term)).collect();
        if max < counts.len() {
            counts.select_nth_unstable(max);
            counts.truncate(max);
        }
        let terms = counts
            .into_iter()
            .map(|(_, term)| String::from_utf8(term).ok());
        terms.flatten().collect()
    }
}

fn each_with(
    segment: &SegmentReader,
    field: Field,
    text: &str,
    mut each: impl FnMut(u32),
) -> tantivy::Result<()> {
    let term = Term::from_field_text(field, text);
    let index = segment.inverted_index(field)?;
    if let Some(mut found) = index.read_postings(&term, IndexRecordOption::Basic)? {
        let mut doc = found.doc();
        while doc != TERMINATED {
            each(doc);
            doc = found.advance();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use catalog_events::{Position, Product};

    use crate::index::KeywordIndex;
    use crate::index::testing::{deleted, index_of, open, product};

    fn check(index: &KeywordIndex, typed: &str, expected: &[(&str, u64)]) {
        let found = index.snapshot().complete(typed, 3).expect("complete");
        let found: Vec<(&str, u64)> = found
            .iter()
            .map(|suggestion| (suggestion.text.as_str(), suggestion.documents))
            .collect();
        assert_eq!(found, expected, "{typed:?}");
    }

    fn products() -> Vec<Product> {
        let titles = [
            "Wireless Mouse",
            "Wireless mouse, black",
            "Wireless Keyboard",
            "Wired mouse",
            "Öko Mouse-Pad",
        ];
        let product = |(number, title): (usize, &str)| Product {
            brand: (number == 3).then(|| "Western Digital".to_owned()),
            ..product(&format!("p{number}"), title)
        };
        titles.into_iter().enumerate().map(product).collect()
    }

    #[test]
    fn ends_words_and_pairs_the_most_common_first() {
        let (_folder, index) = index_of(&products());
        check(
            &index,
            "wi",
            &[("wireless", 3), ("wireless mouse", 2), ("wired", 1)],
        );
        check(
            &index,
            "WIRELESS ",
            &[("wireless mouse", 2), ("wireless keyboard", 1)],
        );
        check(
            &index,
            "wireless m",
            &[("wireless mouse", 2), ("wireless mouse black", 1)],
        );
        check(&index, "western", &[("western digital", 1)]);
        check(&index, "ök", &[("öko", 1), ("öko mouse", 1)]);
        // No pair has both ends: the words before narrow it down.
        check(&index, "black mo", &[("black mouse", 1)]);
        // Nobody has both, but what is alike.
        check(&index, "keyboard wired", &[("keyboard wireless", 1)]);
    }

    #[test]
    fn forgives_typos_after_a_few_letters() {
        let (_folder, index) = index_of(&products());
        check(
            &index,
            "wirelss",
            &[
                ("wireless", 3),
                ("wireless mouse", 2),
                ("wireless keyboard", 1),
            ],
        );
        check(&index, "keyborad", &[("keyboard", 1)]);
        check(&index, "wrl", &[]);
    }

    #[test]
    fn counts_what_is_there_and_takes_anything() {
        let folder = tempfile::tempdir().expect("folder");
        let (index, mut writer) = open(folder.path());
        let events = products().into_iter().zip(1..);
        let events: Vec<_> = events
            .map(|(one, at)| crate::index::testing::changed(at, 1, one))
            .collect();
        writer.apply(&events).expect("apply");
        writer.commit(Position(5)).expect("commit");
        writer.apply(&[deleted(6, 2, "p2")]).expect("apply");
        writer.commit(Position(6)).expect("commit");
        check(&index, "wireless k", &[]);
        check(
            &index,
            "wireless",
            &[("wireless", 2), ("wireless mouse", 2)],
        );
        for odd in ["", " ", "(*", "\u{0}", &"x".repeat(100), &"a ".repeat(50)] {
            check(&index, odd, &[]);
        }
    }
}
