//! Which members the kinds and the actions of search rules have. Invariant: a mistake is told at the member
//! where it is, however deep that stands.

use serde_json::value::RawValue;

use crate::json::{number, raw};
use crate::problem::{FieldErrors, pointer, with_nearest};

/// What a member holds.
enum Shape {
    Text,
    Texts,
    Number,
    Whole,
    OneOf(&'static [&'static str]),
    Target,
    Actions,
}

/// A name, what stands under it, and whether it has to be there.
type Member = (&'static str, Shape, bool);

const KINDS: [(&str, &[Member]); 4] = [
    ("synonyms", &[("terms", Shape::Texts, true)]),
    (
        "one_way_synonyms",
        &[("from", Shape::Text, true), ("to", Shape::Texts, true)],
    ),
    ("distinct", &[("terms", Shape::Texts, true)]),
    (
        "curation",
        &[
            ("queries", Shape::Texts, false),
            ("matching", Shape::OneOf(&["exact", "contains"]), false),
            ("actions", Shape::Actions, true),
        ],
    ),
];
const ACTIONS: [(&str, &[Member]); 5] = [
    (
        "pin",
        &[
            ("product_id", Shape::Text, true),
            ("position", Shape::Whole, true),
        ],
    ),
    ("hide", &[("target", Shape::Target, true)]),
    (
        "boost",
        &[
            ("target", Shape::Target, true),
            ("factor", Shape::Number, true),
        ],
    ),
    (
        "bury",
        &[
            ("target", Shape::Target, true),
            ("factor", Shape::Number, true),
        ],
    ),
    ("redirect", &[("url", Shape::Text, true)]),
];
const TARGET: &[Member] = &[
    ("product_ids", Shape::Texts, false),
    ("brand", Shape::Text, false),
    ("category", Shape::Texts, false),
];

/// Notes what is no kind of a rule at `place`.
pub(super) fn check_kind(value: &RawValue, place: &[&str], errors: &mut FieldErrors) {
    check_tagged(value, place, "type", &KINDS, errors);
}

/// Checks an object in which one member says what others there are.
fn check_tagged(
    value: &RawValue,
    place: &[&str],
    tag: &str,
    known: &[(&str, &[Member])],
    errors: &mut FieldErrors,
) {
    let Some(mut members) = object(value, place, errors) else {
        return;
    };
    let stated = members.iter().position(|(name, _)| name == tag);
    let stated = stated.map(|at| members.remove(at).1);
    let name = stated.and_then(|name| raw::text(name).ok());
    let found = known
        .iter()
        .find(|(known, _)| Some(*known) == name.as_deref());
    match found {
        Some((_, shape)) => check_members(members, shape, &[tag], place, errors),
        None => {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            let detail = format!("must be {}", any_of(&names));
            errors.push(pointer(&[place, &[tag]].concat()), detail);
        }
    }
}

fn check_members(
    members: raw::Members<'_>,
    shape: &[Member],
    tags: &[&str],
    place: &[&str],
    errors: &mut FieldErrors,
) {
    let known = shape.iter().map(|(name, ..)| *name);
    let known: Vec<&str> = tags.iter().copied().chain(known).collect();
    for (name, _, is_required) in shape {
        if *is_required && !members.iter().any(|(stated, _)| stated == name) {
            errors.push(pointer(&[place, &[name]].concat()), "is required");
        }
    }
    for (name, value) in members {
        let place = [place, &[&name]].concat();
        match shape.iter().find(|(known, ..)| *known == name) {
            Some((_, shape, _)) => check_value(value, shape, &place, errors),
            None => errors.push(pointer(&place), with_nearest(raw::UNKNOWN, &name, &known)),
        }
    }
}

fn check_value(value: &RawValue, shape: &Shape, place: &[&str], errors: &mut FieldErrors) {
    match shape {
        Shape::Text => {
            errors.take(pointer(place), raw::text(value));
        }
        Shape::Texts if raw::is_null(value) => errors.push(pointer(place), raw::WrongKind::Texts),
        Shape::Texts => {
            raw::texts_or_null(value, place, errors);
        }
        Shape::Number => {
            let number = serde_json::from_str::<f64>(value.get());
            errors.take(pointer(place), number.map_err(|_| "must be a number"));
        }
        Shape::Whole => {
            let whole = number::whole(value).and_then(|number| i32::try_from(number).ok());
            errors.take(pointer(place), whole.ok_or("must be a whole number"));
        }
        Shape::OneOf(words) => {
            if !raw::text(value).is_ok_and(|text| words.contains(&text.as_str())) {
                errors.push(pointer(place), format!("must be {}", any_of(words)));
            }
        }
        Shape::Target => {
            if let Some(members) = object(value, place, errors) {
                check_members(members, TARGET, &[], place, errors);
            }
        }
        Shape::Actions => {
            let Some(actions) = raw::elements(value) else {
                return errors.push(pointer(place), "must be an array of actions");
            };
            for (index, action) in actions.into_iter().enumerate() {
                if errors.is_full() {
                    break;
                }
                let index = index.to_string();
                let place = [place, &[&index]].concat();
                check_tagged(action, &place, "action", &ACTIONS, errors);
            }
        }
    }
}

fn object<'a>(
    value: &'a RawValue,
    place: &[&str],
    errors: &mut FieldErrors,
) -> Option<raw::Members<'a>> {
    if value.get().starts_with('{') {
        return Some(raw::members(value, place, errors));
    }
    errors.push(pointer(place), raw::WrongKind::Object);
    None
}

/// The words as a sentence lists them: `pin, hide or boost`.
fn any_of(words: &[&str]) -> String {
    match words {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        words => words.concat(),
    }
}
