//! Scores the documents that match a query by BM25. A window of documents is scored at a time, by
//! all words of the query before the next window, so that the scores stay in the cache and every
//! match is seen: totals and facets are exact.

use tantivy::fieldnorm::FieldNormReader;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet as _, Searcher, SegmentReader, TERMINATED, Term};

use crate::index::document::schema::{FIELD_NAMES, FIELDS, Fields};
use crate::index::scoring::collection_statistics::{CollectionStatistics, LengthNorms};
use crate::index::scoring::postings::Postings;
use crate::index::scoring::terms::{Alternative, QueryTerms, QueryWord};
use crate::index::scoring::weights::KeywordWeights;

const WINDOW_DOCS: u32 = 2_048;

/// A document that matches, with its rank.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Match {
    pub(crate) doc: DocId,
    pub(crate) tier: u8,
    pub(crate) score: f32,
}

/// The tier of a match; lower ones come first, whatever the scores.
pub(crate) const TIER_IDENTIFIER: u8 = 0;
pub(crate) const TIER_IDENTIFIER_WITHIN: u8 = 1;
pub(crate) const TIER_ALL_WORDS: u8 = 2;
pub(crate) const TIER_ANY_WORD: u8 = 3;

/// A query with the statistics of one snapshot that its words are weighed by.
pub(crate) struct Matching<'a> {
    fields: &'a Fields,
    pub(crate) terms: &'a QueryTerms,
    pub(crate) clauses: Vec<Clause<'a>>,
    tie_breaker: f32,
    /// A bit for each word that any product has. Other words cannot tell products apart, and are
    /// not asked for.
    known_words: u32,
    length_norms: [LengthNorms; FIELDS],
}

/// One way to match a word in one field, or two words that follow each other.
pub(crate) struct Clause<'a> {
    /// The number of the word in the query. None for a pair of words, which only adds to the score.
    pub(crate) word: Option<usize>,
    /// The place of the field in [`Fields::searched`].
    pub(crate) field: usize,
    pub(crate) alternative: &'a Alternative,
    scale: f32,
}

impl<'a> Matching<'a> {
    pub(crate) fn new(
        searcher: &'a Searcher,
        fields: &'a Fields,
        terms: &'a QueryTerms,
        pairs: &'a [Alternative],
        weights: &KeywordWeights,
    ) -> tantivy::Result<Self> {
        let statistics = CollectionStatistics::of(searcher, fields.searched());
        let mut matching = Self {
            fields,
            terms,
            clauses: Vec::new(),
            tie_breaker: weights.tie_breaker,
            known_words: 0,
            length_norms: statistics.length_norms(&weights.fields())?,
        };
        for (number, word) in terms.words.iter().enumerate() {
            matching.add_word(number, word, &statistics, weights)?;
        }
        if weights.adjacency > 0.0 {
            for pair in pairs {
                matching.add_pair(pair, &statistics, weights)?;
            }
        }
        Ok(matching)
    }

