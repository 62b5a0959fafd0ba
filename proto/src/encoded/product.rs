//! A product that stays encoded.

use std::fmt;

use prost::bytes::{Buf, BufMut, Bytes};
use prost::encoding::{
    DecodeContext, WireType, bytes, decode_varint, fixed32, fixed64, skip_field, uint64,
};
use prost::{DecodeError, Message};

use crate::encoded::read::Malformed;
use crate::encoded::view::ProductView;
use crate::v1;

/// Room for the encoded form of most products.
const USUAL_BYTES: usize = 1024;

/// The message `catalog.v1.Product`, encoded. Passing it on costs no more than copying its bytes, and a clone of one that
/// was made by [`Product::new`] shares them. Fields that this release does not know stay in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Product(Encoded);

#[derive(Clone)]
enum Encoded {
    /// Made here, to be answered many times.
    Shared(Bytes),
    /// Received, field by field.
    Received(Vec<u8>),
}

impl Product {
    /// Encodes a product.
    pub fn new(product: &v1::Product) -> Self {
        Self(Encoded::Shared(product.encode_to_vec().into()))
    }

    /// Reads the product without copying its texts.
    ///
    /// # Errors
    ///
    /// Fails where the bytes are no product.
    pub fn view(&self) -> Result<ProductView<'_>, Malformed> {
        ProductView::read(self.0.bytes())
    }
}

impl Encoded {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Shared(bytes) => bytes,
            Self::Received(bytes) => bytes,
        }
    }

    /// The bytes, to add to them.
    fn received(&mut self) -> &mut Vec<u8> {
        loop {
            match self {
                Self::Received(bytes) => return bytes,
                Self::Shared(bytes) => *self = Self::Received(bytes.to_vec()),
            }
        }
    }
}

impl fmt::Debug for Encoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.bytes().len())
    }
}

impl PartialEq for Encoded {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Default for Product {
    fn default() -> Self {
        Self(Encoded::Received(Vec::new()))
    }
}

impl From<&v1::Product> for Product {
    fn from(product: &v1::Product) -> Self {
        Self::new(product)
    }
}

/// Fields are kept as they come. A message that is merged into another one follows it, which is what merging is on the
/// wire.
impl Message for Product {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        buf.put_slice(self.0.bytes());
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Result<(), DecodeError> {
        let kept = self.0.received();
        if kept.is_empty() {
            kept.reserve(USUAL_BYTES);
        }
        match wire_type {
            WireType::Varint => {
                let value = decode_varint(buf)?;
                uint64::encode(tag, &value, kept);
            }
            WireType::LengthDelimited => {
                let mut value = Bytes::new();
                bytes::merge(wire_type, &mut value, buf, ctx)?;
                bytes::encode(tag, &value, kept);
            }
            WireType::ThirtyTwoBit => {
                let mut value = 0;
                fixed32::merge(wire_type, &mut value, buf, ctx)?;
                fixed32::encode(tag, &value, kept);
            }
            WireType::SixtyFourBit => {
                let mut value = 0;
                fixed64::merge(wire_type, &mut value, buf, ctx)?;
                fixed64::encode(tag, &value, kept);
            }
            // Nothing of ours was ever a group.
            WireType::StartGroup | WireType::EndGroup => skip_field(wire_type, tag, buf, ctx)?,
        }
        Ok(())
    }

