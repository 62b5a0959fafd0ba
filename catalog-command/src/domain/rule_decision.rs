//! What a command means for a search rule in its current state. As for products, a command that
//! changes nothing is `Ok(None)`.

use catalog_events::{RuleId, SearchRule, Version};
use time::OffsetDateTime;

use crate::domain::RuleDraft;

/// The most rules that there can be: every replica of the read side keeps them all in memory.
const RULES_MAX: i64 = 10_000;

/// What the store knows of a rule. A deleted one keeps its version.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CurrentRule {
    pub(crate) version: Version,
    pub(crate) updated_at: OffsetDateTime,
    /// None after a deletion.
    pub(crate) rule: Option<SearchRule>,
}

/// A change to be saved together with its event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RuleDecision {
    pub(crate) id: RuleId,
    pub(crate) version: Version,
    /// None for a deletion.
    pub(crate) rule: Option<SearchRule>,
    pub(crate) at: OffsetDateTime,
}

/// Why a command is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RuleRejection {
    #[error("no such rule")]
    NotFound,
    #[error("a rule with this id exists")]
    Exists,
    #[error("there is no such rule, at version {expected} or any other")]
    Missing { expected: i64 },
    #[error("the rule is at version {found}, not {expected}")]
    VersionMismatch { expected: i64, found: Version },
    #[error("there are {RULES_MAX} rules, which is the limit: delete one first")]
    TooMany,
}

/// Creates or replaces a rule. `live` is how many rules there are; an expected version of 0 means that
/// there must be no such rule.
pub(crate) fn put_rule(
    current: Option<&CurrentRule>,
    draft: RuleDraft,
    expected: Option<i64>,
    live: i64,
    now: OffsetDateTime,
) -> Result<Option<RuleDecision>, RuleRejection> {
    let at = time_of_change(current, now);
    let Some((version, old)) = living(current) else {
        if let Some(expected @ 1..) = expected {
            return Err(RuleRejection::Missing { expected });
        }
        if live >= RULES_MAX {
            return Err(RuleRejection::TooMany);
        }
        let version = current.map_or(Version::FIRST, |current| current.version.next());
        return Ok(Some(decision(version, draft.into_rule(at, at))));
    };
    match expected {
        Some(0) => return Err(RuleRejection::Exists),
        expected => check_version(version, expected)?,
    }
    let new = draft.into_rule(old.created_at, at);
    let unchanged = SearchRule {
        updated_at: old.updated_at,
        ..new.clone()
    };
    Ok((unchanged != *old).then(|| decision(version.next(), new)))
}

/// Deletes a rule. `expected` is the version that it must have.
pub(crate) fn delete_rule(
    current: Option<&CurrentRule>,
    expected: Option<i64>,
    now: OffsetDateTime,
) -> Result<RuleDecision, RuleRejection> {
    let (version, rule) = living(current).ok_or(RuleRejection::NotFound)?;
    check_version(version, expected)?;
    Ok(RuleDecision {
        id: rule.id.clone(),
        version: version.next(),
        rule: None,
        at: time_of_change(current, now),
    })
}

fn decision(version: Version, rule: SearchRule) -> RuleDecision {
    RuleDecision {
        id: rule.id.clone(),
        version,
        at: rule.updated_at,
        rule: Some(rule),
    }
}

fn living(current: Option<&CurrentRule>) -> Option<(Version, &SearchRule)> {
    let current = current?;
    Some((current.version, current.rule.as_ref()?))
}

fn check_version(found: Version, expected: Option<i64>) -> Result<(), RuleRejection> {
    match expected {
        Some(expected) if expected != found.get() => {
            Err(RuleRejection::VersionMismatch { expected, found })
        }
        _ => Ok(()),
    }
}

