//! The JSON of search rules, in and out. The write service decides what a rule may be.

use catalog_events::{ActionForm, KindForm, RuleForm, RuleId, StoredRule};
use catalog_proto::v1;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::json::raw;
use crate::problem::{FieldErrors, Problem, pointer};

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
    let mut form = RuleForm {
        id: id.to_string(),
        kind: KindForm::Unknown,
        disabled: false,
        starts_at: None,
        ends_at: None,
        note: String::new(),
    };
    for (name, value) in raw::members(body, &[], &mut errors) {
        read_member(&mut form, &name, value, &mut errors);
    }
    if form.kind == KindForm::Unknown && !errors.has_below("/kind") {
        errors.push(pointer(&["kind"]), "is required");
    }
    errors.finish()?;
    Ok(form.into_message())
}

fn read_member(form: &mut RuleForm, name: &str, value: &RawValue, errors: &mut FieldErrors) {
    let place = pointer(&[name]);
    match name {
        "id" => match raw::text(value) {
            Ok(id) if id == form.id => {}
            Ok(_) => errors.push(place, "is not the id of the path: an id never changes"),
            Err(err) => errors.push(place, err),
        },
        "kind" => {
            if let Some(kind) = read_kind(value, errors) {
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
        _ => errors.push(place, raw::UNKNOWN),
    }
}

fn read_kind(value: &RawValue, errors: &mut FieldErrors) -> Option<KindForm> {
    if !value.get().starts_with('{') {
        errors.push(pointer(&["kind"]), "must be an object");
        return None;
    }
    match parse::<KindForm>(value) {
        Ok(kind) => Some(kind),
        Err(reason) => {
            let (place, reason) = at_action(value).unwrap_or((pointer(&["kind"]), reason));
            errors.push(place, reason);
            None
        }
    }
}

/// Pointer and reason of the first invalid action, if a mistake is in one of the actions.
fn at_action(kind: &RawValue) -> Option<(String, String)> {
    let mut ignored = FieldErrors::default();
    let members = raw::members(kind, &[], &mut ignored);
    let (_, actions) = members.into_iter().find(|(name, _)| name == "actions")?;
    let elements: Vec<&RawValue> = serde_json::from_str(actions.get()).ok()?;
    let mut numbered = elements.into_iter().enumerate();
    numbered.find_map(|(index, action)| {
        let reason = parse::<ActionForm>(action).err()?;
        Some((pointer(&["kind", "actions", &index.to_string()]), reason))
    })
}

fn parse<T: DeserializeOwned>(value: &RawValue) -> Result<T, String> {
    serde_json::from_str(value.get()).map_err(|err| {
        let text = err.to_string();
        // The parser counts lines and columns from the start of this value, not of the body.
        let place = text.rfind(" at line ");
        text[..place.unwrap_or(text.len())].to_owned()
    })
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
