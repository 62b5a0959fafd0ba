//! BMEcat, in which a product is an ARTICLE up to version 1.2 and a PRODUCT from 2005 on.

use serde_json::{Map, Value};

use crate::feed::form::preset::members::{add_attribute, first, list, set, take, take_group, text};
use crate::feed::mapping::{Field, Mapping};

pub(super) fn apply(mut row: Map<String, Value>, mapping: &Mapping) -> Map<String, Value> {
    let id = take(&mut row, &["SUPPLIER_PID", "SUPPLIER_AID"], mapping);
    set(&mut row, Field::Id, id.and_then(first), mapping);
    details(&mut row, mapping);
    price(&mut row, mapping);
    image(&mut row, mapping);
    for group in ["PRODUCT_FEATURES", "ARTICLE_FEATURES"] {
        if let Some(features) = take_group(&mut row, &[group], mapping) {
            list(features)
                .into_iter()
                .for_each(|one| add_features(&mut row, one));
        }
    }
    row
}

fn details(row: &mut Map<String, Value>, mapping: &Mapping) {
    let details = take_group(row, &["PRODUCT_DETAILS", "ARTICLE_DETAILS"], mapping);
    let Some(Value::Object(mut details)) = details.and_then(first) else {
        return;
    };
    for (field, names) in [
        (Field::Title, &["DESCRIPTION_SHORT"][..]),
        (Field::Description, &["DESCRIPTION_LONG"]),
        (Field::Brand, &["MANUFACTURER_NAME"]),
        (Field::Sku, &["MANUFACTURER_PID", "MANUFACTURER_AID"]),
    ] {
        let value = take(&mut details, names, mapping);
        set(row, field, value.and_then(first), mapping);
    }
    let gtins = take(&mut details, &["INTERNATIONAL_PID", "EAN"], mapping);
    set(row, Field::Gtins, gtins, mapping);
    details.remove("INTERNATIONAL_PID.@type");
    if let Some(keywords) = take(&mut details, &["KEYWORD"], mapping) {
        add_attribute(row, "keywords", list(keywords));
    }
    if !details.is_empty() {
        row.insert("details".to_owned(), Value::Object(details));
    }
}

/// The first price, which is that for the smallest quantity.
fn price(row: &mut Map<String, Value>, mapping: &Mapping) {
    let details = take_group(
        row,
        &["PRODUCT_PRICE_DETAILS", "ARTICLE_PRICE_DETAILS"],
        mapping,
    );
    let Some(Value::Object(mut details)) = details.and_then(first) else {
        return;
    };
    let prices = take(&mut details, &["PRODUCT_PRICE", "ARTICLE_PRICE"], mapping);
    let Some(Value::Object(mut price)) = prices.and_then(first) else {
        return;
    };
    let amount = take(&mut price, &["PRICE_AMOUNT"], mapping);
    set(row, Field::Price, amount.and_then(first), mapping);
    let currency = take(&mut price, &["PRICE_CURRENCY"], mapping);
    set(row, Field::Currency, currency.and_then(first), mapping);
}

/// The first picture.
fn image(row: &mut Map<String, Value>, mapping: &Mapping) {
    let info = take_group(row, &["MIME_INFO"], mapping);
    let Some(Value::Object(mut info)) = info.and_then(first) else {
        return;
    };
    let files = list(info.remove("MIME").unwrap_or_default());
    let is_image = |file: &&Value| {
        let kind = file.get("MIME_TYPE").map(text).unwrap_or_default();
        kind.is_empty() || kind.starts_with("image/")
    };
    let file = files.iter().find(is_image);
    let source = file.and_then(|file| file.get("MIME_SOURCE").cloned());
    set(row, Field::ImageUrl, source.and_then(first), mapping);
}

/// A feature is an attribute: its name, its values and their unit.
fn add_features(row: &mut Map<String, Value>, group: Value) {
    let Value::Object(mut group) = group else {
        return;
    };
    for feature in list(group.remove("FEATURE").unwrap_or_default()) {
        let name = feature.get("FNAME").map(text).unwrap_or_default();
        let unit = feature.get("FUNIT").map(text).unwrap_or_default();
        let values = feature.get("FVALUE").cloned().map(list).unwrap_or_default();
        let with_unit = |value: Value| {
            let written = text(&value);
            let has_number = written.ends_with(|char: char| char.is_ascii_digit());
            if unit.is_empty() || !has_number {
                value
            } else {
                Value::from(format!("{written} {unit}"))
            }
        };
        if !name.is_empty() && !values.is_empty() {
            add_attribute(row, &name, values.into_iter().map(with_unit).collect());
        }
    }
}