/// The time that a change counts as made at. It never goes back, as for products.
fn time_of_change(current: Option<&CurrentRule>, now: OffsetDateTime) -> OffsetDateTime {
    current.map_or(now, |current| current.updated_at.max(now))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;

    const THEN: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);
    const NOW: OffsetDateTime = datetime!(2026-01-02 00:00 UTC);

    fn draft(term: &str) -> RuleDraft {
        let form = json!({"id": "r-1", "kind": {"type": "synonyms", "terms": ["a", term]}});
        RuleDraft::parse(serde_json::from_value(form).expect("form")).expect("valid")
    }

    fn after(decision: RuleDecision) -> CurrentRule {
        CurrentRule {
            version: decision.version,
            updated_at: decision.at,
            rule: decision.rule,
        }
    }

    fn current() -> CurrentRule {
        let put = put_rule(None, draft("b"), Some(0), 0, THEN);
        after(put.expect("accepted").expect("new"))
    }

    fn deleted() -> CurrentRule {
        after(delete_rule(Some(&current()), Some(1), THEN).expect("exists"))
    }

    #[test]
    fn versions_go_on_through_changes_and_deletions() {
        assert_eq!(current().version, Version::FIRST);
        let changed = put_rule(Some(&current()), draft("c"), Some(1), 1, NOW)
            .expect("accepted")
            .expect("changed");
        let rule = changed.rule.expect("not a deletion");
        assert_eq!((changed.version.get(), rule.created_at), (2, THEN));
        assert_eq!(rule.updated_at, NOW);
        assert_eq!(deleted().version.get(), 2);
        let reborn = put_rule(Some(&deleted()), draft("b"), Some(0), 0, NOW)
            .expect("accepted")
            .expect("new");
        let created_at = reborn.rule.map(|rule| rule.created_at);
        assert_eq!((reborn.version.get(), created_at), (3, Some(NOW)));
    }

    #[test]
    fn the_same_rule_again_changes_nothing() {
        let again = put_rule(Some(&current()), draft("b"), None, 1, NOW);
        assert_eq!(again, Ok(None));
        let again = put_rule(Some(&current()), draft("b"), Some(1), 1, NOW);
        assert_eq!(again, Ok(None));
    }

    #[test]
    fn an_expected_version_is_kept_to() {
        let put = |current: Option<&CurrentRule>, expected| {
            put_rule(current, draft("c"), Some(expected), 1, NOW).map(|_| ())
        };
        assert_eq!(put(Some(&current()), 0), Err(RuleRejection::Exists));
        let mismatch = RuleRejection::VersionMismatch {
            expected: 7,
            found: Version::FIRST,
        };
        assert_eq!(put(Some(&current()), 7), Err(mismatch.clone()));
        let missing = Err(RuleRejection::Missing { expected: 2 });
        assert_eq!(put(None, 2), missing);
        assert_eq!(put(Some(&deleted()), 2), missing, "deleted is not there");
        let delete = |current: Option<&CurrentRule>| delete_rule(current, Some(7), NOW);
        assert_eq!(delete(Some(&current())), Err(mismatch));
        assert_eq!(delete(Some(&deleted())), Err(RuleRejection::NotFound));
        assert_eq!(delete(None), Err(RuleRejection::NotFound));
    }

    #[test]
    fn only_a_new_rule_can_be_one_too_many() {
        let full = put_rule(None, draft("c"), None, 10_000, NOW);
        assert_eq!(full, Err(RuleRejection::TooMany));
        let full = put_rule(Some(&deleted()), draft("c"), None, 10_000, NOW);
        assert_eq!(full, Err(RuleRejection::TooMany));
        assert!(put_rule(Some(&current()), draft("c"), None, 10_000, NOW).is_ok());
        assert!(put_rule(None, draft("c"), None, 9_999, NOW).is_ok());
    }

    #[test]
    fn the_time_of_a_rule_never_goes_back() {
        let before = datetime!(2025-12-31 00:00 UTC);
        let changed = put_rule(Some(&current()), draft("c"), None, 1, before);
        assert_eq!(changed.expect("accepted").expect("changed").at, THEN);
        let gone = delete_rule(Some(&current()), None, before);
        assert_eq!(gone.expect("exists").at, THEN);
    }
}
