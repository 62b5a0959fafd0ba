//! The product snapshot that every event carries.

mod attribute;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{Money, ProductId};

pub use self::attribute::{AttributeScalar, AttributeValue};

/// A product after a change. Its JSON form is deterministic (fields in this order, attributes
/// sorted by name), because digests are taken over it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Product {
    /// The id, which never changes.
    pub id: ProductId,
    /// One line of text.
    pub title: String,
    /// Text of several lines; empty where there is none.
    #[serde(default)]
    pub description: String,
    /// What it costs.
    pub price: Money,
    /// An http or https URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    /// The brand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// The manufacturer's part number or model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// GTIN-8, -12, -13 or -14.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gtins: Vec<String>,
    /// The category path, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Properties by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, AttributeValue>,
    /// Whether it is sold.
    #[serde(default)]
    pub status: Status,
    /// When it was created, the last time if it was deleted before.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, schemars(with = "crate::schema::Time"))]
    pub created_at: OffsetDateTime,
    /// When it last changed.
    #[serde(with = "time::serde::rfc3339")]
    #[cfg_attr(test, schemars(with = "crate::schema::Time"))]
    pub updated_at: OffsetDateTime,
}

/// Whether a product is sold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Sold.
    #[default]
    Active,
    /// Still readable and searchable, no longer sold.
    Discontinued,
}
