//! Reads the event log straight from its table and folds it: every read model has to equal this
//! fold. It grows with the log, so that each event is read once.

use std::collections::BTreeMap;

use anyhow::Context as _;
use catalog_events::{BucketedDigest, ContentHash, Product, ProductId, Version};
use sqlx::types::Json;
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use crate::chaos::logged::Logged;
use crate::chaos::violation::Violation;

/// A product after all its events.
#[derive(Clone, Debug)]
pub(super) struct Folded {
    pub(super) version: i64,
    /// None after a deletion.
    pub(super) product: Option<Product>,
    hash: Option<ContentHash>,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    position: i64,
    products: BTreeMap<String, Folded>,
    digest: BucketedDigest,
    live: i64,
}

type Row = (i64, Uuid, String, i64, String, Option<Json<Product>>);

impl Ledger {
    /// Reads and folds the new events of the log. I2: positions and versions have no gap and no
    /// repeat.
    pub(super) async fn read_on(
        &mut self,
        database: &str,
        violations: &mut Vec<Violation>,
    ) -> anyhow::Result<Vec<Logged>> {
        let mut db = PgConnection::connect(database).await?;
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT position, event_id, product_id, version, event_type, product
             FROM event_log WHERE position > $1 ORDER BY position",
        )
        .bind(self.position)
        .fetch_all(&mut db)
        .await
        .context("cannot read the event log")?;
        let events: Vec<Logged> = rows.into_iter().map(logged).collect();
        for event in &events {
            violations.extend(self.append(event)?);
        }
        let pending: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox")
            .fetch_one(&mut db)
            .await?;
        if pending > 0 {
            let text = format!("{pending} events are left in the outbox");
            violations.push(Violation::new("I6", text));
        }
        Ok(events)
    }

    fn append(&mut self, event: &Logged) -> anyhow::Result<Vec<Violation>> {
        let mut violations = Vec::new();
        if event.position != self.position + 1 {
            let (position, before) = (event.position, self.position);
            let text = format!("position {position} follows {before}");
            violations.push(Violation::new("I2", text));
        }
        self.position = event.position;
        let before = self.products.get(&event.product_id);
        let expected = before.map_or(1, |before| before.version + 1);
        if event.version != expected {
            let text = format!("expected version {expected}: {event:?}");
            violations.push(Violation::new("I2", text));
        }
        if let Some(hash) = before.and_then(|before| before.hash) {
            self.digest.remove(hash);
            self.live -= 1;
        }
        let computed = event.product.as_ref().map(|product| {
            let id: ProductId = event.product_id.parse()?;
            let version = Version::new(event.version).context("a version below 1")?;
            anyhow::Ok(ContentHash::of(&id, version, product))
        });
        let hash = computed.transpose()?;
        if let Some(hash) = hash {
            self.digest.insert(hash);
            self.live += 1;
        }
        let folded = Folded {
            version: event.version,
            product: event.product.clone(),
            hash,
        };
        self.products.insert(event.product_id.clone(), folded);
        Ok(violations)
    }

    pub(super) fn position(&self) -> i64 {
        self.position
    }

    /// The number of products that are not deleted.
    pub(super) fn live(&self) -> i64 {
        self.live
    }

    /// The digest in the form that the services show.
    pub(super) fn digest(&self) -> String {
        self.digest.total().to_string()
    }

    /// The products whose ids begin with `prefix`.
    pub(super) fn products<'l>(
        &'l self,
        prefix: &'l str,
    ) -> impl Iterator<Item = (&'l String, &'l Folded)> {
        let from = self.products.range(prefix.to_owned()..);
        from.take_while(move |(id, _)| id.starts_with(prefix))
    }
}

fn logged((position, event_id, product_id, version, event_type, product): Row) -> Logged {
    Logged {
        position,
        event_id: event_id.to_string(),
        product_id,
        version,
        event_type,
        product: product.map(|Json(product)| product),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(position: i64, id: &str, version: i64) -> Logged {
        Logged {
            position,
            event_id: String::new(),
            product_id: id.to_owned(),
            version,
            event_type: "deleted".to_owned(),
            product: None,
        }
    }

    #[test]
    fn a_gap_and_a_repeat_are_seen() {
        let mut ledger = Ledger::default();
        let mut found = |position, id: &str, version| {
            let violations = ledger.append(&event(position, id, version)).expect("fold");
            violations.len()
        };
        assert_eq!(found(1, "a", 1), 0);
        assert_eq!(found(2, "a", 2), 0);
        assert_eq!(found(4, "b", 1), 1, "a position is missing");
        assert_eq!(found(5, "a", 2), 1, "a version repeats");
        assert_eq!(found(6, "b", 3), 1, "a version is missing");
    }
}
