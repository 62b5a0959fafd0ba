//! Checked search rules. As for products, what passes here is accepted for good, and every mistake is
//! reported. Fields are named as in the JSON of a rule; those below `kind` are named without it.

use std::collections::HashSet;

use catalog_events::{
    ActionForm, Curation, CurationAction, KindForm, ProductId, RuleForm, RuleId, RuleKind,
    RuleTarget, SearchRule, TargetForm,
};
use time::OffsetDateTime;

use crate::domain::Violation;
use crate::domain::check::{Check, is_clean_url, is_web_url, trimmed};

const TERMS_MAX: usize = 50;
const TERM_CHARS_MAX: usize = 100;
const TERM_WORDS_MAX: usize = 8;
const QUERIES_MAX: usize = 100;
const QUERY_BYTES_MAX: usize = 200;
const ACTIONS_MAX: usize = 100;
const PIN_POSITION_MAX: i32 = 100;
const FACTOR_MAX: f64 = 100.0;
const TARGET_PRODUCTS_MAX: usize = 1_000;
const BRAND_CHARS_MAX: usize = 200;
const CATEGORIES_MAX: usize = 20;
const CATEGORY_CHARS_MAX: usize = 200;
const REDIRECT_BYTES_MAX: usize = 2_000;
const NOTE_CHARS_MAX: usize = 1_000;
/// The most bytes that a rule has as JSON: its event must fit into one message of a broker with its stock
/// limit.
const RULE_BYTES_MAX: usize = 512 * 1024;

/// A checked rule.
///
/// Invariant: every field is within its bounds; only the times of the service are missing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RuleDraft {
    pub(crate) id: RuleId,
    kind: RuleKind,
    disabled: bool,
    starts_at: Option<OffsetDateTime>,
    ends_at: Option<OffsetDateTime>,
    note: String,
}

impl RuleDraft {
    pub(crate) fn parse(form: RuleForm) -> Result<Self, Vec<Violation>> {
        let mut check = Check::default();
        check.rule_size(&form);
        let id = check.result("id", form.id.parse::<RuleId>());
        let kind = check.kind(form.kind);
        if let (Some(start), Some(end)) = (form.starts_at, form.ends_at)
            && end <= start
        {
            check.fail("ends_at", "is not after starts_at");
        }
        let note = check.prose("note", form.note, NOTE_CHARS_MAX);
        match id {
            Some(id) if check.violations.is_empty() => Ok(Self {
                id,
                kind,
                disabled: form.disabled,
                starts_at: form.starts_at,
                ends_at: form.ends_at,
                note,
            }),
            _ => Err(check.violations),
        }
    }

    pub(crate) fn into_rule(
        self,
        created_at: OffsetDateTime,
        updated_at: OffsetDateTime,
    ) -> SearchRule {
        SearchRule {
            id: self.id,
            kind: self.kind,
            disabled: self.disabled,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            note: self.note,
            created_at,
            updated_at,
        }
    }
}

/// What the earlier actions of the rule do, so that nothing is done twice.
#[derive(Default)]
struct Seen {
    pinned: HashSet<ProductId>,
    places: HashSet<i32>,
    redirect: bool,
}

impl Check {
    fn rule_size(&mut self, form: &RuleForm) {
        // What cannot be written as JSON is at fault elsewhere.
        let bytes = serde_json::to_vec(form).map_or(0, |json| json.len());
        if bytes > RULE_BYTES_MAX {
            self.fail("", format!("is larger than {RULE_BYTES_MAX} bytes"));
        }
    }

    fn kind(&mut self, kind: KindForm) -> RuleKind {
        match kind {
            KindForm::Synonyms { terms } => RuleKind::Synonyms {
                terms: self.terms("terms", terms, 2),
            },
            KindForm::OneWaySynonyms { from, to } => {
                let from = self.term("from", from);
                let to = self.terms("to", to, 1);
                if let Some(index) = to.iter().position(|term| same_words(term, &from)) {
                    self.fail(format!("to[{index}]"), "is the term of from");
                }
                RuleKind::OneWaySynonyms { from, to }
            }
            KindForm::Distinct { terms } => RuleKind::Distinct {
                terms: self.terms("terms", terms, 2),
            },
            KindForm::Curation {
                queries,
                matching,
                actions,
            } => RuleKind::Curation(Curation {
                queries: self.queries(queries),
                matching,
                actions: self.actions(actions),
            }),
            KindForm::Unknown => {
                self.fail("kind", "is missing");
                RuleKind::Unknown
            }
        }
    }

