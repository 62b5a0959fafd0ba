//! Reads `facetFilters` and `numericFilters`: lists whose members must all hold, with lists of alternatives in them.

use catalog_proto::v1;
use catalog_proto::v1::filter::Kind;
use serde_json::Value;

use crate::http::search::filter::{PRICE, all, condition, filter, is_crossed};

const CONDITIONS_MAX: usize = 200;

/// What products must meet.
#[derive(Debug, Default)]
pub(super) struct Filters(Vec<v1::Filter>);

/// Reads one condition.
pub(super) type Reader = fn(&str) -> Result<v1::Filter, String>;

impl Filters {
    /// Adds what a parameter states: a condition, or a list of conditions and of lists of alternatives.
    pub(super) fn add(&mut self, stated: &Value, read: Reader) -> Result<(), String> {
        match stated {
            Value::Null => Ok(()),
            Value::String(text) if text.is_empty() => Ok(()),
            Value::String(text) => self.push(read(text)?),
            Value::Array(list) => {
                for one in list {
                    let condition = match one {
                        Value::String(text) => read(text)?,
                        Value::Array(alternatives) => any(alternatives, read)?,
                        _ => return Err(SHAPE.to_owned()),
                    };
                    self.push(condition)?;
                }
                Ok(())
            }
            _ => Err(SHAPE.to_owned()),
        }
    }

    fn push(&mut self, condition: v1::Filter) -> Result<(), String> {
        if self.0.len() == CONDITIONS_MAX {
            return Err(format!("has more than {CONDITIONS_MAX} conditions"));
        }
        self.0.push(condition);
        Ok(())
    }

    /// The filter, beside another one that holds too.
    pub(super) fn beside(&self, forced: Option<v1::Filter>) -> Option<v1::Filter> {
        let mut filters = self.0.clone();
        filters.extend(forced);
        all(filters)
    }
}

const SHAPE: &str = "must be conditions and lists of alternatives, such as [[\"brand:A\", \"brand:B\"], \"status:active\"]";

fn any(alternatives: &[Value], read: Reader) -> Result<v1::Filter, String> {
    if alternatives.is_empty() || alternatives.len() > CONDITIONS_MAX {
        return Err(format!(
            "has alternatives that are not 1 to {CONDITIONS_MAX}"
        ));
    }
    let filters: Result<Vec<v1::Filter>, String> = alternatives
        .iter()
        .map(|one| read(one.as_str().ok_or(SHAPE)?))
        .collect();
    Ok(filter(Kind::Any(v1::FilterList { filters: filters? })))
}

/// Reads `brand:Acme`, and `brand:-Acme` for all others. A minus that belongs to a value has a backslash before it.
pub(super) fn facet(stated: &str) -> Result<v1::Filter, String> {
    let (field, value) = stated
        .split_once(':')
        .filter(|(field, value)| !field.is_empty() && !value.is_empty())
        .ok_or_else(|| format!("{stated:?} is no condition: it is FIELD:VALUE"))?;
    let (value, is_not) = match value.strip_prefix('-') {
        Some(value) => (value, true),
        None => (
            value
                .strip_prefix('\\')
                .filter(|rest| rest.starts_with('-'))
                .unwrap_or(value),
            false,
        ),
    };
    let found = condition(&parameter(field), value)
        .ok_or_else(|| format!("{field:?} is no field: {FIELDS}"))?;
    Ok(if is_not {
        filter(Kind::Not(Box::new(found)))
    } else {
        found
    })
}

/// Reads `price<=10`, `price!=5` and `price:5 TO 10`.
pub(super) fn numeric(stated: &str) -> Result<v1::Filter, String> {
    let mistake =
        || format!("{stated:?} is no condition: it is FIELD <= NUMBER, or FIELD:NUMBER TO NUMBER");
    let number = |text: &str| {
        let number = text.trim().parse().ok();
        number
            .filter(|number: &f64| number.is_finite())
            .ok_or_else(mistake)
    };
    if let Some((field, range)) = stated.split_once(':') {
        let (min, max) = range.split_once(" TO ").ok_or_else(mistake)?;
        return bounds(field, (Some(number(min)?), Some(number(max)?)), None);
    }
    let at = stated.find(['<', '>', '=', '!']).ok_or_else(mistake)?;
    let (field, rest) = stated.split_at(at);
    let signs = rest
        .find(|sign: char| !"<>=!".contains(sign))
        .unwrap_or(rest.len());
    let (sign, value) = rest.split_at(signs);
    let value = number(value)?;
    match sign {
        ">=" => bounds(field, (Some(value), None), None),
        "<=" => bounds(field, (None, Some(value)), None),
        "<" => bounds(field, (None, None), Some(value)),
        "=" => bounds(field, (Some(value), Some(value)), None),
        ">" => not(bounds(field, (None, Some(value)), None)?, field),
        "!=" => Ok(filter(Kind::Not(Box::new(bounds(
            field,
            (Some(value), Some(value)),
            None,
        )?)))),
        _ => Err(mistake()),
    }
}

