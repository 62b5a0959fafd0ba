//! A product whose texts lie where they were read.

use prost_types::Timestamp;

use crate::encoded::read::{Field, Fields, Malformed};
use crate::v1;
use crate::v1::attribute_scalar::Kind as ScalarKind;
use crate::v1::attribute_value::Kind;

/// The message `catalog.v1.Product`, with the fields that it has there.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "the .proto file says what they are")]
pub struct ProductView<'a> {
    pub id: &'a str,
    pub title: &'a str,
    pub description: &'a str,
    pub price: f64,
    pub currency: &'a str,
    pub image_url: &'a str,
    pub price_minor: i64,
    pub brand: &'a str,
    pub categories: Vec<&'a str>,
    /// In the order of their names, each once.
    pub attributes: Vec<(&'a str, AttributeView<'a>)>,
    pub status: v1::ProductStatus,
    pub version: i64,
    pub created_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
    pub sku: &'a str,
    pub gtins: Vec<&'a str>,
}

/// The value of a property, or one value of a list.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "the .proto file says what they are")]
pub enum AttributeView<'a> {
    Text(&'a str),
    Number(f64),
    Flag(bool),
    List(Vec<AttributeView<'a>>),
    /// A kind of value that this release does not know.
    #[default]
    Unknown,
}

impl<'a> ProductView<'a> {
    pub(super) fn read(message: &'a [u8]) -> Result<Self, Malformed> {
        let mut view = Self::default();
        for field in Fields::of(message) {
            let (number, field) = field?;
            view.set(number, &field)?;
        }
        view.order_attributes();
        Ok(view)
    }

    fn set(&mut self, number: u32, field: &Field<'a>) -> Result<(), Malformed> {
        match number {
            1 => self.id = field.text()?,
            2 => self.title = field.text()?,
            3 => self.description = field.text()?,
            4 => self.price = field.double()?,
            5 => self.currency = field.text()?,
            6 => self.image_url = field.text()?,
            7 => self.price_minor = field.number()?.cast_signed(),
            8 => self.brand = field.text()?,
            9 => self.categories.push(field.text()?),
            10 => self.attributes.push(attribute(field.bytes()?)?),
            11 => self.status = status(field.number()?),
            12 => self.version = field.number()?.cast_signed(),
            13 => self.created_at = Some(timestamp(field.bytes()?)?),
            14 => self.updated_at = Some(timestamp(field.bytes()?)?),
            15 => self.sku = field.text()?,
            16 => self.gtins.push(field.text()?),
            _ => {}
        }
        Ok(())
    }

    /// Senders may write a map in any order, and a name twice: the last one counts.
    fn order_attributes(&mut self) {
        if self.attributes.is_sorted_by(|a, b| a.0 < b.0) {
            return;
        }
        self.attributes.reverse();
        self.attributes.sort_by_key(|(name, _)| *name);
        self.attributes.dedup_by_key(|(name, _)| *name);
    }
}

impl<'a> From<&'a v1::Product> for ProductView<'a> {
    fn from(product: &'a v1::Product) -> Self {
        let attributes = product.attributes.iter();
        Self {
            id: &product.id,
            title: &product.title,
            description: &product.description,
            price: product.price,
            currency: &product.currency,
            image_url: &product.image_url,
            price_minor: product.price_minor,
            brand: &product.brand,
            categories: product.categories.iter().map(String::as_str).collect(),
            attributes: attributes
                .map(|(name, value)| (name.as_str(), AttributeView::from(value)))
                .collect(),
            status: product.status(),
            version: product.version,
            created_at: product.created_at,
            updated_at: product.updated_at,
            sku: &product.sku,
            gtins: product.gtins.iter().map(String::as_str).collect(),
        }
    }
}

impl<'a> From<&'a v1::AttributeValue> for AttributeView<'a> {
    fn from(value: &'a v1::AttributeValue) -> Self {
        match &value.kind {
            Some(Kind::Text(text)) => Self::Text(text),
            Some(Kind::Number(number)) => Self::Number(*number),
            Some(Kind::Flag(flag)) => Self::Flag(*flag),
            Some(Kind::List(list)) => Self::List(list.values.iter().map(Self::from).collect()),
            None => Self::Unknown,
        }
    }
}

impl<'a> From<&'a v1::AttributeScalar> for AttributeView<'a> {
    fn from(scalar: &'a v1::AttributeScalar) -> Self {
        match &scalar.kind {
            Some(ScalarKind::Text(text)) => Self::Text(text),
            Some(ScalarKind::Number(number)) => Self::Number(*number),
            Some(ScalarKind::Flag(flag)) => Self::Flag(*flag),
            None => Self::Unknown,
        }
    }
}

/// An entry of the map of attributes.
fn attribute(entry: &[u8]) -> Result<(&str, AttributeView<'_>), Malformed> {
    let (mut name, mut value) = ("", AttributeView::Unknown);
    for field in Fields::of(entry) {
        match field? {
            (1, field) => name = field.text()?,
            (2, field) => value = attribute_value(field.bytes()?)?,
            _ => {}
        }
    }
    Ok((name, value))
}

fn attribute_value(message: &[u8]) -> Result<AttributeView<'_>, Malformed> {
    let mut value = AttributeView::Unknown;
    for field in Fields::of(message) {
        value = match field? {
            (4, field) => AttributeView::List(list(field.bytes()?)?),
            (number, field) => scalar(number, &field)?.unwrap_or(value),
        };
    }
    Ok(value)
}

fn list(message: &[u8]) -> Result<Vec<AttributeView<'_>>, Malformed> {
    let mut values = Vec::new();
    for field in Fields::of(message) {
        let (1, field) = field? else {
            continue;
        };
        let mut value = AttributeView::Unknown;
        for field in Fields::of(field.bytes()?) {
            let (number, field) = field?;
            value = scalar(number, &field)?.unwrap_or(value);
        }
        values.push(value);
    }
    Ok(values)
}

/// What a value and a scalar have in common, fields 1 to 3; none where it is another field.
fn scalar<'a>(number: u32, field: &Field<'a>) -> Result<Option<AttributeView<'a>>, Malformed> {
    Ok(Some(match number {
        1 => AttributeView::Text(field.text()?),
        2 => AttributeView::Number(field.double()?),
        3 => AttributeView::Flag(field.number()? != 0),
        _ => return Ok(None),
    }))
}

fn timestamp(message: &[u8]) -> Result<Timestamp, Malformed> {
    let mut at = Timestamp::default();
    for field in Fields::of(message) {
        match field? {
            (1, field) => at.seconds = field.number()?.cast_signed(),
            (2, field) => at.nanos = field.number()? as i32,
            _ => {}
        }
    }
    Ok(at)
}

/// A status that this release does not know counts as none, as prost has it.
fn status(number: u64) -> v1::ProductStatus {
    v1::ProductStatus::try_from(number as i32).unwrap_or_default()
}
