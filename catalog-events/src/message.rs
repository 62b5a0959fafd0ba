//! Events as NATS messages: CloudEvents 1.0 in binary mode, attributes as headers, data as JSON.
//! (CloudEvents NATS protocol binding, §3.1.)

use std::fmt::Write as _;

use async_nats::HeaderMap;
use bytes::Bytes;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::{
    Envelope, EventType, PRODUCT_EVENT_SCHEMA, ProductEvent, RULE_EVENT_SCHEMA, RuleEvent,
    event_subject, rule_subject,
};

const TRACEPARENT: &str = "traceparent";

/// A message ready to publish.
#[derive(Debug)]
pub struct EncodedMessage {
    /// The subject that it goes to.
    pub subject: String,
    /// The attributes of the event.
    pub headers: HeaderMap,
    /// The body, JSON.
    pub payload: Bytes,
}

impl EncodedMessage {
    /// The W3C trace context of the write; none where the write had none.
    pub fn traceparent(&self) -> Option<&str> {
        self.headers
            .get(TRACEPARENT)
            .map(async_nats::HeaderValue::as_str)
    }
}

/// Why a message is not an event.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// A header is missing.
    #[error("the message has no {0} header")]
    MissingHeader(&'static str),
    /// The id of the event cannot be read.
    #[error("the ce-id header is not a UUID")]
    EventId(#[source] uuid::Error),
    /// The body cannot be read.
    #[error("the body is not an event of this catalog")]
    Body(#[source] serde_json::Error),
    /// The body and its snapshot name different products or rules.
    #[error("the body says {body}, its snapshot says {snapshot}")]
    ForeignSnapshot {
        /// The id that the body states.
        body: String,
        /// The id in the snapshot.
        snapshot: String,
    },
}

/// The message for an event of a product. It fails where the event cannot be written as JSON.
pub fn encode<C: Serialize, P: Serialize>(
    event_type: EventType,
    event: &Envelope<C, P>,
) -> Result<EncodedMessage, serde_json::Error> {
    let attributes = Attributes {
        id: event.event_id,
        kind: format!("catalog.product.{}.v1", event_type.as_str()),
        schema: PRODUCT_EVENT_SCHEMA,
        subject: event.product_id.as_str(),
        time: event.occurred_at,
        traceparent: event.traceparent.as_deref(),
    };
    Ok(EncodedMessage {
        subject: event_subject(event_type, &event.product_id),
        headers: attributes.headers(),
        payload: serde_json::to_vec(event)?.into(),
    })
}

/// The message for an event of a search rule. It fails where the event cannot be written as JSON.
pub fn encode_rule<R: Serialize>(
    event: &RuleEvent<R>,
) -> Result<EncodedMessage, serde_json::Error> {
    let attributes = Attributes {
        id: event.event_id,
        kind: format!("catalog.rule.{}.v1", event.event_type()),
        schema: RULE_EVENT_SCHEMA,
        subject: event.rule_id.as_str(),
        time: event.occurred_at,
        traceparent: event.traceparent.as_deref(),
    };
    Ok(EncodedMessage {
        subject: rule_subject(event),
        headers: attributes.headers(),
        payload: serde_json::to_vec(event)?.into(),
    })
}

/// The attributes of an event, as CloudEvents names them.
struct Attributes<'a> {
    id: Uuid,
    kind: String,
    schema: &'static str,
    subject: &'a str,
    time: OffsetDateTime,
    traceparent: Option<&'a str>,
}

impl Attributes<'_> {
    fn headers(&self) -> HeaderMap {
        let id = self.id.to_string();
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Msg-Id", id.as_str());
        headers.insert("ce-specversion", "1.0");
        headers.insert("ce-id", id.as_str());
        headers.insert("ce-type", encoded(&self.kind));
        headers.insert("ce-source", "/catalog-command");
        headers.insert("ce-subject", encoded(self.subject));
        if let Ok(time) = self.time.format(&Rfc3339) {
            headers.insert("ce-time", time);
        }
        headers.insert("ce-dataschema", self.schema);
        // By the binding it is an attribute like the others; who knows only HTTP looks for its own name.
        headers.insert("ce-datacontenttype", JSON);
        headers.insert("content-type", JSON);
        if let Some(traceparent) = self.traceparent {
            headers.insert(TRACEPARENT, traceparent);
        }
        headers
    }
}

