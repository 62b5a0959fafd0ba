//! Checked product fields: what passes here is accepted for good, so every bound is named and every
//! mistake is reported, not just the first.

use std::collections::{BTreeMap, HashSet};

use catalog_events::{
    AttributeScalar, AttributeValue, Currency, Money, Product, ProductId, Status,
};
use time::OffsetDateTime;

use crate::domain::check::{Check, is_web_url, trimmed};
use crate::domain::fields::STATED_TWICE;
use crate::domain::{Amount, ProductFields, Violation};

const TITLE_CHARS_MAX: usize = 1_000;
const DESCRIPTION_CHARS_MAX: usize = 20_000;
const BRAND_CHARS_MAX: usize = 200;
const SKU_CHARS_MAX: usize = 300;
const IMAGE_URL_BYTES_MAX: usize = 2_000;
const GTINS_MAX: usize = 200;
const CATEGORIES_MAX: usize = 20;
const CATEGORY_CHARS_MAX: usize = 200;
const ATTRIBUTES_MAX: usize = 1_000;
const ATTRIBUTE_NAME_CHARS_MAX: usize = 200;
/// The most characters of an attribute, those of all texts of a list together.
const ATTRIBUTE_TEXT_CHARS_MAX: usize = 10_000;
const LIST_VALUES_MAX: usize = 1_000;
/// The most bytes that a product has as JSON: an event must fit into one message of a broker with its
/// stock limit of 1 MiB, or it would hold up every event behind it.
const PRODUCT_BYTES_MAX: usize = 512 * 1024;
/// A product with no more bytes of text than these is not measured: JSON needs at most six bytes for one
/// of them, so that it cannot be too large.
const PRODUCT_BYTES_UNCHECKED: usize = PRODUCT_BYTES_MAX / 8;

/// A checked product.
///
/// Invariant: every field is within its bounds; only the times are missing to make a product.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Draft {
    pub(crate) id: ProductId,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) price: Money,
    pub(crate) image_url: Option<String>,
    pub(crate) brand: Option<String>,
    pub(crate) sku: Option<String>,
    pub(crate) gtins: Vec<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) attributes: BTreeMap<String, AttributeValue>,
    pub(crate) status: Status,
}

impl Draft {
    pub(crate) fn parse(fields: ProductFields) -> Result<Self, Vec<Violation>> {
        let mut check = Check::default();
        check.size(&fields);
        let id = check.result("id", fields.id.parse::<ProductId>());
        let title = check.required("title", fields.title, TITLE_CHARS_MAX);
        let description = check.prose("description", fields.description, DESCRIPTION_CHARS_MAX);
        let price = check.price(
            fields.price_minor,
            fields.price.as_deref(),
            &fields.currency,
        );
        let image_url = check.image_url(fields.image_url);
        let brand = check.optional("brand", fields.brand, BRAND_CHARS_MAX);
        let sku = check.optional("sku", fields.sku, SKU_CHARS_MAX);
        let gtins = check.gtins(fields.gtins);
        let categories = check.categories(fields.categories);
        let attributes = check.attributes(fields.attributes);
        if let Some(number) = fields.unknown_status {
            check.fail("status", format!("{number} is no status of a product"));
        }
        match (id, price) {
            (Some(id), Some(price)) if check.violations.is_empty() => Ok(Self {
                id,
                title,
                description,
                price,
                image_url,
                brand,
                sku,
                gtins,
                categories,
                attributes,
                status: fields.status,
            }),
            _ => Err(check.violations),
        }
    }

    pub(crate) fn into_product(
        self,
        created_at: OffsetDateTime,
        updated_at: OffsetDateTime,
    ) -> Product {
        Product {
            id: self.id,
            title: self.title,
            description: self.description,
            price: self.price,
            image_url: self.image_url,
            brand: self.brand,
            sku: self.sku,
            gtins: self.gtins,
            categories: self.categories,
            attributes: self.attributes,
            status: self.status,
            created_at,
            updated_at,
        }
    }
}

impl Check {
    /// Checks the product as a whole.
    fn size(&mut self, fields: &ProductFields) {
        let attributes = fields.attributes.iter();
        let texts = fields
            .gtins
            .iter()
            .chain(&fields.categories)
            .map(String::len);
        let rough = fields.title.len()
            + fields.description.len()
            + texts.sum::<usize>()
            + attributes
                .map(|(name, value)| name.len() + text_bytes(value))
                .sum::<usize>();
        if rough <= PRODUCT_BYTES_UNCHECKED {
            return;
        }
        let attributes = serde_json::to_string(&fields.attributes).map_or(rough, |json| json.len());
        let description =
            serde_json::to_string(&fields.description).map_or(rough, |json| json.len());
        if attributes + description > PRODUCT_BYTES_MAX {
            self.fail(
                "attributes",
                format!("make the product larger than {PRODUCT_BYTES_MAX} bytes"),
            );
        }
    }

    fn price(&mut self, minor: i64, major: Option<&str>, currency: &str) -> Option<Money> {
        let currency = match currency {
            "" => Some(Currency::USD),
            code => self.result("currency", code.parse()),
        };
        let amount = self.take(Amount::parse(minor, major));
        self.take(amount?.in_currency(currency?))
    }

    fn image_url(&mut self, url: String) -> Option<String> {
        let url = trimmed(url);
        if url.is_empty() {
            return None;
        }
        if !is_web_url(&url) {
            self.fail("image_url", "is not an http or https URL");
        }
        if url.len() > IMAGE_URL_BYTES_MAX {
            let reason = format!("is longer than {IMAGE_URL_BYTES_MAX} bytes");
            self.fail("image_url", reason);
        }
        Some(url)
    }

