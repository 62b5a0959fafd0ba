//! The products of the running catalog, and which of them some words tell apart.

use std::collections::{BTreeMap, HashMap};

use catalog_proto::v1::{SearchProductsRequest, SortOrder};
use client_kit::Meter;

use super::words::{normalised, terms};
use crate::eval::asker::Asker;

/// The most products that a page has.
const PAGE: i32 = 100;

pub(super) struct Catalog {
    /// The titles by product id.
    titles: BTreeMap<String, String>,
    /// The places of the titles that have a word among all that differ, ascending.
    having: HashMap<String, Vec<usize>>,
}

impl Catalog {
    /// Lists all products, page by page, as a shopper who browses would.
    pub(super) async fn read(asker: &mut Asker) -> anyhow::Result<Self> {
        let mut titles = BTreeMap::new();
        let mut meter = Meter::new("reading titles");
        let mut token = String::new();
        loop {
            let request = SearchProductsRequest {
                limit: PAGE,
                sort: SortOrder::Newest.into(),
                page_token: token,
                ..SearchProductsRequest::default()
            };
            let page = asker.ask(request).await?;
            let products = page.products.into_iter();
            titles.extend(products.map(|product| (product.id, product.title)));
            meter.set(titles.len() as u64, u64::try_from(page.total).ok(), "");
            token = page.next_page_token;
            if token.is_empty() {
                return Ok(Self::of(titles));
            }
        }
    }

    pub(super) fn of(titles: BTreeMap<String, String>) -> Self {
        let mut distinct: Vec<String> = titles.values().map(|title| normalised(title)).collect();
        distinct.sort_unstable();
        distinct.dedup();
        let mut having: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, title) in distinct.iter().enumerate() {
            for word in title.split(' ') {
                let places = having.entry(word.to_owned()).or_default();
                if places.last() != Some(&at) {
                    places.push(at);
                }
            }
        }
        Self { titles, having }
    }

    pub(super) fn products(&self) -> usize {
        self.titles.len()
    }

    /// The titles in the order of the product ids.
    pub(super) fn titles(&self) -> impl Iterator<Item = &String> {
        self.titles.values()
    }

    /// Whether some words are those of one title only, however many products have that title.
    pub(super) fn identify(&self, words: &[String]) -> bool {
        let words: Vec<String> = words.iter().flat_map(|word| terms(word)).collect();
        let mut places: Vec<&[usize]> = words
            .iter()
            .map(|word| self.having.get(word).map_or(&[][..], Vec::as_slice))
            .collect();
        places.sort_unstable_by_key(|places| places.len());
        let Some((rarest, others)) = places.split_first() else {
            return false;
        };
        let has_all = |at: &&usize| others.iter().all(|places| places.binary_search(at).is_ok());
        rarest.iter().filter(has_all).take(2).count() == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog(titles: &[&str]) -> Catalog {
        let numbered = titles.iter().enumerate();
        Catalog::of(
            numbered
                .map(|(n, title)| (n.to_string(), (*title).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn words_identify_when_one_title_has_them_all() {
        let catalog = catalog(&[
            "Canon lens case gray",
            "Canon lens case black",
            "Canon Lens Case (Black)",
            "Canon lens",
        ]);
        assert_eq!(catalog.products(), 4);
        let identify = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            catalog.identify(&words)
        };
        assert!(identify(&["case", "GRAY"]));
        assert!(identify(&["black", "lens-case"]), "two products, one title");
        assert!(!identify(&["Canon", "lens", "case"]));
        assert!(!identify(&["canon", "lens"]), "a title within others");
        assert!(!identify(&["gray", "black"]), "no title");
        assert!(!identify(&[]));
    }
}
