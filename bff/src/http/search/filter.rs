//! Reads filters from query parameters. Parameters of one name are alternatives, and all names must
//! hold: `brand=a&brand=b&price_max=50` is (a or b) and at most 50. Prices are in major units.

use std::collections::BTreeMap;
use std::fmt::Display;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use catalog_events::{Currency, Decimal};
use catalog_proto::v1;
use catalog_proto::v1::filter::Kind;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::http::request::params::Query;
use crate::http::request::principal::principal_of;
use crate::problem::{FieldErrors, Problem, pointer};

/// The parameters of a filter.
pub(crate) const PARAMETERS: [&str; 20] = [
    "brand",
    "status",
    "currency",
    "category",
    "price",
    "price_min",
    "price_max",
    "price_below",
    "created_at",
    "created_at_min",
    "created_at_max",
    "created_at_below",
    "attr.",
    "not.brand",
    "not.status",
    "not.currency",
    "not.category",
    "not.price",
    "not.created_at",
    "not.attr.",
];

const STATUSES: [&str; 2] = ["active", "discontinued"];
/// The name of the price in major units, in which the parameters state it.
pub(crate) const PRICE: &str = "price_major";

/// Answers None when the query has no parameter of a filter.
pub(crate) fn read_filter(
    query: &Query,
    errors: &mut FieldErrors,
) -> Result<Option<v1::Filter>, Problem> {
    let mut alternatives: BTreeMap<&str, Vec<v1::Filter>> = BTreeMap::new();
    for (name, value) in query.pairs() {
        let field = name.strip_prefix("not.").unwrap_or(name);
        errors.take(pointer(&[name]), check_value(field, value));
        if let Some(filter) = condition(field, value) {
            alternatives.entry(name).or_default().push(filter);
        }
    }
    let parts = alternatives.into_iter().map(|(name, filters)| {
        let any = any(filters);
        if name.starts_with("not.") {
            filter(Kind::Not(Box::new(any)))
        } else {
            any
        }
    });
    let mut filters: Vec<v1::Filter> = parts.collect();
    filters.extend(read_price(query, errors)?);
    filters.extend(read_created_at(query, errors)?);
    check_attributes(query, errors);
    Ok(all(filters))
}

/// The filter that passes what all of `filters` pass; None where there are none.
pub(crate) fn all(mut filters: Vec<v1::Filter>) -> Option<v1::Filter> {
    match filters.len() {
        0 | 1 => filters.pop(),
        _ => Some(filter(Kind::All(v1::FilterList { filters }))),
    }
}

/// The filter that every search of this caller is held to.
pub(crate) struct ForcedFilter(pub(crate) Option<v1::Filter>);

impl<S: Send + Sync> FromRequestParts<S> for ForcedFilter {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let forced = principal_of(parts).forced_filter();
        if forced.is_empty() {
            return Ok(Self(None));
        }
        let query = Query::parse(forced);
        let mut errors = FieldErrors::default();
        query.check_names(&PARAMETERS, &mut errors);
        let filter = read_filter(&query, &mut errors)?;
        // A key whose filter cannot be read must not see everything.
        match filter.filter(|_| errors.is_empty()) {
            Some(filter) => Ok(Self(Some(filter))),
            None => Err(Problem::new(
                StatusCode::FORBIDDEN,
                "The filter of the key cannot be read: make a new key",
            )),
        }
    }
}

/// What a filter that a key is held to has to be.
pub(crate) const FORCED_SYNTAX: &str =
    "must be the parameters of a filter, such as brand=Acme&attr.colour=red";

/// Checks a filter that a new key is to be held to; None leaves it free.
pub(crate) fn check_forced(forced: Option<&str>) -> Result<(), Problem> {
    let Some(forced) = forced else {
        return Ok(());
    };
    let query = Query::parse(forced);
    let mut errors = FieldErrors::default();
    query.check_names(&PARAMETERS, &mut errors);
    let filter = read_filter(&query, &mut errors);
    if errors.is_empty() && matches!(filter, Ok(Some(_))) {
        return Ok(());
    }
    Err(Problem::invalid_field("/forced_filter", FORCED_SYNTAX))
}

/// The filter that passes what both pass.
pub(crate) fn both(one: Option<v1::Filter>, other: Option<v1::Filter>) -> Option<v1::Filter> {
    all(one.into_iter().chain(other).collect())
}

/// Checks a value of a field whose values are known beforehand: another one would match nothing, silently.
pub(crate) fn check_value(field: &str, value: &str) -> Result<(), String> {
    match field {
        "status" if !STATUSES.contains(&value.to_ascii_lowercase().as_str()) => {
            Err(format!("must be {}", STATUSES.join(" or ")))
        }
        "currency" => match value.to_ascii_uppercase().parse::<Currency>() {
            Ok(_) => Ok(()),
            Err(err) => Err(err.to_string()),
        },
        _ => Ok(()),
    }
}

/// The condition that one parameter states; None where it is no value of a field.
pub(crate) fn condition(name: &str, value: &str) -> Option<v1::Filter> {
    match name {
        "brand" | "status" | "currency" | "category" | "created_at" => Some(terms(name, value)),
        "price" => Some(terms(PRICE, value)),
        _ => {
            let attribute = name.strip_prefix("attr.").filter(|name| !name.is_empty())?;
            Some(filter(Kind::Parameter(v1::ParameterFilter {
                name: attribute.to_owned(),
                values: vec![value.to_owned()],
            })))
        }
    }
}