    /// Adds the clauses of a word: one for each alternative, in each field that has any of them.
    fn add_word(
        &mut self,
        number: usize,
        word: &'a QueryWord,
        statistics: &CollectionStatistics<'_>,
        weights: &KeywordWeights,
    ) -> tantivy::Result<()> {
        let mut counts = [0; FIELDS];
        for (field, count) in counts.iter_mut().enumerate() {
            for alternative in &word.alternatives {
                *count += statistics.documents_with(field, alternative)?;
            }
        }
        let shared = statistics.idf(counts.into_iter().max().unwrap_or(0));
        for (field, count) in counts.into_iter().enumerate() {
            if count > 0 {
                self.known_words |= 1 << number;
                let own = statistics.idf(count);
                let idf = own + weights.shared_idf * (shared - own);
                self.add(Some(number), field, &word.alternatives, idf, weights);
            }
        }
        Ok(())
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
            let count = statistics.documents_with(field, pair)?;
            if count > 0 {
                let idf = weights.adjacency * statistics.idf(count);
                self.add(None, field, std::slice::from_ref(pair), idf, weights);
            }
        }
        Ok(())
    }

    fn add(
        &mut self,
        word: Option<usize>,
        field: usize,
        alternatives: &'a [Alternative],
        idf: f32,
        weights: &KeywordWeights,
    ) {
        let weight = &weights.fields()[field];
        self.clauses
            .extend(alternatives.iter().map(|alternative| Clause {
                word,
                field,
                alternative,
                scale: alternative.weight * weight.weight * idf * (weight.k1 + 1.0),
            }));
    }

    /// Calls `found` for every document of the segment that matches, in document order.
    pub(crate) fn each(
        &self,
        segment: &SegmentReader,
        mut found: impl FnMut(Match),
    ) -> tantivy::Result<()> {
        let mut cursors = Vec::new();
        for clause in &self.clauses {
            cursors.extend(self.cursor(segment, clause)?);
        }
        let exact = self.exact(segment)?;
        let mut exact_later = exact.as_slice();
        let constraints = self.constraints(segment)?;
        let alive = segment.alive_bitset();
        let mut window = ScoreWindow::new();
        let mut from = 0;
        while from < segment.max_doc() {
            let to = segment.max_doc().min(from + WINDOW_DOCS);
            self.score_window(&mut cursors, &mut window, from, to);
            let here_end = exact_later.partition_point(|(doc, _)| *doc < to);
            let (here, later) = exact_later.split_at(here_end);
            exact_later = later;
            for (doc, _) in here {
                window.touch((doc - from) as usize);
            }
            window.drain(|place, words, score| {
                let doc = from + place;
                let passes =
                    alive.is_none_or(|alive| alive.is_alive(doc)) && constraints.allow(doc);
                if passes {
                    let tier = match tier_of(here, doc) {
                        Some(tier) => tier,
                        None if words == self.known_words => TIER_ALL_WORDS,
                        None => TIER_ANY_WORD,
                    };
                    found(Match { doc, tier, score });
                }
            });
            from = to;
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
        let mut rest = cursors;
        while let Some(first) = rest.first() {
            let word = first.word;
            let same = rest.iter().take_while(|cursor| cursor.word == word).count();
            let (of_word, others) = rest.split_at_mut(same);
            rest = others;
            for cursor in of_word {
                while cursor.postings.doc() < to {
                    let doc = cursor.postings.doc();
                    let score = cursor.score();
                    match word {
                        Some(_) => window.add((doc - from) as usize, score),
                        None => window.add_bonus((doc - from) as usize, score),
                    }
                    cursor.postings.advance();
                }
            }
            if let Some(word) = word {
                window.end_word(word, self.tie_breaker);
            }
        }
    }

    /// Returns the clauses that match a document, and what each adds to its score.
    pub(crate) fn clause_scores(
        &self,
        segment: &SegmentReader,
        doc: DocId,
    ) -> tantivy::Result<Vec<(&Clause<'a>, f32)>> {
        let mut matches = Vec::new();
        for clause in &self.clauses {
            if let Some(mut cursor) = self.cursor(segment, clause)?
                && cursor.postings.seek(doc) == doc
            {
                matches.push((clause, cursor.score()));
            }
        }
        Ok(matches)
    }

    fn cursor(
        &self,
        segment: &SegmentReader,
        clause: &Clause<'_>,
    ) -> tantivy::Result<Option<Cursor<'_>>> {
        let field = self.fields.searched()[clause.field];
        let Some(postings) = Postings::open(segment, field, &clause.alternative.stems)? else {
            return Ok(None);
        };
        Ok(Some(Cursor {
            postings,
            word: clause.word,
            scale: clause.scale,
            lengths: segment.get_fieldnorms_reader(field)?,
            length_norms: &self.length_norms[clause.field],
        }))
    }

    pub(crate) fn constraints(&self, segment: &SegmentReader) -> tantivy::Result<Constraints> {
        Ok(Constraints {
            required: self.required(segment)?,
            excluded: self.excluded(segment)?,
        })
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

    /// Returns the documents that have every phrase, or None if the query has no phrases.
    fn required(&self, segment: &SegmentReader) -> tantivy::Result<Option<Vec<DocId>>> {
        let mut required: Option<Vec<DocId>> = None;
        for phrase in &self.terms.phrases {
            let have = self.with_phrase(segment, phrase)?;
            required = Some(match required {
                None => have,
                Some(mut docs) => {
                    docs.retain(|doc| have.binary_search(doc).is_ok());
                    docs
                }
            });
        }
        Ok(required)
    }

    /// Returns the documents that have any of the exclusions.
    fn excluded(&self, segment: &SegmentReader) -> tantivy::Result<Vec<DocId>> {
        let mut excluded = Vec::new();
        for exclusion in &self.terms.exclusions {
            excluded.extend(self.with_phrase(segment, exclusion)?);
        }
        excluded.sort_unstable();
        excluded.dedup();
        Ok(excluded)
    }

    /// Returns the documents that have the stems in a row in some field, in order.
    pub(crate) fn with_phrase(
        &self,
        segment: &SegmentReader,
        stems: &[String],
    ) -> tantivy::Result<Vec<DocId>> {
        let mut docs = Vec::new();
        for field in self.fields.searched() {
            if let Some(mut postings) = Postings::open(segment, field, stems)? {
                while postings.doc() != TERMINATED {
                    docs.push(postings.doc());
                    postings.advance();
                }
            }
        }
        docs.sort_unstable();
        docs.dedup();
        Ok(docs)
    }
}

