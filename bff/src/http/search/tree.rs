//! Reads filters as trees: `{"all": […]}`, `{"any": […]}`, `{"not": {…}}`, and as leaves
//! `{"field": "brand", "in": ["a", "b"]}` and `{"field": "price", "min": 10, "max": 20}`. Fields are named
//! like the parameters of a search. Invariant: the depth and the number of conditions are bounded.

use catalog_proto::v1;
use catalog_proto::v1::filter::Kind;
use serde_json::value::RawValue;

use crate::http::search::filter::{
    CROSSED, NO_TIME, PRICE, all, any, check_value, condition, filter, is_crossed, read_seconds,
};
use crate::json::raw;
use crate::problem::{FieldErrors, pointer, with_nearest};

const DEPTH_MAX: usize = 10;
const NODES_MAX: usize = 200;
const VALUES_MAX: usize = 200;
const MEMBERS: [&str; 8] = ["all", "any", "not", "field", "in", "min", "max", "below"];
/// The members of a condition that is made of others.
const COMBINING: [&str; 3] = ["all", "any", "not"];
const RANGES: [(&str, &str); 2] = [("price", PRICE), ("created_at", "created_at")];

/// Reads the filter at `place`; None where it is at fault.
pub(crate) fn read(value: &RawValue, place: &str, errors: &mut FieldErrors) -> Option<v1::Filter> {
    let mut nodes = NODES_MAX;
    node(value, place, DEPTH_MAX, &mut nodes, errors)
}

fn node(
    value: &RawValue,
    place: &str,
    depth: usize,
    nodes: &mut usize,
    errors: &mut FieldErrors,
) -> Option<v1::Filter> {
    if depth == 0 || *nodes == 0 {
        let detail =
            format!("a filter has at most {NODES_MAX} conditions, {DEPTH_MAX} levels deep");
        errors.push(place.to_owned(), detail);
        return None;
    }
    *nodes -= 1;
    let parents: Vec<&str> = place.split('/').skip(1).collect();
    let members = raw::members(value, &parents, errors);
    let below = |name: &str| format!("{place}{}", pointer(&[name]));
    match &members[..] {
        [(name, list)] if name == "all" || name == "any" => {
            let filters = children(list, &below(name), depth, nodes, errors)?;
            let list = v1::FilterList { filters };
            let kind = if name == "all" {
                Kind::All(list)
            } else {
                Kind::Any(list)
            };
            Some(filter(kind))
        }
        [(name, inner)] if name == "not" => {
            let inner = node(inner, &below(name), depth - 1, nodes, errors)?;
            Some(filter(Kind::Not(Box::new(inner))))
        }
        _ => {
            let unknown = members
                .iter()
                .find(|(name, _)| !MEMBERS.contains(&name.as_str()));
            if let Some((name, _)) = unknown {
                let detail = with_nearest(raw::UNKNOWN, name, &MEMBERS);
                errors.push(below(name), detail);
                return None;
            }
            let combines = |(name, _): &(String, &RawValue)| COMBINING.contains(&name.as_str());
            if members.iter().any(combines) {
                let detail = "must have one of all, any, not and field: put the others into an all beside it";
                errors.push(place.to_owned(), detail);
                return None;
            }
            leaf(&members, place, errors)
        }
    }
}

fn children(
    list: &RawValue,
    place: &str,
    depth: usize,
    nodes: &mut usize,
    errors: &mut FieldErrors,
) -> Option<Vec<v1::Filter>> {
    let Some(elements) = raw::elements(list).filter(|elements| !elements.is_empty()) else {
        errors.push(place.to_owned(), "must be an array of filters");
        return None;
    };
    let mut filters = Vec::with_capacity(elements.len().min(NODES_MAX));
    for (at, element) in elements.into_iter().enumerate() {
        filters.push(node(
            element,
            &format!("{place}/{at}"),
            depth - 1,
            nodes,
            errors,
        )?);
    }
    Some(filters)
}

