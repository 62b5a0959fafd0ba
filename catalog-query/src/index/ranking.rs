//! The order of keyword hits: an identifier that matches exactly, then products that have all words,
//! then products that have any, each by BM25 and equal scores by product id.

use std::collections::HashSet;

use catalog_events::ProductId;
use tantivy::collector::TopDocs;
use tantivy::collector::sort_key::{SortBySimilarityScore, SortByString};
use tantivy::query::{BooleanQuery, BoostQuery, DisjunctionMaxQuery, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Order, Searcher, Term};

use super::doc_sets::InSet;
use super::schema::{Fields, ID};
use super::{Hit, KeywordHits, QueryTerms};

/// What the fields other than the best one add to the score of a word.
const TIE_BREAKER: f32 = 0.1;

pub(super) fn search(
    searcher: &Searcher,
    fields: &Fields,
    terms: &QueryTerms,
    limit: usize,
    filter: Option<&InSet>,
) -> tantivy::Result<KeywordHits> {
    let search = |query: BooleanQuery, found: &mut Vec<Hit>| match filter {
        None => add(searcher, &query, limit, found),
        Some(filter) => add(searcher, &within(query, filter), limit, found),
    };
    let words = || -> Vec<Box<dyn Query>> {
        terms
            .words
            .iter()
            .map(|word| in_any_field(fields, word))
            .collect()
    };
    let identifiers = terms.identifiers.iter();
    let identifiers = identifiers
        .map(|text| exactly(fields.identifiers, text))
        .collect();

    let mut hits = Vec::new();
    search(BooleanQuery::union(identifiers), &mut hits)?;
    let exact = hits.len();
    search(BooleanQuery::intersection(words()), &mut hits)?;
    if terms.words.len() > 1 {
        search(BooleanQuery::union(words()), &mut hits)?;
    }
    Ok(KeywordHits::new(hits, exact))
}

/// Finds what [`search`] finds without a limit.
pub(super) fn matching(fields: &Fields, terms: &QueryTerms) -> Box<dyn Query> {
    let words = terms.words.iter();
    let words = words.flat_map(|word| {
        let fields = fields.weights();
        fields.map(|(field, _)| exactly(field, word))
    });
    let identifiers = terms.identifiers.iter();
    let identifiers = identifiers.map(|text| exactly(fields.identifiers, text));
    Box::new(BooleanQuery::union(words.chain(identifiers).collect()))
}

/// The same hits with the same scores, but only those in the filter.
fn within(query: BooleanQuery, filter: &InSet) -> BooleanQuery {
    BooleanQuery::intersection(vec![Box::new(query), Box::new(filter.clone())])
}

/// Adds the best hits that are not there yet, up to `limit` in all.
fn add(
    searcher: &Searcher,
    query: &BooleanQuery,
    limit: usize,
    hits: &mut Vec<Hit>,
) -> tantivy::Result<()> {
    if hits.len() >= limit {
        return Ok(());
    }
    let known: HashSet<ProductId> = hits.iter().map(|hit| hit.product_id.clone()).collect();
    // All that are known may be found again, and no more than those.
    let found = top(searcher, query, limit + known.len())?;
    let new = found
        .into_iter()
        .filter(|hit| !known.contains(&hit.product_id));
    hits.extend(new.take(limit - known.len()));
    Ok(())
}

/// A word counts where it matters most, not once per field that repeats it.
fn in_any_field(fields: &Fields, word: &str) -> Box<dyn Query> {
    let matches = fields.weights().map(|(field, weight)| -> Box<dyn Query> {
        Box::new(BoostQuery::new(exactly(field, word), weight))
    });
    Box::new(DisjunctionMaxQuery::with_tie_breaker(
        matches.into(),
        TIE_BREAKER,
    ))
}

fn exactly(field: Field, text: &str) -> Box<dyn Query> {
    Box::new(TermQuery::new(
        Term::from_field_text(field, text),
        IndexRecordOption::WithFreqs,
    ))
}

fn top(searcher: &Searcher, query: &dyn Query, limit: usize) -> tantivy::Result<Vec<Hit>> {
    let by_id = (SortByString::for_field(ID), Order::Asc);
    let order = TopDocs::with_limit(limit).order_by((SortBySimilarityScore, by_id));
    let found = searcher.search(query, &order)?;
    let hits = found.into_iter().filter_map(|((score, id), _)| {
        let product_id = ProductId::try_from(id?).ok()?;
        Some(Hit { product_id, score })
    });
    Ok(hits.collect())
}

#[cfg(test)]
mod tests {
    use catalog_events::{AttributeValue, Product};

    use crate::index::testing::{found, index_of, product, text};
    use crate::index::{KeywordIndex, QueryTerms};

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
    fn attributes_that_tell_products_apart_are_searched() {
        let attributes = [
            ("connector", text("Mini-USB")),
            ("product_colour", text("Black")),
            ("Country of origin", text("China")),
            ("touchscreen", AttributeValue::Flag(true)),
            ("backlight", AttributeValue::Flag(false)),
            ("weight", AttributeValue::Number(12.0)),
        ];
        let attributes = attributes
            .map(|(name, value)| (name.to_owned(), value))
            .into();
        let (_folder, index) = index_of(&[Product {
            attributes,
            ..product("a", "Phone")
        }]);
        check(&index, "mini usb", &["a"]);
        check(&index, "touchscreen", &["a"]);
        for noise in ["black", "china", "backlight", "12", "colour"] {
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
        let hits = index.search(&QueryTerms::of("usb hub"), 2).expect("search");
        assert_eq!((hits.hits.len(), hits.exact().len()), (2, 1));
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

    /// Each product is in a segment of its own, with neighbours that make for another order of
    /// summation.
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
        let none = index.search(&QueryTerms::of("mouse"), 0).expect("search");
        assert!(none.hits.is_empty());
    }
}
