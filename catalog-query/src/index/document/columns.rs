//! The fields that products are filtered, counted and sorted by. Texts and flags are terms, to be
//! looked up; all values are columns, to be counted and compared. Attributes can have any name, so
//! their columns are those of one JSON field.

use std::collections::BTreeMap;

use catalog_events::{AttributeScalar, AttributeValue, Product, Status};
use sha2::{Digest as _, Sha256};
use tantivy::columnar::DynamicColumn;
use tantivy::schema::{FAST, Field, JsonObjectOptions, OwnedValue, SchemaBuilder, TextOptions};
use tantivy::{DocId, SegmentReader, TantivyDocument};

use crate::index::document::text_options::term;
use crate::index::document::values::{folded, folded_path, joined, snapped};
use crate::index::text::markup::plain;

const COLUMNS: &str = "columns";
const ATTRIBUTES: &str = "attributes.";
/// The column of the names of attributes.
pub(crate) const NAMES: &str = "attribute_names";
pub(crate) const PRICE: &str = "price";
/// The status of products that are not sold any more.
pub(crate) const DISCONTINUED: &str = "discontinued";
pub(crate) const CREATED_AT: &str = "created_at";

/// Joins the names of a category path into a term. No name can contain it.
const PATH_TERM_SEPARATOR: &str = "\0";
/// The longest value that is kept as a term. A longer one is kept as its hash, which takes less
/// room than a sentence.
const VALUE_BYTES_MAX: usize = 48;
const HASH_BYTES: usize = 16;

#[derive(Clone, Copy)]
pub(crate) struct ColumnFields {
    /// Terms of the form `FIELD\0KIND VALUE`, one for each folded text, flag and category path.
    pub(crate) facts: Field,
    /// The names of the attributes that a product has, as a column.
    names: Field,
    columns: Field,
    /// The price in minor units.
    price: Field,
    /// The creation time in microseconds since 1970.
    created_at: Field,
}

/// A field that products can be filtered, counted or sorted by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum FieldName {
    Brand,
    /// Every beginning of the category path, its names joined by `>`.
    Category,
    Status,
    Currency,
    /// The price in minor units.
    Price,
    /// The price in major units of the currency in which prices are compared.
    PriceMajor,
    /// The creation time in seconds since 1970.
    CreatedAt,
    Attribute(String),
}

impl FieldName {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "brand" => Self::Brand,
            "category" => Self::Category,
            "status" => Self::Status,
            "currency" => Self::Currency,
            "price" => Self::Price,
            "price_major" => Self::PriceMajor,
            "created_at" => Self::CreatedAt,
            _ => Self::Attribute(attribute(name)?.to_owned()),
        })
    }

    /// The name that [`FieldName::parse`] reads.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Attribute(name) => format!("{ATTRIBUTES}{name}"),
            Self::PriceMajor => "price_major".to_owned(),
            other => other.key(),
        }
    }

    pub(crate) fn has_numbers(&self) -> bool {
        self.is_price() || matches!(self, Self::CreatedAt | Self::Attribute(_))
    }

    pub(crate) fn is_price(&self) -> bool {
        matches!(self, Self::Price | Self::PriceMajor)
    }

    /// The field that holds the values: the price in either unit is one field.
    pub(crate) fn stored(&self) -> &Self {
        match self {
            Self::PriceMajor => &Self::Price,
            other => other,
        }
    }

    /// Folds a text of this field.
    pub(crate) fn fold(&self, text: &str) -> String {
        match self {
            Self::Category => folded_path(text),
            _ => folded(text),
        }
    }

    pub(crate) fn has_flags(&self) -> bool {
        matches!(self, Self::Attribute(_))
    }

    /// The factor between a stored number and the one that callers see: stored values are divided
    /// by it.
    pub(crate) fn scale(&self) -> f64 {
        match self {
            Self::CreatedAt => 1e6,
            _ => 1.0,
        }
    }

    /// The greatest number of this field that is below a bound.
    pub(crate) fn before(&self, bound: f64) -> f64 {
        match self.scale() {
            1.0 => bound.next_down(),
            // Such fields hold whole numbers.
            scale => (snapped(bound * scale).ceil() - 1.0) / scale,
        }
    }

    /// The name of the field in the index. No attribute shares it with another field.
    fn key(&self) -> String {
        match self {
            Self::Brand => "brand".to_owned(),
            Self::Category => "category".to_owned(),
            Self::Status => "status".to_owned(),
            Self::Currency => "currency".to_owned(),
            Self::Price | Self::PriceMajor => PRICE.to_owned(),
            Self::CreatedAt => CREATED_AT.to_owned(),
            Self::Attribute(name) => attribute_key(name),
        }
    }

    /// Opens the columns of a segment: one for each type of value that the field has there.
    pub(crate) fn columns(&self, segment: &SegmentReader) -> tantivy::Result<Vec<DynamicColumn>> {
        let name = match self {
            Self::Price | Self::PriceMajor | Self::CreatedAt => self.key(),
            _ => format!("{COLUMNS}.{}", escaped(&self.key())),
        };
        let handles = segment.fast_fields().dynamic_column_handles(&name)?;
        let columns = handles.iter().map(|handle| Ok(handle.open()?));
        columns.collect()
    }
}