    fn terms(&mut self, field: &str, terms: Vec<String>, min: usize) -> Vec<String> {
        if !self.count(field, terms.len(), min, TERMS_MAX) {
            return Vec::new();
        }
        let mut checked: Vec<String> = Vec::with_capacity(terms.len());
        for (index, term) in terms.into_iter().enumerate() {
            let field = format!("{field}[{index}]");
            let term = self.term(&field, term);
            let earlier = checked.iter().find(|earlier| same_words(earlier, &term));
            match earlier.filter(|_| !term.is_empty()) {
                Some(earlier) if *earlier == term => self.fail(field, "is given twice"),
                Some(earlier) => {
                    let reason = format!(
                        "is {earlier:?} once more: letter case and spaces make no other word"
                    );
                    self.fail(field, reason);
                }
                None => {}
            }
            checked.push(term);
        }
        checked
    }

    fn term(&mut self, field: &str, term: String) -> String {
        let term = self.required(field, term, TERM_CHARS_MAX);
        if term.split_whitespace().count() > TERM_WORDS_MAX {
            self.fail(field, format!("has more than {TERM_WORDS_MAX} words"));
        }
        term
    }

    fn queries(&mut self, queries: Vec<String>) -> Vec<String> {
        if !self.count("queries", queries.len(), 0, QUERIES_MAX) {
            return Vec::new();
        }
        let queries = queries.into_iter().enumerate();
        queries
            .map(|(index, query)| {
                let field = format!("queries[{index}]");
                if query.len() > QUERY_BYTES_MAX {
                    let reason = format!("is longer than {QUERY_BYTES_MAX} bytes");
                    self.fail(field.as_str(), reason);
                }
                self.required(&field, query, QUERY_BYTES_MAX)
            })
            .collect()
    }

    fn actions(&mut self, actions: Vec<ActionForm>) -> Vec<CurationAction> {
        if !self.count("actions", actions.len(), 1, ACTIONS_MAX) {
            return Vec::new();
        }
        let mut seen = Seen::default();
        let actions = actions.into_iter().enumerate();
        actions
            .filter_map(|(index, action)| {
                let field = format!("actions[{index}]");
                self.action(&field, action, &mut seen)
            })
            .collect()
    }

    /// The checked action; none where it is at fault.
    fn action(
        &mut self,
        field: &str,
        action: ActionForm,
        seen: &mut Seen,
    ) -> Option<CurationAction> {
        match action {
            ActionForm::Pin {
                product_id,
                position,
            } => self.pin(field, &product_id, position, seen),
            ActionForm::Hide { target } => Some(CurationAction::Hide {
                target: self.target(field, target),
            }),
            ActionForm::Boost { target, factor } => {
                self.factor(field, factor);
                Some(CurationAction::Boost {
                    target: self.target(field, target),
                    factor,
                })
            }
            ActionForm::Bury { target, factor } => {
                self.factor(field, factor);
                Some(CurationAction::Bury {
                    target: self.target(field, target),
                    factor,
                })
            }
            ActionForm::Redirect { url } => {
                if std::mem::replace(&mut seen.redirect, true) {
                    self.fail(field, "is a second redirect");
                }
                let url = self.redirect_url(&format!("{field}.url"), url);
                Some(CurationAction::Redirect { url })
            }
            ActionForm::Unknown => {
                self.fail(field, "says nothing to do");
                None
            }
        }
    }

