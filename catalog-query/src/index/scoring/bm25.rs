//! Scores the documents that match a query by BM25. A window of documents is scored at a time, by
//! all words of the query before the next window, so that the scores stay in the cache and every
//! match is seen: totals and facets are exact.

use tantivy::fieldnorm::FieldNormReader;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocAddress, DocId, DocSet as _, SegmentOrdinal, SegmentReader, TERMINATED, Term};

use crate::index::document::schema::{FIELD_NAMES, FIELDS, Fields};
use crate::index::scoring::collection_statistics::{CollectionStatistics, LengthNorms, Row};
use crate::index::scoring::constraints::Constraints;
use crate::index::scoring::postings::{Postings, StemPlaces};
use crate::index::scoring::requirement::{RequiredWord, Requirement};
use crate::index::scoring::score_window::{ScoreWindow, WINDOW_DOCS};
use crate::index::scoring::terms::{Alternative, AlternativeKind, QueryTerms, QueryWord};
use crate::index::scoring::weights::KeywordWeights;
use crate::index::text::vocabulary::Vocabulary;

/// A document that may match, with its rank.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Match {
    pub(crate) doc: DocId,
    /// The number of the set of words that it has. It matches if no document has an earlier set.
    pub(crate) level: usize,
    pub(crate) tier: u8,
    pub(crate) score: f32,
}

/// The tier of a match; lower ones come first, whatever the scores.
pub(crate) const TIER_IDENTIFIER: u8 = 0;
pub(crate) const TIER_IDENTIFIER_WITHIN: u8 = 1;
pub(crate) const TIER_ALL_WORDS: u8 = 2;
/// Some word is missing, or the last one is only the beginning of a word.
pub(crate) const TIER_PARTLY: u8 = 3;

/// A query with the statistics of one snapshot that its words are weighed by.
pub(crate) struct Matching<'a> {
    fields: &'a Fields,
    pub(crate) terms: &'a QueryTerms,
    pub(crate) clauses: Vec<Clause<'a>>,
    tie_breaker: f32,
    /// The words that a document must have.
    pub(crate) requirement: Requirement,
    length_norms: [LengthNorms; FIELDS],
}

/// One way to match a word in one field, or two words that follow each other.
pub(crate) struct Clause<'a> {
    /// The number of the word in the query. None for a pair of words, which only adds to the score.
    pub(crate) word: Option<usize>,
    /// The place of the field in [`Fields::searched`].
    pub(crate) field: usize,
    pub(crate) alternative: &'a Alternative,
    /// Where each segment has the stems of the alternative, in their order.
    stems: Vec<StemPlaces>,
    scale: f32,
}

impl<'a> Matching<'a> {
    pub(crate) fn new(
        vocabulary: &Vocabulary<'a>,
        terms: &'a QueryTerms,
        pairs: &'a [Alternative],
        weights: &KeywordWeights,
    ) -> tantivy::Result<Self> {
        let statistics = CollectionStatistics::of(vocabulary);
        let mut matching = Self {
            fields: vocabulary.fields,
            terms,
            clauses: Vec::new(),
            tie_breaker: weights.tie_breaker,
            requirement: Requirement::new(terms.mode, &[], 0),
            length_norms: statistics.length_norms(&weights.fields())?,
        };
        let mut words = Vec::with_capacity(terms.words.len());
        for (number, word) in terms.words.iter().enumerate() {
            let with = matching.add_word(number, word, &statistics, weights)?;
            let is_identifier = terms.identified >> number & 1 == 1;
            words.push(RequiredWord {
                worth: word.worth,
                documents: with.max(u64::from(is_identifier)),
            });
        }
        matching.requirement = Requirement::new(terms.mode, &words, terms.quoted);
        if weights.adjacency > 0.0 {
            for pair in pairs {
                matching.add_pair(pair, &statistics, weights)?;
            }
        }
        Ok(matching)
    }

    /// Adds the clauses of a word: one for each alternative, in each field that has any of them.
    /// Returns about how many documents have the word: none only if no document has it.
    fn add_word(
        &mut self,
        number: usize,
        word: &'a QueryWord,
        statistics: &CollectionStatistics<'_>,
        weights: &KeywordWeights,
    ) -> tantivy::Result<u64> {
        let (mut counts, mut all) = ([0; FIELDS], [0; FIELDS]);
        let mut living = [0; FIELDS];
        let mut found = Vec::with_capacity(FIELDS * word.alternatives.len());
        for field in 0..FIELDS {
            for alternative in &word.alternatives {
                let row = statistics.find(field, alternative)?;
                all[field] += row.documents;
                living[field] += statistics.living(field, alternative, &row)?;
                if alternative.kind != AlternativeKind::Continuation {
                    counts[field] += row.documents;
                }
                found.push((field, alternative, row));
            }
        }
        // The words that begin so tell how rare a word is only where it is not one itself.
        if counts == [0; FIELDS] {
            counts = all;
        }
        let most = counts.into_iter().max().unwrap_or(0);
        let shared = statistics.idf(most);
        let idf = |documents: u64| {
            let own = statistics.idf(documents.max(1));
            own + weights.shared_idf * (shared - own)
        };
        let of_word: [f32; FIELDS] = std::array::from_fn(|field| idf(counts[field]));
        let mut of_likeliest = [None; FIELDS];
        for (field, alternative, row) in found {
            // A beginning has no rareness of its own, and what it is less likely to mean is worth no more.
            let idf = match alternative.kind {
                AlternativeKind::Completion => {
                    let own = statistics.idf(row.documents.max(1));
                    own.min(*of_likeliest[field].get_or_insert(own))
                }
                _ => of_word[field],
            };
            self.add(Some(number), field, alternative, row, idf, weights);
        }
        Ok(living.into_iter().max().unwrap_or(0))
    }

