//! Where in a field of a segment a word or a sequence of words is.

use tantivy::postings::{Postings as _, SegmentPostings};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocId, DocSet as _, SegmentReader, TERMINATED, Term};

pub(crate) enum Source {
    Word(Box<SegmentPostings>),
    Sequence(Sequence),
}

impl Source {
    /// None where the segment has no such words.
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
            return Ok(postings.map(|postings| Self::Word(Box::new(postings))));
        }
        let mut words = Vec::with_capacity(stems.len());
        for stem in stems {
            match read(stem, IndexRecordOption::WithFreqsAndPositions)? {
                Some(postings) => words.push(postings),
                None => return Ok(None),
            }
        }
        Ok((!words.is_empty()).then(|| Self::Sequence(Sequence::new(words))))
    }

    pub(crate) fn doc(&self) -> DocId {
        match self {
            Self::Word(postings) => postings.doc(),
            Self::Sequence(sequence) => sequence.doc,
        }
    }

    pub(crate) fn advance(&mut self) -> DocId {
        match self {
            Self::Word(postings) => postings.advance(),
            Self::Sequence(sequence) => sequence.advance(),
        }
    }

    /// To the first document at or after `target`, which is not before the present one.
    pub(crate) fn seek(&mut self, target: DocId) -> DocId {
        match self {
            Self::Word(postings) => seek(postings, target),
            Self::Sequence(sequence) => sequence.seek(target),
        }
    }

    /// How often it is in the document.
    pub(crate) fn frequency(&self) -> u32 {
        match self {
            Self::Word(postings) => postings.term_freq(),
            Self::Sequence(sequence) => sequence.frequency,
        }
    }
}

/// Brings the postings to the first document at or after `target`, also where they are past it, which
/// the `seek` of tantivy does not allow.
#[inline]
pub(crate) fn seek(postings: &mut SegmentPostings, target: DocId) -> DocId {
    if postings.doc() < target {
        postings.seek(target)
    } else {
        postings.doc()
    }
}

/// Words that follow each other.
pub(crate) struct Sequence {
    words: Vec<SegmentPostings>,
    doc: DocId,
    frequency: u32,
    places: Vec<u32>,
    next: Vec<u32>,
}

impl Sequence {
    fn new(words: Vec<SegmentPostings>) -> Self {
        let mut sequence = Self {
            words,
            doc: 0,
            frequency: 0,
            places: Vec::new(),
            next: Vec::new(),
        };
        sequence.find(0);
        sequence
    }

    fn advance(&mut self) -> DocId {
        if self.doc != TERMINATED {
            self.find(self.doc + 1);
        }
        self.doc
    }

    fn seek(&mut self, target: DocId) -> DocId {
        if self.doc < target {
            self.find(target);
        }
        self.doc
    }

    /// Goes to the first document from `target` on that has the sequence.
    fn find(&mut self, mut target: DocId) {
        loop {
            let together = self.next_together(target);
            self.doc = together;
            if together == TERMINATED {
                return;
            }
            self.frequency = self.count();
            if self.frequency > 0 {
                return;
            }
            target = together + 1;
        }
    }

    /// The first document from `target` on that has all of the words.
    fn next_together(&mut self, mut target: DocId) -> DocId {
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
        first.positions(&mut self.places);
        for (word, offset) in rest.iter_mut().zip(1_u32..) {
            word.positions(&mut self.next);
            let next = &self.next;
            self.places
                .retain(|place| next.binary_search(&(place + offset)).is_ok());
        }
        self.places.len() as u32
    }
}