/// More than a bound is not at most the bound, of those that have a number at all.
fn not(at_most: v1::Filter, field: &str) -> Result<v1::Filter, String> {
    let has_number = bounds(field, (Some(f64::MIN), None), None)?;
    let filters = vec![has_number, filter(Kind::Not(Box::new(at_most)))];
    Ok(filter(Kind::All(v1::FilterList { filters })))
}

fn bounds(
    field: &str,
    (min, max): (Option<f64>, Option<f64>),
    below: Option<f64>,
) -> Result<v1::Filter, String> {
    let name = field.trim();
    let field = match name {
        "price" => PRICE.to_owned(),
        "created_at" => name.to_owned(),
        _ if name.starts_with("attributes.") => name.to_owned(),
        _ => {
            return Err(format!(
                "{name:?} has no numbers: price, created_at and attributes.NAME have"
            ));
        }
    };
    let range = v1::RangeFilter {
        field,
        min,
        max,
        below,
    };
    if is_crossed(&range) {
        return Err(format!("nothing lies between the bounds of {name}"));
    }
    Ok(filter(Kind::Range(range)))
}

const FIELDS: &str =
    "there are brand, category, status, currency, price, created_at and attributes.NAME";

/// The name of the parameter that states a condition on a field.
pub(super) fn parameter(field: &str) -> String {
    match field {
        "categories" => "category".to_owned(),
        _ => match field.strip_prefix("attributes.") {
            Some(name) => format!("attr.{name}"),
            None => field.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(stated: Value, read: Reader) -> Result<String, String> {
        let mut filters = Filters::default();
        filters.add(&stated, read)?;
        Ok(format!("{:?}", filters.beside(None)))
    }

    #[test]
    fn all_lists_hold_and_any_of_their_alternatives() {
        let found = shown(
            json!([
                ["brand:Acme", "brand:Bolt"],
                "attributes.colour:-red",
                "categories:A > B"
            ]),
            facet,
        )
        .expect("valid");
        for part in [
            "All(",
            "Any(",
            "\"Bolt\"",
            "Not(",
            "\"colour\"",
            "\"red\"",
            "\"category\"",
            "\"A > B\"",
        ] {
            assert!(found.contains(part), "{part}: {found}");
        }
        assert_eq!(shown(json!([]), facet).expect("valid"), "None");
        let minus = shown(json!("brand:\\-5"), facet).expect("valid");
        assert!(
            minus.contains("\"-5\"") && !minus.contains("Not("),
            "{minus}"
        );
        for bad in [
            json!(5),
            json!([5]),
            json!([[]]),
            json!("brand"),
            json!("colour:red"),
            json!("brand:"),
        ] {
            assert!(shown(bad.clone(), facet).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_are_compared() {
        let check = |stated: &str, parts: &[&str]| {
            let found = shown(json!(stated), numeric).expect(stated);
            for part in parts {
                assert!(found.contains(part), "{stated} {part}: {found}");
            }
        };
        check(
            "price>=10",
            &["price_major", "min: Some(10.0)", "max: None"],
        );
        check("price <= 10.5", &["max: Some(10.5)"]);
        check("price<3", &["below: Some(3.0)"]);
        check("price>3", &["Not(", "max: Some(3.0)"]);
        check(
            "attributes.width = 3",
            &["attributes.width", "min: Some(3.0)", "max: Some(3.0)"],
        );
        check("price != 3", &["Not("]);
        check("price:5 TO 10", &["min: Some(5.0)", "max: Some(10.0)"]);
        for bad in [
            "price",
            "price~1",
            "price>=x",
            "brand>1",
            "price:10 TO 5",
            "price>=",
            "price=>1",
        ] {
            assert!(shown(json!(bad), numeric).is_err(), "{bad}");
        }
    }
}
