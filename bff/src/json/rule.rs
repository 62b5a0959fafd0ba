//! The JSON of search rules, in and out. The write service decides what a rule may be.

mod shape;

use catalog_events::{KindForm, RuleForm, RuleId, StoredRule};
use catalog_proto::v1;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::json::raw;
use crate::problem::{FieldErrors, Problem, pointer, with_nearest};

const MEMBERS: [&str; 6] = ["id", "kind", "disabled", "starts_at", "ends_at", "note"];

/// A page of rules.
#[derive(Serialize)]
pub(crate) struct RulesJson {
    items: Vec<StoredRule>,
    next_page_token: Option<String>,
}

impl RulesJson {
    pub(crate) fn of(answer: v1::ListSearchRulesResponse) -> Self {
        Self {
            items: answer.rules.into_iter().map(StoredRule::from).collect(),
            next_page_token: Some(answer.next_page_token).filter(|token| !token.is_empty()),
        }
    }
}

/// Reads the body of `PUT /api/search-rules/{id}`. It may repeat the id.
pub(crate) fn read(body: &RawValue, id: &RuleId) -> Result<v1::SearchRule, Problem> {
    let mut errors = FieldErrors::default();
    let form = read_form(body, Some(id), &[], &mut errors);
    errors.finish()?;
    Ok(form.into_message())
}

/// Reads a rule at `place` of a body that is about more, with an id of its own.
pub(crate) fn read_draft(
    value: &RawValue,
    place: &[&str],
    errors: &mut FieldErrors,
) -> v1::SearchRule {
    read_form(value, None, place, errors).into_message()
}

fn read_form(
    value: &RawValue,
    id: Option<&RuleId>,
    place: &[&str],
    errors: &mut FieldErrors,
) -> RuleForm {
    let mut form = RuleForm {
        id: id.map_or(String::new(), ToString::to_string),
        kind: KindForm::Unknown,
        disabled: false,
        starts_at: None,
        ends_at: None,
        note: String::new(),
    };
    for (name, value) in raw::members(value, place, errors) {
        if name == "id" {
            let stated = errors.take(at(place, "id"), raw::text(value));
            match (stated, id) {
                (Some(stated), Some(id)) if stated != id.as_str() => {
                    let detail = "is not the id of the path: an id never changes";
                    errors.push(at(place, "id"), detail);
                }
                (Some(stated), None) => form.id = stated,
                _ => {}
            }
        } else {
            read_member(&mut form, &name, value, place, errors);
        }
    }
    let kind = at(place, "kind");
    if form.kind == KindForm::Unknown && !errors.has_below(&kind) {
        errors.push(kind, "is required");
    }
    form
}

fn read_member(
    form: &mut RuleForm,
    name: &str,
    value: &RawValue,
    parents: &[&str],
    errors: &mut FieldErrors,
) {
    let place = at(parents, name);
    match name {
        "kind" => {
            if let Some(kind) = read_kind(value, parents, errors) {
                form.kind = kind;
            }
        }
        "disabled" => match value.get() {
            "true" => form.disabled = true,
            "false" => form.disabled = false,
            _ => errors.push(place, "must be true or false"),
        },
        "starts_at" => form.starts_at = errors.take(place, raw::time_or_null(value)).flatten(),
        "ends_at" => form.ends_at = errors.take(place, raw::time_or_null(value)).flatten(),
        "note" => {
            let note = errors.take(place, raw::text_or_null(value));
            form.note = note.unwrap_or_default();
        }
        _ => errors.push(place, with_nearest(raw::UNKNOWN, name, &MEMBERS)),
    }
}

/// Reads what a rule says. The check of its shape comes first, for a parser tells no places.
fn read_kind(value: &RawValue, parents: &[&str], errors: &mut FieldErrors) -> Option<KindForm> {
    let place = at(parents, "kind");
    shape::check_kind(value, &[parents, &["kind"]].concat(), errors);
    if errors.has_below(&place) {
        return None;
    }
    errors.take(place, serde_json::from_str(value.get()))
}

fn at(parents: &[&str], name: &str) -> String {
    pointer(&[parents, &[name]].concat())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::OffsetDateTime;

    use super::*;

    fn read(body: serde_json::Value) -> Result<v1::SearchRule, Problem> {
        let body = body.to_string();
        super::read(
            raw::value(body.as_bytes()).expect("JSON"),
            &"r-1".parse().expect("id"),
        )
    }

    #[test]
    fn a_body_becomes_a_rule() {
        let kind = json!({"type": "curation", "actions": [{"action": "redirect", "url": "/a"}]});
        let message = read(
            json!({"id": "r-1", "kind": kind, "disabled": true, "note": null,
                               "starts_at": "2026-01-31T08:00:00+01:00", "ends_at": null}),
        );
        let rule = RuleForm::from(message.expect("valid"));
        let starts_at = rule.starts_at.map(OffsetDateTime::unix_timestamp);
        assert_eq!((rule.disabled, starts_at), (true, Some(1_769_842_800)));
        assert_eq!(
            serde_json::to_value(&rule.kind).expect("json")["type"],
            "curation"
        );
    }
}
