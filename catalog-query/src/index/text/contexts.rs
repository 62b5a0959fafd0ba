//! The words of a catalog with their neighbours in titles. Words for the same things have the same
//! neighbours.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use tantivy::Term;

use crate::index::error::IndexError;
use crate::index::snapshot::IndexSnapshot;

/// The fewest products of a word; rarer words have too few neighbours.
const DOCUMENTS_MIN: u64 = 8;
const WORD_CHARS_MIN: usize = 3;
/// A word that stands next to one other word in a larger share of its products is part of a name or
/// an expression.
const FIXED_SHARE_MAX: f64 = 0.7;
/// A word that is a brand in a larger share of its products is a name, and names have no synonyms.
const BRAND_SHARE_MAX: f64 = 0.2;

/// A word of titles, in its most frequent form.
#[derive(Clone, Debug)]
pub(crate) struct ContextWord {
    pub(crate) text: String,
    /// The products with the word in their title, including deleted ones until their segment is
    /// merged.
    pub(crate) documents: u64,
    /// How often each word stands before it (`< word`) or after it (`> word`).
    pub(crate) neighbours: HashMap<String, u64>,
}

impl ContextWord {
    fn is_fixed(&self) -> bool {
        let most = self.neighbours.values().copied().max().unwrap_or(0);
        most as f64 > FIXED_SHARE_MAX * self.documents as f64
    }

    /// Returns how often the two words stand next to each other.
    pub(crate) fn next_to(&self, other: &str) -> u64 {
        let count = |side: &str| self.neighbours.get(&format!("{side} {other}"));
        ["<", ">"].iter().filter_map(|side| count(side)).sum()
    }
}

impl IndexSnapshot {
    /// Returns the `words_max` most frequent words of letters, one for each stem; blocks.
    pub(crate) fn context_words(&self, words_max: usize) -> Result<Vec<ContextWord>, IndexError> {
        Ok(self.frequent_words(words_max)?)
    }

    fn frequent_words(&self, words_max: usize) -> tantivy::Result<Vec<ContextWord>> {
        let (mut counts, mut pairs) = (BTreeMap::<String, u64>::new(), Vec::new());
        for segment in self.searcher.segment_readers() {
            let index = segment.inverted_index(self.fields.suggest)?;
            let mut terms = index.terms().stream()?;
            while terms.advance() {
                let documents = u64::from(terms.value().doc_freq);
                let Ok(text) = str::from_utf8(terms.key()) else {
                    continue;
                };
                match text.split_once(' ') {
                    None if is_word(text) => {
                        *counts.entry(text.to_owned()).or_default() += documents
                    }
                    Some((left, right)) if !right.contains(' ') => {
                        pairs.push((left.to_owned(), right.to_owned(), documents));
                    }
                    _ => {}
                }
            }
        }
        let mut words = self.one_of_each_stem(counts)?;
        words.truncate(words_max);
        let places: HashMap<String, usize> = words
            .iter()
            .zip(0..)
            .map(|(word, place)| (word.text.clone(), place))
            .collect();
        for (left, right, documents) in pairs {
            for (word, side, other) in [(&left, ">", &right), (&right, "<", &left)] {
                if let Some(place) = places.get(word) {
                    let neighbours = &mut words[*place].neighbours;
                    *neighbours.entry(format!("{side} {other}")).or_default() += documents;
                }
            }
        }
        words.retain(|word| !word.is_fixed());
        Ok(words)
    }

    /// Returns the most frequent word of each stem, the most frequent first, without names.
    fn one_of_each_stem(&self, counts: BTreeMap<String, u64>) -> tantivy::Result<Vec<ContextWord>> {
        let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
        counts.sort_by(|a, b| (Reverse(a.1), &a.0).cmp(&(Reverse(b.1), &b.0)));
        let mut by_stem: BTreeMap<String, ContextWord> = BTreeMap::new();
        for (text, documents) in counts {
            if documents < DOCUMENTS_MIN {
                break;
            }
            let stem = self.fields.language.stem(&text);
            let brand = Term::from_field_text(self.fields.brand, &stem);
            let as_brand = self.searcher.doc_freq(&brand)? as f64;
            if as_brand <= BRAND_SHARE_MAX * documents as f64 {
                by_stem.entry(stem).or_insert_with(|| ContextWord {
                    text,
                    documents,
                    neighbours: HashMap::new(),
                });
            }
        }
        let mut words: Vec<ContextWord> = by_stem.into_values().collect();
        words.sort_by(|a, b| (Reverse(a.documents), &a.text).cmp(&(Reverse(b.documents), &b.text)));
        Ok(words)
    }
}

fn is_word(text: &str) -> bool {
    text.chars().all(char::is_alphabetic) && text.chars().nth(WORD_CHARS_MIN - 1).is_some()
}
