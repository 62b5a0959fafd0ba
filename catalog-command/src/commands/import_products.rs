//! Imports a batch in one transaction: creates what is missing, updates what differs, leaves the
//! rest alone. A row that is not valid is rejected on its own.

use std::collections::{HashMap, HashSet};

use catalog_events::{ConsistencyToken, InvalidProductId, ProductId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::commands::written::LastChange;
use crate::commands::{Attempt, Call, CommandError, Commands, RACES_MAX};
use crate::domain::{Columns, Current, Decision, ImportRow, Rejection, Violation};
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

/// A batch: its rows, and the fields that all of them state.
#[derive(Debug)]
pub(crate) struct ImportBatch {
    pub(crate) rows: Vec<ImportRow>,
    pub(crate) columns: Columns,
}

/// What a row would change.
#[derive(Debug)]
pub(crate) struct Preview {
    /// The index of the row in its batch.
    pub(crate) index: usize,
    pub(crate) before: Option<Current>,
    pub(crate) decision: Decision,
}

impl Commands {
    pub(crate) async fn import_products(
        &self,
        batch: &ImportBatch,
        call: &Call,
    ) -> Result<ImportOutcome, CommandError> {
        for _ in 0..RACES_MAX {
            match self.try_import(batch, call).await {
                Ok(outcome) => return Ok(outcome),
                Err(attempt) => attempt.unless_lost()?,
            }
        }
        Err(CommandError::Contended)
    }

    async fn try_import(&self, batch: &ImportBatch, call: &Call) -> Result<ImportOutcome, Attempt> {
        let ids = batch.ids();
        let mut tx = self.pool.begin().await?;
        store::allow_long_decisions(&mut tx).await?;
        if let Some(earlier) = self.earlier_answer(&mut tx, call).await? {
            return Ok(earlier);
        }
        let current = store::load_for_update(&mut tx, &ids).await?;
        let Decided { rows, decisions } = batch.decide(&current, self.clock.now());
        let writes: Vec<_> = decisions
            .iter()
            .map(|(_, decision)| (decision, &call.origin))
            .collect();
        store::save(&mut tx, &writes, &current).await?;
        let last = decisions
            .last()
            .map(|(_, decision)| LastChange::from(decision));
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

    /// What a batch would change now. Nothing is written and nothing is locked.
    pub(crate) async fn preview_import(
        &self,
        batch: &ImportBatch,
    ) -> Result<(ImportOutcome, Vec<Preview>), CommandError> {
        let mut db = self.pool.acquire().await?;
        let current = store::load(&mut db, &batch.ids()).await?;
        let Decided { rows, decisions } = batch.decide(&current, self.clock.now());
        let preview = |(index, decision): (usize, Decision)| Preview {
            index,
            before: current.get(&decision.id).cloned(),
            decision,
        };
        let previews = decisions.into_iter().map(preview).collect();
        Ok((ImportOutcome { rows, last: None }, previews))
    }
}

/// What a batch means for the products as they are: a result for each row, and the changes with the index
/// of their row.
struct Decided {
    rows: Vec<RowResult>,
    decisions: Vec<(usize, Decision)>,
}

impl ImportBatch {
    /// The ids that are valid.
    fn ids(&self) -> Vec<&str> {
        let ids = self.rows.iter().map(|row| row.fields.id.as_str());
        ids.filter(|id| id.parse::<ProductId>().is_ok()).collect()
    }

    fn decide(&self, current: &HashMap<ProductId, Current>, at: OffsetDateTime) -> Decided {
        let mut seen = HashSet::with_capacity(self.rows.len());
        let mut decisions = Vec::with_capacity(self.rows.len());
        let mut decide_row = |index: usize, row: &ImportRow| {
            let id: ProductId = row.fields.id.parse().map_err(invalid_id)?;
            if !seen.insert(id.clone()) {
                return Err(vec![repeated()]);
            }
            let before = current.get(&id);
            let Some(decision) = row.decide(&self.columns, before, at).map_err(explain)? else {
                return Ok(RowResult::Unchanged);
            };
            decisions.push((index, decision));
            Ok(if before.is_some_and(|before| before.product.is_some()) {
                RowResult::Updated
            } else {
                RowResult::Created
            })
        };
        let rows = self
            .rows
            .iter()
            .enumerate()
            .map(|(index, row)| decide_row(index, row).unwrap_or_else(RowResult::Rejected))
            .collect();
        Decided { rows, decisions }
    }
}

impl ImportOutcome {
    /// A token that makes a read wait for the whole batch.
    pub(crate) fn token(&self) -> Option<ConsistencyToken> {
        self.last.as_ref().map(LastChange::token)
    }
}

fn invalid_id(err: InvalidProductId) -> Vec<Violation> {
    vec![Violation::new("id", err.to_string())]
}

fn repeated() -> Violation {
    Violation::new("id", "is repeated in this batch: send it in a later one")
}

fn explain(rejection: Rejection) -> Vec<Violation> {
    match rejection {
        Rejection::Invalid(violations) => violations.into_iter().take(1).collect(),
        Rejection::VersionMismatch { .. }
        | Rejection::MustNotExist { .. }
        | Rejection::Missing { .. } => vec![Violation::new("version", rejection.to_string())],
        Rejection::NotFound | Rejection::AlreadyExists => {
            vec![Violation::new("", rejection.to_string())]
        }
    }
}