    fn pin(
        &mut self,
        field: &str,
        product_id: &str,
        position: i32,
        seen: &mut Seen,
    ) -> Option<CurationAction> {
        let (id_field, position_field) =
            (format!("{field}.product_id"), format!("{field}.position"));
        let product_id = self.result(&id_field, product_id.parse::<ProductId>());
        if let Some(id) = &product_id
            && !seen.pinned.insert(id.clone())
        {
            self.fail(id_field, "is pinned twice");
        }
        if !(1..=PIN_POSITION_MAX).contains(&position) {
            self.fail(
                position_field,
                format!("is not from 1 to {PIN_POSITION_MAX}"),
            );
        } else if !seen.places.insert(position) {
            self.fail(position_field, "is taken by another pin");
        }
        Some(CurationAction::Pin {
            product_id: product_id?,
            position: u32::try_from(position).ok()?,
        })
    }

    fn factor(&mut self, field: &str, factor: f64) {
        // Not a number is in no range.
        if !(factor > 1.0 && factor <= FACTOR_MAX) {
            let reason = format!("is not more than 1 and at most {FACTOR_MAX}");
            self.fail(format!("{field}.factor"), reason);
        }
    }

    fn target(&mut self, field: &str, target: TargetForm) -> RuleTarget {
        let field = format!("{field}.target");
        let ids = format!("{field}.product_ids");
        if !self.count(&ids, target.product_ids.len(), 0, TARGET_PRODUCTS_MAX) {
            return RuleTarget::default();
        }
        let product_ids = self.product_ids(&ids, target.product_ids);
        let brand = self.optional(&format!("{field}.brand"), target.brand, BRAND_CHARS_MAX);
        let levels = format!("{field}.category");
        if !self.count(&levels, target.category.len(), 0, CATEGORIES_MAX) {
            return RuleTarget::default();
        }
        let category = self.category(&levels, target.category);
        if product_ids.is_empty() && brand.is_none() && category.is_empty() {
            self.fail(field, "names no products, brand or category");
        }
        RuleTarget {
            product_ids,
            brand,
            category,
        }
    }

    fn product_ids(&mut self, field: &str, ids: Vec<String>) -> Vec<ProductId> {
        let mut checked = Vec::with_capacity(ids.len());
        for (index, id) in ids.into_iter().enumerate() {
            match id.parse::<ProductId>() {
                Ok(id) => checked.push(id),
                Err(err) => self.fail(format!("{field}[{index}]"), err.to_string()),
            }
        }
        checked
    }

    fn category(&mut self, field: &str, levels: Vec<String>) -> Vec<String> {
        let levels = levels.into_iter().enumerate();
        levels
            .map(|(index, level)| {
                let field = format!("{field}[{index}]");
                self.required(&field, level, CATEGORY_CHARS_MAX)
            })
            .collect()
    }

    /// Checks where a redirect leads. A second slash, or a backslash that browsers read as one, would lead
    /// to another host.
    fn redirect_url(&mut self, field: &str, url: String) -> String {
        let url = trimmed(url);
        let is_path = url.starts_with('/') && !url.starts_with("//") && is_clean_url(&url);
        if !is_path && !is_web_url(&url) {
            let reason = "is not an http or https URL, nor a path that begins with one slash";
            self.fail(field, reason);
        }
        if url.len() > REDIRECT_BYTES_MAX {
            let reason = format!("is longer than {REDIRECT_BYTES_MAX} bytes");
            self.fail(field, reason);
        }
        url
    }

    fn count(&mut self, field: &str, count: usize, min: usize, max: usize) -> bool {
        let within = (min..=max).contains(&count);
        if !within {
            let reason = match min {
                0 => format!("has more than {max} entries"),
                min => format!("has not {min} to {max} entries"),
            };
            self.fail(field, reason);
        }
        within
    }
}

/// Whether a search takes both for the same words: it looks at neither letter case nor the number of spaces.
fn same_words(one: &str, other: &str) -> bool {
    let words = |text: &str| {
        let words = text.split_whitespace().map(str::to_lowercase);
        words.collect::<Vec<_>>()
    };
    words(one) == words(other)
}

#[cfg(test)]
mod tests;
