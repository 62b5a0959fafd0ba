//! Which fields of a product are exported, and their texts. Without a choice, they are those that an
//! import reads: versions and times belong to the catalog that a product is in.

use std::str::FromStr;

use catalog_events::AttributeValue;
use catalog_proto::v1;

use crate::price::decimal;
use crate::product_json::{rfc3339, status};

/// A field of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    Id,
    Title,
    Description,
    Price,
    Currency,
    ImageUrl,
    Brand,
    Sku,
    Gtins,
    Categories,
    /// All attributes.
    Attributes,
    /// One attribute.
    Attribute(String),
    Status,
    PriceMinor,
    Version,
    CreatedAt,
    UpdatedAt,
}

const NAMED: [(&str, Field); 16] = [
    ("id", Field::Id),
    ("title", Field::Title),
    ("description", Field::Description),
    ("price", Field::Price),
    ("currency", Field::Currency),
    ("image_url", Field::ImageUrl),
    ("brand", Field::Brand),
    ("sku", Field::Sku),
    ("gtins", Field::Gtins),
    ("categories", Field::Categories),
    ("attributes", Field::Attributes),
    ("status", Field::Status),
    ("price_minor", Field::PriceMinor),
    ("version", Field::Version),
    ("created_at", Field::CreatedAt),
    ("updated_at", Field::UpdatedAt),
];
/// How many of [`NAMED`] are exported without a choice.
const IMPORTED: usize = 12;

impl Field {
    pub(super) fn name(&self) -> String {
        match self {
            Field::Attribute(name) => format!("attributes.{name}"),
            field => {
                let known = NAMED.iter().find(|(_, known)| known == field);
                known.map_or(String::new(), |(name, _)| (*name).to_owned())
            }
        }
    }

    /// The text of a field that is one text; empty where there is none.
    pub(super) fn text(&self, product: &v1::Product) -> String {
        let time = |at: &Option<prost_types::Timestamp>| {
            at.as_ref()
                .and_then(|at| rfc3339(at.seconds, at.nanos))
                .unwrap_or_default()
        };
        match self {
            Field::Id => product.id.clone(),
            Field::Title => product.title.clone(),
            Field::Description => product.description.clone(),
            Field::Price => decimal(product.price_minor, &product.currency),
            Field::Currency => product.currency.clone(),
            Field::ImageUrl => product.image_url.clone(),
            Field::Brand => product.brand.clone(),
            Field::Sku => product.sku.clone(),
            // A GTIN is digits.
            Field::Gtins => product.gtins.join(" "),
            Field::Status => status(product.status()).to_owned(),
            Field::PriceMinor => product.price_minor.to_string(),
            Field::Version => product.version.to_string(),
            Field::CreatedAt => time(&product.created_at),
            Field::UpdatedAt => time(&product.updated_at),
            Field::Categories | Field::Attributes | Field::Attribute(_) => String::new(),
        }
    }
}

/// An attribute of a product; none where it has none of this name.
pub(super) fn attribute(product: &v1::Product, name: &str) -> Option<AttributeValue> {
    AttributeValue::from_message(product.attributes.get(name)?.clone())
}

/// The fields that are exported, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields(pub(super) Vec<Field>);

impl Fields {
    /// The names, as they are given.
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(Field::name).collect()
    }
}

impl Default for Fields {
    fn default() -> Self {
        let named = NAMED.into_iter().take(IMPORTED);
        Self(named.map(|(_, field)| field).collect())
    }
}

/// Reads names separated by commas.
impl FromStr for Fields {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut fields: Vec<Field> = Vec::new();
        for name in text.split(',').map(str::trim) {
            let known = NAMED.iter().find(|(known, _)| *known == name);
            let attribute = name
                .strip_prefix("attributes.")
                .filter(|name| !name.is_empty());
            let field = match (known, attribute) {
                (Some((_, field)), _) => field.clone(),
                (None, Some(attribute)) => Field::Attribute(attribute.to_owned()),
                (None, None) => {
                    let names = NAMED.map(|(name, _)| name).join(", ");
                    return Err(format!(
                        "there is no field {name:?}, only {names} and attributes.NAME"
                    ));
                }
            };
            if fields.contains(&field) {
                return Err(format!("{name} is named twice"));
            }
            fields.push(field);
        }
        let one = fields.iter().find(|it| matches!(it, Field::Attribute(_)));
        match one {
            Some(one) if fields.contains(&Field::Attributes) => {
                Err(format!("{} is one of attributes already", one.name()))
            }
            _ => Ok(Self(fields)),
        }
    }
}
