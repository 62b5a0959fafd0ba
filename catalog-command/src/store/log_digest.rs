//! The digest of the event log: kept with its head, unwound to any earlier position, or folded anew
//! from the JSON of the events. Events at positions up to the head never change, so that none of
//! this needs a snapshot that spans its queries.

use std::collections::HashMap;
use std::time::Duration;

use catalog_events::{BucketedDigest, ContentHash, Position, Product, ProductId, Version};
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};

use crate::store::{Epoch, LogError, log_head, read_events, within};

/// Positions that one query sums up.
const SUM_EVENTS_MAX: u64 = 1_000;
const FOLD_EVENTS_MAX: i64 = 500;
const FOLD_BYTES_MAX: i64 = 4 * 1024 * 1024;
/// Of one page of events.
const FOLD_READ_S_MAX: u64 = 30;
const KEEP_S_MAX: u64 = 15;

/// What the products that are live at one position sum up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogDigest {
    pub(crate) buckets: BucketedDigest,
    pub(crate) documents: i64,
}

impl LogDigest {
    /// To where the log is after these events.
    pub(crate) fn wind(&mut self, replaced: &Replaced) {
        self.exchange(&replaced.previous, &replaced.content);
    }

    /// Back to where the log was before these events.
    pub(crate) fn unwind(&mut self, replaced: &Replaced) {
        self.exchange(&replaced.content, &replaced.previous);
    }

    fn exchange(&mut self, out: &[ContentHash], new: &[ContentHash]) {
        out.iter().for_each(|hash| self.buckets.remove(*hash));
        new.iter().for_each(|hash| self.buckets.insert(*hash));
        self.documents += new.len() as i64 - out.len() as i64;
    }
}

/// What some events put in the place of what, in no order: sums need none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Replaced {
    pub(crate) content: Vec<ContentHash>,
    pub(crate) previous: Vec<ContentHash>,
}

/// The hashes of some rows, put together by Postgres: one small row instead of one an event.
#[derive(sqlx::FromRow)]
pub(crate) struct HashedRows {
    pub(crate) events: i64,
    /// Rows from before hashes were kept.
    pub(crate) unhashed: i64,
    content: Option<Vec<u8>>,
    previous: Option<Vec<u8>>,
}

/// The columns of [`HashedRows`], over `event_log` or rows that were just inserted into it.
pub(crate) const HASHED_ROWS: &str = "count(*) AS events, \
     count(*) FILTER (WHERE NOT hashed) AS unhashed, \
     string_agg(content_hash, ''::bytea) FILTER (WHERE hashed) AS content, \
     string_agg(previous_hash, ''::bytea) FILTER (WHERE hashed) AS previous";

impl HashedRows {
    /// What the rows replaced; those without hashes are among the events after `after` up to
    /// `up_to`, and theirs are computed.
    pub(crate) async fn replaced(
        &self,
        db: &mut PgConnection,
        after: Position,
        up_to: Position,
    ) -> Result<Replaced, LogError> {
        let mut replaced = Replaced {
            content: hashes(self.content.as_deref(), up_to)?,
            previous: hashes(self.previous.as_deref(), up_to)?,
        };
        if self.unhashed > 0 {
            add_unhashed(db, after, up_to, &mut replaced).await?;
        }
        Ok(replaced)
    }
}

/// The digest at `position`, which is at or before the head: unwound from there. None while the
/// digest at the head is still to be computed.
pub(crate) async fn digest_at(
    pool: &PgPool,
    head: log_head::Head,
    position: Position,
) -> Result<Option<LogDigest>, LogError> {
    let Some(mut digest) = head.digest else {
        return Ok(None);
    };
    let mut end = head.position;
    while end > position {
        let start = Position(position.0.max(end.0.saturating_sub(SUM_EVENTS_MAX)));
        // Others have their turn in between.
        let mut db = pool.acquire().await?;
        digest.unwind(&replaced_between(&mut db, start, end).await?);
        end = start;
    }
    Ok(Some(digest))
}

/// Computes the digest at the head from the whole log, for a log that was extended without it.
/// False when `epoch` is no longer the current one; nothing is written then. However long it takes:
/// only its steps are bounded.
pub(crate) async fn compute_head_digest(pool: &PgPool, epoch: Epoch) -> Result<bool, LogError> {
    // Only the holder of this epoch extends the log, and it is busy here.
    let head = log_head::head_position(pool).await?;
    if head > Position::START {
        tracing::info!(
            events = head.0,
            "computing the digest of the log, after an upgrade"
        );
    }
    let digest = fold_log(pool, head, Buckets::ALL).await?.digest();
    let kept = log_head::keep_digest(pool, epoch, head, &digest);
    Ok(within(Duration::from_secs(KEEP_S_MAX), kept).await?)
}

