//! Several writes in one transaction. Each answers for itself, and each is decided against what those
//! before it have left.

use std::collections::{HashMap, HashSet};

use catalog_events::{ConsistencyToken, Product, ProductId};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::commands::written::LastChange;
use crate::commands::{Attempt, Call, CommandError, Commands, RACES_MAX, Written};
use crate::domain::{Current, Decision, ProductWrite, Rejection, Violation};
use crate::store::{self, Origin};

/// The bytes of the products and mistakes that are answered: once they have come to so many, no further
/// write is applied.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What became of one write.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum WriteResult {
    Written(Box<Written>),
    Refused(Rejection),
    /// It was not applied, because the answer is full.
    Full,
}

/// What became of all writes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct WriteOutcome {
    /// A result for each write, in the order of the request.
    pub(crate) results: Vec<WriteResult>,
    /// The last change, whose event has the highest position; none where nothing changed.
    last: Option<LastChange>,
}

impl WriteOutcome {
    /// A token that makes a read wait for all writes.
    pub(crate) fn token(&self) -> Option<ConsistencyToken> {
        self.last.as_ref().map(LastChange::token)
    }
}

/// A write, or why it is none.
pub(crate) type Stated = Result<ProductWrite, Rejection>;

impl Commands {
    pub(crate) async fn write_products(
        &self,
        writes: &[Stated],
        call: &Call,
    ) -> Result<WriteOutcome, CommandError> {
        for _ in 0..RACES_MAX {
            match self.try_write_products(writes, call).await {
                Ok(outcome) => return Ok(outcome),
                Err(attempt) => attempt.unless_lost()?,
            }
        }
        Err(CommandError::Contended)
    }

    async fn try_write_products(
        &self,
        writes: &[Stated],
        call: &Call,
    ) -> Result<WriteOutcome, Attempt> {
        let mut tx = self.pool.begin().await?;
        store::allow_long_decisions(&mut tx).await?;
        if let Some(earlier) = self.earlier_answer(&mut tx, call).await? {
            return Ok(earlier);
        }
        let ids: Vec<&str> = writes
            .iter()
            .flatten()
            .map(|write| write.id().as_str())
            .collect();
        let mut batch = Batch {
            current: store::load_for_update(&mut tx, &ids).await?,
            origin: &call.origin,
            round: Vec::new(),
            in_round: HashSet::new(),
        };
        let outcome = batch.apply(&mut tx, writes, self.clock.now()).await?;
        if let Some(key) = &call.request {
            store::remember(&mut tx, key, &outcome).await?;
        }
        tx.commit().await?;
        if outcome.last.is_some() {
            self.committed.notify_one();
        }
        Ok(outcome)
    }
}

/// Writes on their way into the database. Those of different products wait for each other, to be saved by
/// one statement, which takes each product once.
struct Batch<'a> {
    /// The products as they are in the database.
    current: HashMap<ProductId, Current>,
    origin: &'a Origin,
    /// The decisions that are still to be saved, in their order.
    round: Vec<Decision>,
    in_round: HashSet<ProductId>,
}

impl Batch<'_> {
    async fn apply(
        &mut self,
        db: &mut PgConnection,
        writes: &[Stated],
        at: OffsetDateTime,
    ) -> Result<WriteOutcome, Attempt> {
        let mut outcome = WriteOutcome::default();
        let mut bytes = 0;
        for write in writes {
            if bytes >= ANSWER_BYTES_MAX {
                outcome.results.push(WriteResult::Full);
                continue;
            }
            let decided = match write {
                Ok(write) => {
                    if self.in_round.contains(write.id()) {
                        self.save(db).await?;
                    }
                    let current = self.current.get(write.id());
                    write.decide(current, at).and_then(|decision| {
                        written(write.id(), current, decision.as_ref())
                            .map(|written| (written, decision))
                    })
                }
                Err(rejection) => Err(rejection.clone()),
            };
            let result = match decided {
                Ok((written, decision)) => {
                    bytes += written.product.as_ref().map_or(0, product_bytes);
                    if let Some(decision) = decision {
                        outcome.last = Some(LastChange::from(&decision));
                        self.in_round.insert(decision.id.clone());
                        self.round.push(decision);
                    }
                    WriteResult::Written(Box::new(written))
                }
                Err(rejection) => {
                    bytes += rejection_bytes(&rejection);
                    WriteResult::Refused(rejection)
                }
            };
            outcome.results.push(result);
        }
        self.save(db).await?;
        Ok(outcome)
    }

    /// Saves the round. What it left is what later writes are decided against.
    async fn save(&mut self, db: &mut PgConnection) -> Result<(), Attempt> {
        let writes: Vec<_> = self
            .round
            .iter()
            .map(|decision| (decision, self.origin))
            .collect();
        store::save(db, &writes, &self.current).await?;
        self.in_round.clear();
        for decision in self.round.drain(..) {
            let Decision {
                id,
                version,
                product,
                at: updated_at,
                ..
            } = decision;
            let saved = Current {
                version,
                updated_at,
                product,
            };
            self.current.insert(id, saved);
        }
        Ok(())
    }
}

fn written(
    id: &ProductId,
    current: Option<&Current>,
    decision: Option<&Decision>,
) -> Result<Written, Rejection> {
    match decision {
        Some(decision) => Ok(Written::from(decision)),
        None => {
            let unchanged = current.ok_or(Rejection::NotFound)?;
            Ok(Written::unchanged(id, unchanged))
        }
    }
}

fn product_bytes(product: &Product) -> usize {
    serde_json::to_vec(product).map_or(0, |json| json.len())
}

fn rejection_bytes(rejection: &Rejection) -> usize {
    match rejection {
        Rejection::Invalid(violations) => {
            let bytes = |one: &Violation| one.field.len() + one.reason.len();
            violations.iter().map(bytes).sum()
        }
        _ => 0,
    }
}