    /// Adds the clauses of two words that follow each other in the query.
    fn add_pair(
        &mut self,
        pair: &'a Alternative,
        statistics: &CollectionStatistics<'_>,
        weights: &KeywordWeights,
    ) -> tantivy::Result<()> {
        for (field, name) in FIELD_NAMES.iter().enumerate() {
            if !["title", "description"].contains(name) {
                continue;
            }
            let row = statistics.find(field, pair)?;
            let idf = weights.adjacency * statistics.idf(row.documents);
            self.add(None, field, pair, row, idf, weights);
        }
        Ok(())
    }

    /// Adds a clause, unless no document can have what it looks for.
    fn add(
        &mut self,
        word: Option<usize>,
        field: usize,
        alternative: &'a Alternative,
        row: Row,
        idf: f32,
        weights: &KeywordWeights,
    ) {
        let weight = &weights.fields()[field];
        if row.documents > 0 {
            self.clauses.push(Clause {
                word,
                field,
                alternative,
                stems: row.stems,
                scale: alternative.weight * weight.weight * idf * (weight.k1 + 1.0),
            });
        }
    }

    /// Calls `found` for every document of the segment that has enough words, in document order. The
    /// window is any that is empty, and is left so.
    pub(super) fn each(
        &self,
        number: SegmentOrdinal,
        segment: &SegmentReader,
        window: &mut ScoreWindow,
        mut found: impl FnMut(Match),
    ) -> tantivy::Result<()> {
        if self.terms.is_everything() {
            return self.each_allowed(segment, found);
        }
        let mut cursors = Vec::new();
        for clause in &self.clauses {
            cursors.extend(self.cursor(number, segment, clause)?);
        }
        let exact = self.exact(segment)?;
        let mut exact_later = exact.as_slice();
        let constraints = Constraints::of(segment, self.fields, self.terms)?;
        let alive = segment.alive_bitset();
        let mut from = 0;
        while from < segment.max_doc() {
            let to = segment.max_doc().min(from + WINDOW_DOCS);
            self.score_window(&mut cursors, window, from, to);
            let here_end = exact_later.partition_point(|(doc, _)| *doc < to);
            let (here, later) = exact_later.split_at(here_end);
            exact_later = later;
            for (doc, _) in here {
                window.touch((doc - from) as usize);
            }
            window.drain(|place, words, score| {
                let doc = from + place;
                let (level, tier) = match (tier_of(here, doc), self.requirement.level(words.any)) {
                    (Some(tier), _) => (0, tier),
                    (None, Some(level)) if self.requirement.is_complete(words.whole) => {
                        (level, TIER_ALL_WORDS)
                    }
                    (None, Some(level)) => (level, TIER_PARTLY),
                    (None, None) => return,
                };
                if alive.is_none_or(|alive| alive.is_alive(doc)) && constraints.allow(doc) {
                    found(Match {
                        doc,
                        level,
                        tier,
                        score,
                    });
                }
            });
            from = to;
        }
        Ok(())
    }

    /// Calls `found` for every document that no exclusion leaves out.
    fn each_allowed(
        &self,
        segment: &SegmentReader,
        mut found: impl FnMut(Match),
    ) -> tantivy::Result<()> {
        let constraints = Constraints::of(segment, self.fields, self.terms)?;
        for doc in segment
            .doc_ids_alive()
            .filter(|doc| constraints.allow(*doc))
        {
            found(Match {
                doc,
                level: 0,
                tier: TIER_ALL_WORDS,
                score: 0.0,
            });
        }
        Ok(())
    }

