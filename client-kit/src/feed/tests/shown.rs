//! A row on one line, with nothing but what it has.

use std::fmt::Write as _;

use catalog_proto::v1::attribute_scalar::Kind as ScalarKind;
use catalog_proto::v1::attribute_value::Kind;
use catalog_proto::v1::{ImportRow, ProductInput, ProductStatus};

pub(super) fn show(row: &ImportRow) -> String {
    let product = row.product.as_ref().expect("a product");
    let ProductInput {
        id,
        title,
        description,
        price_minor,
        price,
        currency,
        ..
    } = product;
    let mut text = format!("{id} {title:?}");
    if product.status() == ProductStatus::Discontinued {
        text.push_str(" discontinued");
    }
    if *price_minor != 0 {
        let _ = write!(text, " {price_minor} minor");
    }
    for stated in [price, currency] {
        if !stated.is_empty() {
            let _ = write!(text, " {stated}");
        }
    }
    let texts = [
        description,
        &product.image_url,
        &product.brand,
        &product.sku,
    ];
    for (name, value) in ["description", "image", "brand", "sku"].iter().zip(texts) {
        if !value.is_empty() {
            let _ = write!(text, " {name}={value}");
        }
    }
    for (name, values) in [
        ("gtins", &product.gtins),
        ("categories", &product.categories),
    ] {
        if !values.is_empty() {
            let _ = write!(text, " {name}={values:?}");
        }
    }
    for (name, value) in &product.attributes {
        let _ = match value.kind.as_ref().expect("a value") {
            Kind::Text(value) => write!(text, " {name}={value:?}"),
            Kind::Number(value) => write!(text, " {name}={value}"),
            Kind::Flag(value) => write!(text, " {name}={value}"),
            Kind::List(list) => {
                let values = list.values.iter().map(|value| match &value.kind {
                    Some(ScalarKind::Text(value)) => format!("{value:?}"),
                    Some(ScalarKind::Number(value)) => value.to_string(),
                    Some(ScalarKind::Flag(value)) => value.to_string(),
                    None => panic!("no value in {list:?}"),
                });
                let values = values.collect::<Vec<_>>().join(", ");
                write!(text, " {name}=[{values}]")
            }
        };
    }
    if !row.clears.is_empty() {
        let _ = write!(text, " clears={}", row.clears.join(","));
    }
    text
}
