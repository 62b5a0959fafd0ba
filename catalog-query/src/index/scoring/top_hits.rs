//! Collects the best hits of a query. An identifier that matches comes first, then products that
//! have all words, then those with some or with the beginning of the last one; within a tier BM25
//! decides, and equal scores are ordered by product id.

use std::cmp::Ordering;

use catalog_events::ProductId;
use tantivy::{DocAddress, DocId, Searcher};

use crate::index::error::IndexError;
use crate::index::scoring::bm25::{Match, Matching};
use crate::index::scoring::hits::{KeywordHit, KeywordHits, Matched};
use crate::index::scoring::product_kind::ProductKind;
use crate::index::scoring::score_window::ScoreWindow;
use crate::index::scoring::terms::{Alternative, AlternativeKind, QueryTerms};
use crate::index::scoring::weights::KeywordWeights;
use crate::index::sets::doc_sets::DocSets;
use crate::index::sets::product_ids::KnownIds;
use crate::index::text::vocabulary::Vocabulary;

/// The matches kept beyond twice the limit, so that the list is rarely shrunk.
const CANDIDATES_SPARE: usize = 1_024;

/// What is looked for.
pub(crate) struct Query<'a> {
    pub(crate) terms: &'a QueryTerms,
    pub(crate) weights: &'a KeywordWeights,
    /// The kind of product that it names.
    pub(crate) kind: Option<ProductKind<'a>>,
    pub(crate) filter: Option<&'a DocSets>,
}

pub(crate) fn search(
    vocabulary: &Vocabulary<'_>,
    ids: &KnownIds,
    query: Query<'_>,
    limit: usize,
) -> Result<KeywordHits, IndexError> {
    let Query { terms, filter, .. } = query;
    let pairs = pairs(terms);
    let matching = Matching::new(vocabulary, terms, &pairs, query.weights)?;
    let searcher = vocabulary.searcher;
    let mut window = ScoreWindow::new();
    let mut best = Best::new(searcher);
    let mut top = TopHits::new(searcher, ids, limit);
    for (number, segment) in (0_u32..).zip(searcher.segment_readers()) {
        let mut failed = Ok(());
        matching.each(number, segment, &mut window, |found| {
            match best.admits(&found) {
                Admission::No => return,
                Admission::First => top = TopHits::new(searcher, ids, limit),
                Admission::Yes => {}
            }
            best.matched.insert(number as usize, found.doc);
            let passes = filter.is_none_or(|filter| filter.contains(number as usize, found.doc));
            if passes && failed.is_ok() {
                failed = top.add(number, found, query.kind.as_ref());
            }
        })?;
        failed?;
    }
    let level = best.level;
    let relaxed = level.map_or_else(Vec::new, |level| matching.requirement.dropped(level));
    top.hits(Matched::of(best.matched, filter), relaxed)
}

/// Returns all documents that [`search`] finds without a limit.
pub(crate) fn matching(
    vocabulary: &Vocabulary<'_>,
    terms: &QueryTerms,
) -> tantivy::Result<DocSets> {
    let weights = KeywordWeights::default();
    let matching = Matching::new(vocabulary, terms, &[], &weights)?;
    let searcher = vocabulary.searcher;
    let mut window = ScoreWindow::new();
    let mut best = Best::new(searcher);
    for (number, segment) in (0_u32..).zip(searcher.segment_readers()) {
        matching.each(number, segment, &mut window, |found| {
            if best.admits(&found) != Admission::No {
                best.matched.insert(number as usize, found.doc);
            }
        })?;
    }
    Ok(best.matched)
}

/// The documents with the earliest set of words that any document has. Those that a filter leaves
/// out count in this choice, so that a filter never makes more documents match.
struct Best<'a> {
    searcher: &'a Searcher,
    level: Option<usize>,
    matched: DocSets,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Admission {
    No,
    Yes,
    /// It is better than all before, which do not match after all.
    First,
}

impl<'a> Best<'a> {
    fn new(searcher: &'a Searcher) -> Self {
        Self {
            searcher,
            level: None,
            matched: DocSets::none(searcher),
        }
    }

    fn admits(&mut self, found: &Match) -> Admission {
        match self.level {
            Some(level) if found.level > level => Admission::No,
            Some(level) if found.level == level => Admission::Yes,
            known => {
                self.level = Some(found.level);
                if known.is_some() {
                    self.matched = DocSets::none(self.searcher);
                }
                Admission::First
            }
        }
    }
}

/// Returns the pairs of words that follow each other in the query.
pub(crate) fn pairs(terms: &QueryTerms) -> Vec<Alternative> {
    let stems: Vec<_> = terms
        .words
        .iter()
        .filter_map(|word| Some(&word.alternatives.first()?.stems))
        .collect();
    let row = |left: &[String], right: &[String]| match right.strip_prefix(left) {
        // The right word counts only behind the left one, and is the pair already.
        Some(rest) if !rest.is_empty() => right.to_vec(),
        _ => [left, right].concat(),
    };
    let pair = |pair: &[&Vec<String>]| Alternative {
        stems: row(pair[0], pair[1]),
        weight: 1.0,
        kind: AlternativeKind::Spelling,
        documents_max: None,
    };
    stems.windows(2).map(pair).collect()
}

