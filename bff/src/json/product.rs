//! The JSON forms of products, written straight from the upstream's messages.

use catalog_events::Money;
use catalog_proto::v1;
use catalog_proto::v1::attribute_scalar::Kind as ScalarKind;
use catalog_proto::v1::attribute_value::Kind;
use serde::ser::{SerializeMap, SerializeSeq, SerializeStruct};
use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// One product. Every member is always present, and null where the product has nothing.
pub(crate) struct ProductJson<'a>(pub(crate) &'a v1::Product);

/// The answer to a batch.
#[derive(Serialize)]
pub(crate) struct BatchJson<'a> {
    pub(crate) items: Vec<ProductJson<'a>>,
    pub(crate) missing: Vec<&'a str>,
    /// Left out unless it is true.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) stale: bool,
}

/// A page of products.
#[derive(Serialize)]
pub(crate) struct PageJson<'a> {
    items: Vec<ProductJson<'a>>,
    next_page_token: Option<&'a str>,
    /// Left out where not all products are listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<i64>,
    /// Left out unless it is true.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stale: bool,
}

impl<'a> PageJson<'a> {
    pub(crate) fn of(page: &'a v1::ListProductsResponse) -> Self {
        let token = page.next_page_token.as_str();
        Self {
            items: page.products.iter().map(ProductJson).collect(),
            next_page_token: Some(token).filter(|token| !token.is_empty()),
            total: page.total,
            stale: page.stale,
        }
    }
}

/// A page of a product's history.
#[derive(Serialize)]
pub(crate) struct HistoryJson<'a> {
    items: Vec<ChangeJson<'a>>,
    next_before_version: Option<i64>,
}

/// One change of a product.
#[derive(Serialize)]
pub(crate) struct ChangeJson<'a> {
    version: i64,
    #[serde(rename = "type")]
    kind: &'static str,
    occurred_at: Option<String>,
    actor: &'a str,
    changed_fields: &'a [String],
    previous_price: Option<PriceJson<'a>>,
    product: Option<ProductJson<'a>>,
    event_id: &'a str,
    position: i64,
}

/// A price with the member names of a product.
#[derive(Serialize)]
struct PriceJson<'a> {
    /// None where the minor units or the currency are invalid.
    price: Option<f64>,
    price_minor: i64,
    currency: &'a str,
}

impl<'a> HistoryJson<'a> {
    pub(crate) fn of(answer: &'a v1::GetProductHistoryResponse) -> Self {
        Self {
            items: answer.changes.iter().map(ChangeJson::of).collect(),
            next_before_version: Some(answer.next_before_version).filter(|version| *version > 0),
        }
    }
}

impl<'a> ChangeJson<'a> {
    pub(crate) fn of(change: &'a v1::ProductChange) -> Self {
        let previous = change.previous_price_minor;
        Self {
            version: change.version,
            kind: kind(change.r#type()),
            occurred_at: change.occurred_at.as_ref().and_then(rfc3339),
            actor: &change.actor,
            changed_fields: &change.changed_fields,
            previous_price: previous.map(|minor| PriceJson::of(minor, &change.previous_currency)),
            product: change.product.as_ref().map(ProductJson),
            event_id: &change.event_id,
            position: change.position,
        }
    }
}

impl<'a> PriceJson<'a> {
    fn of(price_minor: i64, currency: &'a str) -> Self {
        let money = currency
            .parse()
            .and_then(|currency| Money::from_minor(price_minor, currency));
        Self {
            price: money.ok().map(|money| money.major()),
            price_minor,
            currency,
        }
    }
}

/// The name of a kind of change. An unset one stands for a kind that only a newer write service knows.
fn kind(kind: v1::ChangeType) -> &'static str {
    match kind {
        v1::ChangeType::Unspecified => "unknown",
        v1::ChangeType::Created => "created",
        v1::ChangeType::Updated => "updated",
        v1::ChangeType::PriceChanged => "price_changed",
        v1::ChangeType::Deleted => "deleted",
    }
}

impl Serialize for ProductJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let product = self.0;
        let mut json = serializer.serialize_struct("Product", 17)?;
        json.serialize_field("id", &product.id)?;
        json.serialize_field("title", &product.title)?;
        json.serialize_field("description", &product.description)?;
        json.serialize_field("price", &product.price)?;
        json.serialize_field("currency", &product.currency)?;
        json.serialize_field("image_url", &some(&product.image_url))?;
        json.serialize_field("price_minor", &product.price_minor)?;
        json.serialize_field("brand", &some(&product.brand))?;
        json.serialize_field("sku", &some(&product.sku))?;
        json.serialize_field("gtins", &product.gtins)?;
        json.serialize_field("categories", &product.categories)?;
        json.serialize_field("attributes", &Attributes(product))?;
        json.serialize_field("status", status(product.status()))?;
        json.serialize_field("version", &product.version)?;
        json.serialize_field("created_at", &product.created_at.as_ref().and_then(rfc3339))?;
        json.serialize_field("updated_at", &product.updated_at.as_ref().and_then(rfc3339))?;
        json.end()
    }
}

