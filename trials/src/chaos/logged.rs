//! Events as the log holds them.

use std::collections::BTreeMap;

use catalog_events::Product;

/// An event in the log.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Logged {
    pub(super) position: i64,
    pub(super) event_id: String,
    pub(super) product_id: String,
    pub(super) version: i64,
    pub(super) event_type: String,
    /// None after a deletion.
    pub(super) product: Option<Product>,
}

/// The events of the log by product and version.
pub(super) struct Story<'e>(pub(super) BTreeMap<&'e str, Vec<&'e Logged>>);

impl<'e> Story<'e> {
    pub(super) fn of(events: &'e [Logged]) -> Self {
        let mut products: BTreeMap<&str, Vec<&Logged>> = BTreeMap::new();
        for event in events {
            products.entry(&event.product_id).or_default().push(event);
        }
        Self(products)
    }

    pub(super) fn product(&self, id: &str) -> &[&'e Logged] {
        self.0.get(id).map_or(&[], Vec::as_slice)
    }

    pub(super) fn at(&self, id: &str, version: i64) -> Option<&'e Logged> {
        let mut events = self.product(id).iter();
        events.find(|event| event.version == version).copied()
    }
}
