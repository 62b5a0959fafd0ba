//! The form of the files of queries.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::PathBuf;

use catalog_events::{AttributeValue, Product};
use serde::Deserialize;

use crate::index::tests::support::product;

/// Products and what is asked about them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Catalog {
    pub(super) name: String,
    pub(super) language: String,
    /// Whether the products have vectors. Then queries are asked by words and meaning.
    #[serde(default)]
    pub(super) meaning: bool,
    /// Groups of words and phrases that count as one another.
    #[serde(default)]
    pub(super) synonyms: Vec<Vec<String>>,
    products: Vec<Row>,
    pub(super) queries: Vec<Query>,
}

/// One product, or several that differ in a number.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    title: String,
    #[serde(default)]
    description: String,
    brand: Option<String>,
    sku: Option<String>,
    #[serde(default)]
    gtins: Vec<String>,
    #[serde(default)]
    categories: Vec<String>,
    #[serde(default)]
    attributes: BTreeMap<String, AttributeValue>,
    /// How many products the row stands for: their number, from 1 on, is added to the id and stands
    /// for `{n}` in the title.
    copies: Option<usize>,
}

/// A query and what must be true of its answer. An id that ends in `*` stands for all ids that begin
/// so.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Query {
    pub(super) q: String,
    /// `auto`, `all` or `any`.
    #[serde(rename = "match")]
    pub(super) matching: Option<String>,
    /// `last` or `none`.
    pub(super) prefix: Option<String>,
    pub(super) verbatim: bool,
    /// The values of fields that products must have.
    pub(super) filter: BTreeMap<String, String>,

    /// The products that come first, in any order.
    pub(super) first: Vec<String>,
    /// Products that are found, among others.
    pub(super) found: Vec<String>,
    /// Products that are not found.
    pub(super) not: Vec<String>,
    /// Seven in ten of the first products are these: of the first ten, or of as many as these are.
    pub(super) mostly: Vec<String>,
    /// All products that are found.
    pub(super) only: Option<Vec<String>>,
    pub(super) total: Option<u64>,
    /// The words that were dropped.
    pub(super) relaxed: Option<Vec<String>>,
    /// The text that was searched for; empty when it is the typed one.
    pub(super) corrected: Option<String>,
    /// The text that was not searched for, but may have been meant.
    pub(super) did_you_mean: Option<String>,
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.q)?;
        for (name, value) in [("match", &self.matching), ("prefix", &self.prefix)] {
            if let Some(value) = value {
                write!(f, " {name}={value}")?;
            }
        }
        for (field, value) in &self.filter {
            write!(f, " {field}={value}")?;
        }
        if self.verbatim {
            write!(f, " verbatim")?;
        }
        Ok(())
    }
}

impl Query {
    /// Fails for an expectation of nothing, and for products that the catalog does not have.
    fn check(&self, ids: &BTreeSet<String>, place: &str) {
        let lists = [&self.first, &self.mostly, &self.found, &self.not];
        let named = lists.into_iter().chain(&self.only).flatten();
        let mut names = 0;
        for id in named {
            names += 1;
            let is_known = ids.iter().any(|known| is_meant(id, known));
            assert!(is_known, "{place} {self}: there is no {id:?}");
        }
        let says_something = names > 0
            || self.only.is_some()
            || self.total.is_some()
            || self.relaxed.is_some()
            || self.did_you_mean.is_some();
        assert!(says_something, "{place} {self}: expects nothing");
    }
}

/// Whether an id of an expectation means this product.
pub(super) fn is_meant(stated: &str, id: &str) -> bool {
    match stated.strip_suffix('*') {
        Some(beginning) => id.starts_with(beginning),
        None => stated == id,
    }
}

impl Catalog {
    pub(super) fn products(&self) -> Vec<Product> {
        self.products.iter().flat_map(Row::products).collect()
    }

    /// The ids that an expectation means.
    pub(super) fn meant(&self, stated: &[String]) -> BTreeSet<String> {
        let ids = self.products().into_iter().map(|one| one.id.to_string());
        ids.filter(|id| stated.iter().any(|stated| is_meant(stated, id)))
            .collect()
    }
}

impl Row {
    fn products(&self) -> Vec<Product> {
        match self.copies {
            None => vec![self.product(&self.id, &self.title)],
            Some(copies) => (1..=copies)
                .map(|n| {
                    let title = self.title.replace("{n}", &n.to_string());
                    self.product(&format!("{}{n}", self.id), &title)
                })
                .collect(),
        }
    }

    fn product(&self, id: &str, title: &str) -> Product {
        Product {
            description: self.description.clone(),
            brand: self.brand.clone(),
            sku: self.sku.clone(),
            gtins: self.gtins.clone(),
            categories: self.categories.clone(),
            attributes: self.attributes.clone(),
            ..product(id, title)
        }
    }
}

fn folder() -> PathBuf {
    PathBuf::from("tests/queries")
}

/// The names of the files, in their order.
pub(super) fn kinds() -> Vec<String> {
    let files = fs::read_dir(folder()).expect("folder");
    let mut names: Vec<String> = files
        .map(|file| file.expect("file").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    names
}

/// Reads the catalogs of a kind, and fails for expectations that make no sense.
pub(super) fn read(kind: &str) -> Vec<Catalog> {
    let file = folder().join(format!("{kind}.json"));
    let text = fs::read_to_string(&file).expect(kind);
    let catalogs: Vec<Catalog> =
        serde_json::from_str(&text).unwrap_or_else(|err| panic!("{kind}.json: {err}"));
    for catalog in &catalogs {
        let place = format!("{kind}, {}", catalog.name);
        let products = catalog.products();
        let ids: BTreeSet<String> = products.iter().map(|one| one.id.to_string()).collect();
        assert_eq!(ids.len(), products.len(), "{place}: an id is there twice");
        assert!(!catalog.queries.is_empty(), "{place}: asks nothing");
        for query in &catalog.queries {
            query.check(&ids, &place);
        }
    }
    catalogs
}