    /// Adds what all clauses score for the documents from `from` to before `to`.
    fn score_window(
        &self,
        cursors: &mut [Cursor<'_>],
        window: &mut ScoreWindow,
        from: DocId,
        to: DocId,
    ) {
        self.word_by_word(cursors, window, |cursor, window| {
            while cursor.postings.doc() < to {
                let place = cursor.postings.doc() - from;
                cursor.add_to(window, place as usize);
                cursor.postings.advance();
            }
        });
    }

    /// Returns the scores of some documents of a segment, given in order, whichever of the words they
    /// have: 0 for those that have none.
    pub(crate) fn scores(
        &self,
        number: SegmentOrdinal,
        segment: &SegmentReader,
        docs: &[DocId],
    ) -> tantivy::Result<Vec<f32>> {
        let mut scores = vec![0.0; docs.len()];
        for (docs, scores) in docs
            .chunks(WINDOW_DOCS as usize)
            .zip(scores.chunks_mut(WINDOW_DOCS as usize))
        {
            let mut cursors = Vec::new();
            for clause in &self.clauses {
                cursors.extend(self.cursor(number, segment, clause)?);
            }
            let mut window = ScoreWindow::new();
            self.word_by_word(&mut cursors, &mut window, |cursor, window| {
                for (place, doc) in docs.iter().enumerate() {
                    if cursor.postings.seek(*doc) == *doc {
                        cursor.add_to(window, place);
                    }
                }
            });
            window.drain(|place, _, score| scores[place as usize] = score);
        }
        Ok(scores)
    }

    /// Lets `add` add to the window what each clause scores, all clauses of a word before those of
    /// the next.
    fn word_by_word<'c>(
        &self,
        cursors: &mut [Cursor<'c>],
        window: &mut ScoreWindow,
        mut add: impl FnMut(&mut Cursor<'c>, &mut ScoreWindow),
    ) {
        let mut rest = cursors;
        while let Some(first) = rest.first() {
            let word = first.word;
            let same = rest.iter().take_while(|cursor| cursor.word == word).count();
            let (of_word, others) = rest.split_at_mut(same);
            rest = others;
            for cursor in of_word {
                add(cursor, window);
            }
            if let Some(word) = word {
                window.end_word(word, self.tie_breaker);
            }
        }
    }

    /// Returns the clauses that match a document, and what each adds to its score.
    pub(crate) fn clause_scores(
        &self,
        segments: &[SegmentReader],
        at: DocAddress,
    ) -> tantivy::Result<Vec<(&Clause<'a>, f32)>> {
        let (segment, doc) = (&segments[at.segment_ord as usize], at.doc_id);
        let mut matches = Vec::new();
        for clause in &self.clauses {
            if let Some(mut cursor) = self.cursor(at.segment_ord, segment, clause)?
                && cursor.postings.seek(doc) == doc
            {
                matches.push((clause, cursor.score()));
            }
        }
        Ok(matches)
    }

    fn cursor(
        &self,
        number: SegmentOrdinal,
        segment: &SegmentReader,
        clause: &Clause<'_>,
    ) -> tantivy::Result<Option<Cursor<'_>>> {
        let field = self.fields.searched()[clause.field];
        let Some(postings) = Postings::of(number, segment, field, &clause.stems)? else {
            return Ok(None);
        };
        Ok(Some(Cursor {
            postings,
            word: clause.word,
            is_whole: clause.alternative.kind != AlternativeKind::Continuation,
            scale: clause.scale,
            lengths: segment.get_fieldnorms_reader(field)?,
            length_norms: &self.length_norms[clause.field],
        }))
    }

    /// Returns the documents with an identifier of the query, in order, and the tier of each.
    pub(crate) fn exact(&self, segment: &SegmentReader) -> tantivy::Result<Vec<(DocId, u8)>> {
        let field = self.fields.identifiers;
        let index = segment.inverted_index(field)?;
        let mut docs = Vec::new();
        for identifier in &self.terms.identifiers {
            let term = Term::from_field_text(field, &identifier.text);
            let tier = if identifier.is_whole {
                TIER_IDENTIFIER
            } else {
                TIER_IDENTIFIER_WITHIN
            };
            if let Some(mut postings) = index.read_postings(&term, IndexRecordOption::Basic)? {
                while postings.doc() != TERMINATED {
                    docs.push((postings.doc(), tier));
                    postings.advance();
                }
            }
        }
        docs.sort_unstable();
        docs.dedup_by_key(|(doc, _)| *doc);
        Ok(docs)
    }
}

struct Cursor<'a> {
    postings: Postings,
    word: Option<usize>,
    /// False for a word that only begins as the one of the query.
    is_whole: bool,
    scale: f32,
    lengths: FieldNormReader,
    length_norms: &'a LengthNorms,
}

impl Cursor<'_> {
    /// Adds the score of the current document at its place in the window.
    fn add_to(&self, window: &mut ScoreWindow, place: usize) {
        match self.word {
            Some(_) => window.add(place, self.score(), self.is_whole),
            None => window.add_bonus(place, self.score()),
        }
    }

    fn score(&self) -> f32 {
        let length = self.length_norms[usize::from(self.lengths.fieldnorm_id(self.postings.doc()))];
        let frequency = self.postings.frequency() as f32;
        self.scale * frequency / (frequency + length)
    }
}

/// Looks up the tier of a document in the result of [`Matching::exact`].
pub(crate) fn tier_of(exact: &[(DocId, u8)], doc: DocId) -> Option<u8> {
    let found = exact.binary_search_by_key(&doc, |(doc, _)| *doc);
    found.ok().map(|place| exact[place].1)
}
