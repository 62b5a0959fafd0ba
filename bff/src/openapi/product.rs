//! The shapes of products in the OpenAPI document. What writes them straight from the upstream's
//! messages has no shape of its own.
#![expect(
    dead_code,
    reason = "the types describe JSON; none of them is ever made"
)]

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

/// A product as it is stored. Every member is always there.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "id": "headset-1", "title": "USB headset", "description": "With a microphone.", "price": 49.9,
    "currency": "EUR", "image_url": null, "price_minor": 4990, "brand": "Acme", "sku": "HS-1",
    "gtins": ["4006381333931"], "categories": ["Headsets"], "attributes": {"colour": "black", "wired": true},
    "status": "active", "version": 3, "created_at": "2026-01-31T08:00:00Z", "updated_at": "2026-02-01T08:00:00Z"
}))]
pub(crate) struct Product {
    #[schema(inline)]
    id: ProductId,
    title: String,
    description: String,
    /// In major units; `price_minor` is exact.
    price: f64,
    currency: String,
    #[schema(required, nullable)]
    image_url: Option<String>,
    /// In minor units of the currency: cents of euros, whole yen.
    price_minor: i64,
    #[schema(required, nullable)]
    brand: Option<String>,
    #[schema(required, nullable)]
    sku: Option<String>,
    gtins: Vec<String>,
    categories: Vec<String>,
    attributes: BTreeMap<String, Attribute>,
    status: Status,
    /// Counts the changes of this product, from 1. It is the `ETag`.
    version: i64,
    #[schema(required, nullable, format = DateTime)]
    created_at: Option<String>,
    #[schema(required, nullable, format = DateTime)]
    updated_at: Option<String>,
}

/// The members of a product that `fields` asked for: all of them unless it did.
#[derive(Serialize, ToSchema)]
pub(crate) struct Item {
    id: String,
    title: Option<String>,
    description: Option<String>,
    price: Option<f64>,
    currency: Option<String>,
    image_url: Option<String>,
    price_minor: Option<i64>,
    brand: Option<String>,
    sku: Option<String>,
    gtins: Option<Vec<String>>,
    categories: Option<Vec<String>>,
    attributes: Option<BTreeMap<String, Attribute>>,
    status: Option<Status>,
    version: Option<i64>,
    #[schema(format = DateTime)]
    created_at: Option<String>,
    #[schema(format = DateTime)]
    updated_at: Option<String>,
}

/// A product in the words of schema.org.
#[derive(Serialize, ToSchema)]
pub(crate) struct LinkedProduct {
    #[serde(rename = "@context")]
    context: String,
    #[serde(rename = "@type")]
    kind: String,
    #[serde(rename = "productID")]
    product_id: String,
    offers: serde_json::Value,
}

/// Letters, digits, `_` and `-`.
#[derive(Serialize, ToSchema)]
#[schema(pattern = "^[A-Za-z0-9_-]{1,64}$", example = "headset-1")]
pub(crate) struct ProductId(String);

/// A discontinued product can still be found, unless a search hides it.
#[derive(Serialize, ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Status {
    Active,
    Discontinued,
}

/// A value, or a list of values. An integer that a double cannot hold exactly, from 9007199254740992 on, is kept
/// as the text of its digits.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Attribute {
    Text(String),
    Number(f64),
    Flag(bool),
    List(Vec<Scalar>),
}

/// A new value of an attribute; null removes it. Integers from 9007199254740992 on are kept as texts.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum AttributePatch {
    Text(String),
    Number(f64),
    Flag(bool),
    List(Vec<Scalar>),
    Removed,
}

/// One value of an attribute. Integers from 9007199254740992 on are kept as texts.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Scalar {
    Text(String),
    Number(f64),
    Flag(bool),
}

/// A product to be created, or to take the place of another. State `price` or `price_minor`.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"id": "headset-1", "title": "USB headset", "price": "49.90", "currency": "EUR",
                     "attributes": {"colour": "black"}})
)]
pub(crate) struct NewProduct {
    /// One is made unless it is stated.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,64}$")]
    id: Option<String>,
    #[schema(min_length = 1, max_length = 1000)]
    title: String,
    #[schema(max_length = 20000)]
    description: Option<String>,
    price: Option<Amount>,
    #[schema(minimum = 0, maximum = 9_007_199_254_740_992_i64)]
    price_minor: Option<i64>,
    /// ISO 4217, in capitals; `USD` unless it is stated.
    #[schema(pattern = "^[A-Z]{3}$", example = "EUR")]
    currency: Option<String>,
    #[schema(pattern = "^https?://", max_length = 2000)]
    image_url: Option<String>,
    #[schema(max_length = 200)]
    brand: Option<String>,
    #[schema(max_length = 300)]
    sku: Option<String>,
    #[schema(max_items = 200)]
    gtins: Option<Vec<String>>,
    #[schema(max_items = 20)]
    categories: Option<Vec<String>>,
    attributes: Option<BTreeMap<String, Attribute>>,
    status: Option<Status>,
}

