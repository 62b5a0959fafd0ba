//! Holds all search rules up to a position of their log. Invariant: the higher version of a rule
//! wins; a deletion leaves its version behind as a tombstone, which no older event can revive.

use std::collections::BTreeMap;
use std::sync::Arc;

use catalog_events::{Position, RuleEvent, RuleId, SearchRule, Version};

#[derive(Clone, Debug, Default)]
pub(crate) struct RuleBook {
    position: Position,
    rules: BTreeMap<RuleId, Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    version: Version,
    /// None when the rule is deleted.
    rule: Option<Arc<SearchRule>>,
}

impl RuleBook {
    /// Applies the event at `position`; None stands for one that cannot be read.
    pub(crate) fn apply(&mut self, position: Position, event: Option<RuleEvent>) {
        self.position = position;
        let Some(event) = event else {
            return;
        };
        let known = self.rules.get(&event.rule_id);
        if known.is_some_and(|known| known.version >= event.version) {
            return;
        }
        let entry = Entry {
            version: event.version,
            rule: event.rule.map(Arc::new),
        };
        self.rules.insert(event.rule_id, entry);
    }

    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// The rules that exist, by id.
    pub(crate) fn rules(&self) -> impl Iterator<Item = (&Arc<SearchRule>, Version)> {
        let entries = self.rules.values();
        entries.filter_map(|entry| Some((entry.rule.as_ref()?, entry.version)))
    }

    pub(crate) fn len(&self) -> usize {
        self.rules().count()
    }
}

#[cfg(test)]
mod tests {
    use catalog_events::RuleKind;
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;

    fn event(version: i64, note: Option<&str>) -> RuleEvent {
        let at = datetime!(2026-01-02 03:04:05 UTC);
        let rule = |note: &str| SearchRule {
            id: "r".parse().expect("id"),
            kind: RuleKind::Unknown,
            disabled: false,
            starts_at: None,
            ends_at: None,
            note: note.to_owned(),
            created_at: at,
            updated_at: at,
        };
        RuleEvent {
            event_id: Uuid::nil(),
            position: Position(1),
            rule_id: "r".parse().expect("id"),
            version: Version::new(version).expect("version"),
            occurred_at: at,
            actor: "test".to_owned(),
            traceparent: None,
            rule: note.map(rule),
        }
    }

    #[test]
    fn the_higher_version_wins_and_deletions_stay() {
        let mut book = RuleBook::default();
        let mut check = |event: Option<RuleEvent>, notes: &[&str]| {
            let position = book.position().next();
            book.apply(position, event);
            let found: Vec<&str> = book.rules().map(|(rule, _)| rule.note.as_str()).collect();
            assert_eq!((found.as_slice(), book.position()), (notes, position));
            assert_eq!(book.len(), notes.len());
        };
        check(Some(event(2, Some("two"))), &["two"]);
        check(Some(event(1, Some("one"))), &["two"]);
        check(Some(event(2, Some("again"))), &["two"]);
        check(None, &["two"]);
        check(Some(event(3, None)), &[]);
        check(Some(event(2, Some("two"))), &[]);
        check(Some(event(4, Some("four"))), &["four"]);
    }
}
