//! Shows a rule in one line, for people.

use catalog_events::{ActionForm, KindForm, QueryMatch, StoredRule, TargetForm};
use client_kit::output;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Prints a rule: one line for people, or one JSON object.
pub(super) fn show(rule: &StoredRule, json: bool) -> anyhow::Result<()> {
    if json {
        output::json(rule)
    } else {
        Ok(output::line(&line(rule))?)
    }
}

fn line(rule: &StoredRule) -> String {
    let form = &rule.form;
    let time = |at: OffsetDateTime| at.format(&Rfc3339).unwrap_or_default();
    let starts = form.starts_at.map(|at| format!("from {}", time(at)));
    let ends = form.ends_at.map(|at| format!("until {}", time(at)));
    let disabled = form.disabled.then(|| "disabled".to_owned());
    let notes: Vec<String> = [disabled, starts, ends].into_iter().flatten().collect();
    let in_brackets = match notes.as_slice() {
        [] => String::new(),
        notes => format!("  ({})", notes.join(", ")),
    };
    output::plain(&format!("{}  {}{in_brackets}", form.id, kind(&form.kind)))
}

fn kind(kind: &KindForm) -> String {
    match kind {
        KindForm::Synonyms { terms } => terms.join(" = "),
        KindForm::Distinct { terms } => terms.join(" \u{2260} "),
        KindForm::OneWaySynonyms { from, to } => format!("{from} -> {}", to.join(", ")),
        KindForm::Curation {
            queries,
            matching,
            actions,
        } => {
            let quoted: Vec<String> = queries.iter().map(|query| format!("{query:?}")).collect();
            let queries = match (quoted.as_slice(), matching) {
                ([], _) => "every query".to_owned(),
                (quoted, QueryMatch::Exact) => quoted.join(", "),
                (quoted, QueryMatch::Contains) => format!("with {}", quoted.join(", ")),
            };
            let actions: Vec<String> = actions.iter().map(action).collect();
            format!("{queries}: {}", actions.join("; "))
        }
        KindForm::Unknown => "of a kind that this release does not know".to_owned(),
    }
}

fn action(action: &ActionForm) -> String {
    match action {
        ActionForm::Pin {
            product_id,
            position,
        } => format!("pin {product_id} at {position}"),
        ActionForm::Hide { target } => format!("hide {}", self::target(target)),
        ActionForm::Boost { target, factor } => {
            format!("boost {} by {factor}", self::target(target))
        }
        ActionForm::Bury { target, factor } => format!("bury {} by {factor}", self::target(target)),
        ActionForm::Redirect { url } => format!("redirect to {url}"),
        ActionForm::Unknown => "something that this release does not know".to_owned(),
    }
}

fn target(target: &TargetForm) -> String {
    let products = match target.product_ids.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        many => Some(format!("{} products", many.len())),
    };
    let brand = (!target.brand.is_empty()).then(|| format!("brand {}", target.brand));
    let levels = target.category.join(" > ");
    let category = (!target.category.is_empty()).then(|| format!("category {levels}"));
    let parts: Vec<String> = [products, brand, category].into_iter().flatten().collect();
    parts.join(" or ")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::{Value, json};

    use super::*;

    fn rule(id: &str, form: Value) -> StoredRule {
        StoredRule {
            form: serde_json::from_value(form).expect(id),
            version: 1,
            created_at: None,
            updated_at: None,
        }
    }

    #[test]
    fn a_rule_is_one_line_without_control_characters() {
        let forms = [
            json!({"id": "s", "kind": {"type": "synonyms", "terms": ["tv", "tele\u{1b}vision"]},
                   "disabled": true}),
            json!({"id": "o", "kind": {"type": "one_way_synonyms", "from": "mouse",
                   "to": ["trackball", "touchpad"]}, "ends_at": "2026-01-31T08:00:00Z"}),
            json!({"id": "d", "kind": {"type": "distinct", "terms": ["tablet", "pad"]}}),
            json!({"id": "c", "kind": {"type": "curation", "queries": ["desk lamp", "lamp"],
                   "matching": "contains", "actions": [
                {"action": "pin", "product_id": "p-1", "position": 1},
                {"action": "hide", "target": {"product_ids": ["a", "b"], "brand": "Fjell"}},
                {"action": "boost", "target": {"category": ["Home", "Lamps"]}, "factor": 1.5},
                {"action": "bury", "target": {"product_ids": ["p-2"]}, "factor": 4.0},
                {"action": "redirect", "url": "/lamps"},
            ]}}),
            json!({"id": "e", "kind": {"type": "curation", "actions": [
                {"action": "redirect", "url": "/"}]}}),
        ];
        let lines = forms.map(|form| line(&rule("rule", form))).join("\n");
        expect![[r#"
            s  tv = television  (disabled)
            o  mouse -> trackball, touchpad  (until 2026-01-31T08:00:00Z)
            d  tablet ≠ pad
            c  with "desk lamp", "lamp": pin p-1 at 1; hide 2 products or brand Fjell; boost category Home > Lamps by 1.5; bury p-2 by 4; redirect to /lamps
            e  every query: redirect to /"#]]
        .assert_eq(&lines);
    }
}