struct Attributes<'a>(&'a v1::Product);

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let attributes = &self.0.attributes;
        let mut json = serializer.serialize_map(Some(attributes.len()))?;
        for (name, value) in attributes {
            match &value.kind {
                Some(Kind::Text(text)) => json.serialize_entry(name, text)?,
                Some(Kind::Number(number)) => json.serialize_entry(name, number)?,
                Some(Kind::Flag(flag)) => json.serialize_entry(name, flag)?,
                Some(Kind::List(list)) => json.serialize_entry(name, &List(&list.values))?,
                None => json.serialize_entry(name, &())?,
            }
        }
        json.end()
    }
}

struct List<'a>(&'a [v1::AttributeScalar]);

impl Serialize for List<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut json = serializer.serialize_seq(Some(self.0.len()))?;
        for scalar in self.0 {
            match &scalar.kind {
                Some(ScalarKind::Text(text)) => json.serialize_element(text)?,
                Some(ScalarKind::Number(number)) => json.serialize_element(number)?,
                Some(ScalarKind::Flag(flag)) => json.serialize_element(flag)?,
                None => json.serialize_element(&())?,
            }
        }
        json.end()
    }
}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// The name of a status; an unset one means active.
fn status(status: v1::ProductStatus) -> &'static str {
    match status {
        v1::ProductStatus::Unspecified | v1::ProductStatus::Active => "active",
        v1::ProductStatus::Discontinued => "discontinued",
    }
}

/// Formats a time, or answers None where the calendar has no such time.
pub(crate) fn rfc3339(at: &prost_types::Timestamp) -> Option<String> {
    let nanos = u32::try_from(at.nanos).ok()?;
    let time = OffsetDateTime::from_unix_timestamp(at.seconds).ok()?;
    time.replace_nanosecond(nanos).ok()?.format(&Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_has_every_member_in_order() {
        let number = |n| v1::AttributeValue {
            kind: Some(Kind::Number(n)),
        };
        let text = v1::AttributeValue {
            kind: Some(Kind::Text("red \"\u{1}".to_owned())),
        };
        let flag = v1::AttributeValue {
            kind: Some(Kind::Flag(true)),
        };
        let scalar = |kind| v1::AttributeScalar { kind: Some(kind) };
        let list = v1::AttributeList {
            values: vec![
                scalar(ScalarKind::Text("40".to_owned())),
                scalar(ScalarKind::Number(41.5)),
                scalar(ScalarKind::Flag(false)),
            ],
        };
        let list = v1::AttributeValue {
            kind: Some(Kind::List(list)),
        };
        let product = v1::Product {
            id: "a-1".to_owned(),
            title: "Shoe".to_owned(),
            price: 19.99,
            price_minor: 1999,
            currency: "USD".to_owned(),
            image_url: "https://example.org/a.png".to_owned(),
            gtins: vec!["4006381333931".to_owned()],
            attributes: [
                ("size".to_owned(), number(42.5)),
                ("colour".to_owned(), text),
                ("list".to_owned(), list),
                ("new".to_owned(), flag),
                ("odd".to_owned(), v1::AttributeValue { kind: None }),
            ]
            .into(),
            version: 3,
            created_at: Some(prost_types::Timestamp {
                seconds: 0,
                nanos: 5_000_000,
            }),
            updated_at: Some(prost_types::Timestamp {
                seconds: i64::MAX,
                nanos: -1,
            }),
            ..Default::default()
        };
        let json = serde_json::to_string(&ProductJson(&product)).expect("JSON");
        assert_eq!(
            json,
            concat!(
                r#"{"id":"a-1","title":"Shoe","description":"","price":19.99,"currency":"USD","#,
                r#""image_url":"https://example.org/a.png","price_minor":1999,"brand":null,"#,
                r#""sku":null,"gtins":["4006381333931"],"categories":[],"#,
                r#""attributes":{"colour":"red \"\u0001","list":["40",41.5,false],"new":true,"odd":null,"size":42.5},"#,
                r#""status":"active","version":3,"#,
                r#""created_at":"1970-01-01T00:00:00.005Z","updated_at":null}"#,
            )
        );
    }
}