#[derive(Clone, Debug)]
struct Candidate {
    segment: u32,
    found: Match,
    /// The product id, read only where it decides the order.
    id: Option<ProductId>,
}

impl Candidate {
    /// Orders candidates by tier and score, the best first.
    fn compare(&self, other: &Self) -> Ordering {
        let tier = self.found.tier.cmp(&other.found.tier);
        tier.then(other.found.score.total_cmp(&self.found.score))
    }
}

/// The best matches so far.
struct TopHits<'a> {
    searcher: &'a Searcher,
    ids: &'a KnownIds,
    limit: usize,
    total: u64,
    kept: Vec<Candidate>,
    /// The worst of the best `limit` at the last shrinking. Anything behind it cannot be a hit.
    last: Option<Candidate>,
}

impl<'a> TopHits<'a> {
    fn new(searcher: &'a Searcher, ids: &'a KnownIds, limit: usize) -> Self {
        Self {
            searcher,
            ids,
            limit,
            total: 0,
            kept: Vec::new(),
            last: None,
        }
    }

    fn add(
        &mut self,
        segment: u32,
        found: Match,
        kind: Option<&ProductKind<'_>>,
    ) -> Result<(), IndexError> {
        self.total += 1;
        let mut candidate = Candidate {
            segment,
            found,
            id: None,
        };
        // A kind only ever lowers a score: what is behind without it need not be told its kind, which takes
        // longer than all else about a match.
        if self.is_behind(&candidate) {
            return Ok(());
        }
        if let Some(kind) = kind {
            candidate.found.score *= kind.factor(segment as usize, candidate.found.doc);
            if self.is_behind(&candidate) {
                return Ok(());
            }
        }
        self.kept.push(candidate);
        if self.kept.len() >= self.limit * 2 + CANDIDATES_SPARE {
            self.shrink()?;
        }
        Ok(())
    }

    fn is_behind(&self, candidate: &Candidate) -> bool {
        let last = self.last.as_ref();
        last.is_some_and(|last| candidate.compare(last) == Ordering::Greater)
    }

    /// Keeps only the best `limit` candidates; ids decide between equals.
    fn shrink(&mut self) -> Result<(), IndexError> {
        if self.limit == 0 {
            self.kept.clear();
            return Ok(());
        }
        if self.kept.len() > self.limit {
            let (_, last, _) = self
                .kept
                .select_nth_unstable_by(self.limit - 1, Candidate::compare);
            let last = last.clone();
            self.kept
                .retain(|candidate| candidate.compare(&last) != Ordering::Greater);
            self.last = Some(last);
        }
        self.resolve()?;
        self.kept
            .sort_unstable_by(|a, b| a.compare(b).then_with(|| a.id.cmp(&b.id)));
        self.kept.truncate(self.limit);
        Ok(())
    }

    /// Reads the missing ids, one segment at a time.
    fn resolve(&mut self) -> tantivy::Result<()> {
        for (number, segment) in (0_u32..).zip(self.searcher.segment_readers()) {
            let mut unknown: Vec<&mut Candidate> = self
                .kept
                .iter_mut()
                .filter(|one| one.segment == number && one.id.is_none())
                .collect();
            if unknown.is_empty() {
                continue;
            }
            let docs: Vec<DocId> = unknown.iter().map(|one| one.found.doc).collect();
            let ids = self.ids.ids(self.searcher, segment, &docs)?;
            for (one, id) in unknown.iter_mut().zip(ids) {
                one.id = id;
            }
        }
        Ok(())
    }

    fn hits(mut self, matched: Matched, relaxed: Vec<usize>) -> Result<KeywordHits, IndexError> {
        self.shrink()?;
        let hits = self.kept.into_iter().filter_map(|candidate| {
            let hit = KeywordHit {
                product_id: candidate.id?,
                score: candidate.found.score,
                tier: candidate.found.tier,
            };
            Some((hit, DocAddress::new(candidate.segment, candidate.found.doc)))
        });
        let (hits, places) = hits.unzip();
        Ok(KeywordHits {
            hits,
            places,
            total: self.total,
            matched,
            relaxed,
        })
    }
}

#[cfg(test)]
mod tests {
    use catalog_events::{AttributeValue, Product};

    use crate::index::keyword_index::KeywordIndex;
    use crate::index::scoring::hits::KeywordHits;
    use crate::index::scoring::terms::QueryTerms;
    use crate::index::tests::support::{found, index_of, product, text};
    use crate::index::text::language::Language;

    fn search(index: &KeywordIndex, query: &str, limit: usize) -> KeywordHits {
        index
            .search(&QueryTerms::of(query, Language::English), limit)
            .expect("search")
    }

