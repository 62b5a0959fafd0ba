//! Products as they are read and written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A product as it is stored.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[non_exhaustive]
pub struct Product {
    pub id: String,
    pub title: String,
    pub description: String,
    /// In minor units of the currency: cents of euros, whole yen.
    pub price_minor: i64,
    /// ISO 4217.
    pub currency: String,
    pub image_url: Option<String>,
    pub brand: Option<String>,
    pub sku: Option<String>,
    #[serde(default)]
    pub gtins: Vec<String>,
    #[serde(default)]
    pub categories: Vec<String>,
    #[serde(default)]
    pub attributes: BTreeMap<String, Attribute>,
    pub status: Status,
    /// Counts the changes of this product, from 1.
    pub version: i64,
    /// RFC 3339.
    pub created_at: Option<String>,
    pub updated_at: Option<String>,
}

/// Whether a product is sold.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    #[default]
    Active,
    Discontinued,
    /// A status that only a newer release knows.
    #[serde(other, skip_serializing)]
    Unknown,
}

/// The value of an attribute.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(untagged)]
pub enum Attribute {
    Flag(bool),
    Number(f64),
    Text(String),
    List(Vec<Attribute>),
}

impl From<&str> for Attribute {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<f64> for Attribute {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Attribute {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

/// An exact amount of money.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Price {
    price_minor: i64,
    currency: String,
}

impl Price {
    /// An amount in minor units: 4990 EUR are 49.90 euros.
    pub fn minor(amount: i64, currency: &str) -> Self {
        Self {
            price_minor: amount,
            currency: currency.to_owned(),
        }
    }
}

/// A product to be created, or to take the place of another.
#[derive(Clone, Debug, Serialize)]
pub struct NewProduct {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(flatten)]
    price: Price,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    brand: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sku: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gtins: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    categories: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<String, Attribute>,
    status: Status,
}

impl NewProduct {
    pub fn new(title: &str, price: Price) -> Self {
        Self {
            id: None,
            title: title.to_owned(),
            description: String::new(),
            price,
            image_url: None,
            brand: None,
            sku: None,
            gtins: Vec::new(),
            categories: Vec::new(),
            attributes: BTreeMap::new(),
            status: Status::Active,
        }
    }

    /// Letters, digits, `_` and `-`; the catalog makes an id where none is stated.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    #[must_use]
    pub fn description(mut self, text: &str) -> Self {
        text.clone_into(&mut self.description);
        self
    }

    #[must_use]
    pub fn image_url(mut self, url: &str) -> Self {
        self.image_url = Some(url.to_owned());
        self
    }

    #[must_use]
    pub fn brand(mut self, brand: &str) -> Self {
        self.brand = Some(brand.to_owned());
        self
    }

    #[must_use]
    pub fn sku(mut self, sku: &str) -> Self {
        self.sku = Some(sku.to_owned());
        self
    }

    #[must_use]
    pub fn gtin(mut self, gtin: &str) -> Self {
        self.gtins.push(gtin.to_owned());
        self
    }

    /// The category path, outermost first.
    #[must_use]
    pub fn categories(mut self, path: &[&str]) -> Self {
        self.categories = path.iter().map(|level| (*level).to_owned()).collect();
        self
    }

    #[must_use]
    pub fn attribute(mut self, name: &str, value: impl Into<Attribute>) -> Self {
        self.attributes.insert(name.to_owned(), value.into());
        self
    }

    #[must_use]
    pub fn status(mut self, status: Status) -> Self {
        self.status = status;
        self
    }
}

/// What changes of a product; the rest stays.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ProductChanges(Map<String, Value>);

impl ProductChanges {
    pub fn new() -> Self {
        Self::default()
    }

    /// A new value of a member; null clears it.
    #[must_use]
    pub fn set(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.0.insert(member.to_owned(), value.into());
        self
    }

    #[must_use]
    pub fn price(self, price: &Price) -> Self {
        let changes = self.set("price_minor", price.price_minor);
        changes.set("currency", price.currency.as_str())
    }

    /// A new value of an attribute; null removes it.
    #[must_use]
    pub fn attribute(mut self, name: &str, value: impl Into<Value>) -> Self {
        let attributes = self
            .0
            .entry("attributes")
            .or_insert_with(|| Map::new().into());
        if let Value::Object(attributes) = attributes {
            attributes.insert(name.to_owned(), value.into());
        }
        self
    }
}

/// Products by their ids.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Batch {
    pub items: Vec<Product>,
    /// The ids of which there is no product.
    #[serde(default)]
    pub missing: Vec<String>,
    /// Whether a write of this client may be missing: the read side did not catch up in time.
    #[serde(default)]
    pub stale: bool,
}

/// A page of all products.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Page {
    pub items: Vec<Product>,
    /// What to ask the next page with; None on the last one.
    pub next_page_token: Option<String>,
    /// The number of all products.
    pub total: Option<i64>,
}
