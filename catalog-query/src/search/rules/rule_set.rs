//! The search rules that searches follow. They are compiled together and replaced as a whole, so
//! that no search sees a part of a change.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use catalog_events::{RuleId, RuleKind, SearchRule, Version};
use time::OffsetDateTime;

use crate::index::Language;
use crate::search::rules::curation::Curations;
use crate::search::rules::synonyms::{SynonymRule, Synonyms};

/// Where searches read the present rules.
pub(crate) type RulesHandle = Arc<ArcSwap<RuleSet>>;

/// The rules that are followed at one time, ready to be looked up.
#[derive(Debug, Default)]
pub(crate) struct RuleSet {
    pub(crate) synonyms: Synonyms,
    pub(crate) curations: Curations,
    language: Language,
    /// The rules that this was made of.
    sources: Vec<(Arc<SearchRule>, Version)>,
    active: usize,
    next_change: Option<OffsetDateTime>,
}

impl RuleSet {
    /// Compiles those of `rules` that are followed at `now`; they come in the order of their ids.
    pub(crate) fn compile<'a>(
        language: Language,
        rules: impl IntoIterator<Item = (&'a Arc<SearchRule>, Version)>,
        now: OffsetDateTime,
    ) -> Self {
        let mut set = Self {
            curations: Curations::new(language),
            language,
            ..Self::default()
        };
        let mut synonyms = Vec::new();
        for (rule, version) in rules {
            set.sources.push((Arc::clone(rule), version));
            let boundaries = [rule.starts_at, rule.ends_at].into_iter().flatten();
            let next = boundaries.filter(|at| *at > now && !rule.disabled).min();
            set.next_change = set.next_change.into_iter().chain(next).min();
            if !rule.is_active(now) {
                continue;
            }
            match &rule.kind {
                RuleKind::Synonyms { terms } => synonyms.push(SynonymRule::TwoWay(terms.clone())),
                RuleKind::OneWaySynonyms { from, to } => synonyms.push(SynonymRule::OneWay {
                    from: from.clone(),
                    to: to.clone(),
                }),
                RuleKind::Distinct { terms } => synonyms.push(SynonymRule::Distinct(terms.clone())),
                RuleKind::Curation(curation) => set.curations.add(&rule.id, version, curation),
                RuleKind::Unknown => continue,
            }
            set.active += 1;
        }
        set.synonyms = Synonyms::new(language, synonyms);
        set
    }

    /// The set with rules that are tried out, each in place of the one with its id.
    pub(crate) fn with_drafts(&self, drafts: &[Arc<SearchRule>], now: OffsetDateTime) -> Self {
        let mut rules: BTreeMap<&RuleId, (&Arc<SearchRule>, Version)> = BTreeMap::new();
        for (rule, version) in &self.sources {
            rules.insert(&rule.id, (rule, *version));
        }
        for draft in drafts {
            let before = rules.get(&draft.id).map(|(_, version)| *version);
            let version = before.unwrap_or(Version::FIRST);
            rules.insert(&draft.id, (draft, version));
        }
        Self::compile(self.language, rules.into_values(), now)
    }

    /// How many rules are followed.
    pub(crate) fn active(&self) -> usize {
        self.active
    }

    /// The next time at which a rule begins or ends, if no rule is changed before.
    pub(crate) fn next_change(&self) -> Option<OffsetDateTime> {
        self.next_change
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn rule(id: &str, kind: RuleKind) -> SearchRule {
        let at = datetime!(2026-01-02 03:04:05 UTC);
        SearchRule {
            id: id.parse().expect("id"),
            kind,
            disabled: false,
            starts_at: None,
            ends_at: None,
            note: String::new(),
            created_at: at,
            updated_at: at,
        }
    }

    #[test]
    fn rules_are_followed_between_their_dates() {
        let synonyms = || RuleKind::Synonyms {
            terms: vec!["laptop".to_owned(), "notebook".to_owned()],
        };
        let (start, end) = (
            datetime!(2026-03-01 00:00 UTC),
            datetime!(2026-03-02 00:00 UTC),
        );
        let dated = SearchRule {
            starts_at: Some(start),
            ends_at: Some(end),
            ..rule("dated", synonyms())
        };
        let disabled = SearchRule {
            disabled: true,
            starts_at: Some(datetime!(2026-02-01 00:00 UTC)),
            ..rule("disabled", synonyms())
        };
        let unknown = rule("unknown", RuleKind::Unknown);
        let rules = [dated, disabled, unknown].map(Arc::new);
        let check = |now, active, next| {
            let versions = rules.iter().map(|rule| (rule, Version::FIRST));
            let set = RuleSet::compile(Language::default(), versions, now);
            assert_eq!((set.active(), set.next_change()), (active, next), "{now}");
            assert_eq!(set.synonyms.find(&["laptop"]).len(), active, "{now}");
        };
        check(datetime!(2026-01-01 00:00 UTC), 0, Some(start));
        check(start, 1, Some(end));
        check(end, 0, None);
    }

    #[test]
    fn a_draft_takes_the_place_of_the_rule_with_its_id() {
        let terms = |terms: [&str; 2]| RuleKind::Synonyms {
            terms: terms.map(str::to_owned).to_vec(),
        };
        let stated = [
            rule("a", terms(["sofa", "couch"])),
            rule("b", terms(["laptop", "notebook"])),
        ]
        .map(Arc::new);
        let now = datetime!(2026-01-01 00:00 UTC);
        let versions = stated.iter().map(|rule| (rule, Version::FIRST));
        let set = RuleSet::compile(Language::default(), versions, now);
        let drafts = [
            rule("b", terms(["laptop", "portable"])),
            rule("c", terms(["lamp", "light"])),
        ]
        .map(Arc::new);
        let tried = set.with_drafts(&drafts, now);
        let found = |set: &RuleSet, word: &str| -> Vec<String> {
            let found = set.synonyms.find(&[word]);
            let synonyms = found.iter().flat_map(|found| found.synonyms);
            synonyms.map(|one| one.text.clone()).collect()
        };
        assert_eq!(found(&tried, "sofa"), ["couch"]);
        assert_eq!(found(&tried, "laptop"), ["portable"]);
        assert_eq!(found(&tried, "lamp"), ["light"]);
        assert_eq!(found(&set, "laptop"), ["notebook"]);
        assert_eq!((set.active(), tried.active()), (2, 3));
    }
}