/// The phrases and exclusions of a query as sets of documents in one segment.
pub(crate) struct Constraints {
    required: Option<Vec<DocId>>,
    excluded: Vec<DocId>,
}

impl Constraints {
    pub(crate) fn allow(&self, doc: DocId) -> bool {
        let required = self.required.as_ref();
        required.is_none_or(|docs| docs.binary_search(&doc).is_ok())
            && self.excluded.binary_search(&doc).is_err()
    }
}

struct Cursor<'a> {
    postings: Postings,
    word: Option<usize>,
    scale: f32,
    lengths: FieldNormReader,
    length_norms: &'a LengthNorms,
}

impl Cursor<'_> {
    fn score(&self) -> f32 {
        let length = self.length_norms[usize::from(self.lengths.fieldnorm_id(self.postings.doc()))];
        let frequency = self.postings.frequency() as f32;
        self.scale * frequency / (frequency + length)
    }
}

/// The scores of consecutive documents, one word at a time. Bits mark the documents that have any
/// score.
struct ScoreWindow {
    touched: Vec<u64>,
    has_word: Vec<u64>,
    best: Vec<f32>,
    sum: Vec<f32>,
    total: Vec<f32>,
    bonus: Vec<f32>,
    words: Vec<u32>,
}

impl ScoreWindow {
    fn new() -> Self {
        let (size, bits) = (WINDOW_DOCS as usize, WINDOW_DOCS as usize / 64);
        Self {
            touched: vec![0; bits],
            has_word: vec![0; bits],
            best: vec![0.0; size],
            sum: vec![0.0; size],
            total: vec![0.0; size],
            bonus: vec![0.0; size],
            words: vec![0; size],
        }
    }

    fn add(&mut self, place: usize, score: f32) {
        self.has_word[place / 64] |= 1 << (place % 64);
        self.best[place] = self.best[place].max(score);
        self.sum[place] += score;
    }

    fn add_bonus(&mut self, place: usize, score: f32) {
        self.bonus[place] = self.bonus[place].max(score);
        self.touch(place);
    }

    fn touch(&mut self, place: usize) {
        self.touched[place / 64] |= 1 << (place % 64);
    }

    /// Adds the scores of a finished word to the totals. A word counts in its best field, and the
    /// other fields only add the tie breaker's share.
    fn end_word(&mut self, word: usize, tie_breaker: f32) {
        for (at, bits) in self.has_word.iter_mut().enumerate() {
            self.touched[at] |= *bits;
            while *bits != 0 {
                let place = at * 64 + bits.trailing_zeros() as usize;
                *bits &= *bits - 1;
                let (best, sum) = (self.best[place], self.sum[place]);
                self.total[place] += best + tie_breaker * (sum - best);
                self.words[place] |= 1 << word;
                (self.best[place], self.sum[place]) = (0.0, 0.0);
            }
        }
    }

    /// Calls `found` with the place, the words and the score of each touched document, and resets
    /// it.
    fn drain(&mut self, mut found: impl FnMut(u32, u32, f32)) {
        for (at, bits) in self.touched.iter_mut().enumerate() {
            while *bits != 0 {
                let place = at * 64 + bits.trailing_zeros() as usize;
                *bits &= *bits - 1;
                let score = self.total[place] + self.bonus[place];
                found(place as u32, self.words[place], score);
                (self.total[place], self.bonus[place], self.words[place]) = (0.0, 0.0, 0);
            }
        }
    }
}

/// Looks up the tier of a document in the result of [`Matching::exact`].
pub(crate) fn tier_of(exact: &[(DocId, u8)], doc: DocId) -> Option<u8> {
    let found = exact.binary_search_by_key(&doc, |(doc, _)| *doc);
    found.ok().map(|place| exact[place].1)
}