    fn check(index: &KeywordIndex, query: &str, expected: &[&str]) {
        assert_eq!(found(index, query), expected, "{query:?}");
    }

    #[test]
    fn finds_words_whatever_their_form() {
        let (_folder, index) = index_of(&[
            Product {
                brand: Some("Logitech".to_owned()),
                ..product("a", "Wireless Mice")
            },
            Product {
                description: "for the café".to_owned(),
                ..product("b", "Batteries, 4 pcs")
            },
            Product {
                categories: vec!["Audio".to_owned()],
                ..product("c", "The Boys")
            },
        ]);
        check(&index, "LOGITECH", &["a"]);
        check(&index, "battery", &["b"]);
        check(&index, "cafe", &["b"]);
        check(&index, "audio", &["c"]);
        check(&index, "the", &["c", "b"]);
        check(&index, "keyboard", &[]);
    }

    #[test]
    fn texts_and_true_flags_of_attributes_are_searched() {
        let attributes = [
            ("connector", text("Mini-USB")),
            ("product_colour", text("Black")),
            ("Country of origin", text("China")),
            ("touchscreen", AttributeValue::from(true)),
            ("backlight", AttributeValue::from(false)),
            ("weight", AttributeValue::from(12.0)),
            ("picture", text("https://shop.example/gallery/1.jpg")),
            ("released", text("2009-12-10T00:00:00Z")),
        ];
        let (_folder, index) = index_of(&[Product {
            attributes: attributes
                .map(|(name, value)| (name.to_owned(), value))
                .into(),
            ..product("a", "Phone")
        }]);
        check(&index, "mini usb", &["a"]);
        check(&index, "touchscreen", &["a"]);
        check(&index, "black", &["a"]);
        check(&index, "china phone", &["a"]);
        for noise in ["backlight", "12", "colour", "gallery", "2009"] {
            check(&index, noise, &[]);
        }
    }

    #[test]
    fn all_words_come_before_any_and_an_identifier_before_both() {
        let (_folder, index) = index_of(&[
            product("a", "USB USB USB"),
            product("b", "USB hub with a long title that counts for less"),
            product("c", "hub"),
            Product {
                sku: Some("USB-HUB".to_owned()),
                ..product("d", "Thing")
            },
        ]);
        check(&index, "usb hub", &["d", "b", "a", "c"]);
        let found = search(&index, "usb hub", 2);
        let tiers: Vec<u8> = found.hits.iter().map(|hit| hit.tier).collect();
        assert_eq!((tiers, found.total), (vec![0, 2], 4));
    }

    #[test]
    fn identifiers_match_however_they_are_written() {
        let (_folder, index) = index_of(&[
            Product {
                sku: Some("WH-1000XM4/B".to_owned()),
                ..product("a", "Headphones")
            },
            Product {
                gtins: vec!["0095205603217".to_owned()],
                ..product("b", "Toner")
            },
        ]);
        for query in [
            "wh1000xm4b",
            "WH-1000 XM4 B",
            "sony wh-1000xm4/b headphones",
        ] {
            assert_eq!(found(&index, query)[0], "a", "{query}");
        }
        for query in [
            "0095205603217",
            "095205603217",
            "00095205603217",
            "toner 95205603217",
        ] {
            check(&index, query, &["b"]);
        }
    }

    /// Each product is in a segment of its own. Its neighbours change the order in which scores are
    /// summed.
    #[test]
    fn equal_products_come_in_the_order_of_their_ids() {
        let title = "wireless optical mouse with three buttons";
        let mut products = Vec::new();
        for (number, id) in ["f", "b", "e", "a", "d", "c"].into_iter().enumerate() {
            products.push(product(id, title));
            let other = ["optical", "mouse mouse", "buttons three", "wireless with"][number % 4];
            products.push(product(&format!("x{number}"), other));
        }
        let (_folder, index) = index_of(&products);
        for query in [
            "mouse",
            "buttons wireless",
            "three mouse optical wireless buttons with",
        ] {
            let equal: Vec<String> = found(&index, query)
                .into_iter()
                .filter(|id| id.len() == 1)
                .collect();
            assert_eq!(equal, ["a", "b", "c", "d", "e", "f"], "{query}");
        }
    }

    #[test]
    fn hostile_queries_are_words_or_nothing() {
        let (_folder, index) = index_of(&[product("a", "mouse")]);
        check(&index, &"(".repeat(20_000), &[]);
        check(&index, &"mouse ".repeat(200_000), &["a"]);
        check(&index, &"x".repeat(1_000_000), &[]);
        check(
            &index,
            &(0..10_000).map(|n| format!("w{n} ")).collect::<String>(),
            &[],
        );
        check(&index, "title:mouse AND -(* OR \"^~\\", &["a"]);
        check(&index, "\u{0}mouse\u{202e}", &["a"]);
        let none = search(&index, "mouse", 0);
        assert_eq!((none.hits.len(), none.total), (0, 1));
    }
}
