//! Parses the filters and facets of a request. Errors name the place that is wrong.

use catalog_proto::v1;
use catalog_proto::v1::filter::Kind;

use crate::index::{FacetRequest, FieldName, Filter, PriceBounds, folded};

const NODES_MAX: usize = 1_000;
const DEPTH_MAX: usize = 16;
const VALUES_MAX: usize = 1_000;
const FACETS_MAX: usize = 50;
const FACET_SIZE: i32 = 10;
const FACET_SIZE_MAX: i32 = 1_000;
const CONTAINING_BYTES_MAX: usize = 200;

/// Where a request is wrong, for example `filter.all.filters[2].terms.field`, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub(crate) struct InvalidField {
    pub(crate) field: String,
    pub(crate) reason: String,
}

fn invalid(field: &str, reason: impl Into<String>) -> InvalidField {
    InvalidField {
        field: field.to_owned(),
        reason: reason.into(),
    }
}

/// Parses a filter, and checks its size and its fields.
pub(crate) fn parse_filter(filter: &v1::Filter) -> Result<Filter, InvalidField> {
    Parser { nodes: 0 }.filter(filter, "filter", 1)
}

struct Parser {
    /// How many filters have been seen, nested ones included.
    nodes: usize,
}

impl Parser {
    fn filter(
        &mut self,
        filter: &v1::Filter,
        place: &str,
        depth: usize,
    ) -> Result<Filter, InvalidField> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(invalid(
                "filter",
                format!("has more than {NODES_MAX} filters"),
            ));
        }
        if depth > DEPTH_MAX {
            return Err(invalid(
                place,
                format!("is more than {DEPTH_MAX} filters deep"),
            ));
        }
        let Some(kind) = &filter.kind else {
            return Err(invalid(
                place,
                "is empty, or of a kind that is not known here",
            ));
        };
        Ok(match kind {
            Kind::All(list) => Filter::All(self.list(list, &format!("{place}.all"), depth)?),
            Kind::Any(list) => Filter::Any(self.list(list, &format!("{place}.any"), depth)?),
            Kind::Not(part) => {
                let part = self.filter(part, &format!("{place}.not"), depth + 1)?;
                Filter::Not(Box::new(part))
            }
            Kind::Terms(terms) => self::terms(terms, &format!("{place}.terms"))?,
            Kind::Range(range) => self::range(range, &format!("{place}.range"))?,
            Kind::Parameter(named) => self::parameter(named, &format!("{place}.parameter"))?,
            Kind::Flag(flag) => self::flag(flag, &format!("{place}.flag"))?,
            Kind::Category(category) => self::category(category, &format!("{place}.category"))?,
            Kind::Exists(exists) => {
                Filter::Exists(field(&exists.field, &format!("{place}.exists.field"))?)
            }
        })
    }

    fn list(
        &mut self,
        list: &v1::FilterList,
        place: &str,
        depth: usize,
    ) -> Result<Vec<Filter>, InvalidField> {
        let parts = list.filters.iter().enumerate();
        parts
            .map(|(at, part)| self.filter(part, &format!("{place}.filters[{at}]"), depth + 1))
            .collect()
    }
}

fn terms(terms: &v1::TermsFilter, place: &str) -> Result<Filter, InvalidField> {
    let at = format!("{place}.field");
    let field = field(&terms.field, &at)?;
    Ok(Filter::Terms {
        field,
        folded: values(&terms.values, place)?,
    })
}

fn parameter(named: &v1::ParameterFilter, place: &str) -> Result<Filter, InvalidField> {
    if named.name.is_empty() {
        return Err(invalid(&format!("{place}.name"), "is empty"));
    }
    Ok(Filter::ByName {
        attribute: named.name.clone(),
        folded: values(&named.values, place)?,
    })
}

fn values(values: &[String], place: &str) -> Result<Vec<String>, InvalidField> {
    if values.len() > VALUES_MAX {
        let reason = format!("has more than {VALUES_MAX} values");
        return Err(invalid(&format!("{place}.values"), reason));
    }
    Ok(values.iter().map(|value| folded(value)).collect())
}