fn leaf(
    members: &[(String, &RawValue)],
    place: &str,
    errors: &mut FieldErrors,
) -> Option<v1::Filter> {
    let value = |name: &str| {
        let found = members.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| *value)
    };
    let Some(field) = value("field").and_then(|field| raw::text(field).ok()) else {
        let detail = "must have one of all, any, not, and field";
        errors.push(place.to_owned(), detail);
        return None;
    };
    let mut conditions = Vec::new();
    if let Some(list) = value("in") {
        conditions.push(values(&field, list, place, errors)?);
    }
    let mut bound = |name: &str| -> Option<Option<f64>> {
        let Some(number) = value(name) else {
            return Some(None);
        };
        let number = number.get().trim_matches('"');
        let number = if field == "created_at" {
            read_seconds(number).ok_or(NO_TIME)
        } else {
            let number = number
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite());
            number.ok_or("must be a number")
        };
        errors.take(format!("{place}/{name}"), number).map(Some)
    };
    let (min, max, below) = (bound("min")?, bound("max")?, bound("below")?);
    if min.is_some() || max.is_some() || below.is_some() {
        let field = RANGES.iter().find(|(known, _)| *known == field);
        let field = field.map_or_else(
            || attribute(value("field")),
            |(_, upstream)| Some((*upstream).to_owned()),
        );
        let Some(field) = field else {
            let detail = "has no numbers: price, created_at and attr.NAME have";
            errors.push(format!("{place}/field"), detail);
            return None;
        };
        let range = v1::RangeFilter {
            field,
            min,
            max,
            below,
        };
        if is_crossed(&range) {
            errors.push(format!("{place}/min"), CROSSED);
            return None;
        }
        conditions.push(filter(Kind::Range(range)));
    }
    if conditions.is_empty() {
        errors.push(place.to_owned(), "must have one of in, min, max and below");
    }
    all(conditions)
}

/// The name of an attribute upstream, for `attr.NAME`.
fn attribute(field: Option<&RawValue>) -> Option<String> {
    let field = raw::text(field?).ok()?;
    let name = field
        .strip_prefix("attr.")
        .filter(|name| !name.is_empty())?;
    Some(format!("attributes.{name}"))
}

/// The condition that a field has any of the values.
fn values(
    field: &str,
    list: &RawValue,
    place: &str,
    errors: &mut FieldErrors,
) -> Option<v1::Filter> {
    let elements = raw::elements(list).filter(|list| (1..=VALUES_MAX).contains(&list.len()));
    let Some(elements) = elements else {
        let detail = format!("must be an array of 1 to {VALUES_MAX} values");
        errors.push(format!("{place}/in"), detail);
        return None;
    };
    let mut filters = Vec::with_capacity(elements.len());
    for (index, element) in elements.into_iter().enumerate() {
        let is_nested = element.get().starts_with(['{', '[', 'n']);
        let text = raw::text(element).or_else(|err| match element.get().as_bytes() {
            [b'"', ..] => Err(err.to_string()),
            _ if is_nested => Err("must be a string, a number or a boolean".to_owned()),
            _ => Ok(element.get().to_owned()),
        });
        let text = text.and_then(|text| check_value(field, &text).map(|()| text));
        let text = errors.take(format!("{place}/in/{index}"), text)?;
        let Some(one) = condition(field, &text) else {
            let detail = "is no field: there are brand, category, status, currency, price, created_at and attr.NAME";
            errors.push(format!("{place}/field"), detail);
            return None;
        };
        filters.push(one);
    }
    Some(any(filters))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::problem::Problem;

    fn told(filter: &Value) -> Option<String> {
        let text = filter.to_string();
        let value = raw::value(text.as_bytes()).expect("JSON");
        let mut errors = FieldErrors::default();
        let read = super::read(value, "/filter", &mut errors);
        assert_eq!(read.is_some(), errors.is_empty(), "{filter}");
        let problem = Problem::from(errors.finish().err()?).to_json();
        Some(problem["errors"][0]["pointer"].as_str()?.to_owned())
    }

    #[test]
    fn no_part_of_a_condition_is_left_out_silently() {
        let leaf = |brand: &str| json!({"field": "brand", "in": [brand]});
        assert_eq!(told(&json!({"any": [leaf("a"), leaf("b")]})), None);
        for (more, value) in [
            ("any", json!([leaf("b")])),
            ("all", json!([])),
            ("not", leaf("b")),
        ] {
            let mut both = leaf("a");
            both[more] = value;
            assert_eq!(told(&both).as_deref(), Some("/filter"), "{both}");
            let within = json!({"all": [both]});
            assert_eq!(told(&within).as_deref(), Some("/filter/all/0"), "{within}");
        }
        let two = json!({"any": [leaf("a")], "all": [leaf("b")]});
        assert_eq!(told(&two).as_deref(), Some("/filter"));
    }

    #[test]
    fn a_value_that_no_product_can_have_is_told() {
        let of = |field: &str, value: &str| json!({"field": field, "in": [value]});
        assert_eq!(told(&of("status", "Active")), None);
        assert_eq!(told(&of("currency", "eur")), None);
        assert_eq!(told(&of("status", "sold")).as_deref(), Some("/filter/in/0"));
        assert_eq!(
            told(&of("currency", "xyz")).as_deref(),
            Some("/filter/in/0")
        );
    }
}
