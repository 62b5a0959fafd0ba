//! Sets of documents of one snapshot, one bit for each document. Invariant: a set holds one part
//! for each segment of its snapshot, in the order of the segments.

use tantivy::query::{EnableScoring, Query};
use tantivy::{DocId, DocSet as _, Searcher, SegmentReader, TERMINATED};

/// A set of documents in one segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DocBits {
    words: Vec<u64>,
    docs: u32,
}

impl DocBits {
    pub(crate) fn none(docs: u32) -> Self {
        Self {
            words: vec![0; docs.div_ceil(64) as usize],
            docs,
        }
    }

    pub(crate) fn all(docs: u32) -> Self {
        let mut bits = Self::none(docs);
        bits.complement();
        bits
    }

    pub(crate) fn insert(&mut self, doc: DocId) {
        self.words[doc as usize / 64] |= 1 << (doc % 64);
    }

    pub(crate) fn contains(&self, doc: DocId) -> bool {
        let word = self.words.get(doc as usize / 64);
        word.is_some_and(|word| word & (1 << (doc % 64)) != 0)
    }

    pub(crate) fn len(&self) -> u64 {
        self.words
            .iter()
            .map(|word| u64::from(word.count_ones()))
            .sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    pub(crate) fn intersect(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
    }

    /// Keeps the documents that pass.
    pub(crate) fn retain(&mut self, passes: impl Fn(DocId) -> bool) {
        for (place, word) in (0_u32..).zip(&mut self.words) {
            let mut rest = *word;
            while rest != 0 {
                let bit = rest.trailing_zeros();
                rest &= rest - 1;
                if !passes(place * 64 + bit) {
                    *word &= !(1 << bit);
                }
            }
        }
    }

    pub(crate) fn unite(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    pub(crate) fn subtract(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= !other;
        }
    }

    pub(crate) fn complement(&mut self) {
        for word in &mut self.words {
            *word = !*word;
        }
        let rest = self.docs % 64;
        if let Some(last) = self.words.last_mut().filter(|_| rest > 0) {
            *last &= (1 << rest) - 1;
        }
    }

    pub(crate) fn remove_deleted(&mut self, segment: &SegmentReader) {
        let Some(alive) = segment.alive_bitset() else {
            return;
        };
        for (place, word) in self.words.iter_mut().enumerate() {
            let mut rest = *word;
            while rest != 0 {
                let bit = rest.trailing_zeros();
                rest &= rest - 1;
                if !alive.is_alive(place as u32 * 64 + bit) {
                    *word &= !(1 << bit);
                }
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = DocId> + '_ {
        let words = (0_u32..).zip(&self.words);
        words.flat_map(|(place, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(place * 64 + bit)
            })
        })
    }
}

/// A set of documents in one snapshot, by segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DocSets(Vec<DocBits>);

impl DocSets {
    /// Builds the set of each segment with `set`, without deleted documents.
    pub(crate) fn of(
        searcher: &Searcher,
        mut set: impl FnMut(&SegmentReader) -> tantivy::Result<DocBits>,
    ) -> tantivy::Result<Self> {
        let segments = searcher.segment_readers().iter();
        let sets = segments.map(|segment| {
            let mut bits = set(segment)?;
            bits.remove_deleted(segment);
            Ok(bits)
        });
        sets.collect::<tantivy::Result<_>>().map(Self)
    }

    /// Returns the live documents that `query` finds.
    pub(crate) fn matching(searcher: &Searcher, query: &dyn Query) -> tantivy::Result<Self> {
        let weight = query.weight(EnableScoring::disabled_from_searcher(searcher))?;
        Self::of(searcher, |segment| {
            let mut bits = DocBits::none(segment.max_doc());
            let mut found = weight.scorer(segment, 1.0)?;
            let mut doc = found.doc();
            while doc != TERMINATED {
                bits.insert(doc);
                doc = found.advance();
            }
            Ok(bits)
        })
    }

    /// Returns the empty set.
    pub(crate) fn none(searcher: &Searcher) -> Self {
        let segments = searcher.segment_readers().iter();
        Self(
            segments
                .map(|segment| DocBits::none(segment.max_doc()))
                .collect(),
        )
    }

    pub(crate) fn len(&self) -> u64 {
        self.0.iter().map(DocBits::len).sum()
    }

    /// Keeps the documents of a segment that pass.
    pub(crate) fn retain(&mut self, segment: usize, passes: impl Fn(DocId) -> bool) {
        if let Some(bits) = self.0.get_mut(segment) {
            bits.retain(passes);
        }
    }

    /// Returns the size of the union with `other`.
    pub(crate) fn len_with(&self, other: &Self) -> u64 {
        let mut either = self.clone();
        either.unite(other);
        either.len()
    }

    pub(crate) fn contains(&self, segment: usize, doc: DocId) -> bool {
        self.0.get(segment).is_some_and(|bits| bits.contains(doc))
    }

    pub(crate) fn insert(&mut self, segment: usize, doc: DocId) {
        if let Some(bits) = self.0.get_mut(segment) {
            bits.insert(doc);
        }
    }

    pub(crate) fn intersect(&mut self, other: &Self) {
        for (bits, other) in self.0.iter_mut().zip(&other.0) {
            bits.intersect(other);
        }
    }

    pub(crate) fn unite(&mut self, other: &Self) {
        for (bits, other) in self.0.iter_mut().zip(&other.0) {
            bits.unite(other);
        }
    }

    pub(crate) fn subtract(&mut self, other: &Self) {
        for (bits, other) in self.0.iter_mut().zip(&other.0) {
            bits.subtract(other);
        }
    }

    pub(crate) fn segment(&self, segment: usize) -> Option<&DocBits> {
        self.0.get(segment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_sets() {
        for docs in [0, 1, 63, 64, 65, 130] {
            let mut even = DocBits::none(docs);
            (0..docs)
                .filter(|doc| doc % 2 == 0)
                .for_each(|doc| even.insert(doc));
            let mut odd = even.clone();
            odd.complement();
            let expected: Vec<u32> = (0..docs).filter(|doc| doc % 2 == 1).collect();
            assert_eq!(odd.iter().collect::<Vec<_>>(), expected);
            assert_eq!(odd.len(), expected.len() as u64);
            let mut both = even.clone();
            both.intersect(&odd);
            assert_eq!(both, DocBits::none(docs));
            both.unite(&even);
            both.unite(&odd);
            assert_eq!(both, DocBits::all(docs));
            both.subtract(&odd);
            assert_eq!(both, even);
        }
    }
}
