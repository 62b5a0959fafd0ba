//! Parts of a request's head that handlers take: path, query string and caller.

use std::borrow::Cow;
use std::convert::Infallible;

use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use catalog_events::ProductId;
use service_kit::TraceContext;

use crate::problem::{FieldErrors, Problem, pointer, with_nearest};
use crate::upstream::{Actor, Caller};

/// The product id of the path. A text that cannot be an id is answered 404, like an unknown one.
pub(super) struct ProductPath(pub(super) ProductId);

impl<S: Send + Sync> FromRequestParts<S> for ProductPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let id = path.ok().and_then(|Path(id)| id.try_into().ok());
        id.map(Self).ok_or_else(Problem::product_not_found)
    }
}

/// The decoded pairs of the query string. Bytes that are not UTF-8 are replaced.
pub(super) struct Query(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

impl Query {
    fn parse(query: &str) -> Self {
        Self(
            form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(key, _)| key == name);
        named.map(|(_, value)| value.as_str())
    }

    /// Notes every parameter that is not one of `known`.
    pub(super) fn only(&self, known: &[&'static str], errors: &mut FieldErrors) {
        for (name, _) in self.pairs().filter(|(name, _)| !known.contains(name)) {
            let detail = with_nearest("is not a parameter of this request", name, known);
            errors.push(pointer(&[name]), detail);
        }
    }

    /// The value of a parameter that may be given once; a repetition is a 422.
    pub(super) fn one<'a>(&'a self, name: &'a str) -> Result<Option<&'a str>, Problem> {
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

/// The parameter `limit`, or `unless_told` where the query has none.
pub(super) fn read_limit(
    query: &Query,
    unless_told: i32,
    max: i32,
    errors: &mut FieldErrors,
) -> Result<i32, Problem> {
    read_number(query, "limit", unless_told, max, errors)
}

/// A parameter from 1 to `max`, or `unless_told` where the query does not have it.
pub(super) fn read_number(
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
        let actor = parts.headers.get("catalog-actor").map(|header| {
            Actor::try_from(header.as_bytes()).map_err(|err| {
                Problem::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    Cow::Owned(err.to_string()),
                )
            })
        });
        Ok(Self {
            trace: trace.unwrap_or_else(TraceContext::fresh),
            actor: actor.transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
