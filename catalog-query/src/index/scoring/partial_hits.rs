//! Ranks products that have only some words of a query beside those that match by their words. They
//! match for another reason, and the words that they have still tell how good they are.

use catalog_events::ProductId;
use tantivy::{DocAddress, DocId};

use crate::index::error::IndexError;
use crate::index::scoring::bm25::{Matching, TIER_PARTLY};
use crate::index::scoring::hits::{KeywordHit, KeywordHits};
use crate::index::scoring::terms::QueryTerms;
use crate::index::scoring::top_hits;
use crate::index::scoring::weights::KeywordWeights;
use crate::index::snapshot::IndexSnapshot;

impl IndexSnapshot {
    /// The hits of `found`, followed by those of `others` that have any word of the query without
    /// matching by words, best first. Nothing is added to hits that a limit has cut, since the others
    /// come after all of them.
    pub(crate) fn with_partial_hits(
        &self,
        found: KeywordHits,
        others: &[(&ProductId, DocAddress)],
        terms: &QueryTerms,
        weights: &KeywordWeights,
    ) -> Result<KeywordHits, IndexError> {
        if found.total > found.hits.len() as u64 {
            return Ok(found);
        }
        let is_new = |at: &DocAddress| !found.matched.contains(at.segment_ord as usize, at.doc_id);
        let mut others: Vec<&(&ProductId, DocAddress)> =
            others.iter().filter(|(_, at)| is_new(at)).collect();
        others.sort_unstable_by_key(|(_, at)| *at);
        let pairs = top_hits::pairs(terms);
        let matching = Matching::new(&self.searcher, &self.fields, terms, &pairs, weights)?;
        let kind = self.kind(terms, weights)?;
        let mut partial = Vec::new();
        for of_segment in others.chunk_by(|(_, a), (_, b)| a.segment_ord == b.segment_ord) {
            let number = of_segment[0].1.segment_ord;
            let docs: Vec<DocId> = of_segment.iter().map(|(_, at)| at.doc_id).collect();
            let scores = matching.scores(self.searcher.segment_reader(number), &docs)?;
            for ((id, at), score) in of_segment.iter().zip(scores) {
                let factor = kind
                    .as_ref()
                    .map_or(1.0, |kind| kind.factor(number as usize, at.doc_id));
                partial.push(((*id).clone(), *at, score * factor));
            }
        }
        partial.retain(|(_, _, score)| *score > 0.0);
        partial.sort_unstable_by(|a, b| b.2.total_cmp(&a.2).then_with(|| a.0.cmp(&b.0)));
        Ok(found.followed_by(partial))
    }
}

impl KeywordHits {
    fn followed_by(mut self, partial: Vec<(ProductId, DocAddress, f32)>) -> Self {
        for (product_id, at, score) in partial {
            self.places.push(at);
            self.hits.push(KeywordHit {
                product_id,
                score,
                tier: TIER_PARTLY,
            });
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use catalog_events::ProductId;
    use tantivy::DocAddress;

    use crate::index::scoring::terms::{MatchMode, QueryTerms};
    use crate::index::scoring::weights::KeywordWeights;
    use crate::index::tests::support::{index_of, product};
    use crate::index::text::language::Language;

    /// The hits of a search for all words of `query`, with the others beside them.
    fn check(query: &str, limit: usize, others: &[&str], expected: &[(&str, u8)]) {
        let (_folder, index) = index_of(&[
            product("both", "External drive"),
            product("drive", "Internal drive"),
            product(
                "drives",
                "Drive, external case for a drive that is sold apart",
            ),
            product("case", "External case"),
            product("mouse", "Mouse"),
        ]);
        let (snapshot, weights) = (index.snapshot(), KeywordWeights::default());
        let terms = QueryTerms {
            mode: MatchMode::All,
            ..QueryTerms::of(query, Language::English)
        };
        let others: Vec<(ProductId, DocAddress)> = others
            .iter()
            .map(|id| id.parse().expect("id"))
            .map(|id| (snapshot.locate(&id).expect("index").expect("located"), id))
            .map(|(at, id)| (id, at))
            .collect();
        let others: Vec<_> = others.iter().map(|(id, at)| (id, *at)).collect();
        let found = snapshot
            .search(&terms, &weights, limit, None)
            .expect("search");
        let all = snapshot
            .with_partial_hits(found, &others, &terms, &weights)
            .expect("partial hits");
        let hits: Vec<_> = all
            .hits
            .iter()
            .map(|hit| (hit.product_id.as_str(), hit.tier))
            .collect();
        assert_eq!(hits, expected, "{query:?} beside {others:?}");
        assert_eq!(all.hits.len(), all.places.len());
    }

    #[test]
    fn products_with_some_words_follow_those_with_all() {
        let all = [("both", 2), ("drives", 2)];
        check("external drive", 9, &[], &all);
        let more = [all[0], all[1], ("case", 3), ("drive", 3)];
        check(
            "external drive",
            9,
            &["mouse", "drive", "both", "case"],
            &more,
        );
        check("external drive", 1, &["drive"], &all[..1]);
        check("laser", 9, &["drive"], &[]);
    }
}
