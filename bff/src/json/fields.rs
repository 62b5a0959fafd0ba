//! Chooses the members of products that an answer has.

use catalog_proto::v1;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::json::product::ProductJson;

/// The members that were asked for. Invariant: `id` is one of them.
pub(crate) struct Fields {
    names: Vec<String>,
    /// The names that no product has.
    pub(crate) unknown: Vec<String>,
}

/// A product with all its members, or with some of them.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum ItemJson<'a> {
    All(ProductJson<'a>),
    Some(Map<String, Value>),
}

impl Fields {
    /// The members of a product.
    pub(crate) const ALL: [&'static str; 16] = [
        "id",
        "title",
        "description",
        "price",
        "currency",
        "image_url",
        "price_minor",
        "brand",
        "sku",
        "gtins",
        "categories",
        "attributes",
        "status",
        "version",
        "created_at",
        "updated_at",
    ];

    pub(crate) fn read(names: &[&str]) -> Self {
        let (known, unknown): (Vec<&str>, Vec<&str>) =
            names.iter().partition(|name| Self::ALL.contains(name));
        let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
        Self {
            names: owned([vec!["id"], known].concat()),
            unknown: owned(unknown),
        }
    }
}

impl<'a> ItemJson<'a> {
    /// A product with the members that were asked for; None stands for all.
    pub(crate) fn of(product: &'a v1::Product, fields: Option<&Fields>) -> Self {
        let all = ProductJson(product);
        let Some(fields) = fields else {
            return Self::All(all);
        };
        match serde_json::to_value(&all) {
            Ok(Value::Object(mut members)) => {
                members.retain(|name, _| fields.names.contains(name));
                Self::Some(members)
            }
            _ => Self::All(all),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_can_be_asked_for() {
        let product = v1::Product::default();
        let all = serde_json::to_value(ProductJson(&product)).expect("JSON");
        let names: Vec<&str> = all
            .as_object()
            .expect("object")
            .keys()
            .map(String::as_str)
            .collect();
        let mut known = Fields::ALL.to_vec();
        known.sort_unstable();
        assert_eq!(names, known);
        let fields = Fields::read(&["title", "name"]);
        assert_eq!(fields.unknown, ["name"]);
        let some = serde_json::to_value(ItemJson::of(&product, Some(&fields))).expect("JSON");
        assert_eq!(some, serde_json::json!({"id": "", "title": ""}));
    }
}
