//! JSON Lines: one object a line, in the form of the HTTP API, which an import reads back exactly. A
//! price is a text: a number of JSON would pass through a double, which does not hold every price.

use std::io;

use catalog_events::AttributeValue;
use catalog_proto::v1;
use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

use crate::export::fields::{Field, Fields, attribute};
use crate::feed::json_of;

/// Writes a product as one line.
pub(super) fn write(product: &v1::Product, fields: &Fields, out: &mut Vec<u8>) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Line { product, fields })?;
    out.push(b'\n');
    Ok(())
}

struct Line<'p> {
    product: &'p v1::Product,
    fields: &'p Fields,
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let product = self.product;
        let single = |field: &&Field| matches!(field, Field::Attribute(_));
        let chosen: Vec<_> = self.fields.0.iter().filter(single).collect();
        let mut line = serializer.serialize_map(None)?;
        for field in &self.fields.0 {
            match field {
                Field::Attributes => {
                    let all = product.attributes.keys().map(String::as_str);
                    attributes(&mut line, product, all)?;
                }
                Field::Attribute(_) if chosen.first() == Some(&field) => {
                    let names = chosen.iter().filter_map(|field| match field {
                        Field::Attribute(name) => Some(name.as_str()),
                        _ => None,
                    });
                    attributes(&mut line, product, names)?;
                }
                Field::Attribute(_) => {}
                Field::Gtins => list(&mut line, "gtins", &product.gtins)?,
                Field::Categories => list(&mut line, "categories", &product.categories)?,
                Field::PriceMinor => line.serialize_entry("price_minor", &product.price_minor)?,
                Field::Version => line.serialize_entry("version", &product.version)?,
                field => {
                    let text = field.text(product);
                    if !text.is_empty() || *field == Field::Description {
                        line.serialize_entry(&field.name(), &text)?;
                    }
                }
            }
        }
        line.end()
    }
}

fn list<M: serde::ser::SerializeMap>(
    line: &mut M,
    name: &str,
    texts: &[String],
) -> Result<(), M::Error> {
    if texts.is_empty() {
        return Ok(());
    }
    line.serialize_entry(name, texts)
}

fn attributes<'n, M: serde::ser::SerializeMap>(
    line: &mut M,
    product: &v1::Product,
    names: impl Iterator<Item = &'n str>,
) -> Result<(), M::Error> {
    let values: Vec<(&str, AttributeValue)> = names
        .filter_map(|name| Some((name, attribute(product, name)?)))
        .collect();
    if values.is_empty() {
        return Ok(());
    }
    line.serialize_entry("attributes", &Attributes(&values))
}

struct Attributes<'a>(&'a [(&'a str, AttributeValue)]);

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let pairs = self.0.iter().map(|(name, value)| (name, json_of(value)));
        serializer.collect_map(pairs)
    }
}