/// Reads the bounds of prices: decimal numbers of major units of the currency that is asked for, or of
/// that of the catalog.
fn read_price(query: &Query, errors: &mut FieldErrors) -> Result<Option<v1::Filter>, Problem> {
    let amount = |stated: &str| {
        let decimal = stated.parse::<Decimal>();
        decimal.map(|decimal| decimal.to_string().parse().ok())
    };
    read_bounds(query, "price", PRICE, amount, errors)
}

/// Reads the bounds of the creation time.
fn read_created_at(query: &Query, errors: &mut FieldErrors) -> Result<Option<v1::Filter>, Problem> {
    let seconds = |stated: &str| read_seconds(stated).ok_or(NO_TIME).map(Some);
    read_bounds(query, "created_at", "created_at", seconds, errors)
}

/// What is wrong with a bound of times that is none.
pub(crate) const NO_TIME: &str =
    "must be a time such as 2026-01-31T12:00:00.5Z, or a number of seconds since 1970";

/// Reads a time as seconds since 1970, of which it may be the number.
pub(crate) fn read_seconds(stated: &str) -> Option<f64> {
    if let Ok(seconds) = stated.parse::<f64>() {
        return Some(seconds).filter(|seconds| seconds.is_finite());
    }
    // A plus that was not escaped has become a space, and no such time has one.
    let time = OffsetDateTime::parse(&stated.replace(' ', "+"), &Rfc3339).ok()?;
    let micros = time.unix_timestamp_nanos() / 1_000;
    Some(micros as f64 / 1e6)
}

/// Reads the bounds that the parameters `NAME_min`, `NAME_max` and `NAME_below` state of a field.
fn read_bounds<E: Display>(
    query: &Query,
    name: &str,
    field: &str,
    read: impl Fn(&str) -> Result<Option<f64>, E>,
    errors: &mut FieldErrors,
) -> Result<Option<v1::Filter>, Problem> {
    let mut bound = |end: &str| -> Result<Option<f64>, Problem> {
        let name = format!("{name}_{end}");
        let Some(stated) = query.one(&name)? else {
            return Ok(None);
        };
        Ok(errors.take(pointer(&[&name]), read(stated)).flatten())
    };
    let range = v1::RangeFilter {
        field: field.to_owned(),
        min: bound("min")?,
        max: bound("max")?,
        below: bound("below")?,
    };
    if is_crossed(&range) {
        errors.push(pointer(&[&format!("{name}_min")]), CROSSED);
    }
    let is_stated = range.min.is_some() || range.max.is_some() || range.below.is_some();
    Ok(is_stated.then(|| filter(Kind::Range(range))))
}

/// What is wrong with bounds that nothing lies between.
pub(crate) const CROSSED: &str = "is above the other bound: nothing lies between";

/// Whether nothing lies between the bounds.
pub(crate) fn is_crossed(range: &v1::RangeFilter) -> bool {
    let above = |other: Option<f64>| range.min.zip(other).is_some_and(|(min, max)| min > max);
    above(range.max)
        || range
            .min
            .zip(range.below)
            .is_some_and(|(min, below)| min >= below)
}

/// Notes attributes whose bounds exclude each other, where each is given once.
fn check_attributes(query: &Query, errors: &mut FieldErrors) {
    let stated = query.pairs().filter_map(|(name, _)| {
        let attribute = name.strip_prefix("attr.")?;
        attribute.strip_suffix(".min")
    });
    for name in stated {
        let bound = |end: &str| {
            let parameter = format!("attr.{name}.{end}");
            let mut values = query.all(&parameter);
            let only = values.next();
            only.filter(|_| values.next().is_none())?.parse().ok()
        };
        let range = v1::RangeFilter {
            field: String::new(),
            min: bound("min"),
            max: bound("max"),
            below: bound("below"),
        };
        let place = pointer(&[&format!("attr.{name}.min")]);
        if is_crossed(&range) && !errors.has(&place) {
            errors.push(place, CROSSED);
        }
    }
}

fn terms(field: &str, value: &str) -> v1::Filter {
    filter(Kind::Terms(v1::TermsFilter {
        field: field.to_owned(),
        values: vec![value.to_owned()],
    }))
}

/// One filter that passes what any of `filters` passes. They come from one field, so that they are of one kind:
/// their values are joined, since many of them may be given.
pub(crate) fn any(filters: Vec<v1::Filter>) -> v1::Filter {
    let joined = filters.into_iter().reduce(|mut joined, one| {
        match (&mut joined.kind, one.kind) {
            (Some(Kind::Terms(known)), Some(Kind::Terms(more))) => known.values.extend(more.values),
            (Some(Kind::Parameter(known)), Some(Kind::Parameter(more))) => {
                known.values.extend(more.values);
            }
            _ => {}
        }
        joined
    });
    joined.unwrap_or_default()
}

pub(crate) fn filter(kind: Kind) -> v1::Filter {
    v1::Filter { kind: Some(kind) }
}