    fn encoded_len(&self) -> usize {
        self.0.bytes().len()
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use crate::encoded;
    use crate::v1::attribute_scalar::Kind as ScalarKind;
    use crate::v1::attribute_value::Kind;

    use super::*;

    fn product() -> v1::Product {
        let scalar = |kind| v1::AttributeScalar { kind: Some(kind) };
        let list = v1::AttributeList {
            values: vec![
                scalar(ScalarKind::Text("40".to_owned())),
                scalar(ScalarKind::Number(-1.5)),
                scalar(ScalarKind::Flag(true)),
                v1::AttributeScalar::default(),
            ],
        };
        let kinds = [
            Some(Kind::Text("rosé".to_owned())),
            Some(Kind::Number(42.5)),
            Some(Kind::Flag(false)),
            Some(Kind::List(list)),
            None,
        ];
        let values = kinds.into_iter().map(|kind| v1::AttributeValue { kind });
        let names = ["b", "a", "e", "d", "c"].map(str::to_owned);
        v1::Product {
            id: "p-1".to_owned(),
            title: "Schuh".to_owned(),
            description: "x".repeat(300),
            price: 19.99,
            currency: "EUR".to_owned(),
            image_url: "https://example.org/a.png".to_owned(),
            price_minor: i64::MIN,
            brand: "Acme".to_owned(),
            categories: vec!["A".to_owned(), String::new()],
            attributes: names.into_iter().zip(values).collect(),
            status: v1::ProductStatus::Discontinued.into(),
            version: i64::MAX,
            created_at: Some(prost_types::Timestamp {
                seconds: -5,
                nanos: 7,
            }),
            updated_at: Some(prost_types::Timestamp::default()),
            sku: "S".to_owned(),
            gtins: vec!["4006381333931".to_owned()],
        }
    }

    fn decoded(product: &Product) -> Result<v1::Product, DecodeError> {
        v1::Product::decode(&product.encode_to_vec()[..])
    }

    #[test]
    fn a_product_that_is_passed_on_is_the_same() {
        for product in [product(), v1::Product::default()] {
            let made = Product::new(&product);
            let received = Product::decode(&product.encode_to_vec()[..]).expect("a message");
            assert_eq!(made, received);
            for passed in [&made, &received] {
                assert_eq!(passed.encode_to_vec(), product.encode_to_vec());
                assert_eq!(decoded(passed), Ok(product.clone()));
                assert_eq!(passed.view(), Ok(ProductView::from(&product)));
            }
        }
    }

    #[test]
    fn both_forms_of_an_answer_are_the_same_on_the_wire() {
        let plain = v1::SearchProductsResponse {
            products: vec![product(), v1::Product::default()],
            total: 7,
            ..v1::SearchProductsResponse::default()
        };
        let bytes = plain.encode_to_vec();
        let encoded = encoded::SearchProductsResponse::decode(&bytes[..]).expect("a message");
        assert_eq!(encoded.encode_to_vec(), bytes);
        let products: Vec<_> = encoded.products.iter().map(decoded).collect();
        assert_eq!(products, [Ok(product()), Ok(v1::Product::default())]);
    }

    #[test]
    fn what_a_newer_release_adds_stays() {
        let mut bytes = product().encode_to_vec();
        bytes::encode(900, &b"new".to_vec(), &mut bytes);
        uint64::encode(901, &7, &mut bytes);
        fixed32::encode(902, &7, &mut bytes);
        fixed64::encode(903, &7, &mut bytes);
        let received = Product::decode(&bytes[..]).expect("a message");
        assert_eq!(received.encode_to_vec(), bytes);
        assert_eq!(received.view(), Ok(ProductView::from(&product())));
    }

    #[test]
    fn a_map_may_come_in_any_order_and_the_last_value_counts() {
        let with = |name: &str, number: f64| v1::Product {
            attributes: [(
                name.to_owned(),
                v1::AttributeValue {
                    kind: Some(Kind::Number(number)),
                },
            )]
            .into(),
            ..v1::Product::default()
        };
        let parts = [with("b", 1.0), with("a", 2.0), with("b", 3.0)];
        let bytes = parts.map(|part| part.encode_to_vec()).concat();
        let received = Product::decode(&bytes[..]).expect("a message");
        let decoded = decoded(&received).expect("a product");
        assert_eq!(received.view(), Ok(ProductView::from(&decoded)));
        assert_eq!(decoded.attributes.len(), 2);
    }

    #[test]
    fn what_is_cut_off_or_no_text_is_refused() {
        let bytes = product().encode_to_vec();
        for length in 0..bytes.len() {
            let Ok(received) = Product::decode(&bytes[..length]) else {
                continue;
            };
            // A cut between two fields leaves a product.
            assert_eq!(
                received.view().is_ok(),
                decoded(&received).is_ok(),
                "{length}"
            );
        }
        let no_text = Product::decode(&[0x0a, 1, 0xff][..]).expect("a message");
        assert!(no_text.view().is_err());
        assert!(decoded(&no_text).is_err());
    }
}
