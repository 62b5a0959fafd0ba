//! The snapshot as the `catalog.v1.Product` message that both services answer with.

use catalog_proto::v1;
use catalog_proto::v1::attribute_scalar::Kind as ScalarKind;
use catalog_proto::v1::attribute_value::Kind;
use time::OffsetDateTime;

use crate::{AttributeScalar, AttributeValue, Money, Product, Status, Version, moment};

impl Product {
    /// The product as a message, at the version that the message states.
    pub fn to_message(&self, version: Version) -> v1::Product {
        v1::Product {
            id: self.id.to_string(),
            title: self.title.clone(),
            description: self.description.clone(),
            price: self.price.major(),
            currency: self.price.currency().to_string(),
            image_url: self.image_url.clone().unwrap_or_default(),
            price_minor: self.price.minor(),
            brand: self.brand.clone().unwrap_or_default(),
            categories: self.categories.clone(),
            attributes: self
                .attributes
                .iter()
                .map(|(name, value)| (name.clone(), value.to_message()))
                .collect(),
            status: self.status.to_message().into(),
            version: version.get(),
            created_at: Some(timestamp(self.created_at)),
            updated_at: Some(timestamp(self.updated_at)),
            sku: self.sku.clone().unwrap_or_default(),
            gtins: self.gtins.clone(),
        }
    }

    /// The product of a message, and its version; none where the message is not of this catalog.
    pub fn from_message(message: &v1::Product) -> Option<(Version, Self)> {
        let stated = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let time = |at: &Option<_>| at.as_ref().and_then(moment);
        let currency = message.currency.parse().ok()?;
        let product = Self {
            id: message.id.parse().ok()?,
            title: message.title.clone(),
            description: message.description.clone(),
            price: Money::from_minor(message.price_minor, currency).ok()?,
            image_url: stated(&message.image_url),
            brand: stated(&message.brand),
            sku: stated(&message.sku),
            gtins: message.gtins.clone(),
            categories: message.categories.clone(),
            attributes: message
                .attributes
                .iter()
                .filter_map(|(name, value)| {
                    Some((name.clone(), AttributeValue::from_message(value.clone())?))
                })
                .collect(),
            status: Status::from_message(message.status()),
            created_at: time(&message.created_at)?,
            updated_at: time(&message.updated_at)?,
        };
        Some((Version::new(message.version)?, product))
    }
}

impl AttributeValue {
    /// The value as a message.
    pub fn to_message(&self) -> v1::AttributeValue {
        let kind = match self {
            AttributeValue::One(AttributeScalar::Flag(flag)) => Kind::Flag(*flag),
            AttributeValue::One(AttributeScalar::Number(number)) => Kind::Number(*number),
            AttributeValue::One(AttributeScalar::Text(text)) => Kind::Text(text.clone()),
            AttributeValue::List(scalars) => Kind::List(v1::AttributeList {
                values: scalars.iter().map(AttributeScalar::to_message).collect(),
            }),
        };
        v1::AttributeValue { kind: Some(kind) }
    }

    /// The value of a message; none when it holds no value.
    pub fn from_message(message: v1::AttributeValue) -> Option<Self> {
        message.kind.map(|kind| match kind {
            Kind::Flag(flag) => flag.into(),
            Kind::Number(number) => number.into(),
            Kind::Text(text) => text.into(),
            Kind::List(list) => {
                let scalars = list.values.into_iter();
                AttributeValue::List(scalars.filter_map(AttributeScalar::from_message).collect())
            }
        })
    }
}

impl AttributeScalar {
    fn to_message(&self) -> v1::AttributeScalar {
        let kind = match self {
            AttributeScalar::Flag(flag) => ScalarKind::Flag(*flag),
            AttributeScalar::Number(number) => ScalarKind::Number(*number),
            AttributeScalar::Text(text) => ScalarKind::Text(text.clone()),
        };
        v1::AttributeScalar { kind: Some(kind) }
    }

    fn from_message(message: v1::AttributeScalar) -> Option<Self> {
        message.kind.map(|kind| match kind {
            ScalarKind::Flag(flag) => flag.into(),
            ScalarKind::Number(number) => number.into(),
            ScalarKind::Text(text) => text.into(),
        })
    }
}

impl Status {
    /// The status as a message.
    pub fn to_message(self) -> v1::ProductStatus {
        match self {
            Status::Active => v1::ProductStatus::Active,
            Status::Discontinued => v1::ProductStatus::Discontinued,
        }
    }

    /// The status of a message; an unset one means active.
    pub fn from_message(message: v1::ProductStatus) -> Self {
        match message {
            v1::ProductStatus::Unspecified | v1::ProductStatus::Active => Status::Active,
            v1::ProductStatus::Discontinued => Status::Discontinued,
        }
    }
}

fn timestamp(at: OffsetDateTime) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: at.unix_timestamp(),
        nanos: at.nanosecond() as i32,
    }
}