async fn replaced_between(
    db: &mut PgConnection,
    after: Position,
    up_to: Position,
) -> Result<Replaced, LogError> {
    let query =
        format!("SELECT {HASHED_ROWS} FROM event_log WHERE position > $1 AND position <= $2");
    let rows: HashedRows = sqlx::query_as(sqlx::AssertSqlSafe(query))
        .bind(after.to_i64())
        .bind(up_to.to_i64())
        .fetch_one(&mut *db)
        .await?;
    rows.replaced(db, after, up_to).await
}

type JsonProduct = Option<Json<Product>>;

async fn add_unhashed(
    db: &mut PgConnection,
    after: Position,
    up_to: Position,
    replaced: &mut Replaced,
) -> Result<(), LogError> {
    let rows: Vec<(i64, String, i64, JsonProduct, JsonProduct)> = sqlx::query_as(
        "SELECT event.position, event.product_id, event.version, event.product, previous.product
         FROM event_log AS event
         LEFT JOIN event_log AS previous
             ON previous.product_id = event.product_id AND previous.version = event.version - 1
         WHERE event.position > $1 AND event.position <= $2 AND NOT event.hashed",
    )
    .bind(after.to_i64())
    .bind(up_to.to_i64())
    .fetch_all(db)
    .await?;
    for (position, id, version, product, previous) in rows {
        let corrupt = LogError::Corrupt(Position::from_i64(position));
        let (Ok(id), Some(now)) = (id.parse::<ProductId>(), Version::new(version)) else {
            return Err(corrupt);
        };
        if let Some(Json(product)) = product {
            replaced.content.push(ContentHash::of(&id, now, &product));
        }
        if let (Some(Json(product)), Some(was)) = (previous, Version::new(version - 1)) {
            replaced.previous.push(ContentHash::of(&id, was, &product));
        }
    }
    Ok(())
}

fn hashes(bytes: Option<&[u8]>, near: Position) -> Result<Vec<ContentHash>, LogError> {
    let (hashes, rest) = bytes.unwrap_or_default().as_chunks::<16>();
    if !rest.is_empty() {
        return Err(LogError::Corrupt(near));
    }
    Ok(hashes
        .iter()
        .copied()
        .map(ContentHash::from_bytes)
        .collect())
}

/// Some of the buckets that content hashes fall in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Buckets(u64);

impl Buckets {
    pub(crate) const ALL: Buckets = Buckets(u64::MAX);

    /// All when none is named; none when one does not exist.
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

    /// `content` is none for a deletion.
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

    /// Sorted by id.
    pub(crate) fn into_products(self) -> Vec<(ProductId, Version, ContentHash)> {
        let products = self.products.into_iter();
        let mut products: Vec<_> = products
            .map(|(id, (version, hash))| (id, version, hash))
            .collect();
        products.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        products
    }
}

/// Folds the JSON of the events up to `up_to`; hashes that the log keeps are not looked at. Memory
/// grows with the live products of the buckets, not with the log.
pub(crate) async fn fold_log(
    pool: &PgPool,
    up_to: Position,
    buckets: Buckets,
) -> Result<LogFold, LogError> {
    let mut fold = LogFold::new(buckets);
    let mut reached = Position::START;
    while reached < up_to {
        let limit = FOLD_EVENTS_MAX.min(reached.lag_to(up_to) as i64);
        let rows = read_events(pool, reached, limit, FOLD_BYTES_MAX);
        let rows = within(Duration::from_secs(FOLD_READ_S_MAX), rows).await?;
        if rows.is_empty() {
            return Err(LogError::Corrupt(reached.next()));
        }
        for row in rows {
            reached = reached.next();
            let (id, version, product) = row.into_product(reached)?;
            let content = product.map(|product| ContentHash::of(&id, version, &product));
            fold.apply(id, version, content);
        }
        // Hashing is work for the processor: let others have their turn.
        tokio::task::yield_now().await;
    }
    Ok(fold)
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
            let parts = [low, high].map(|part| match part.is_empty() {
                true => Vec::new(),
                false => fold(&log, Buckets::of(&part).expect("buckets")).into_products(),
            });
            let mut parts = parts.concat();
            parts.sort_by(|one, other| one.0.cmp(&other.0));
            prop_assert_eq!(parts, fold(&log, Buckets::ALL).into_products());
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
