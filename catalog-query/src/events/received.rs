//! One position of a log, as it was received: an event, or a message that cannot be read.

use async_nats::jetstream;
use bytes::Bytes;
use catalog_events::{DecodeError, Position, ProductEvent, ProductId, STREAM, decode};
use serde::Deserialize;

/// The bytes after which a batch takes no more messages, however many it has room for.
pub(crate) const BATCH_BYTES_MAX: usize = 8 << 20;

/// One position of a log, as its stream delivers it.
pub(crate) trait Delivered: Sized {
    const STREAM: &'static str;

    /// Reads the message at `position`. This never fails: a message that cannot be read has a value
    /// too.
    fn read(position: Position, message: &jetstream::Message) -> Self;
}

/// One position of the log of products.
#[derive(Debug)]
pub(crate) enum Received {
    Event(Box<ProductEvent>),
    /// A message that is no product event. It is parked until the next event of its product, which
    /// carries the whole state, heals it.
    Unreadable(Box<Unreadable>),
}

/// A message that cannot be applied, and why.
#[derive(Clone, Debug)]
pub(crate) struct Unreadable {
    pub(crate) position: Position,
    /// None when the message names no product.
    pub(crate) product_id: Option<ProductId>,
    pub(crate) error: String,
    pub(crate) payload: Bytes,
}

impl Delivered for Received {
    const STREAM: &'static str = STREAM;

    fn read(position: Position, message: &jetstream::Message) -> Self {
        let decoded = decode(message.headers.as_ref(), &message.payload);
        let subject = Some(message.subject.as_str());
        Self::new(position, subject, message.payload.clone(), decoded)
    }
}

impl Received {
    /// Makes a value of the message at `position`. When it cannot be read, its product is the one that
    /// `subject` ends with, or without a subject the one that the payload names.
    pub(crate) fn new(
        position: Position,
        subject: Option<&str>,
        payload: Bytes,
        decoded: Result<ProductEvent, DecodeError>,
    ) -> Self {
        let error = match decoded {
            Ok(event) if event.position == position => return Self::Event(Box::new(event)),
            Ok(event) => format!("the event says that its position is {}", event.position),
            Err(err) => format!("{:#}", anyhow::Error::new(err)),
        };
        tracing::error!(%position, "unreadable event: {error}");
        let product_id = match subject {
            Some(subject) => subject.rsplit('.').next().and_then(|id| id.parse().ok()),
            None => product_id_of(&payload),
        };
        Self::Unreadable(Box::new(Unreadable {
            position,
            product_id,
            error,
            payload,
        }))
    }

    pub(crate) fn position(&self) -> Position {
        match self {
            Received::Event(event) => event.position,
            Received::Unreadable(unreadable) => unreadable.position,
        }
    }

    pub(crate) fn event(&self) -> Option<&ProductEvent> {
        match self {
            Received::Event(event) => Some(event),
            Received::Unreadable(_) => None,
        }
    }

    /// The trace of the write.
    pub(crate) fn traceparent(&self) -> Option<&str> {
        self.event()?.traceparent.as_deref()
    }

    pub(crate) fn unreadable(&self) -> Option<&Unreadable> {
        match self {
            Received::Event(_) => None,
            Received::Unreadable(unreadable) => Some(unreadable),
        }
    }
}

/// The product that a body names which is no event; None when it names none.
pub(crate) fn product_id_of(payload: &[u8]) -> Option<ProductId> {
    #[derive(Deserialize)]
    struct Body {
        product_id: ProductId,
    }
    let body: Option<Body> = serde_json::from_slice(payload).ok();
    body.map(|body| body.product_id)
}
