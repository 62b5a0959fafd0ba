//! Explains why a snapshot finds a product, or does not.

use crate::index::document::schema::FIELD_NAMES;
use crate::index::error::IndexError;
use crate::index::scoring::bm25::Matching;
use crate::index::scoring::constraints::{Constraints, with_phrase};
use crate::index::scoring::terms::{QueryTerms, Rows};
use crate::index::scoring::top_hits;
use crate::index::scoring::weights::KeywordWeights;
use crate::index::sets::doc_sets::{DocBits, DocSets};
use crate::index::snapshot::IndexSnapshot;
use catalog_events::ProductId;

/// Stands in place of a field name for the factor of the product's kind.
pub(crate) const KIND: &str = "kind";

/// A word of the query that was found in a field of a product.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FieldMatch {
    pub(crate) field: &'static str,
    /// The stem or stems in the index.
    pub(crate) term: String,
    pub(crate) score: f32,
}

/// Whether a product of the index matches a query, and if not, why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MatchStatus {
    NotIndexed,
    /// The product has this phrase, which the query excludes.
    Excluded(String),
    /// The product lacks this phrase.
    WithoutPhrase(String),
    /// The product lacks these words of the query, by their numbers.
    Lacks(Vec<usize>),
    Matches,
}

impl IndexSnapshot {
    /// Narrows `filter` to the documents that the phrases and exclusions of the query allow. None
    /// if the query has neither.
    pub(crate) fn constrained(
        &self,
        terms: &QueryTerms,
        filter: Option<&DocSets>,
    ) -> Result<Option<DocSets>, IndexError> {
        if terms.phrases.is_empty() && terms.exclusions.is_empty() {
            return Ok(None);
        }
        let mut number = 0;
        let sets = DocSets::of(&self.searcher, |segment| {
            let mut bits = match filter {
                Some(filter) => filter.segment(number).cloned().unwrap_or_default(),
                None => DocBits::all(segment.max_doc()),
            };
            Constraints::of(segment, &self.fields, terms)?.narrow(&mut bits);
            number += 1;
            Ok(bits)
        })?;
        Ok(Some(sets))
    }

    /// Returns the words of the query that each product has, in the order of `ids`.
    pub(crate) fn matches(
        &self,
        terms: &QueryTerms,
        weights: &KeywordWeights,
        ids: &[ProductId],
    ) -> Result<Vec<Vec<FieldMatch>>, IndexError> {
        let pairs = top_hits::pairs(terms);
        let matching = Matching::new(&self.vocabulary(), terms, &pairs, weights)?;
        let kind = self.kind(terms, weights)?;
        let mut all = Vec::with_capacity(ids.len());
        for id in ids {
            let mut matches = Vec::new();
            if let Some(at) = self.locate(id)? {
                for (clause, score) in
                    matching.clause_scores(self.searcher.segment_readers(), at)?
                {
                    matches.push(FieldMatch {
                        field: FIELD_NAMES[clause.field],
                        term: clause.alternative.stems.join(" "),
                        score,
                    });
                }
                if let Some(kind) = &kind {
                    matches.push(FieldMatch {
                        field: KIND,
                        term: kind.word().to_owned(),
                        score: kind.factor(at.segment_ord as usize, at.doc_id),
                    });
                }
            }
            all.push(matches);
        }
        Ok(all)
    }

    pub(crate) fn match_status(
        &self,
        terms: &QueryTerms,
        id: &ProductId,
    ) -> Result<MatchStatus, IndexError> {
        let Some(at) = self.locate(id)? else {
            return Ok(MatchStatus::NotIndexed);
        };
        let (segment, fields) = (self.searcher.segment_reader(at.segment_ord), &self.fields);
        let first = |rows: &Rows| rows.first().map_or_else(String::new, |row| row.join(" "));
        for exclusion in &terms.exclusions {
            if with_phrase(segment, fields, exclusion)?.contains(at.doc_id) {
                return Ok(MatchStatus::Excluded(first(exclusion)));
            }
        }
        for phrase in &terms.phrases {
            if !with_phrase(segment, fields, phrase)?.contains(at.doc_id) {
                return Ok(MatchStatus::WithoutPhrase(first(phrase)));
            }
        }
        let matched = self.matching(terms)?;
        if matched.contains(at.segment_ord as usize, at.doc_id) {
            return Ok(MatchStatus::Matches);
        }
        let weights = KeywordWeights::default();
        let matching = Matching::new(&self.vocabulary(), terms, &[], &weights)?;
        let mut has = vec![false; terms.words.len()];
        for (clause, _) in matching.clause_scores(self.searcher.segment_readers(), at)? {
            if let Some(has) = clause.word.and_then(|word| has.get_mut(word)) {
                *has = true;
            }
        }
        let lacked = (0..has.len()).filter(|word| !has[*word]);
        Ok(MatchStatus::Lacks(lacked.collect()))
    }

    /// Counts the products that have a word of the query or one of its alternatives.
    pub(crate) fn count(&self, terms: &QueryTerms) -> Result<u64, IndexError> {
        Ok(self.matching(terms)?.len())
    }
}
