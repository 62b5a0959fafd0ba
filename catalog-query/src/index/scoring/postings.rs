//! The documents of a segment that have a word, or a phrase, in one field.

use std::sync::Arc;

use tantivy::postings::{Postings as _, SegmentPostings, TermInfo};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, DocSet as _, SegmentOrdinal, SegmentReader, TERMINATED, Term};

/// The most documents with a term that are looked at, one by one, to leave out those that were deleted.
const LOOKED_AT_MAX: u64 = 20_000;

/// Where each segment of a snapshot has the postings of a stem in one field.
pub(crate) type StemPlaces = Arc<[Option<TermInfo>]>;

pub(crate) enum Postings {
    Term(Box<SegmentPostings>),
    Phrase(PhrasePostings),
}

impl Postings {
    /// Opens the postings of the stems in a row. None if the segment lacks one of them.
    pub(crate) fn open(
        segment: &SegmentReader,
        field: Field,
        stems: &[String],
    ) -> tantivy::Result<Option<Self>> {
        let index = segment.inverted_index(field)?;
        let read = |stem: &String, option| {
            index.read_postings(&Term::from_field_text(field, stem), option)
        };
        if let [stem] = stems {
            let postings = read(stem, IndexRecordOption::WithFreqs)?;
            return Ok(postings.map(|postings| Self::Term(Box::new(postings))));
        }
        let mut words = Vec::with_capacity(stems.len());
        for stem in stems {
            match read(stem, IndexRecordOption::WithFreqsAndPositions)? {
                Some(postings) => words.push(postings),
                None => return Ok(None),
            }
        }
        Ok((!words.is_empty()).then(|| Self::Phrase(PhrasePostings::new(words))))
    }

    /// Opens the postings of stems in a row, as [`open`](Self::open) does, where it is known where they
    /// are.
    pub(crate) fn of(
        number: SegmentOrdinal,
        segment: &SegmentReader,
        field: Field,
        stems: &[StemPlaces],
    ) -> tantivy::Result<Option<Self>> {
        let place = |stem: &StemPlaces| stem.get(number as usize).cloned().flatten();
        let Some(places) = stems.iter().map(place).collect::<Option<Vec<TermInfo>>>() else {
            return Ok(None);
        };
        let index = segment.inverted_index(field)?;
        if let [place] = &places[..] {
            let option = IndexRecordOption::WithFreqs;
            let postings = index.read_postings_from_terminfo(place, option)?;
            return Ok(Some(Self::Term(Box::new(postings))));
        }
        let option = IndexRecordOption::WithFreqsAndPositions;
        let words = places
            .iter()
            .map(|place| Ok(index.read_postings_from_terminfo(place, option)?))
            .collect::<tantivy::Result<Vec<SegmentPostings>>>()?;
        Ok((!words.is_empty()).then(|| Self::Phrase(PhrasePostings::new(words))))
    }

    pub(crate) fn doc(&self) -> DocId {
        match self {
            Self::Term(postings) => postings.doc(),
            Self::Phrase(phrase) => phrase.doc,
        }
    }

    pub(crate) fn advance(&mut self) -> DocId {
        match self {
            Self::Term(postings) => postings.advance(),
            Self::Phrase(phrase) => phrase.advance(),
        }
    }

    /// Moves to the first document at or after `target`, and stays if it is there or past it.
    pub(crate) fn seek(&mut self, target: DocId) -> DocId {
        match self {
            Self::Term(postings) => seek(postings, target),
            Self::Phrase(phrase) => phrase.seek(target),
        }
    }

    /// How often the current document has the word or phrase.
    pub(crate) fn frequency(&self) -> u32 {
        match self {
            Self::Term(postings) => postings.term_freq(),
            Self::Phrase(phrase) => phrase.frequency,
        }
    }
}

/// Moves the postings to the first document at or after `target`. They may already be past it,
/// which the `seek` of tantivy does not allow.
#[inline]
pub(crate) fn seek(postings: &mut SegmentPostings, target: DocId) -> DocId {
    if postings.doc() < target {
        postings.seek(target)
    } else {
        postings.doc()
    }
}

