//! The digest of a log of products: what it sums up, how events move it forth and back, and how it is
//! folded anew.

use std::collections::HashMap;

use catalog_events::{BucketedDigest, ContentHash, ProductId, Version};

/// What the products that are live at one position sum up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogDigest {
    pub(crate) buckets: BucketedDigest,
    pub(crate) documents: i64,
}

impl LogDigest {
    /// Moves the digest to where the log is after these events.
    pub(crate) fn wind(&mut self, replaced: &Replaced) {
        self.exchange(&replaced.previous, &replaced.content);
    }

    /// Moves the digest back to where the log was before these events.
    pub(crate) fn unwind(&mut self, replaced: &Replaced) {
        self.exchange(&replaced.content, &replaced.previous);
    }

    fn exchange(&mut self, out: &[ContentHash], new: &[ContentHash]) {
        out.iter().for_each(|hash| self.buckets.remove(*hash));
        new.iter().for_each(|hash| self.buckets.insert(*hash));
        self.documents += new.len() as i64 - out.len() as i64;
    }
}

/// The hashes that some events added and those that they replaced, in no order: sums need none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Replaced {
    /// The hashes of the products after the events.
    pub(crate) content: Vec<ContentHash>,
    /// The hashes of the products before them.
    pub(crate) previous: Vec<ContentHash>,
}

/// Some of the buckets that content hashes fall in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Buckets(u64);

impl Buckets {
    pub(crate) const ALL: Buckets = Buckets(u64::MAX);

    /// The named buckets, or all when none is named; `None` when one of them does not exist.
    pub(crate) fn of(buckets: &[i32]) -> Option<Self> {
        if buckets.is_empty() {
            return Some(Self::ALL);
        }
        let mut mask = 0;
        for bucket in buckets {
            let bucket = usize::try_from(*bucket).ok();
            let known = bucket.filter(|bucket| *bucket < BucketedDigest::BUCKETS);
            mask |= 1_u64 << known?;
        }
        Some(Self(mask))
    }

    fn contain(self, hash: ContentHash) -> bool {
        self.0 & (1 << hash.bucket()) != 0
    }
}

/// The products that are live after the events applied so far, in the order of the log.
#[derive(Debug)]
pub(crate) struct LogFold {
    buckets: Buckets,
    products: HashMap<ProductId, (Version, ContentHash)>,
}

impl LogFold {
    pub(crate) fn new(buckets: Buckets) -> Self {
        let products = HashMap::new();
        Self { buckets, products }
    }

    /// Applies the next event; `content` is none for a deletion.
    pub(crate) fn apply(&mut self, id: ProductId, version: Version, content: Option<ContentHash>) {
        match content.filter(|hash| self.buckets.contain(*hash)) {
            Some(hash) => self.products.insert(id, (version, hash)),
            None => self.products.remove(&id),
        };
    }

    pub(crate) fn digest(&self) -> LogDigest {
        LogDigest {
            buckets: self.products.values().map(|(_, hash)| *hash).collect(),
            documents: self.products.len() as i64,
        }
    }