fn range(range: &v1::RangeFilter, place: &str) -> Result<Filter, InvalidField> {
    let at = format!("{place}.field");
    let field = field(&range.field, &at)?;
    if !field.has_numbers() {
        return Err(invalid(&at, "has no numbers"));
    }
    let bound = |name: &str, bound: Option<f64>, unset: f64| match bound {
        Some(bound) if bound.is_nan() => Err(invalid(&format!("{place}.{name}"), "is no number")),
        // Adding 0.0 makes 0.0 of -0.0, which would be less.
        bound => Ok(bound.unwrap_or(unset) + 0.0),
    };
    let min = bound("min", range.min, f64::NEG_INFINITY)?;
    let max = bound("max", range.max, f64::INFINITY)?;
    let below = bound("below", range.below, f64::INFINITY)?;
    if field.is_price() {
        return Ok(Filter::Price(PriceBounds {
            is_major: field == FieldName::PriceMajor,
            min,
            max,
            below,
        }));
    }
    let max = if below.is_finite() {
        max.min(field.before(below))
    } else {
        max
    };
    Ok(Filter::Range { field, min, max })
}

fn flag(flag: &v1::FlagFilter, place: &str) -> Result<Filter, InvalidField> {
    let at = format!("{place}.field");
    let field = field(&flag.field, &at)?;
    if !field.has_flags() {
        return Err(invalid(&at, "has no flags: only attributes do"));
    }
    Ok(Filter::Flag {
        field,
        value: flag.value,
    })
}

fn category(category: &v1::CategoryFilter, place: &str) -> Result<Filter, InvalidField> {
    let at = format!("{place}.path");
    match category.path.len() {
        1..=VALUES_MAX => Ok(Filter::Category(category.path.clone())),
        0 => Err(invalid(&at, "is empty")),
        _ => Err(invalid(&at, format!("has more than {VALUES_MAX} names"))),
    }
}

fn field(name: &str, place: &str) -> Result<FieldName, InvalidField> {
    let known = "brand, category, status, currency, price, price_major, created_at and \
                 attributes.NAME";
    FieldName::parse(name).ok_or_else(|| {
        invalid(
            place,
            format!("{name:?} is no field; the fields are {known}"),
        )
    })
}

/// Parses the facets of a request, and checks their number, fields and sizes.
pub(crate) fn parse_facets(facets: &[v1::FacetRequest]) -> Result<Vec<FacetRequest>, InvalidField> {
    if facets.len() > FACETS_MAX {
        return Err(invalid(
            "facets",
            format!("has more than {FACETS_MAX} entries"),
        ));
    }
    let facets = facets.iter().enumerate();
    facets
        .map(|(at, facet)| parse_facet(facet, &format!("facets[{at}]")))
        .collect()
}

