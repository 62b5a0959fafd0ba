//! The pure heart of every projection: what an event means for a product that is at some version.
//! The higher version wins, so applying is idempotent and indifferent to order.

use std::collections::BTreeMap;

use catalog_events::{ProductEvent, ProductId, Version};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Applied already, or overtaken.
    Skip,
    Upsert,
    /// Leaves the version behind as a tombstone.
    Remove,
}

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
    use catalog_events::{Change, Currency, Envelope, Money, Position, Product, Status};
    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::*;

    /// Deterministic shuffles; the seed is in the failure message.
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, bound: usize) -> usize {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (self.0 >> 33) as usize % bound
        }
    }

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

    type State = BTreeMap<ProductId, (Version, Option<Product>)>;

    fn apply(state: &mut State, batch: &[ProductEvent]) {
        for (id, event) in newest(batch) {
            let applied = state.get(id).map(|(version, _)| *version);
            match step(applied, event) {
                Step::Skip => {}
                Step::Upsert | Step::Remove => {
                    state.insert(id.clone(), (event.version, event.product.clone()));
                }
            }
        }
    }

    #[test]
    fn any_order_repetition_and_batching_gives_the_same_state() {
        for seed in 0..200 {
            let mut dice = Dice(seed);
            let history: Vec<_> = (0..5)
                .flat_map(|id| (1..=8).map(move |version| (id, version)))
                .map(|(id, version)| event(id, version, dice.below(4) == 0))
                .collect();
            let mut straight = State::new();
            apply(&mut straight, &history);

            let mut delivered = history.clone();
            for _ in 0..40 {
                delivered.push(history[dice.below(history.len())].clone());
            }
            for place in (1..delivered.len()).rev() {
                delivered.swap(place, dice.below(place + 1));
            }
            let mut crooked = State::new();
            for batch in delivered.chunks(1 + dice.below(9)) {
                apply(&mut crooked, batch);
            }
            assert_eq!(crooked, straight, "seed {seed}");
        }
    }
}