    /// Checks that all have 8 to 14 digits: GTIN-8 to -14, and those that a spreadsheet robbed of leading
    /// zeros.
    fn gtins(&mut self, gtins: Vec<String>) -> Vec<String> {
        let valid = |gtin: &String| {
            (8..=14).contains(&gtin.len()) && gtin.bytes().all(|b| b.is_ascii_digit())
        };
        for (index, _) in gtins.iter().enumerate().filter(|(_, gtin)| !valid(gtin)) {
            self.fail(format!("gtins[{index}]"), "a GTIN has 8 to 14 digits");
        }
        if gtins.len() > GTINS_MAX {
            self.fail("gtins", format!("has more than {GTINS_MAX} entries"));
        }
        gtins
    }

    fn categories(&mut self, categories: Vec<String>) -> Vec<String> {
        if categories.len() > CATEGORIES_MAX {
            self.fail(
                "categories",
                format!("has more than {CATEGORIES_MAX} levels"),
            );
            return Vec::new();
        }
        let levels = categories.into_iter().enumerate();
        levels
            .map(|(index, level)| {
                let field = format!("categories[{index}]");
                self.required(&field, level, CATEGORY_CHARS_MAX)
            })
            .collect()
    }

    fn attributes(
        &mut self,
        attributes: BTreeMap<String, AttributeValue>,
    ) -> BTreeMap<String, AttributeValue> {
        if attributes.len() > ATTRIBUTES_MAX {
            self.fail(
                "attributes",
                format!("has more than {ATTRIBUTES_MAX} entries"),
            );
            return BTreeMap::new();
        }
        let mut checked = BTreeMap::new();
        for (name, value) in attributes {
            let field = format!("attributes.{}", name.chars().take(64).collect::<String>());
            let name = self.required(&field, name, ATTRIBUTE_NAME_CHARS_MAX);
            let Some(value) = self.attribute(&field, value) else {
                continue;
            };
            if checked.insert(name, value).is_some() {
                self.fail(field, STATED_TWICE);
            }
        }
        checked
    }

    /// Checks a value. None for an empty list: a product without a value does not have the attribute.
    fn attribute(&mut self, field: &str, value: AttributeValue) -> Option<AttributeValue> {
        let characters = value.elements().iter().map(characters).sum::<usize>();
        if characters > ATTRIBUTE_TEXT_CHARS_MAX {
            let subject = match &value {
                AttributeValue::One(_) => "is",
                AttributeValue::List(_) => "has texts that are together",
            };
            let reason = format!("{subject} longer than {ATTRIBUTE_TEXT_CHARS_MAX} characters");
            self.fail(field, reason);
        }
        match value {
            AttributeValue::One(scalar) => Some(AttributeValue::One(self.scalar(field, scalar))),
            AttributeValue::List(scalars) => self.list(field, scalars).map(AttributeValue::List),
        }
    }

    /// Keeps each value of a list once, where it is first.
    fn list(&mut self, field: &str, scalars: Vec<AttributeScalar>) -> Option<Vec<AttributeScalar>> {
        if scalars.len() > LIST_VALUES_MAX {
            self.fail(field, format!("has more than {LIST_VALUES_MAX} values"));
            return None;
        }
        let mut seen = HashSet::new();
        let mut distinct = Vec::with_capacity(scalars.len());
        for (index, scalar) in scalars.into_iter().enumerate() {
            let scalar = self.scalar(&element(field, index), scalar);
            if seen.insert(identity(&scalar)) {
                distinct.push(scalar);
            }
        }
        (!distinct.is_empty()).then_some(distinct)
    }

    fn scalar(&mut self, field: &str, scalar: AttributeScalar) -> AttributeScalar {
        match scalar {
            AttributeScalar::Number(number) if !number.is_finite() => {
                self.fail(field, "is not a finite number");
                AttributeScalar::Number(0.0)
            }
            // Postgres numerics have no negative zero: one form, or digests would differ.
            AttributeScalar::Number(0.0) => AttributeScalar::Number(0.0),
            AttributeScalar::Text(text) => {
                if text.contains('\0') {
                    self.fail(field, "has control characters");
                }
                AttributeScalar::Text(text)
            }
            scalar => scalar,
        }
    }
}

/// The path of a value in a list. A name may have brackets itself: here it stands in quotes.
fn element(field: &str, index: usize) -> String {
    let name = field.strip_prefix("attributes.").unwrap_or(field);
    format!("attributes[\"{name}\"][{index}]")
}

fn characters(scalar: &AttributeScalar) -> usize {
    match scalar {
        AttributeScalar::Text(text) => text.chars().count(),
        AttributeScalar::Flag(_) | AttributeScalar::Number(_) => 0,
    }
}

/// What tells values apart: their JSON, in which the text `42` is not the number.
fn identity(scalar: &AttributeScalar) -> String {
    serde_json::to_string(scalar).unwrap_or_default()
}

fn text_bytes(value: &AttributeValue) -> usize {
    let bytes = value.elements().iter().map(|scalar| match scalar {
        // One for the comma and the quotation marks in a list.
        AttributeScalar::Text(text) => text.len() + 1,
        AttributeScalar::Flag(_) | AttributeScalar::Number(_) => size_of::<f64>(),
    });
    bytes.sum()
}

#[cfg(test)]
mod tests;
