//! Imports a batch in one transaction: creates what is missing, updates what differs, leaves the
//! rest alone. A row that is not valid is rejected on its own.

use std::collections::HashSet;

use crate::commands::{Attempt, CommandError, Commands, RACES_MAX, now};
use crate::domain::{self, Draft, Rejection, Violation};
use crate::store::{self, Conflict, Origin};

/// What became of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RowResult {
    Created,
    Updated,
    Unchanged,
    Rejected(Vec<Violation>),
}

/// One result a row, in the order of the batch.
pub(crate) type ImportOutcome = Vec<RowResult>;

impl Commands {
    pub(crate) async fn import_products(
        &self,
        rows: &[Result<Draft, Vec<Violation>>],
        origin: &Origin,
    ) -> Result<ImportOutcome, CommandError> {
        for _ in 0..RACES_MAX {
            match self.try_import(rows, origin).await {
                Err(Attempt::Store(Conflict::Lost)) => continue,
                Err(Attempt::Store(Conflict::Database(err))) => {
                    return Err(CommandError::Database(err));
                }
                Err(Attempt::Rejected(rejection)) => return Err(rejection.into()),
                Ok(outcome) => return Ok(outcome),
            }
        }
        Err(CommandError::Contended)
    }

    async fn try_import(
        &self,
        rows: &[Result<Draft, Vec<Violation>>],
        origin: &Origin,
    ) -> Result<ImportOutcome, Attempt> {
        let ids: Vec<&str> = rows
            .iter()
            .flatten()
            .map(|draft| draft.id.as_str())
            .collect();
        let at = now();
        let mut tx = self.pool.begin().await?;
        let current = store::load_for_update(&mut tx, &ids).await?;
        let mut seen = HashSet::with_capacity(rows.len());
        let mut decisions = Vec::with_capacity(rows.len());
        let mut outcome = Vec::with_capacity(rows.len());
        for row in rows {
            let draft = match row {
                Ok(draft) if seen.insert(&draft.id) => draft,
                Ok(_) => {
                    outcome.push(RowResult::Rejected(vec![repeated()]));
                    continue;
                }
                Err(violations) => {
                    outcome.push(RowResult::Rejected(violations.clone()));
                    continue;
                }
            };
            let before = current.get(&draft.id);
            match domain::put(before, draft.clone(), at) {
                Ok(None) => outcome.push(RowResult::Unchanged),
                Ok(Some(decision)) => {
                    let existed = before.is_some_and(|before| before.product.is_some());
                    outcome.push(if existed {
                        RowResult::Updated
                    } else {
                        RowResult::Created
                    });
                    decisions.push(decision);
                }
                Err(rejection) => outcome.push(RowResult::Rejected(explain(rejection))),
            }
        }
        store::save(&mut tx, &decisions, origin).await?;
        tx.commit().await?;
        if !decisions.is_empty() {
            self.committed.notify_one();
        }
        Ok(outcome)
    }
}

fn repeated() -> Violation {
    Violation::new("id", "is repeated in this batch: send it in a later one")
}

fn explain(rejection: Rejection) -> Vec<Violation> {
    match rejection {
        Rejection::Invalid(violations) => violations,
        Rejection::NotFound | Rejection::AlreadyExists | Rejection::VersionMismatch { .. } => {
            vec![Violation::new("", rejection.to_string())]
        }
    }
}
