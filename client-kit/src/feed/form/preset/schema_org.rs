//! Products of schema.org, as pages carry them in JSON-LD.

use serde_json::{Map, Value};

use crate::feed::form::preset::members::{add_attribute, first, is_default, list, set, take, text};
use crate::feed::mapping::{Field, Mapping};

const GTINS: [&str; 6] = ["gtin", "gtin14", "gtin13", "gtin12", "gtin8", "isbn"];

pub(super) fn apply(mut row: Map<String, Value>, mapping: &Mapping) -> Map<String, Value> {
    for annotation in ["@context", "@type"] {
        take(&mut row, &[annotation], mapping);
    }
    identity(&mut row, mapping);
    let title = take(&mut row, &["name"], mapping);
    set(&mut row, Field::Title, title.and_then(first), mapping);
    let image = take(&mut row, &["image"], mapping).and_then(first);
    let image = image.and_then(|image| inner(image, &["url", "contentUrl", "@id"]));
    set(&mut row, Field::ImageUrl, image, mapping);
    for column in ["brand", "manufacturer"] {
        if let Some(Value::Object(_)) = row.get(column) {
            let is_own = column != Field::Brand.as_str() || is_default(Field::Brand, mapping);
            let brand = if is_own { row.remove(column) } else { None };
            let brand = brand.and_then(|brand| inner(brand, &["name"]));
            set(&mut row, Field::Brand, brand, mapping);
        }
    }
    let gtins: Vec<_> = GTINS
        .iter()
        .filter_map(|column| take(&mut row, &[column], mapping))
        .flat_map(list)
        .collect();
    set(&mut row, Field::Gtins, Some(Value::Array(gtins)), mapping);
    let category = take(&mut row, &["category"], mapping).and_then(first);
    let category = category.and_then(|category| inner(category, &["name"]));
    set(&mut row, Field::Categories, category, mapping);
    if let Some(offer) = take(&mut row, &["offers"], mapping).and_then(first) {
        add_offer(&mut row, offer, mapping);
    }
    if let Some(properties) = take(&mut row, &["additionalProperty"], mapping) {
        list(properties)
            .into_iter()
            .for_each(|one| add_property(&mut row, &one));
    }
    row
}

/// The id is that of the product, else its stock keeping unit, else the end of its address.
fn identity(row: &mut Map<String, Value>, mapping: &Mapping) {
    let sku = row.get("sku").cloned();
    let id = take(row, &["productID"], mapping).or(sku);
    let id = id.and_then(first).or_else(|| {
        let address = row.get("@id").or_else(|| row.get("url")).map(text)?;
        let end = address
            .trim_end_matches(['/', '#'])
            .rsplit(['/', '#', ':'])
            .next()?;
        Some(Value::from(end))
    });
    set(row, Field::Id, id, mapping);
    take(row, &["@id"], mapping);
    if row.get("sku").is_none() && is_default(Field::Sku, mapping) {
        let mpn = take(row, &["mpn"], mapping);
        set(row, Field::Sku, mpn, mapping);
    }
}

/// The text of a value, or that of a member of an object.
fn inner(value: Value, names: &[&str]) -> Option<Value> {
    match value {
        Value::Object(mut members) => names
            .iter()
            .find_map(|name| members.remove(*name))
            .and_then(first),
        Value::Array(values) => values
            .into_iter()
            .next()
            .and_then(|value| inner(value, names)),
        single => Some(single),
    }
}

fn add_offer(row: &mut Map<String, Value>, offer: Value, mapping: &Mapping) {
    let Value::Object(mut offer) = offer else {
        return;
    };
    let specification = offer.remove("priceSpecification").and_then(first);
    if let Some(Value::Object(specification)) = specification {
        for (name, value) in specification {
            offer.entry(name).or_insert(value);
        }
    }
    let price = ["price", "lowPrice"]
        .into_iter()
        .find_map(|name| offer.remove(name).filter(|price| !price.is_null()));
    set(row, Field::Price, price, mapping);
    let currency = offer.remove("priceCurrency");
    set(row, Field::Currency, currency, mapping);
    for name in ["availability", "itemCondition"] {
        if let Some(value) = offer.remove(name) {
            let written = text(&value);
            let short = written.rsplit('/').next().unwrap_or_default();
            add_attribute(row, name, vec![Value::from(short)]);
        }
    }
}

fn add_property(row: &mut Map<String, Value>, property: &Value) {
    let name = property.get("name").map(text).unwrap_or_default();
    let unit = ["unitText", "unitCode"]
        .into_iter()
        .find_map(|name| property.get(name).map(text));
    let values = property.get("value").cloned().map(list).unwrap_or_default();
    let values = values.into_iter().map(|value| match &unit {
        Some(unit) => Value::from(format!("{} {unit}", text(&value))),
        None => value,
    });
    if !name.is_empty() {
        add_attribute(row, &name, values.collect());
    }
}
