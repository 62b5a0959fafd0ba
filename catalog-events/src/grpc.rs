//! The snapshot as the `catalog.v1.Product` message that both services answer with.

use catalog_proto::v1;
use catalog_proto::v1::attribute_value::Kind;
use time::OffsetDateTime;

use crate::{AttributeValue, Product, Status, Version};

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
}

impl AttributeValue {
    /// The value as a message.
    pub fn to_message(&self) -> v1::AttributeValue {
        let kind = match self {
            AttributeValue::Flag(flag) => Kind::Flag(*flag),
            AttributeValue::Number(number) => Kind::Number(*number),
            AttributeValue::Text(text) => Kind::Text(text.clone()),
        };
        v1::AttributeValue { kind: Some(kind) }
    }

    /// The value of a message; none when it holds no value.
    pub fn from_message(message: v1::AttributeValue) -> Option<Self> {
        message.kind.map(|kind| match kind {
            Kind::Flag(flag) => AttributeValue::Flag(flag),
            Kind::Number(number) => AttributeValue::Number(number),
            Kind::Text(text) => AttributeValue::Text(text),
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