/// What changes: a JSON Merge Patch (RFC 7396), of one change at least. A null clears a member that a product may
/// be without; attributes are merged one by one.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(min_properties = 1, example = json!({"price": "44.90", "attributes": {"colour": null}}))]
pub(crate) struct ProductPatch {
    /// It may be repeated, and never changes.
    #[schema(nullable = false)]
    id: Option<String>,
    #[schema(nullable = false, min_length = 1, max_length = 1000)]
    title: Option<String>,
    #[schema(max_length = 20000)]
    description: Option<String>,
    #[schema(nullable = false)]
    price: Option<Amount>,
    #[schema(nullable = false, minimum = 0, maximum = 9_007_199_254_740_992_i64)]
    price_minor: Option<i64>,
    /// A price that is not stated too must mean the same in both currencies.
    #[schema(nullable = false, pattern = "^[A-Z]{3}$")]
    currency: Option<String>,
    #[schema(pattern = "^https?://", max_length = 2000)]
    image_url: Option<String>,
    #[schema(max_length = 200)]
    brand: Option<String>,
    #[schema(max_length = 300)]
    sku: Option<String>,
    #[schema(max_items = 200)]
    gtins: Option<Vec<String>>,
    #[schema(max_items = 20)]
    categories: Option<Vec<String>>,
    attributes: Option<BTreeMap<String, AttributePatch>>,
    #[schema(nullable = false)]
    status: Option<Status>,
}

/// A new price: `price` or `price_minor`. Without a currency the product keeps its own.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"price": "44.90"}))]
pub(crate) struct PriceChange {
    #[schema(nullable = false)]
    price: Option<Amount>,
    #[schema(nullable = false, minimum = 0, maximum = 9_007_199_254_740_992_i64)]
    price_minor: Option<i64>,
    #[schema(nullable = false, pattern = "^[A-Z]{3}$")]
    currency: Option<String>,
}

/// An amount in major units, exact as a text.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Amount {
    #[schema(example = "49.90")]
    Text(String),
    Number(f64),
}

/// A page of a product's changes, newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct History {
    items: Vec<HistoryEntry>,
    /// What to ask the next page with.
    #[schema(required, nullable)]
    next_before_version: Option<i64>,
}

/// One change of a product.
#[derive(Serialize, ToSchema)]
pub(crate) struct HistoryEntry {
    version: i64,
    r#type: ChangeType,
    #[schema(required, nullable, format = DateTime)]
    occurred_at: Option<String>,
    /// Who did it: the name of a key, or what a trusted caller said.
    actor: String,
    changed_fields: Vec<String>,
    #[schema(required, nullable)]
    previous_price: Option<PreviousPrice>,
    /// The product after the change; null where it was deleted.
    #[schema(required, nullable)]
    product: Option<Product>,
    event_id: String,
    /// The place in the log of all changes.
    position: i64,
}

#[derive(Serialize, ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum ChangeType {
    Created,
    Updated,
    PriceChanged,
    Deleted,
    /// A kind that only a newer release knows.
    Unknown,
}

/// The price before the change.
#[derive(Serialize, ToSchema)]
pub(crate) struct PreviousPrice {
    #[schema(required, nullable)]
    price: Option<f64>,
    price_minor: i64,
    currency: String,
}

/// Writes that are done in their order, each for itself.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"writes": [
    {"put": {"id": "headset-1", "title": "USB headset", "price": "49.90", "currency": "EUR"}},
    {"update": {"id": "headset-2", "price": "39.90"}, "expected_version": 3},
    {"delete": "headset-3"}
]}))]
pub(crate) struct ProductWrites {
    #[schema(min_items = 1, max_items = 500)]
    writes: Vec<ProductWrite>,
}

/// One write: state one of `create`, `put`, `update` and `delete`.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(min_properties = 1, max_properties = 2)]
pub(crate) struct ProductWrite {
    #[schema(nullable = false)]
    create: Option<NewProduct>,
    /// Its id is required.
    #[schema(nullable = false)]
    put: Option<NewProduct>,
    /// Its id is required.
    #[schema(nullable = false)]
    update: Option<ProductPatch>,
    /// The id of the product.
    #[schema(nullable = false, pattern = "^[A-Za-z0-9_-]{1,64}$")]
    delete: Option<String>,
    /// The version that the product must have; 0 means that there must be none.
    #[schema(nullable = false, minimum = 0)]
    expected_version: Option<i64>,
}

/// Products by their ids, or a page of all products.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProductList {
    items: Vec<Product>,
    /// The ids of which there is no product; only where ids were asked for.
    missing: Option<Vec<String>>,
    /// What to ask the next page with; null on the last one.
    #[schema(nullable)]
    next_page_token: Option<String>,
    /// The number of all products; only where all are listed.
    total: Option<i64>,
    /// Whether a write that the request named may be missing; left out unless it is true.
    stale: Option<bool>,
}
