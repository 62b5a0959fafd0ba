//! Reads filters and facets from query parameters. Parameters of one name are alternatives, and all
//! names must hold: `brand=a&brand=b&price_max=50` is (a or b) and at most 50.

use std::collections::BTreeMap;

use catalog_events::{Currency, Money};
use catalog_proto::v1;
use catalog_proto::v1::filter::Kind;

use crate::http::params::Query;
use crate::problem::{FieldErrors, Problem, pointer};

/// Answers None when the query has no parameter of a filter.
pub(super) fn read_filter(
    query: &Query,
    errors: &mut FieldErrors,
) -> Result<Option<v1::Filter>, Problem> {
    let mut parts = Parts::default();
    for (name, value) in query.pairs() {
        parts.read(name, value, errors);
    }
    let mut filters = parts.finish();
    filters.extend(read_price(query, errors)?);
    Ok(match filters.len() {
        0 | 1 => filters.pop(),
        _ => Some(filter(Kind::All(v1::FilterList { filters }))),
    })
}

#[derive(Default)]
struct Parts<'a> {
    /// The alternatives by the name of their parameter.
    alternatives: BTreeMap<&'a str, Vec<v1::Filter>>,
    /// The ranges by the name of their field.
    ranges: BTreeMap<String, v1::RangeFilter>,
}

impl<'a> Parts<'a> {
    fn read(&mut self, name: &'a str, value: &str, errors: &mut FieldErrors) {
        let plain = name.strip_prefix("not.").unwrap_or(name);
        match plain {
            "brand" | "status" => self.alternative(name, terms(plain, value)),
            "currency" => self.alternative(name, terms(plain, value)),
            "category" => {
                let levels = value.split('>').map(|level| level.trim().to_owned());
                let category = v1::CategoryFilter {
                    path: levels.collect(),
                };
                self.alternative(name, filter(Kind::Category(category)));
            }
            _ => {
                if let Some(attribute) = plain.strip_prefix("attr.") {
                    self.attribute(name, attribute, value, errors);
                }
            }
        }
    }

    fn alternative(&mut self, name: &'a str, filter: v1::Filter) {
        self.alternatives.entry(name).or_default().push(filter);
    }

    fn attribute(&mut self, name: &'a str, attribute: &str, value: &str, errors: &mut FieldErrors) {
        if let Some(attribute) = attribute.strip_suffix(".min") {
            self.range(attribute).min = bound(name, value, errors);
        } else if let Some(attribute) = attribute.strip_suffix(".max") {
            self.range(attribute).max = bound(name, value, errors);
        } else {
            self.attribute_value(name, attribute, value);
        }
    }

    fn range(&mut self, attribute: &str) -> &mut v1::RangeFilter {
        let field = format!("attributes.{attribute}");
        self.ranges.entry(field).or_default()
    }

    fn attribute_value(&mut self, name: &'a str, attribute: &str, value: &str) {
        let field = format!("attributes.{attribute}");
        let flag = |value| {
            filter(Kind::Flag(v1::FlagFilter {
                field: field.clone(),
                value,
            }))
        };
        // The attribute may also be a text that reads "true".
        match value {
            "true" => self.alternative(name, flag(true)),
            "false" => self.alternative(name, flag(false)),
            _ => {}
        }
        self.alternative(name, terms(&field, value));
    }

    fn finish(self) -> Vec<v1::Filter> {
        let alternatives = self.alternatives.into_iter().map(|(name, filters)| {
            let any = any(filters);
            if name.starts_with("not.") {
                filter(Kind::Not(Box::new(any)))
            } else {
                any
            }
        });
        let ranges = self
            .ranges
            .into_iter()
            .map(|(field, range)| filter(Kind::Range(v1::RangeFilter { field, ..range })));
        alternatives.chain(ranges).collect()
    }
}

/// Reads one end of a range. A range cannot be negated: clients give the one that is wanted.
fn bound(name: &str, value: &str, errors: &mut FieldErrors) -> Option<f64> {
    let number = value
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
        .ok_or("must be a number");
    let bound = errors.take(pointer(&[name]), number);
    if name.starts_with("not.") {
        errors.push(pointer(&[name]), "give the range that is wanted");
    }
    bound
}

/// Prices are compared in minor units, which depend on the currency: USD unless the query names one.
fn read_price(query: &Query, errors: &mut FieldErrors) -> Result<Option<v1::Filter>, Problem> {
    let (min, max) = (query.one("price_min")?, query.one("price_max")?);
    if min.is_none() && max.is_none() {
        return Ok(None);
    }
    let currency = query
        .all("currency")
        .last()
        .map_or(Ok(Currency::USD), str::parse);
    let Some(currency) = errors.take(pointer(&["currency"]), currency) else {
        return Ok(None);
    };
    let mut minor = |name: &str, major: Option<&str>| {
        let parsed = Money::parse(major?, currency);
        let money = errors.take(pointer(&[name]), parsed)?;
        Some(money.minor() as f64)
    };
    let range = v1::RangeFilter {
        field: "price".to_owned(),
        min: minor("price_min", min),
        max: minor("price_max", max),
    };
    Ok(Some(filter(Kind::Range(range))))
}

/// Reads `facets=brand,price:50,attributes.NAME`. The width of price buckets is in major units.
pub(super) fn read_facets(
    query: &Query,
    errors: &mut FieldErrors,
) -> Result<Vec<v1::FacetRequest>, Problem> {
    let Some(stated) = query.one("facets")? else {
        return Ok(Vec::new());
    };
    let currency = query
        .all("currency")
        .last()
        .and_then(|code| code.parse().ok());
    let decimals = currency.unwrap_or(Currency::USD).decimals();
    let stated = stated.split(',').filter(|facet| !facet.is_empty());
    let facets = stated.filter_map(|facet| {
        // A name may have a colon; what follows it is then no number.
        let (field, width) = facet
            .rsplit_once(':')
            .and_then(|(field, width)| Some((field, width.parse::<f64>().ok()?)))
            .unwrap_or((facet, 0.0));
        if !width.is_finite() || width < 0.0 {
            errors.push(
                pointer(&["facets"]),
                "the width of a bucket is a positive number",
            );
            return None;
        }
        let scale = if field == "price" {
            10_f64.powi(decimals as i32)
        } else {
            1.0
        };
        Some(v1::FacetRequest {
            field: field.to_owned(),
            size: if width > 0.0 { 100 } else { 0 },
            interval: width * scale,
        })
    });
    Ok(facets.collect())
}

fn terms(field: &str, value: &str) -> v1::Filter {
    filter(Kind::Terms(v1::TermsFilter {
        field: field.to_owned(),
        values: vec![value.to_owned()],
    }))
}

/// One filter that passes what any of `filters` passes. Texts of one field are joined in one filter,
/// since many of them may be given.
fn any(filters: Vec<v1::Filter>) -> v1::Filter {
    let mut joined: Vec<v1::Filter> = Vec::new();
    for one in filters {
        let last = joined.iter_mut().find_map(|known| match &mut known.kind {
            Some(Kind::Terms(terms)) => Some(terms),
            _ => None,
        });
        match (one.kind, last) {
            (Some(Kind::Terms(mut more)), Some(terms)) => terms.values.append(&mut more.values),
            (kind, _) => joined.push(v1::Filter { kind }),
        }
    }
    match joined.len() {
        1 => joined.remove(0),
        _ => filter(Kind::Any(v1::FilterList { filters: joined })),
    }
}

fn filter(kind: Kind) -> v1::Filter {
    v1::Filter { kind: Some(kind) }
}