/// How many living documents of a segment have a term. Among more documents than it pays to look at, the
/// deleted ones are taken for spread evenly.
pub(crate) fn living_with(segment: &SegmentReader, term: &Term) -> tantivy::Result<u64> {
    let index = segment.inverted_index(term.field())?;
    let Some(place) = index.get_term_info(term)? else {
        return Ok(0);
    };
    let with = u64::from(place.doc_freq);
    let Some(living) = segment.alive_bitset() else {
        return Ok(with);
    };
    if with > LOOKED_AT_MAX {
        let (all, alive) = (segment.max_doc(), segment.num_docs());
        return Ok(with * u64::from(alive) / u64::from(all.max(1)));
    }
    let mut postings = index.read_postings_from_terminfo(&place, IndexRecordOption::Basic)?;
    let mut count = 0;
    while postings.doc() != TERMINATED {
        count += u64::from(living.is_alive(postings.doc()));
        postings.advance();
    }
    Ok(count)
}

/// How many living documents of a segment have all words in a field, of the first few with the rarest.
pub(crate) fn living_with_all(
    segment: &SegmentReader,
    field: Field,
    words: &[&str],
    looked_at_max: usize,
) -> tantivy::Result<u64> {
    let index = segment.inverted_index(field)?;
    let mut postings = Vec::new();
    for word in words {
        let term = Term::from_field_text(field, word);
        match index.read_postings(&term, IndexRecordOption::Basic)? {
            Some(found) => postings.push(found),
            None => return Ok(0),
        }
    }
    postings.sort_by_key(|postings| postings.size_hint());
    let Some((rarest, others)) = postings.split_first_mut() else {
        return Ok(0);
    };
    let living = segment.alive_bitset();
    let mut count = 0;
    for _ in 0..looked_at_max {
        let doc = rarest.doc();
        if doc == TERMINATED {
            break;
        }
        let lives = living.is_none_or(|living| living.is_alive(doc));
        let has_all = lives && others.iter_mut().all(|other| seek(other, doc) == doc);
        count += u64::from(has_all);
        rarest.advance();
    }
    Ok(count)
}

/// The postings of words that follow each other.
pub(crate) struct PhrasePostings {
    words: Vec<SegmentPostings>,
    doc: DocId,
    frequency: u32,
    positions: Vec<u32>,
    next: Vec<u32>,
}

impl PhrasePostings {
    fn new(words: Vec<SegmentPostings>) -> Self {
        let mut phrase = Self {
            words,
            doc: 0,
            frequency: 0,
            positions: Vec::new(),
            next: Vec::new(),
        };
        phrase.seek_phrase(0);
        phrase
    }

    fn advance(&mut self) -> DocId {
        if self.doc != TERMINATED {
            self.seek_phrase(self.doc + 1);
        }
        self.doc
    }

    fn seek(&mut self, target: DocId) -> DocId {
        if self.doc < target {
            self.seek_phrase(target);
        }
        self.doc
    }

    /// Moves to the first document from `target` on that has the phrase.
    fn seek_phrase(&mut self, mut target: DocId) {
        loop {
            let doc = self.next_with_all(target);
            self.doc = doc;
            if doc == TERMINATED {
                return;
            }
            self.frequency = self.count();
            if self.frequency > 0 {
                return;
            }
            target = doc + 1;
        }
    }

    /// Returns the first document from `target` on that has all of the words, in any order.
    fn next_with_all(&mut self, mut target: DocId) -> DocId {
        'again: loop {
            for word in &mut self.words {
                let doc = seek(word, target);
                if doc == TERMINATED {
                    return TERMINATED;
                }
                if doc > target {
                    target = doc;
                    continue 'again;
                }
            }
            return target;
        }
    }

    fn count(&mut self) -> u32 {
        let Some((first, rest)) = self.words.split_first_mut() else {
            return 0;
        };
        first.positions(&mut self.positions);
        for (word, offset) in rest.iter_mut().zip(1_u32..) {
            word.positions(&mut self.next);
            let next = &self.next;
            self.positions
                .retain(|position| next.binary_search(&(position + offset)).is_ok());
        }
        self.positions.len() as u32
    }
}
