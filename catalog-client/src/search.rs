//! Searches.

use reqwest::Method;
use serde::Deserialize;

use crate::client::Client;
use crate::error::Error;
use crate::product::Product;
use crate::request::{json, send};

/// What is searched for. The names are those of `GET /api/products/search`.
#[derive(Clone, Debug, Default)]
pub struct Search(Vec<(String, String)>);

impl Search {
    /// All products, for filters to choose from.
    pub fn all() -> Self {
        Self::words("*")
    }

    /// Products for words as people type them.
    pub fn words(words: &str) -> Self {
        Self::default().with("q", words)
    }

    /// A parameter; one that is given twice means one or the other.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    #[must_use]
    pub fn brand(self, brand: &str) -> Self {
        self.with("brand", brand)
    }

    #[must_use]
    pub fn attribute(self, name: &str, value: &str) -> Self {
        self.with(&format!("attr.{name}"), value)
    }

    #[must_use]
    pub fn limit(self, limit: u32) -> Self {
        self.with("limit", &limit.to_string())
    }

    /// Fields whose values are counted, such as `brand`.
    #[must_use]
    pub fn facets(self, fields: &[&str]) -> Self {
        self.with("facets", &fields.join(","))
    }

    /// The page that a `next_page_token` leads to.
    #[must_use]
    pub fn page(self, token: &str) -> Self {
        self.with("page_token", token)
    }
}

/// What a search found, best first.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Found {
    pub items: Vec<Product>,
    /// The number of all that match.
    pub total: i64,
    pub next_page_token: Option<String>,
    /// What was searched for instead of a misspelt query.
    pub corrected_query: Option<String>,
    /// What may have been meant, and was not searched for.
    pub did_you_mean: Option<String>,
    /// The words that were dropped, for no product has all.
    #[serde(default)]
    pub relaxed: Vec<String>,
    #[serde(default)]
    pub facets: Vec<Facet>,
    /// What clicks name the search by.
    pub search_id: Option<String>,
    /// Whether a part of the search was away, and the answer is less than it could be.
    #[serde(default)]
    pub degraded: bool,
    /// Whether a write of this client may be missing.
    #[serde(default)]
    pub stale: bool,
}

/// The values of a field among all that match.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Facet {
    pub field: String,
    pub values: Vec<FacetValue>,
}

/// A value, and how many products have it.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct FacetValue {
    pub value: String,
    pub count: i64,
}

impl Client {
    /// Searches products.
    pub async fn search(&self, search: &Search) -> Result<Found, Error> {
        let request = self.read(Method::GET, &["products", "search"]);
        json(send(request.query(&search.0)).await?).await
    }
}
