//! The JSON forms of products, written straight from the upstream's messages.

use catalog_events::Money;
use catalog_proto::encoded::{self, AttributeView, Malformed, ProductView};
use catalog_proto::v1;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::json::fields::Fields;

/// One product. Every member is always present, and null where the product has nothing, unless only some were asked for.
pub(crate) struct ProductJson<'a> {
    product: ProductView<'a>,
    fields: Option<&'a Fields>,
}

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
    pub(crate) fn of(page: &'a encoded::ListProductsResponse) -> Result<Self, Malformed> {
        let token = page.next_page_token.as_str();
        Ok(Self {
            items: products(&page.products, None)?,
            next_page_token: Some(token).filter(|token| !token.is_empty()),
            total: page.total,
            stale: page.stale,
        })
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
            product: change.product.as_ref().map(ProductJson::from),
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

/// The products of an answer with the members that were asked for; None stands for all.
pub(crate) fn products<'a>(
    products: &'a [encoded::Product],
    fields: Option<&'a Fields>,
) -> Result<Vec<ProductJson<'a>>, Malformed> {
    let views = products.iter().map(encoded::Product::view);
    views
        .map(|product| {
            Ok(ProductJson {
                product: product?,
                fields,
            })
        })
        .collect()
}

impl<'a> From<ProductView<'a>> for ProductJson<'a> {
    fn from(product: ProductView<'a>) -> Self {
        Self {
            product,
            fields: None,
        }
    }
}

impl<'a> From<&'a v1::Product> for ProductJson<'a> {
    fn from(product: &'a v1::Product) -> Self {
        ProductView::from(product).into()
    }
}

impl Serialize for ProductJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let product = &self.product;
        let mut json = Members {
            map: serializer.serialize_map(None)?,
            fields: self.fields,
        };
        json.add("id", &product.id)?;
        json.add("title", &product.title)?;
        json.add("description", &product.description)?;
        json.add("price", &product.price)?;
        json.add("currency", &product.currency)?;
        json.add("image_url", &some(product.image_url))?;
        json.add("price_minor", &product.price_minor)?;
        json.add("brand", &some(product.brand))?;
        json.add("sku", &some(product.sku))?;
        json.add("gtins", &product.gtins)?;
        json.add("categories", &product.categories)?;
        json.add("attributes", &Attributes(self))?;
        json.add("status", status(product.status))?;
        json.add("version", &product.version)?;
        json.add("created_at", &product.created_at.as_ref().and_then(rfc3339))?;
        json.add("updated_at", &product.updated_at.as_ref().and_then(rfc3339))?;
        json.map.end()
    }
}

/// The members of a product, as they are written.
struct Members<'a, M> {
    map: M,
    fields: Option<&'a Fields>,
}

impl<M: SerializeMap> Members<'_, M> {
    fn add(
        &mut self,
        name: &'static str,
        value: &(impl Serialize + ?Sized),
    ) -> Result<(), M::Error> {
        match self.fields {
            Some(fields) if !fields.have(name) => Ok(()),
            _ => self.map.serialize_entry(name, value),
        }
    }
}

struct Attributes<'a>(&'a ProductJson<'a>);

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ProductJson { product, fields } = self.0;
        let wanted = |name: &str| fields.is_none_or(|fields| fields.have_attribute(name));
        let attributes = product.attributes.iter();
        let attributes = attributes.filter(|(name, _)| wanted(name));
        serializer.collect_map(attributes.map(|(name, value)| (name, ValueJson(value))))
    }
}

struct ValueJson<'a>(&'a AttributeView<'a>);

impl Serialize for ValueJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            AttributeView::Text(text) => serializer.serialize_str(text),
            AttributeView::Number(number) => serializer.serialize_f64(*number),
            AttributeView::Flag(flag) => serializer.serialize_bool(*flag),
            AttributeView::List(values) => serializer.collect_seq(values.iter().map(ValueJson)),
            AttributeView::Unknown => serializer.serialize_none(),
        }
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
    use catalog_proto::v1::attribute_scalar::Kind as ScalarKind;
    use catalog_proto::v1::attribute_value::Kind;

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
        let json = serde_json::to_string(&ProductJson::from(&product)).expect("JSON");
        let passed_on = [encoded::Product::new(&product)];
        let passed_on = products(&passed_on, None).expect("a product");
        assert_eq!(json, serde_json::to_string(&passed_on[0]).expect("JSON"));
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

    #[test]
    fn every_member_can_be_asked_for() {
        let number = |n| v1::AttributeValue {
            kind: Some(Kind::Number(n)),
        };
        let product = v1::Product {
            attributes: [
                ("a".to_owned(), number(1.0)),
                ("b.c".to_owned(), number(2.0)),
            ]
            .into(),
            ..v1::Product::default()
        };
        let all = serde_json::to_value(ProductJson::from(&product)).expect("JSON");
        let all = all.as_object().expect("an object");
        let names: Vec<&str> = all.keys().map(String::as_str).collect();
        let mut known = Fields::ALL.to_vec();
        known.sort_unstable();
        assert_eq!(names, known);

        let check = |names: &[&str], expected: &str| {
            let fields = Fields::read(names);
            let product = [encoded::Product::new(&product)];
            let some = products(&product, Some(&fields)).expect("a product");
            assert_eq!(serde_json::to_string(&some[0]).expect("JSON"), expected);
        };
        check(&["title", "name"], r#"{"id":"","title":""}"#);
        check(
            &["attributes"],
            r#"{"id":"","attributes":{"a":1.0,"b.c":2.0}}"#,
        );
        check(&["attributes.b.c"], r#"{"id":"","attributes":{"b.c":2.0}}"#);
        check(&["attributes.x", "id"], r#"{"id":"","attributes":{}}"#);
        check(
            &["attributes.a", "attributes"],
            r#"{"id":"","attributes":{"a":1.0,"b.c":2.0}}"#,
        );
    }
}
