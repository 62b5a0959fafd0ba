//! Imports a batch in one transaction: creates what is missing, updates what differs, leaves the
//! rest alone. A row that is not valid is rejected on its own.

use std::collections::{HashMap, HashSet};

use catalog_events::{ConsistencyToken, ProductId, Version};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::commands::{Attempt, Call, CommandError, Commands, RACES_MAX, now};
use crate::domain::{self, Current, Decision, Draft, Rejection, Violation};
use crate::store;

/// What became of one row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RowResult {
    Created,
    Updated,
    Unchanged,
    /// The first mistake only, since outcomes are kept with request ids.
    Rejected(Vec<Violation>),
}

/// What became of a batch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ImportOutcome {
    /// A result for each row, in the order of the batch.
    pub(crate) rows: Vec<RowResult>,
    /// The last change, whose event has the highest position of the batch; none where nothing changed.
    pub(crate) last: Option<LastChange>,
}

/// A product, and the version that the batch left.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LastChange {
    id: ProductId,
    version: Version,
}

impl Commands {
    pub(crate) async fn import_products(
        &self,
        rows: &[Result<Draft, Vec<Violation>>],
        call: &Call,
    ) -> Result<ImportOutcome, CommandError> {
        for _ in 0..RACES_MAX {
            match self.try_import(rows, call).await {
                Ok(outcome) => return Ok(outcome),
                Err(attempt) => attempt.unless_lost()?,
            }
        }
        Err(CommandError::Contended)
    }

    async fn try_import(
        &self,
        rows: &[Result<Draft, Vec<Violation>>],
        call: &Call,
    ) -> Result<ImportOutcome, Attempt> {
        let drafts = rows.iter().flatten();
        let ids: Vec<&str> = drafts.map(|draft| draft.id.as_str()).collect();
        let mut tx = self.pool.begin().await?;
        store::allow_long_decisions(&mut tx).await?;
        if let Some(earlier) = self.earlier_answer(&mut tx, call).await? {
            return Ok(earlier);
        }
        let current = store::load_for_update(&mut tx, &ids).await?;
        let (rows, decisions) = decide(rows, &current, now());
        let writes: Vec<_> = decisions.iter().map(|one| (one, &call.origin)).collect();
        store::save(&mut tx, &writes, &current).await?;
        let last = decisions.last().map(|decision| LastChange {
            id: decision.id.clone(),
            version: decision.version,
        });
        let outcome = ImportOutcome { rows, last };
        if let Some(key) = &call.request {
            store::remember(&mut tx, key, &outcome).await?;
        }
        tx.commit().await?;
        if !decisions.is_empty() {
            self.committed.notify_one();
        }
        Ok(outcome)
    }
}

impl ImportOutcome {
    /// A token that makes a read wait for the whole batch.
    pub(crate) fn token(&self) -> Option<ConsistencyToken> {
        self.last.as_ref().map(|last| ConsistencyToken {
            product_id: last.id.clone(),
            version: last.version,
        })
    }
}

fn decide(
    rows: &[Result<Draft, Vec<Violation>>],
    current: &HashMap<ProductId, Current>,
    at: OffsetDateTime,
) -> (Vec<RowResult>, Vec<Decision>) {
    let mut seen = HashSet::with_capacity(rows.len());
    let mut decisions = Vec::with_capacity(rows.len());
    let mut decide_row = |row: &Result<Draft, Vec<Violation>>| {
        let draft = row.as_ref().map_err(|violations| first(violations))?;
        if !seen.insert(draft.id.clone()) {
            return Err(vec![repeated()]);
        }
        let before = current.get(&draft.id);
        let Some(decision) = domain::put(before, draft.clone(), at).map_err(explain)? else {
            return Ok(RowResult::Unchanged);
        };
        decisions.push(decision);
        Ok(if before.is_some_and(|before| before.product.is_some()) {
            RowResult::Updated
        } else {
            RowResult::Created
        })
    };
    let results = rows
        .iter()
        .map(|row| decide_row(row).unwrap_or_else(RowResult::Rejected))
        .collect();
    (results, decisions)
}

fn repeated() -> Violation {
    Violation::new("id", "is repeated in this batch: send it in a later one")
}

fn first(violations: &[Violation]) -> Vec<Violation> {
    violations.iter().take(1).cloned().collect()
}

fn explain(rejection: Rejection) -> Vec<Violation> {
    match rejection {
        Rejection::Invalid(violations) => first(&violations),
        Rejection::NotFound | Rejection::AlreadyExists | Rejection::VersionMismatch { .. } => {
            vec![Violation::new("", rejection.to_string())]
        }
    }
}
