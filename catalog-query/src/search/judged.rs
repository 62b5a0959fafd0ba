//! Search against a real feed with human judgments, where there is one.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use catalog_events::{AttributeValue, Product};
use flate2::read::GzDecoder;
use serde_json::{Map, Value};

use crate::index::testing::product;

/// The products of `products.jsonl.gz` in `folder`, as an import with `--strip-prefix` makes them.
pub(crate) fn feed(folder: &Path) -> Vec<Product> {
    let file = File::open(folder.join("products.jsonl.gz")).expect("feed");
    let lines = BufReader::new(GzDecoder::new(file)).lines();
    lines.map(|line| from_line(&line.expect("line"))).collect()
}

fn from_line(line: &str) -> Product {
    let mut row: Map<String, Value> = serde_json::from_str(line).expect("JSON");
    let mut text = |name: &str| match row.remove(name) {
        Some(Value::String(text)) => text.trim().to_owned(),
        _ => String::new(),
    };
    let some = |text: String| (!text.is_empty()).then_some(text);
    let (id, title) = (text("id"), text("title"));
    let (description, brand, sku) = (text("short_description"), text("supplier"), text("name"));
    let gtins = match row.remove("ean") {
        Some(Value::Array(items)) => items
            .iter()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    };
    let mut attributes = BTreeMap::new();
    for (name, value) in row {
        let stripped = ["attr_t_", "attr_n_", "attr_b_"]
            .iter()
            .find_map(|prefix| name.strip_prefix(prefix));
        let name = stripped.unwrap_or(&name);
        let value = match value {
            Value::String(text) => AttributeValue::Text(text),
            Value::Bool(flag) => AttributeValue::Flag(flag),
            Value::Number(number) => AttributeValue::Number(number.as_f64().unwrap_or_default()),
            _ => continue,
        };
        // What the import maps to other fields or is told to ignore.
        if !name.starts_with("img_") && name != "price" && name != "date_released" {
            attributes.insert(name.to_owned(), value);
        }
    }
    Product {
        description,
        brand: some(brand),
        sku: some(sku),
        gtins,
        attributes,
        ..product(&id, &title)
    }
}
