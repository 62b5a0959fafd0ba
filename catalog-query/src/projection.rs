//! The pure heart of every projection: what an event means for a product that is at some version.
//! The higher version wins, so applying is idempotent and indifferent to order.

use std::collections::BTreeMap;

use catalog_events::{ProductEvent, ProductId, Version};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The event is applied already, or overtaken by a newer one.
    Skip,
    Upsert,
    /// The product goes and leaves its version behind as a tombstone.
    Remove,
}

/// Decides what `event` means for a product of which the version `applied` is known.
pub(crate) fn step(applied: Option<Version>, event: &ProductEvent) -> Step {
    match applied {
        Some(seen) if event.version <= seen => Step::Skip,
        _ if event.is_deletion() => Step::Remove,
        _ => Step::Upsert,
    }
}

/// The newest event of each product in a batch: the others would be overwritten at once.
pub(crate) fn newest<'a>(
    events: impl IntoIterator<Item = &'a ProductEvent>,
) -> BTreeMap<&'a ProductId, &'a ProductEvent> {
    let mut newest: BTreeMap<&ProductId, &ProductEvent> = BTreeMap::new();
    for event in events {
        let kept = newest.entry(&event.product_id).or_insert(event);
        if event.version > kept.version {
            *kept = event;
        }
    }
    newest
}

#[cfg(test)]
mod tests {
    use catalog_events::{
        BucketedDigest, Change, ContentHash, Currency, Envelope, Money, Position, Product, Status,
    };
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::Index;
    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::*;

    fn event(id: usize, version: i64, deletes: bool) -> ProductEvent {
        let id: ProductId = format!("p{id}").parse().expect("id");
        let at = OffsetDateTime::UNIX_EPOCH;
        let product = Product {
            id: id.clone(),
            title: format!("{id} at {version}"),
            description: String::new(),
            price: Money::from_minor(version, Currency::USD).expect("price"),
            image_url: None,
            brand: None,
            sku: None,
            gtins: vec![],
            categories: vec![],
            attributes: BTreeMap::new(),
            status: Status::Active,
            created_at: at,
            updated_at: at,
        };
        Envelope {
            event_id: Uuid::nil(),
            position: Position(1),
            product_id: id,
            version: Version::new(version).expect("version"),
            occurred_at: at,
            actor: String::new(),
            traceparent: None,
            change: Change::Unknown,
            product: (!deletes).then_some(product),
        }
    }

    /// A read model in memory, with the running digest that the real one keeps.
    #[derive(Clone, Debug, Default, PartialEq)]
    struct State {
        products: BTreeMap<ProductId, (Version, Option<ContentHash>)>,
        digest: BucketedDigest,
    }

    impl State {
        fn apply(&mut self, batch: &[ProductEvent]) {
            for (id, event) in newest(batch) {
                let existing = self.products.get(id).copied();
                let hash = match step(existing.map(|(version, _)| version), event) {
                    Step::Skip => continue,
                    Step::Remove => None,
                    Step::Upsert => {
                        let product = event.product.as_ref().expect("no deletion");
                        Some(ContentHash::of(id, event.version, product))
                    }
                };
                if let Some((_, Some(before))) = existing {
                    self.digest.remove(before);
                }
                if let Some(hash) = hash {
                    self.digest.insert(hash);
                }
                self.products.insert(id.clone(), (event.version, hash));
            }
        }

        /// The digest, summed from all products at once.
        fn summed(&self) -> BucketedDigest {
            self.products
                .values()
                .filter_map(|(_, hash)| *hash)
                .collect()
        }
    }

    /// Makes histories of a few products: versions that follow one another, some of them deletions.
    fn histories() -> impl Strategy<Value = Vec<ProductEvent>> {
        let product = vec(prop::bool::weighted(0.25), 1..8);
        vec(product, 1..6).prop_map(|products| {
            let events = products.into_iter().enumerate();
            events
                .flat_map(|(id, versions)| {
                    let versions = versions.into_iter().zip(1..);
                    versions.map(move |(deletes, version)| event(id, version, deletes))
                })
                .collect()
        })
    }

    /// A history as it may be delivered: in any order, some of it again, in batches of any size, and
    /// from the start again after a crash anywhere.
    fn deliveries() -> impl Strategy<Value = (Vec<ProductEvent>, Vec<ProductEvent>, usize, Index)> {
        histories().prop_flat_map(|history| {
            let repeated = prop::sample::subsequence(history.clone(), 0..=history.len());
            let delivered = repeated.prop_flat_map({
                let history = history.clone();
                move |repeated| Just([history.clone(), repeated].concat()).prop_shuffle()
            });
            (Just(history), delivered, 1_usize..10, any::<Index>())
        })
    }

    proptest! {
        #[test]
        fn any_delivery_gives_the_same_read_model_and_digest(
            (history, delivered, batch, crash) in deliveries()
        ) {
            let mut straight = State::default();
            straight.apply(&history);
            prop_assert_eq!(&straight.digest, &straight.summed());

            let mut crooked = State::default();
            let applied = crash.index(delivered.len() + 1);
            for batch in delivered[..applied].chunks(batch) {
                crooked.apply(batch);
                prop_assert_eq!(&crooked.digest, &crooked.summed());
            }
            for batch in delivered.chunks(batch) {
                crooked.apply(batch);
            }
            prop_assert_eq!(crooked, straight);
        }
    }
}