/// Calls `each` with the stored numbers that a document has in a column.
pub(crate) fn each_number(column: &DynamicColumn, doc: DocId, mut each: impl FnMut(f64)) {
    match column {
        DynamicColumn::I64(column) => column.values_for_doc(doc).for_each(|n| each(n as f64)),
        DynamicColumn::U64(column) => column.values_for_doc(doc).for_each(|n| each(n as f64)),
        DynamicColumn::F64(column) => column.values_for_doc(doc).for_each(each),
        _ => {}
    }
}

fn attribute(name: &str) -> Option<&str> {
    name.strip_prefix(ATTRIBUTES)
        .filter(|name| !name.is_empty())
}

fn attribute_key(name: &str) -> String {
    format!("={name}")
}

/// Escapes dots, which would otherwise step into a nested object.
fn escaped(key: &str) -> String {
    key.replace('\\', "\\\\").replace('.', "\\.")
}

pub(crate) fn text_fact(field: &FieldName, folded: &str) -> String {
    fact(&field.key(), 't', folded)
}

pub(crate) fn flag_fact(field: &FieldName, value: bool) -> String {
    fact(&field.key(), 'f', if value { "1" } else { "0" })
}

pub(crate) fn category_fact(path: &[String]) -> String {
    let path = folded(&path.join(PATH_TERM_SEPARATOR));
    fact(&FieldName::Category.key(), 'c', &path)
}

fn fact(key: &str, kind: char, value: &str) -> String {
    if value.len() <= VALUE_BYTES_MAX {
        return format!("{key}\0{kind}{value}");
    }
    let digest = Sha256::digest(value);
    let hash: String = digest[..HASH_BYTES]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{key}\0{}{hash}", kind.to_ascii_uppercase())
}

impl ColumnFields {
    pub(crate) fn add_to(schema: &mut SchemaBuilder) -> Self {
        Self {
            facts: schema.add_text_field("folded_facts", term()),
            names: schema.add_text_field(NAMES, TextOptions::default().set_fast("raw")),
            columns: schema.add_json_field(COLUMNS, JsonObjectOptions::default().set_fast("raw")),
            price: schema.add_u64_field(PRICE, FAST),
            created_at: schema.add_i64_field(CREATED_AT, FAST),
        }
    }

    pub(crate) fn fill(&self, document: &mut TantivyDocument, product: &Product) {
        document.add_u64(self.price, product.price.minor().unsigned_abs());
        document.add_i64(self.created_at, micros(product));
        let mut columns = BTreeMap::new();
        let mut text = |field: FieldName, value: &str| {
            document.add_text(self.facts, text_fact(&field, &folded(value)));
            columns.insert(field.key(), OwnedValue::Str(plain(value).into_owned()));
        };
        if let Some(brand) = &product.brand {
            text(FieldName::Brand, brand);
        }
        text(FieldName::Status, status(product));
        text(FieldName::Currency, product.price.currency().code());
        for (name, value) in &product.attributes {
            document.add_text(self.names, name);
            let field = FieldName::Attribute(name.clone());
            let value = match value {
                AttributeValue::One(scalar) => self.fill_scalar(document, &field, scalar),
                AttributeValue::List(scalars) => {
                    let scalars = scalars.iter();
                    let values = scalars.map(|scalar| self.fill_scalar(document, &field, scalar));
                    OwnedValue::Array(values.collect())
                }
            };
            columns.insert(field.key(), value);
        }
        let paths = self.fill_category(document, &product.categories);
        columns.insert(FieldName::Category.key(), OwnedValue::Array(paths));
        document.add_object(self.columns, columns);
    }

    /// Adds the fact of a value, and returns what its column holds.
    fn fill_scalar(
        &self,
        document: &mut TantivyDocument,
        field: &FieldName,
        scalar: &AttributeScalar,
    ) -> OwnedValue {
        match scalar {
            AttributeScalar::Text(value) => {
                document.add_text(self.facts, text_fact(field, &folded(value)));
                OwnedValue::Str(plain(value).into_owned())
            }
            AttributeScalar::Flag(value) => {
                document.add_text(self.facts, flag_fact(field, *value));
                OwnedValue::Bool(*value)
            }
            // A negative zero would sort before zero.
            AttributeScalar::Number(value) => OwnedValue::F64(value + 0.0),
        }
    }

    fn fill_category(&self, document: &mut TantivyDocument, path: &[String]) -> Vec<OwnedValue> {
        let beginnings = (1..=path.len()).map(|names| {
            let path = &path[..names];
            let value = plain(&joined(path)).into_owned();
            document.add_text(self.facts, category_fact(path));
            document.add_text(
                self.facts,
                text_fact(&FieldName::Category, &folded_path(&value)),
            );
            OwnedValue::Str(value)
        });
        beginnings.collect()
    }
}

pub(crate) fn status(product: &Product) -> &'static str {
    match product.status {
        Status::Active => "active",
        Status::Discontinued => DISCONTINUED,
    }
}

pub(crate) fn micros(product: &Product) -> i64 {
    let micros = product.created_at.unix_timestamp_nanos().div_euclid(1_000);
    i64::try_from(micros).unwrap_or(i64::MAX)
}
