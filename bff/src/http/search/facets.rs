//! Reads the facets that a search asks for. `facets=brand,price:50,attributes.colour:size=20:q=blu,auto`
//! names fields, each perhaps with options behind colons; the parameter may be repeated. A backslash
//! takes the meaning from the comma or colon behind it, which may be part of a name.

use catalog_proto::v1;

use crate::http::request::params::Query;
use crate::http::search::filter::PRICE;
use crate::problem::{FieldErrors, pointer};

/// How many facets the catalog chooses for `auto`.
const AUTO: i32 = 10;
const SIZE_MAX: i32 = 1_000;
/// How many buckets of numbers are listed unless told.
const BUCKETS: i32 = 100;
/// The fields without numbers: a plain number behind them is how many values to list.
const TEXT_FIELDS: [&str; 4] = ["brand", "category", "status", "currency"];

/// The facets that a query asks for.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Facets {
    pub(crate) asked: Vec<v1::FacetRequest>,
    /// How many more the catalog chooses.
    pub(crate) auto: i32,
}

pub(crate) fn read_facets(query: &Query, errors: &mut FieldErrors) -> Facets {
    let mut facets = Facets::default();
    for stated in query.all("facets").flat_map(|list| split(list, ',')) {
        match stated.as_str() {
            "" => {}
            "auto" => facets.auto = AUTO,
            stated => {
                let facet = errors.take(pointer(&["facets"]), read_facet(stated));
                facets.asked.extend(facet);
            }
        }
    }
    facets
}

/// Reads one facet. What is behind a colon and is no option belongs to the name.
fn read_facet(stated: &str) -> Result<v1::FacetRequest, String> {
    let mut parts = split(stated, ':');
    let mut facet = v1::FacetRequest::default();
    while parts.len() > 1 {
        let Some(option) = parts.pop() else { break };
        let is_text = parts.len() == 1 && TEXT_FIELDS.contains(&parts[0].as_str());
        if let Some(size) = option.strip_prefix("size=") {
            facet.size = read_size(size)?;
        } else if let Some(part) = option.strip_prefix("q=") {
            facet.containing = unescaped(part);
        } else if let (Ok(_), true) = (option.parse::<f64>(), is_text) {
            facet.size = read_size(&option)?;
        } else if let Ok(width) = option.parse::<f64>() {
            if !width.is_finite() || width < 0.0 {
                return Err("the width of a bucket is a positive number".to_owned());
            }
            facet.interval = width;
        } else {
            parts.push(option);
            break;
        }
    }
    if facet.interval > 0.0 && facet.size == 0 {
        facet.size = BUCKETS;
    }
    let name = unescaped(&parts.join(":"));
    facet.field = if name == "price" {
        PRICE.to_owned()
    } else {
        name
    };
    Ok(facet)
}

fn read_size(text: &str) -> Result<i32, String> {
    let size = text
        .parse()
        .ok()
        .filter(|size| (1..=SIZE_MAX).contains(size));
    size.ok_or_else(|| format!("the size of a facet is a whole number from 1 to {SIZE_MAX}"))
}

/// Splits a text at a sign that no backslash precedes. Backslashes stay.
fn split(text: &str, at: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut signs = text.chars();
    while let Some(sign) = signs.next() {
        if sign == at {
            parts.push(String::new());
            continue;
        }
        if let Some(part) = parts.last_mut() {
            part.push(sign);
            if sign == '\\' {
                part.extend(signs.next());
            }
        }
    }
    parts
}

/// Removes the backslashes before commas, colons and backslashes. Others stay.
fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        match signs.peek() {
            Some(next @ (',' | ':' | '\\')) if sign == '\\' => {
                plain.push(*next);
                signs.next();
            }
            _ => plain.push(sign),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stated: &str, expected: &[(&str, i32, f64, &str)]) {
        let mut errors = FieldErrors::default();
        let facets = read_facets(&Query::of("facets", stated), &mut errors);
        assert!(errors.is_empty(), "{stated}: {errors:?}");
        let found: Vec<(&str, i32, f64, &str)> = facets
            .asked
            .iter()
            .map(|one| {
                (
                    one.field.as_str(),
                    one.size,
                    one.interval,
                    one.containing.as_str(),
                )
            })
            .collect();
        assert_eq!(found, expected, "{stated}");
    }

    #[test]
    fn names_and_options_are_told_apart() {
        check("", &[]);
        check(
            "brand,,status",
            &[("brand", 0, 0.0, ""), ("status", 0, 0.0, "")],
        );
        check("price:50", &[("price_major", 100, 50.0, "")]);
        check("price:50:size=5", &[("price_major", 5, 50.0, "")]);
        check("brand:20", &[("brand", 20, 0.0, "")]);
        check("brand:size=20:q=len", &[("brand", 20, 0.0, "len")]);
        check("attributes.a:b", &[("attributes.a:b", 0, 0.0, "")]);
        check("attributes.a:size=3", &[("attributes.a", 3, 0.0, "")]);
        check(
            "attributes.a\\:size=3",
            &[("attributes.a:size=3", 0, 0.0, "")],
        );
        check(
            "attributes.w, h:5",
            &[("attributes.w", 0, 0.0, ""), (" h", 100, 5.0, "")],
        );
        check("attributes.w\\, h:5", &[("attributes.w, h", 100, 5.0, "")]);
        check("attributes.a\\b", &[("attributes.a\\b", 0, 0.0, "")]);
        check("brand:q=a\\,b", &[("brand", 0, 0.0, "a,b")]);
        check("auto", &[]);
    }

    #[test]
    fn wrong_options_are_told() {
        for stated in [
            "price:-1",
            "price:inf",
            "brand:0",
            "brand:size=x",
            "brand:size=1001",
        ] {
            let mut errors = FieldErrors::default();
            read_facets(&Query::of("facets", stated), &mut errors);
            assert!(errors.has("/facets"), "{stated}");
        }
    }
}
