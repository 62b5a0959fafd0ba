//! The long words of a catalog, kept as one text a segment, so that all compounds with a part are
//! found in a fraction of a millisecond. A dictionary of terms can only be asked for beginnings.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use tantivy::index::SegmentId;
use tantivy::{Searcher, SegmentReader};

use crate::index::document::schema::Fields;

/// The fewest characters of a compound, and of another part of it. Less may be an ending.
const COMPOUND_CHARS_MIN: usize = 7;
const OTHER_PART_CHARS_MIN: usize = 3;
const ENDING_CHARS_MAX: usize = 2;
const SHORT_CHARS_MAX: usize = 3;
/// The most compounds of a part.
const FOUND_MAX: usize = 256;

/// The long words of each segment, shared by all snapshots: segments never change.
#[derive(Clone, Default)]
pub(crate) struct LongWords(Arc<Mutex<HashMap<SegmentId, Arc<str>>>>);

impl LongWords {
    /// Returns the words that have `part` at the beginning or end, or between other parts.
    pub(super) fn with_part(
        &self,
        searcher: &Searcher,
        fields: &Fields,
        part: &str,
    ) -> tantivy::Result<BTreeSet<String>> {
        let mut found = BTreeSet::new();
        for text in self.of_all(searcher, fields)? {
            for (at, _) in text.match_indices(part) {
                if found.len() == FOUND_MAX {
                    return Ok(found);
                }
                let from = text[..at].rfind('\n').map_or(0, |end| end + 1);
                let to = text[at..].find('\n').map_or(text.len(), |end| at + end);
                let chars = |from: usize, to: usize| text[from..to].chars().count();
                let (before, behind) = (chars(from, at), chars(at + part.len(), to));
                // A short part is one only at the end: "Hut" in "Strohhut", and not in "Hutze".
                let is_short = part.chars().nth(SHORT_CHARS_MAX).is_none();
                if is_short && (behind > 0 || before < COMPOUND_CHARS_MIN - SHORT_CHARS_MAX) {
                    continue;
                }
                let is_part = (before == 0 || before >= OTHER_PART_CHARS_MIN)
                    && (behind <= ENDING_CHARS_MAX || behind >= OTHER_PART_CHARS_MIN);
                let is_compound = before.max(behind) >= OTHER_PART_CHARS_MIN;
                if is_part && is_compound {
                    found.insert(text[from..to].to_owned());
                }
            }
        }
        Ok(found)
    }

    /// Returns the texts of all segments, and forgets those of segments that are gone.
    fn of_all(&self, searcher: &Searcher, fields: &Fields) -> tantivy::Result<Vec<Arc<str>>> {
        let known = self.lock().clone();
        let mut texts = HashMap::new();
        for segment in searcher.segment_readers() {
            let id = segment.segment_id();
            let text = match known.get(&id) {
                Some(text) => Arc::clone(text),
                None => read(segment, fields)?,
            };
            texts.insert(id, text);
        }
        let all = texts.values().cloned().collect();
        *self.lock() = texts;
        Ok(all)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<SegmentId, Arc<str>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(segment: &SegmentReader, fields: &Fields) -> tantivy::Result<Arc<str>> {
    let index = segment.inverted_index(fields.surface)?;
    let mut terms = index.terms().stream()?;
    let mut text = String::new();
    while terms.advance() {
        if let Ok(word) = str::from_utf8(terms.key())
            && word.chars().nth(COMPOUND_CHARS_MIN - 1).is_some()
            && word.chars().all(char::is_alphabetic)
        {
            text.push_str(word);
            text.push('\n');
        }
    }
    Ok(text.into())
}
