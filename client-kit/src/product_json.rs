//! A product as JSON.

use std::collections::BTreeMap;

use catalog_events::AttributeValue;
use catalog_proto::v1::{self, ProductStatus};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::price::major;

/// A product in the form of the HTTP API, which `catalogctl import` reads back.
#[derive(Debug, Serialize)]
pub struct ProductJson<'p> {
    id: &'p str,
    title: &'p str,
    description: &'p str,
    /// The price in major units.
    price: f64,
    currency: &'p str,
    image_url: Option<&'p str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    brand: &'p str,
    #[serde(skip_serializing_if = "str::is_empty")]
    sku: &'p str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    gtins: &'p [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    categories: &'p [String],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<&'p str, AttributeValue>,
    status: &'static str,
    #[serde(flatten)]
    stored: Option<Stored>,
}

/// The fields that only a stored product has.
#[derive(Debug, Serialize)]
struct Stored {
    price_minor: i64,
    version: i64,
    created_at: Option<String>,
    updated_at: Option<String>,
}

impl<'p> From<&'p v1::ProductInput> for ProductJson<'p> {
    fn from(product: &'p v1::ProductInput) -> Self {
        Self {
            id: &product.id,
            title: &product.title,
            description: &product.description,
            price: match product.price.parse() {
                Ok(stated) => stated,
                Err(_) => major(product.price_minor, &product.currency),
            },
            currency: &product.currency,
            image_url: Some(product.image_url.as_str()).filter(|url| !url.is_empty()),
            brand: &product.brand,
            sku: &product.sku,
            gtins: &product.gtins,
            categories: &product.categories,
            attributes: attributes(&product.attributes),
            status: status(product.status()),
            stored: None,
        }
    }
}

impl<'p> From<&'p v1::Product> for ProductJson<'p> {
    fn from(product: &'p v1::Product) -> Self {
        Self {
            id: &product.id,
            title: &product.title,
            description: &product.description,
            price: major(product.price_minor, &product.currency),
            currency: &product.currency,
            image_url: Some(product.image_url.as_str()).filter(|url| !url.is_empty()),
            brand: &product.brand,
            sku: &product.sku,
            gtins: &product.gtins,
            categories: &product.categories,
            attributes: attributes(&product.attributes),
            status: status(product.status()),
            stored: Some(Stored {
                price_minor: product.price_minor,
                version: product.version,
                created_at: product
                    .created_at
                    .as_ref()
                    .and_then(|at| rfc3339(at.seconds, at.nanos)),
                updated_at: product
                    .updated_at
                    .as_ref()
                    .and_then(|at| rfc3339(at.seconds, at.nanos)),
            }),
        }
    }
}

fn attributes(attributes: &BTreeMap<String, v1::AttributeValue>) -> BTreeMap<&str, AttributeValue> {
    let known = attributes.iter().filter_map(|(name, value)| {
        AttributeValue::from_message(value.clone()).map(|value| (name.as_str(), value))
    });
    known.collect()
}

pub(crate) fn status(status: ProductStatus) -> &'static str {
    match status {
        ProductStatus::Unspecified | ProductStatus::Active => "active",
        ProductStatus::Discontinued => "discontinued",
    }
}

pub(crate) fn rfc3339(seconds: i64, nanos: i32) -> Option<String> {
    let at = i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    OffsetDateTime::from_unix_timestamp_nanos(at)
        .ok()?
        .format(&Rfc3339)
        .ok()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn product(id: &str, title: &str, price_minor: i64, currency: &str) -> v1::Product {
        v1::Product {
            id: id.to_owned(),
            title: title.to_owned(),
            price_minor,
            currency: currency.to_owned(),
            brand: "Acme".to_owned(),
            ..v1::Product::default()
        }
    }

    #[test]
    fn json_is_what_the_http_api_answers() {
        let mut product = product("a", "T", 1999, "USD");
        product.created_at = Some(Default::default());
        product
            .attributes
            .insert("w".to_owned(), AttributeValue::from(1.5).to_message());
        let list = AttributeValue::List(vec!["M".into(), 40.5.into()]);
        product
            .attributes
            .insert("sizes".to_owned(), list.to_message());
        let text = serde_json::to_string(&ProductJson::from(&product)).unwrap();
        expect![[r#"{"id":"a","title":"T","description":"","price":19.99,"currency":"USD","image_url":null,"brand":"Acme","attributes":{"sizes":["M",40.5],"w":1.5},"status":"active","price_minor":1999,"version":0,"created_at":"1970-01-01T00:00:00Z","updated_at":null}"#]].assert_eq(&text);
    }
}
