//! Counts the values of a field product by product.

use std::collections::BTreeMap;

use catalog_events::{AttributeScalar, Currency, Product, Status};
use catalog_proto::v1;

use crate::index::{FacetCounts, FieldName, NumberSummary, ValueCount};

/// A value of a field.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Number(f64),
    Flag(bool),
}

/// The values of a product in a field.
pub(super) fn values(product: &Product, field: &str) -> Vec<Value> {
    let text = |text: &str| vec![Value::Text(text.to_owned())];
    match field {
        "brand" => product.brand.iter().flat_map(|brand| text(brand)).collect(),
        "category" => (1..=product.categories.len())
            .map(|names| Value::Text(product.categories[..names].join(">")))
            .collect(),
        "status" => match product.status {
            Status::Active => text("active"),
            Status::Discontinued => text("discontinued"),
        },
        "currency" => text(product.price.currency().code()),
        "price" => vec![Value::Number(product.price.minor() as f64)],
        "created_at" => vec![Value::Number(product.created_at.unix_timestamp() as f64)],
        name => {
            let name = name.strip_prefix("attributes.").expect("attribute");
            let value = product.attributes.get(name);
            let elements = value.iter().flat_map(|value| value.elements());
            elements
                .map(|element| match element {
                    AttributeScalar::Text(text) => Value::Text(text.clone()),
                    AttributeScalar::Number(number) => Value::Number(*number),
                    AttributeScalar::Flag(flag) => Value::Flag(*flag),
                })
                .collect()
        }
    }
}

/// The counts of a facet among these products, prices in `currency`.
pub(super) fn count<'a>(
    among: impl Iterator<Item = &'a Product>,
    asked: &v1::FacetRequest,
    currency: Currency,
) -> FacetCounts {
    let mut counts: Vec<Counted> = Vec::new();
    let mut products = Vec::new();
    let mut missing = 0;
    let mut numbers: Vec<f64> = Vec::new();
    for product in among {
        let is_other = asked.field == "price" && product.price.currency() != currency;
        let values = if is_other {
            Vec::new()
        } else {
            values(product, &asked.field)
        };
        numbers.extend(values.iter().filter_map(|value| match value {
            Value::Number(number) => Some(*number),
            _ => None,
        }));
        missing += u64::from(values.is_empty());
        let keys: Vec<Counted> = values
            .iter()
            .filter_map(|value| counted(value, asked))
            .collect();
        for (at, key) in keys.iter().enumerate() {
            let is_first = keys[..at].iter().all(|before| before.key != key.key);
            match counts.iter_mut().find(|known| known.key == key.key) {
                Some(known) => known.join(key, is_first),
                None => counts.push(key.clone()),
            }
        }
        products.push((!values.is_empty(), keys));
    }
    counts.retain(|one| {
        let listed = one.value().value.to_lowercase();
        listed.contains(&asked.containing.to_lowercase())
    });
    counts.sort_by(|a, b| {
        let order = b.products.cmp(&a.products);
        order.then_with(|| a.key.cmp(&b.key))
    });
    counts.truncate(if asked.size == 0 {
        10
    } else {
        asked.size as usize
    });
    let is_listed = |key: &Counted| counts.iter().any(|listed| listed.key == key.key);
    let other = products
        .iter()
        .filter(|(has, keys)| *has && !keys.iter().any(is_listed))
        .count() as u64;
    if asked.interval > 0.0 {
        counts.sort_by(|a, b| a.key.cmp(&b.key));
    }
    FacetCounts {
        field: FieldName::parse(&asked.field).expect("field"),
        numbers: summary(&numbers),
        values: counts.iter().map(Counted::value).collect(),
        other,
        missing,
    }
}

fn summary(numbers: &[f64]) -> Option<NumberSummary> {
    let count = numbers.len() as u64;
    (count > 0).then(|| NumberSummary {
        count,
        min: numbers.iter().copied().fold(f64::INFINITY, f64::min),
        max: numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        mean: numbers.iter().sum::<f64>() / count as f64,
    })
}

/// A value of a facet as it is compared: texts come before flags, and flags before numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Text(String),
    Flag(bool),
    Number(Number),
}

#[derive(Clone, Copy, Debug)]
struct Number(f64);

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.partial_cmp(&other.0).expect("a number")
    }
}

#[derive(Clone, Debug)]
struct Counted {
    key: Key,
    bounds: Option<(f64, f64)>,
    /// The products that have the value.
    products: u64,
    spellings: BTreeMap<String, u64>,
}

impl Counted {
    /// Adds a value of a product, which counts with the first of its equal values.
    fn join(&mut self, other: &Self, is_first: bool) {
        self.products += u64::from(is_first);
        for (text, count) in &other.spellings {
            *self.spellings.entry(text.clone()).or_default() += count;
        }
    }

    fn value(&self) -> ValueCount {
        let most = self.spellings.values().max().expect("a spelling");
        let first = self.spellings.iter().find(|(_, count)| *count == most);
        ValueCount {
            value: first.expect("a spelling").0.clone(),
            count: self.products,
            bounds: self.bounds,
        }
    }
}

/// A value as a facet counts it; None for a value that is in no bucket.
fn counted(value: &Value, asked: &v1::FacetRequest) -> Option<Counted> {
    let buckets = asked.interval > 0.0;
    let (key, bounds, spelling) = match value {
        Value::Number(number) if buckets => {
            let bucket = (number / asked.interval).floor();
            let (from, to) = (bucket * asked.interval, (bucket + 1.0) * asked.interval);
            if bucket.abs() > 1e15 {
                return None;
            }
            (
                Key::Number(Number(from)),
                Some((from + 0.0, to + 0.0)),
                (from + 0.0).to_string(),
            )
        }
        _ if buckets => return None,
        Value::Number(number) => (
            Key::Number(Number(*number)),
            None,
            (number + 0.0).to_string(),
        ),
        Value::Text(text) => {
            let is_attribute = asked.field.starts_with("attributes.");
            let number = text.parse().ok().filter(|_| is_attribute);
            let key = number.map_or_else(
                || Key::Text(text.to_lowercase()),
                |number| Key::Number(Number(number)),
            );
            (key, None, text.clone())
        }
        Value::Flag(flag) => (Key::Flag(*flag), None, flag.to_string()),
    };
    Some(Counted {
        key,
        bounds,
        products: 1,
        spellings: [(spelling, 1)].into(),
    })
}