fn parse_facet(facet: &v1::FacetRequest, place: &str) -> Result<FacetRequest, InvalidField> {
    let at = format!("{place}.field");
    let field = field(&facet.field, &at)?;
    let size = match facet.size {
        0 => FACET_SIZE,
        size @ 1..=FACET_SIZE_MAX => size,
        _ => {
            let reason = format!("is not within 0 and {FACET_SIZE_MAX}");
            return Err(invalid(&format!("{place}.size"), reason));
        }
    };
    let interval = (facet.interval != 0.0).then_some(facet.interval);
    if let Some(interval) = interval {
        let at_interval = format!("{place}.interval");
        if !(interval.is_finite() && interval > 0.0) {
            return Err(invalid(&at_interval, "is no positive number"));
        }
        if !field.has_numbers() {
            return Err(invalid(
                &at_interval,
                format!("{} has no numbers", facet.field),
            ));
        }
    }
    if facet.containing.len() > CONTAINING_BYTES_MAX {
        let reason = format!("has more than {CONTAINING_BYTES_MAX} bytes");
        return Err(invalid(&format!("{place}.containing"), reason));
    }
    Ok(FacetRequest {
        field,
        size: size.unsigned_abs() as usize,
        interval,
        containing: folded(&facet.containing),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: Kind) -> v1::Filter {
        v1::Filter { kind: Some(kind) }
    }

    fn list(filters: Vec<v1::Filter>) -> v1::FilterList {
        v1::FilterList { filters }
    }

    fn terms(field: &str, values: usize) -> v1::Filter {
        of(Kind::Terms(v1::TermsFilter {
            field: field.to_owned(),
            values: vec!["X".to_owned(); values],
        }))
    }

    fn range(field: &str, min: f64) -> v1::Filter {
        of(Kind::Range(v1::RangeFilter {
            field: field.to_owned(),
            min: Some(min),
            max: None,
            below: None,
        }))
    }

    fn nested(depth: usize) -> v1::Filter {
        match depth {
            1 => terms("brand", 1),
            depth => of(Kind::Not(Box::new(nested(depth - 1)))),
        }
    }

    #[test]
    fn what_is_within_the_bounds_is_taken() {
        for good in [
            nested(16),
            of(Kind::Any(list(vec![terms("brand", 1_000); 999]))),
            range("attributes.a.b\\c", f64::NEG_INFINITY),
            range("created_at", -0.0),
            terms("category", 0),
        ] {
            parse_filter(&good).expect("good");
        }
    }

    #[test]
    fn the_place_of_what_is_wrong_is_told() {
        let all = |filter| of(Kind::All(list(vec![terms("brand", 1), filter])));
        let deepest = format!("filter{}", ".not".repeat(16));
        for (bad, place) in [
            (v1::Filter::default(), "filter"),
            (nested(17), deepest.as_str()),
            (
                of(Kind::Any(list(vec![terms("brand", 1); 1_000]))),
                "filter",
            ),
            (all(terms("colour", 1)), "filter.all.filters[1].terms.field"),
            (
                of(Kind::Parameter(v1::ParameterFilter::default())),
                "filter.parameter.name",
            ),
            (
                all(terms("attributes.", 1)),
                "filter.all.filters[1].terms.field",
            ),
            (terms("brand", 1_001), "filter.terms.values"),
            (range("brand", 0.0), "filter.range.field"),
            (range("price", f64::NAN), "filter.range.min"),
            (
                of(Kind::Flag(v1::FlagFilter {
                    field: "status".to_owned(),
                    value: true,
                })),
                "filter.flag.field",
            ),
            (
                of(Kind::Category(v1::CategoryFilter::default())),
                "filter.category.path",
            ),
            (
                of(Kind::Exists(v1::ExistsFilter::default())),
                "filter.exists.field",
            ),
        ] {
            assert_eq!(parse_filter(&bad).expect_err("bad").field, place);
        }
    }

    #[test]
    fn facets_are_checked() {
        let facet = |field: &str, size, interval| v1::FacetRequest {
            field: field.to_owned(),
            size,
            interval,
            containing: String::new(),
        };
        let parsed = parse_facets(&[facet("price", 0, 50.0)]).expect("good");
        assert_eq!((parsed[0].size, parsed[0].interval), (10, Some(50.0)));
        for (bad, place) in [
            (facet("nothing", 0, 0.0), "facets[0].field"),
            (facet("brand", -1, 0.0), "facets[0].size"),
            (facet("brand", 1_001, 0.0), "facets[0].size"),
            (facet("brand", 1, 1.0), "facets[0].interval"),
            (facet("price", 1, -1.0), "facets[0].interval"),
            (facet("price", 1, f64::NAN), "facets[0].interval"),
            (facet("price", 1, f64::INFINITY), "facets[0].interval"),
        ] {
            assert_eq!(parse_facets(&[bad]).expect_err("bad").field, place);
        }
        assert!(parse_facets(&vec![facet("brand", 1, 0.0); 51]).is_err());
    }
}
