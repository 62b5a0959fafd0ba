//! The most common and the most viewed terms of a large catalog. The table is made in the
//! background, because hundreds of thousands of terms begin with one letter; it shows the products
//! as they were then.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::sync::Arc;

use tantivy::Searcher;
use tantivy::schema::Field;
use tantivy::termdict::TermMerger;

use crate::index::popularity::Popularity;
use crate::index::suggest::tally::views_of_term;

/// The most terms in each of the two lists, which take some megabytes.
const TERMS_MAX: usize = 50_000;

#[derive(Debug, Default)]
pub(crate) struct SuggestionTable {
    /// The terms with the most products, deleted ones included.
    common: Terms,
    viewed: Terms,
}

impl SuggestionTable {
    /// Builds the table from all terms; blocks.
    pub(crate) fn of(
        searcher: &Searcher,
        field: Field,
        popularity: &Popularity,
    ) -> tantivy::Result<Self> {
        let segments = searcher.segment_readers();
        let (mut indexes, mut viewed) = (Vec::new(), Vec::new());
        for segment in segments {
            indexes.push(segment.inverted_index(field)?);
            viewed.push(popularity.of(segment)?);
        }
        let streams = indexes.iter().map(|index| index.terms().stream());
        let mut terms = TermMerger::new(streams.collect::<Result<_, _>>()?);
        let (mut most_common, mut most_viewed) = (TopTerms::default(), TopTerms::default());
        while terms.advance() {
            let (mut documents, mut views) = (0, 0);
            for (segment, info) in terms.current_segment_ords_and_term_infos() {
                documents += u64::from(info.doc_freq);
                views += views_of_term(&indexes[segment], &info, u64::MAX, &viewed[segment])?;
            }
            most_common.add(terms.key(), documents);
            most_viewed.add(terms.key(), views);
        }
        Ok(Self {
            common: most_common.terms(),
            viewed: most_viewed.terms(),
        })
    }

    /// Adds the `max` most viewed and the `max` most common terms that begin with `prefix`. Returns
    /// false if there may be others that are as common.
    pub(crate) fn add_completions(
        &self,
        prefix: &str,
        max: usize,
        to: &mut BTreeSet<String>,
    ) -> bool {
        self.viewed.add_completions(prefix, max, to);
        self.common.add_completions(prefix, max, to) >= max
    }

    /// The views of a term, or 0 if it is not among the most viewed.
    pub(crate) fn views(&self, text: &str) -> u64 {
        let terms = &self.viewed.0;
        let place = terms.binary_search_by(|(term, _)| term.as_ref().cmp(text));
        place.map_or(0, |place| terms[place].1)
    }
}

/// Terms with their numbers, sorted by term.
#[derive(Debug, Default)]
struct Terms(Vec<(Arc<str>, u64)>);

impl Terms {
    /// Adds the `max` greatest terms that begin with `prefix`, and returns how many begin with it.
    fn add_completions(&self, prefix: &str, max: usize, to: &mut BTreeSet<String>) -> usize {
        let from = self.0.partition_point(|(term, _)| term.as_ref() < prefix);
        let mut completions: Vec<&(Arc<str>, u64)> = self.0[from..]
            .iter()
            .take_while(|(term, _)| term.starts_with(prefix))
            .collect();
        let count = completions.len();
        if max < count {
            completions
                .select_nth_unstable_by_key(max, |(term, number)| (Reverse(*number), term.clone()));
            completions.truncate(max);
        }
        to.extend(completions.iter().map(|(term, _)| term.to_string()));
        count
    }
}

/// Collects the terms with the greatest numbers. The least of them is on top of the heap.
#[derive(Default)]
struct TopTerms(BinaryHeap<Reverse<(u64, Arc<str>)>>);

impl TopTerms {
    fn add(&mut self, term: &[u8], number: u64) {
        let is_full = self.0.len() >= TERMS_MAX;
        let least = self.0.peek().map_or(0, |Reverse((least, _))| *least);
        if number == 0 || (is_full && number <= least) {
            return;
        }
        let Ok(term) = str::from_utf8(term) else {
            return;
        };
        if is_full {
            self.0.pop();
        }
        self.0.push(Reverse((number, term.into())));
    }

    fn terms(self) -> Terms {
        let mut terms: Vec<_> = self
            .0
            .into_iter()
            .map(|Reverse((number, term))| (term, number))
            .collect();
        terms.sort_unstable();
        Terms(terms)
    }
}
