//! Shows what an import would change, field by field.

use catalog_proto::v1::{ChangeType, ImportPreview};
use serde::Serialize;
use serde_json::Value;

use crate::output;
use crate::price::amount;
use crate::product_json::ProductJson;

/// The most characters of a value in a line for people.
const SHOWN_CHARS_MAX: usize = 60;

/// What a row would change.
#[derive(Serialize)]
pub struct Changed {
    line: u64,
    id: String,
    change: &'static str,
    fields: Vec<FieldChange>,
}

#[derive(Serialize)]
struct FieldChange {
    field: String,
    /// Null for a product without a value.
    before: Value,
    after: Value,
}

impl Changed {
    pub fn of(line: u64, preview: &ImportPreview) -> Self {
        let json = |product: &Option<_>| {
            let product = product.as_ref().map(ProductJson::from);
            product.map_or(Value::Null, |product| {
                serde_json::to_value(product).unwrap_or_default()
            })
        };
        let (before, after) = (json(&preview.before), json(&preview.after));
        let is_new = preview.r#type() == ChangeType::Created;
        let names = if is_new {
            stated(&after)
        } else {
            preview.changed_fields.clone()
        };
        let fields = names.into_iter().map(|field| FieldChange {
            before: value(&before, &field),
            after: value(&after, &field),
            field,
        });
        Self {
            line,
            id: after["id"].as_str().unwrap_or_default().to_owned(),
            change: if is_new { "create" } else { "update" },
            fields: fields.collect(),
        }
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|field| field.field.as_str())
    }

    /// One line for people.
    pub fn text(&self) -> String {
        let fields = self.fields.iter().map(|one| {
            let after = shown(&one.after);
            if self.change == "create" {
                format!("{} {after}", one.field)
            } else {
                format!("{} {} -> {after}", one.field, shown(&one.before))
            }
        });
        let fields = fields.collect::<Vec<_>>().join(", ");
        let verb = if self.change == "create" {
            "new"
        } else {
            "changes"
        };
        output::plain(&format!(
            "line {}, product {} {verb}: {fields}",
            self.line, self.id
        ))
    }
}

/// The fields of a new product that have a value.
fn stated(product: &Value) -> Vec<String> {
    const FIELDS: [&str; 8] = [
        "title",
        "price",
        "description",
        "brand",
        "sku",
        "gtins",
        "categories",
        "image_url",
    ];
    let fields = FIELDS.into_iter().map(str::to_owned);
    let attributes = product["attributes"].as_object().into_iter().flatten();
    fields
        .chain(attributes.map(|(name, _)| format!("attributes.{name}")))
        .filter(|field| !matches!(value(product, field), Value::Null))
        .collect()
}

/// The value of a field, named as in the update mask. A price comes with its currency.
fn value(product: &Value, field: &str) -> Value {
    let found = match field.strip_prefix("attributes.") {
        Some(name) => &product["attributes"][name],
        None => &product[field],
    };
    match (field, found) {
        ("price", Value::Null) => Value::Null,
        ("price", _) => {
            let currency = product["currency"].as_str().unwrap_or_default();
            let minor = product["price_minor"].as_i64().unwrap_or_default();
            Value::String(amount(minor, currency))
        }
        (_, Value::String(text)) if text.is_empty() => Value::Null,
        (_, value) => value.clone(),
    }
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null => return "nothing".to_owned(),
        Value::String(text) if text.contains(' ') => format!("{text:?}"),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}