const JSON: &str = "application/json";

/// The value of an attribute as a header has it: what is not printable ASCII, spaces, quotes and the percent
/// sign by their bytes in hexadecimal. (CloudEvents HTTP protocol binding, §3.1.3.2.)
fn encoded(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_graphic() && byte != b'"' && byte != b'%' {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// Reads the event of a product from its message. Unknown fields and unknown kinds of change are accepted, so that an older
/// reader gets along with a newer writer.
pub fn decode(headers: Option<&HeaderMap>, payload: &[u8]) -> Result<ProductEvent, DecodeError> {
    let (id, traceparent) = identity(headers)?;
    decode_body(id, traceparent, payload)
}

/// Reads the event of a search rule from its message, as [`decode`] does.
pub fn decode_rule(headers: Option<&HeaderMap>, payload: &[u8]) -> Result<RuleEvent, DecodeError> {
    let (id, traceparent) = identity(headers)?;
    let mut event: RuleEvent = serde_json::from_slice(payload).map_err(DecodeError::Body)?;
    event.event_id = Uuid::parse_str(id).map_err(DecodeError::EventId)?;
    event.traceparent = traceparent.map(str::to_owned);
    match &event.rule {
        Some(rule) if rule.id != event.rule_id => Err(DecodeError::ForeignSnapshot {
            body: event.rule_id.to_string(),
            snapshot: rule.id.to_string(),
        }),
        _ => Ok(event),
    }
}

/// Reads the event id, and the trace context where there is one.
fn identity(headers: Option<&HeaderMap>) -> Result<(&str, Option<&str>), DecodeError> {
    let header = |name| headers.and_then(|headers| headers.get(name));
    let id = header("ce-id").ok_or(DecodeError::MissingHeader("ce-id"))?;
    Ok((id.as_str(), header(TRACEPARENT).map(|value| value.as_str())))
}

/// Reads an event as [`decode`] does where its headers come apart, for instance from the event log.
pub fn decode_body(
    event_id: &str,
    traceparent: Option<&str>,
    payload: &[u8],
) -> Result<ProductEvent, DecodeError> {
    let mut event: ProductEvent = serde_json::from_slice(payload).map_err(DecodeError::Body)?;
    event.event_id = Uuid::parse_str(event_id).map_err(DecodeError::EventId)?;
    event.traceparent = traceparent.map(str::to_owned);
    match &event.product {
        Some(product) if product.id != event.product_id => Err(DecodeError::ForeignSnapshot {
            body: event.product_id.to_string(),
            snapshot: product.id.to_string(),
        }),
        _ => Ok(event),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use time::macros::datetime;

    use super::*;
    use crate::{
        AttributeValue, Change, ContentHash, Currency, Digest, Money, Position, Product, Status,
        Version,
    };

    #[test]
    fn values_of_headers_are_printable() {
        assert_eq!(encoded("p-1_A.b/c:d"), "p-1_A.b/c:d");
        assert_eq!(
            encoded("50 % \"caf\u{e9}\"\n"),
            "50%20%25%20%22caf%C3%A9%22%0A"
        );
    }

    fn event() -> ProductEvent {
        let at = datetime!(2026-01-02 03:04:05.000006 UTC);
        let price = |minor| Money::from_minor(minor, Currency::USD).expect("price");
        let product = Product {
            id: "p-1".parse().expect("id"),
            title: "Mouse".to_owned(),
            description: String::new(),
            price: price(1999),
            image_url: None,
            brand: Some("Acme".to_owned()),
            sku: None,
            gtins: vec![],
            categories: vec![],
            attributes: BTreeMap::from([
                ("dpi".to_owned(), AttributeValue::from(0.1 + 0.2)),
                ("wireless".to_owned(), AttributeValue::from(true)),
                ("colour".to_owned(), AttributeValue::from("red")),
            ]),
            status: Status::Active,
            created_at: at,
            updated_at: at,
        };
        Envelope {
            event_id: Uuid::from_u128(7),
            position: Position(3),
            product_id: product.id.clone(),
            version: Version::FIRST,
            occurred_at: at,
            actor: "test".to_owned(),
            traceparent: None,
            change: Change::PriceChanged {
                was: price(1),
                now: price(1999),
            },
            product: Some(product),
        }
    }

    #[test]
    fn an_event_survives_the_wire_to_the_bit() {
        let event = event();
        let message = encode(EventType::PriceChanged, &event).expect("encode");
        assert_eq!(message.subject, "catalog.evt.v1.product.price_changed.p-1");
        let back = decode(Some(&message.headers), &message.payload).expect("decode");
        assert_eq!(back, event);

        let hash = |event: &ProductEvent| {
            let product = event.product.as_ref().expect("not a deletion");
            ContentHash::of(&event.product_id, event.version, product)
        };
        let digest: Digest = [hash(&back)].into_iter().collect();
        assert_eq!(digest, [hash(&event)].into_iter().collect());
        assert_eq!(digest.to_string().parse(), Ok(digest));
    }

    fn hash(event: &ProductEvent) -> String {
        let product = event.product.as_ref().expect("not a deletion");
        let hash = ContentHash::of(&event.product_id, event.version, product);
        hash.to_bytes().map(|byte| format!("{byte:02x}")).concat()
    }

    /// An event as releases before lists of values wrote it. Its hash is in their logs.
    #[test]
    fn an_event_from_before_lists_is_what_it_was() {
        let payload = r#"{"position":3,"product_id":"p-1","version":1,"occurred_at":"2026-01-02T03:04:05.000006Z","actor":"test","change":{"type":"price_changed","was":{"minor":1,"currency":"USD"},"now":{"minor":1999,"currency":"USD"}},"product":{"id":"p-1","title":"Mouse","description":"","price":{"minor":1999,"currency":"USD"},"brand":"Acme","attributes":{"colour":"red","dpi":0.30000000000000004,"wireless":true},"status":"active","created_at":"2026-01-02T03:04:05.000006Z","updated_at":"2026-01-02T03:04:05.000006Z"}}"#;
        let written = encode(EventType::PriceChanged, &event()).expect("encode");
        assert_eq!(String::from_utf8_lossy(&written.payload), payload);
        let read = decode(Some(&written.headers), payload.as_bytes()).expect("decode");
        assert_eq!(read, event());
        assert_eq!(hash(&read), "8498754ad10ab9a4db20ad7ff1b00058");
    }

    #[test]
    fn the_values_of_a_list_are_hashed_in_their_order() {
        let with = |colours: &[&str]| {
            let mut event = event();
            let list = colours.iter().map(|colour| (*colour).into()).collect();
            let product = event.product.as_mut().expect("product");
            product
                .attributes
                .insert("colour".to_owned(), AttributeValue::List(list));
            event
        };
        let event = with(&["red", "blue"]);
        let message = encode(EventType::Updated, &event).expect("encode");
        let json = String::from_utf8_lossy(&message.payload);
        assert!(json.contains(r#""colour":["red","blue"],"dpi""#), "{json}");
        let back = decode(Some(&message.headers), &message.payload).expect("decode");
        assert_eq!(back, event);
        assert_eq!(hash(&back), "ba5ae7a721fa6a3d72fe02509057ef04");
        assert_ne!(hash(&with(&["blue", "red"])), hash(&event));
        assert_ne!(hash(&with(&["red"])), hash(&self::event()));
    }

    #[test]
    fn a_newer_kind_of_change_is_read_as_unknown() {
        let message = encode(EventType::Created, &event()).expect("encode");
        let mut body: serde_json::Value = serde_json::from_slice(&message.payload).expect("json");
        body["change"] = serde_json::json!({"type": "repackaged", "boxes": 2});
        body["warehouse"] = 9.into();
        let event = decode(Some(&message.headers), body.to_string().as_bytes()).expect("decode");
        assert_eq!(event.change, Change::Unknown);
        assert!(event.product.is_some());
    }

    #[test]
    fn refuses_what_is_no_event() {
        let message = encode(EventType::Created, &event()).expect("encode");
        assert!(matches!(
            decode(None, &message.payload),
            Err(DecodeError::MissingHeader("ce-id"))
        ));
        assert!(matches!(
            decode(Some(&message.headers), b"{}"),
            Err(DecodeError::Body(_))
        ));
        let foreign = String::from_utf8_lossy(&message.payload).replacen("p-1", "p-2", 1);
        assert!(matches!(
            decode(Some(&message.headers), foreign.as_bytes()),
            Err(DecodeError::ForeignSnapshot { .. })
        ));
    }
}