    /// The live products, sorted by id.
    pub(crate) fn into_products(self) -> Vec<(ProductId, Version, ContentHash)> {
        let mut products: Vec<_> = self
            .products
            .into_iter()
            .map(|(id, (version, hash))| (id, version, hash))
            .collect();
        products.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        products
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A step of a history: which product, and its new content; none deletes it.
    type Step = (u8, Option<u128>);

    struct Logged {
        id: ProductId,
        version: Version,
        content: Option<ContentHash>,
        previous: Option<ContentHash>,
    }

    fn log(steps: &[Step]) -> Vec<Logged> {
        let mut current: HashMap<u8, (Version, Option<ContentHash>)> = HashMap::new();
        let logged = steps.iter().map(|(product, content)| {
            let before = current.get(product).copied();
            let version = before.map_or(Version::FIRST, |(version, _)| version.next());
            let content = content.map(|seed| ContentHash::from_bytes(seed.to_be_bytes()));
            current.insert(*product, (version, content));
            Logged {
                id: format!("p{product}").parse().expect("id"),
                version,
                content,
                previous: before.and_then(|(_, content)| content),
            }
        });
        logged.collect()
    }

    fn fold(log: &[Logged], buckets: Buckets) -> LogFold {
        let mut fold = LogFold::new(buckets);
        for event in log {
            fold.apply(event.id.clone(), event.version, event.content);
        }
        fold
    }

    fn replaced(log: &[&Logged]) -> Replaced {
        Replaced {
            content: log.iter().filter_map(|event| event.content).collect(),
            previous: log.iter().filter_map(|event| event.previous).collect(),
        }
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        prop::collection::vec((0_u8..6, prop::option::weighted(0.8, any::<u128>())), 0..60)
    }

    proptest! {
        #[test]
        fn sums_in_any_order_and_in_any_batches_equal_the_fold(
            (steps, order) in steps().prop_flat_map(|steps| {
                let order: Vec<usize> = (0..steps.len()).collect();
                (Just(steps), Just(order).prop_shuffle())
            }),
            batch in 1_usize..10,
        ) {
            let log = log(&steps);
            let shuffled: Vec<&Logged> = order.iter().map(|index| &log[*index]).collect();
            let mut digest = LogDigest::default();
            for batch in shuffled.chunks(batch) {
                digest.wind(&replaced(batch));
            }
            prop_assert_eq!(digest, fold(&log, Buckets::ALL).digest());
        }

        #[test]
        fn a_projection_that_sees_events_twice_and_in_disorder_gets_the_same_digest(
            (steps, deliveries) in steps().prop_flat_map(|steps| {
                let twice: Vec<usize> = (0..steps.len()).chain(0..steps.len()).collect();
                (Just(steps), Just(twice).prop_shuffle())
            }),
        ) {
            let log = log(&steps);
            let mut applied: HashMap<&ProductId, (Version, Option<ContentHash>)> = HashMap::new();
            let mut digest = LogDigest::default();
            for event in deliveries.iter().map(|index| &log[*index]) {
                let before = applied.get(&event.id).copied();
                if before.is_none_or(|(version, _)| version < event.version) {
                    applied.insert(&event.id, (event.version, event.content));
                    digest.wind(&Replaced {
                        content: event.content.into_iter().collect(),
                        previous: before.and_then(|(_, content)| content).into_iter().collect(),
                    });
                }
            }
            prop_assert_eq!(digest, fold(&log, Buckets::ALL).digest());
        }

        #[test]
        fn unwinding_leads_back_to_every_position(steps in steps(), at in any::<prop::sample::Index>()) {
            let log = log(&steps);
            let at = at.index(log.len() + 1);
            let mut digest = fold(&log, Buckets::ALL).digest();
            digest.unwind(&replaced(&log[at..].iter().collect::<Vec<_>>()));
            prop_assert_eq!(digest, fold(&log[..at], Buckets::ALL).digest());
        }

        #[test]
        fn the_buckets_part_the_products(steps in steps(), split in 0_i32..64) {
            let log = log(&steps);
            let (low, high): (Vec<i32>, Vec<i32>) = (0..64).partition(|bucket| *bucket <= split);
            let parts = [low, high].map(|part| if part.is_empty() {
                Vec::new()
            } else {
                fold(&log, Buckets::of(&part).expect("buckets")).into_products()
            });
            let mut together = parts.concat();
            together.sort_by(|one, other| one.0.cmp(&other.0));
            prop_assert_eq!(together, fold(&log, Buckets::ALL).into_products());
        }
    }

    #[test]
    fn only_buckets_that_exist_are_taken() {
        assert_eq!(Buckets::of(&[]), Some(Buckets::ALL));
        assert_eq!(
            Buckets::of(&(0..64).collect::<Vec<_>>()),
            Some(Buckets::ALL)
        );
        assert_eq!(Buckets::of(&[64]), None);
        assert_eq!(Buckets::of(&[-1]), None);
    }
}
