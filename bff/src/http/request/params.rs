//! Parts of a request's head that handlers take: path, query string and caller.

use std::borrow::Cow;

use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use catalog_events::ProductId;
use percent_encoding::percent_decode_str;
use service_kit::TraceContext;

use crate::http::request::principal::principal_of;
use crate::problem::{FieldErrors, Problem, nearest, pointer};
use crate::upstream::{Actor, Caller};

/// The product id of the path. A text that cannot be an id is answered 404, like an unknown one.
pub(crate) struct ProductPath(pub(crate) ProductId);

impl<S: Send + Sync> FromRequestParts<S> for ProductPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let id = path.ok().and_then(|Path(id)| id.try_into().ok());
        id.map(Self).ok_or_else(Problem::product_not_found)
    }
}

/// The decoded pairs of the query string.
pub(crate) struct Query(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        if percent_decode_str(query).decode_utf8().is_err() {
            let detail = "The query string is not UTF-8";
            return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
        }
        Ok(Self::parse(query))
    }
}

impl Query {
    pub(crate) fn parse(query: &str) -> Self {
        Self(
            form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// The parameters that a body states.
    pub(crate) fn from_pairs(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    #[cfg(test)]
    pub(crate) fn of(name: &str, value: &str) -> Self {
        Self(vec![(name.to_owned(), value.to_owned())])
    }

    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(key, _)| key == name);
        named.map(|(_, value)| value.as_str())
    }

    /// Notes every parameter that is not one of `known`, with the nearest one that is. A known name that
    /// ends in a dot stands for all names that begin with it.
    pub(crate) fn check_names(&self, known: &[&str], errors: &mut FieldErrors) {
        for (name, _) in self.pairs() {
            let is_known = known.iter().any(|known| {
                if known.ends_with('.') {
                    has_rest(name, known)
                } else {
                    *known == name
                }
            });
            let place = pointer(&[name]);
            if !is_known && !errors.has(&place) {
                errors.push(place, unknown(name, known));
            }
        }
    }

    /// The value of a parameter that may be given once; a repetition is a 422.
    /// Fails where there is any parameter.
    pub(crate) fn check_none(&self) -> Result<(), FieldErrors> {
        let mut errors = FieldErrors::default();
        self.check_names(&[], &mut errors);
        errors.finish()
    }

    pub(crate) fn one<'a>(&'a self, name: &'a str) -> Result<Option<&'a str>, Problem> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(Problem::invalid_field(
                &format!("/{name}"),
                "is given twice",
            )),
        }
    }
}

fn has_rest(name: &str, beginning: &str) -> bool {
    name.strip_prefix(beginning)
        .is_some_and(|rest| !rest.is_empty())
}

/// Tells that there is no such parameter, and which one may have been meant.
fn unknown(name: &str, known: &[&str]) -> String {
    const ATTRIBUTES: &str = "attr.";
    let attribute = known.contains(&ATTRIBUTES).then(|| {
        let rest = name
            .strip_prefix("attributes.")
            .or(name.strip_prefix("attribute."));
        format!("{ATTRIBUTES}{}", rest.unwrap_or(name))
    });
    match (nearest(name, known), attribute) {
        (Some(near), _) if !near.ends_with('.') => {
            format!("is no parameter here: did you mean {near}?")
        }
        (_, Some(attribute)) => {
            format!("is no parameter here: an attribute is {attribute}")
        }
        _ => format!("is no parameter here: there are {}", known.join(", ")),
    }
}

/// A parameter that is `true` or `false`, which it is unless it is stated.
pub(crate) fn read_flag(
    query: &Query,
    name: &str,
    errors: &mut FieldErrors,
) -> Result<bool, Problem> {
    Ok(match query.one(name)? {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => {
            errors.push(format!("/{name}"), "must be true or false");
            false
        }
    })
}

/// The parameter `limit`, or `unless_told` where the query has none.
pub(crate) fn read_limit(
    query: &Query,
    unless_told: i32,
    max: i32,
    errors: &mut FieldErrors,
) -> Result<i32, Problem> {
    read_number(query, "limit", unless_told, max, errors)
}

/// A parameter from 1 to `max`, or `unless_told` where the query does not have it.
pub(crate) fn read_number(
    query: &Query,
    name: &str,
    unless_told: i32,
    max: i32,
    errors: &mut FieldErrors,
) -> Result<i32, Problem> {
    let stated = query.one(name)?;
    let number = stated
        .map_or(Some(unless_told), |number| number.parse().ok())
        .filter(|number| (1..=max).contains(number))
        .ok_or_else(|| format!("must be a whole number from 1 to {max}"));
    Ok(errors.take(format!("/{name}"), number).unwrap_or_default())
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let trace = parts.extensions.get::<TraceContext>().copied();
        Ok(Self {
            trace: trace.unwrap_or_else(TraceContext::fresh),
            actor: actor(parts)?,
        })
    }
}

/// Who writes: the key or the token, where one was sent. Only who needs no key says it in a header.
fn actor(parts: &Parts) -> Result<Option<Actor>, Problem> {
    let known = principal_of(parts).name().map(String::into_bytes);
    let stated = || {
        parts
            .headers
            .get("catalog-actor")
            .map(|header| header.as_bytes().to_vec())
    };
    let actor = known.or_else(stated).map(|name| Actor::try_from(&name[..]));
    actor.transpose().map_err(|err| {
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            Cow::Owned(err.to_string()),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_unknown(query: &str, known: &[&str], expected: &[(&str, &str)]) {
        let mut errors = FieldErrors::default();
        Query::parse(query).check_names(known, &mut errors);
        let found = errors.into_pairs();
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|(pointer, detail)| (pointer.as_str(), detail.as_str()))
            .collect();
        assert_eq!(found, expected, "{query}");
    }

    #[test]
    fn an_unknown_parameter_is_told_with_the_nearest() {
        let known = ["q", "price_min", "attr."];
        check_unknown("q=a&attr.a.b=1&price_min=2", &known, &[]);
        check_unknown(
            "min_price=1&priceMin=2&priceMin=3&attr.=x&attributes.colour=red&colour=red",
            &known,
            &[
                (
                    "/min_price",
                    "is no parameter here: did you mean price_min?",
                ),
                ("/priceMin", "is no parameter here: did you mean price_min?"),
                ("/attr.", "is no parameter here: an attribute is attr.attr."),
                (
                    "/attributes.colour",
                    "is no parameter here: an attribute is attr.colour",
                ),
                (
                    "/colour",
                    "is no parameter here: an attribute is attr.colour",
                ),
            ],
        );
        check_unknown(
            "id=1",
            &["ids"],
            &[("/id", "is no parameter here: did you mean ids?")],
        );
        check_unknown(
            "page=1",
            &["limit", "q"],
            &[("/page", "is no parameter here: there are limit, q")],
        );
    }

    #[test]
    fn decodes_what_can_be_decoded() {
        let query = Query::parse("ids=a&ids=%62+c&ids&x=%ff&y=%zz&&=");
        assert_eq!(query.all("ids").collect::<Vec<_>>(), ["a", "b c", ""]);
        assert_eq!(query.one("x").expect("one"), Some("\u{fffd}"));
        assert_eq!(query.one("y").expect("one"), Some("%zz"));
        assert_eq!(query.one("z").expect("none"), None);
        assert!(query.one("ids").is_err());
    }
}
