//! Commands on search rules. Their writers take turns under the lock on the log of rules: nobody
//! loses a race, and the event has its position at once.

use catalog_events::{RuleId, SearchRule, Version};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::commands::{Call, CommandError, Commands};
use crate::domain::{self, CurrentRule, RuleDecision, RuleDraft, RuleRejection};
use crate::store::{self, RulePage};

/// A rule as it is after a command.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct WrittenRule {
    pub(crate) version: Version,
    /// None after a deletion.
    pub(crate) rule: Option<SearchRule>,
    /// True when there was no such rule before.
    #[serde(default)]
    pub(crate) created: bool,
}

impl Commands {
    pub(crate) async fn put_rule(
        &self,
        draft: RuleDraft,
        expected: Option<i64>,
        call: &Call,
    ) -> Result<WrittenRule, CommandError> {
        let id = draft.id.clone();
        self.write_rule(&id, call, |current, live, now| {
            domain::put_rule(current, draft, expected, live, now)
        })
        .await
    }

    pub(crate) async fn delete_rule(
        &self,
        id: &RuleId,
        expected: Option<i64>,
        call: &Call,
    ) -> Result<WrittenRule, CommandError> {
        self.write_rule(id, call, |current, _, now| {
            domain::delete_rule(current, expected, now).map(Some)
        })
        .await
    }

    pub(crate) async fn rule(&self, id: &RuleId) -> Result<(Version, SearchRule), CommandError> {
        let current = store::load_rule(&self.pool, id).await?;
        let found = current.and_then(|current| Some((current.version, current.rule?)));
        Ok(found.ok_or(RuleRejection::NotFound)?)
    }

    /// A page of the rules, sorted by id, and whether there are more after it.
    pub(crate) async fn rules(
        &self,
        page: &RulePage,
    ) -> Result<(Vec<(Version, SearchRule)>, bool), CommandError> {
        Ok(store::list_rules(&self.pool, page).await?)
    }

    /// Writes what `decide` makes of the rule. Rule, event, position and the answer under the request id
    /// commit together.
    async fn write_rule(
        &self,
        id: &RuleId,
        call: &Call,
        decide: impl FnOnce(
            Option<&CurrentRule>,
            i64,
            OffsetDateTime,
        ) -> Result<Option<RuleDecision>, RuleRejection>,
    ) -> Result<WrittenRule, CommandError> {
        let mut tx = self.pool.begin().await?;
        if let Some(earlier) = self.earlier_answer(&mut tx, call).await? {
            return Ok(earlier);
        }
        store::lock_rule_log(&mut tx).await?;
        let current = store::load_rule(&mut *tx, id).await?;
        let live = live_rules(&mut tx, current.as_ref()).await?;
        let decision = decide(current.as_ref(), live, self.clock.now())?;
        if let Some(decision) = &decision {
            store::save_rule(&mut tx, decision, &call.origin).await?;
        }
        let changed = decision.is_some();
        let written = WrittenRule::after(decision, current)?;
        if let Some(key) = &call.request {
            store::remember(&mut tx, key, &written).await?;
        }
        tx.commit().await?;
        if changed {
            self.rules_changed.notify_one();
        }
        Ok(written)
    }
}

/// The number of live rules, counted only where the written rule would be one more, and 0 elsewhere.
async fn live_rules(db: &mut PgConnection, current: Option<&CurrentRule>) -> sqlx::Result<i64> {
    if current.is_some_and(|current| current.rule.is_some()) {
        Ok(0)
    } else {
        store::count_rules(db).await
    }
}

impl WrittenRule {
    fn after(
        decision: Option<RuleDecision>,
        current: Option<CurrentRule>,
    ) -> Result<Self, RuleRejection> {
        let existed = current.as_ref().is_some_and(|old| old.rule.is_some());
        match (decision, current) {
            (Some(RuleDecision { version, rule, .. }), _)
            | (None, Some(CurrentRule { version, rule, .. })) => Ok(Self {
                version,
                created: rule.is_some() && !existed,
                rule,
            }),
            (None, None) => Err(RuleRejection::NotFound),
        }
    }
}
