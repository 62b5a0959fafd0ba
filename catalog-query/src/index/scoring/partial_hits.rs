//! Ranks products that have only some words of a query among those that match by their words. They
//! match for another reason, and the words that they have still tell how good they are.

use catalog_events::ProductId;
use tantivy::{DocAddress, DocId};

use crate::index::error::IndexError;
use crate::index::scoring::bm25::{Matching, TIER_ALL_WORDS, TIER_PARTLY};
use crate::index::scoring::hits::{KeywordHit, KeywordHits};
use crate::index::scoring::terms::QueryTerms;
use crate::index::scoring::top_hits;
use crate::index::scoring::weights::KeywordWeights;
use crate::index::snapshot::IndexSnapshot;

impl IndexSnapshot {
    /// The hits of `found` and those of `others` that have any word of the query without matching by
    /// words, best first, where the latter count by a `share` of their score. Nothing is added to
    /// hits that a limit has cut.
    pub(crate) fn with_partial_hits(
        &self,
        found: KeywordHits,
        others: &[(&ProductId, DocAddress)],
        terms: &QueryTerms,
        weights: &KeywordWeights,
        share: f32,
    ) -> Result<KeywordHits, IndexError> {
        if found.total > found.hits.len() as u64 {
            return Ok(found);
        }
        let is_new = |at: &DocAddress| !found.matched.has(*at);
        let mut others: Vec<&(&ProductId, DocAddress)> =
            others.iter().filter(|(_, at)| is_new(at)).collect();
        if others.is_empty() {
            return Ok(found);
        }
        others.sort_unstable_by_key(|(_, at)| *at);
        let pairs = top_hits::pairs(terms);
        let matching = Matching::new(&self.vocabulary(), terms, &pairs, weights)?;
        let kind = self.kind(terms, weights)?;
        let mut partial = Vec::new();
        for of_segment in others.chunk_by(|(_, a), (_, b)| a.segment_ord == b.segment_ord) {
            let number = of_segment[0].1.segment_ord;
            let docs: Vec<DocId> = of_segment.iter().map(|(_, at)| at.doc_id).collect();
            let scores = matching.scores(number, self.searcher.segment_reader(number), &docs)?;
            for ((id, at), score) in of_segment.iter().zip(scores) {
                let factor = kind
                    .as_ref()
                    .map_or(1.0, |kind| kind.factor(number as usize, at.doc_id));
                partial.push(((*id).clone(), *at, score * factor));
            }
        }
        partial.retain(|(_, _, score)| *score > 0.0);
        partial.sort_unstable_by(|a, b| b.2.total_cmp(&a.2).then_with(|| a.0.cmp(&b.0)));
        Ok(found.merged(partial, share))
    }
}

impl KeywordHits {
    /// Merges hits that lack a word with these, identifiers first. Products that have all words
    /// somewhere are often about something else: a printer that needs a CD drive is not one.
    fn merged(mut self, partial: Vec<(ProductId, DocAddress, f32)>, share: f32) -> Self {
        let counted = |hit: &KeywordHit| match hit.tier {
            TIER_PARTLY => hit.score * share,
            _ => hit.score,
        };
        let mut all: Vec<(KeywordHit, DocAddress)> =
            self.hits.into_iter().zip(self.places).collect();
        all.extend(partial.into_iter().map(|(product_id, at, score)| {
            let hit = KeywordHit {
                product_id,
                score,
                tier: TIER_PARTLY,
            };
            (hit, at)
        }));
        // The sort is stable: hits that match by words come first among equals.
        all.sort_by(|(a, _), (b, _)| {
            let tier = a.tier.min(TIER_ALL_WORDS).cmp(&b.tier.min(TIER_ALL_WORDS));
            tier.then(counted(b).total_cmp(&counted(a)))
        });
        (self.hits, self.places) = all.into_iter().unzip();
        self
    }
}

#[cfg(test)]
mod tests {
    use catalog_events::{Product, ProductId};
    use tantivy::DocAddress;

    use crate::index::scoring::terms::{MatchMode, QueryTerms};
    use crate::index::scoring::weights::KeywordWeights;
    use crate::index::tests::support::{index_of, product, text};
    use crate::index::text::language::Language;

    /// The hits of a search for all words of `query`, with the others beside them.
    fn check(query: &str, limit: usize, share: f32, others: &[&str], expected: &[(&str, u8)]) {
        let (_folder, index) = index_of(&[
            product("both", "External drive"),
            product("drive", "Internal drive"),
            Product {
                attributes: [("needs".to_owned(), text("a drive, internal or external"))].into(),
                ..product("printer", "Printer")
            },
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
            .with_partial_hits(found, &others, &terms, &weights, share)
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
    fn products_with_some_words_count_by_a_share_of_their_score() {
        let all = [("both", 2), ("printer", 2)];
        check("external drive", 9, 0.5, &[], &all);
        let more = [all[0], all[1], ("case", 3), ("drive", 3)];
        let others = ["mouse", "drive", "both", "case"];
        check("external drive", 9, 0.3, &others, &more);
        let among = [all[0], ("case", 3), ("drive", 3), all[1]];
        check("external drive", 9, 1.0, &others, &among);
        check("external drive", 1, 0.9, &["drive"], &all[..1]);
        check("laser", 9, 0.9, &["drive"], &[]);
    }
}
