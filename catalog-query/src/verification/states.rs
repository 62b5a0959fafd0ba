//! Asks the event log what products are at a position, which is what a repair sets them to.

use std::collections::BTreeMap;

use catalog_events::{Position, ProductEvent, ProductId};

use crate::events::Received;
use crate::events::{LogClient, LogError};
use crate::index::Change;

/// What the log says of one product.
#[derive(Debug)]
pub(crate) enum State {
    /// The product has this last event, which may be a deletion.
    Event(Box<ProductEvent>),
    /// The log has no event of the product.
    Absent,
    /// The last event cannot be read, and nobody knows what the product is.
    Unreadable(String),
}

impl State {
    /// The change that sets an index to this state; None when nobody knows what the product is.
    pub(crate) fn change((id, state): (ProductId, State)) -> Option<Change> {
        match state {
            State::Event(event) => {
                let product = event.product.map(|product| (event.version, product));
                Some((id, product))
            }
            State::Absent => Some((id, None)),
            State::Unreadable(_) => None,
        }
    }
}

/// Asks the log for the states of products at `position`.
pub(crate) async fn states(
    log: &LogClient,
    ids: &[ProductId],
    position: Position,
) -> Result<BTreeMap<ProductId, State>, LogError> {
    let mut states = BTreeMap::new();
    let mut nobodys = None;
    // To the log, position 0 means its head.
    let received = match position {
        Position::START => Vec::new(),
        position => log.product_events(ids, position).await?,
    };
    for received in received {
        match received {
            Received::Event(event) => {
                states.insert(event.product_id.clone(), State::Event(event));
            }
            Received::Unreadable(unreadable) => match unreadable.product_id {
                Some(id) => {
                    states.insert(id, State::Unreadable(unreadable.error));
                }
                None => nobodys = Some(unreadable.error),
            },
        }
    }
    for id in ids {
        states.entry(id.clone()).or_insert_with(|| match &nobodys {
            // That may be the event of this product: better to leave the product than to remove it.
            Some(error) => State::Unreadable(error.clone()),
            None => State::Absent,
        });
    }
    Ok(states)
}
