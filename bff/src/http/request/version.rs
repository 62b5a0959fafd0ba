//! Versions as entity tags (RFC 9110, §8.8.3): `"7"` stands for the product, or the search rule,
//! after its seventh change.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header::{IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};

use crate::problem::Problem;

pub(crate) fn etag(version: i64) -> HeaderValue {
    HeaderValue::try_from(format!("\"{version}\"")).unwrap_or(HeaderValue::from_static("\"0\""))
}

/// The condition of a write on the product's version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IfMatch {
    Absent,
    /// `*`: any version, which demands nothing.
    Any,
    Version(i64),
}

impl IfMatch {
    pub(crate) fn is_present(self) -> bool {
        self != IfMatch::Absent
    }

    pub(crate) fn version(self) -> Option<i64> {
        match self {
            IfMatch::Absent | IfMatch::Any => None,
            IfMatch::Version(version) => Some(version),
        }
    }

    /// Accepts one strong tag of ours or `*`: a list could not be passed on as one expected version.
    fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut values = headers.get_all(IF_MATCH).iter();
        let parsed = match (values.next(), values.next()) {
            (None, _) => return Ok(IfMatch::Absent),
            (Some(value), None) => match value.as_bytes() {
                b"*" => return Ok(IfMatch::Any),
                tag => version_of(tag),
            },
            (Some(_), Some(_)) => None,
        };
        let version = parsed.ok_or_else(|| {
            let detail = "If-Match is one ETag of this product, such as \"7\", or *";
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
        })?;
        Ok(IfMatch::Version(version))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::read(&parts.headers)
    }
}

/// The condition of a write that creates or replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PutCondition {
    Absent,
    /// `If-None-Match: *`: nothing is there.
    New,
    Version(i64),
}

impl PutCondition {
    /// The version as the write service takes it, where 0 means that nothing is there. The tag `"0"`
    /// is no version's tag, so it becomes one that is never reached.
    pub(crate) fn expected_version(self) -> Option<i64> {
        match self {
            PutCondition::Absent => None,
            PutCondition::New => Some(0),
            PutCondition::Version(0) => Some(i64::MAX),
            PutCondition::Version(version) => Some(version),
        }
    }

    /// Refuses `If-Match: *`: "something is there, whatever its version" cannot be passed on as one
    /// expected version.
    fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let unsupported = |detail| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail);
        let mut none_match = headers.get_all(IF_NONE_MATCH).iter();
        let is_new = match (none_match.next(), none_match.next()) {
            (None, _) => false,
            (Some(value), None) if value == "*" => true,
            _ => return Err(unsupported("If-None-Match of a write is *")),
        };
        match (is_new, IfMatch::read(headers)?) {
            (true, IfMatch::Absent) => Ok(PutCondition::New),
            (true, _) => Err(unsupported("If-Match and If-None-Match exclude each other")),
            (false, IfMatch::Absent) => Ok(PutCondition::Absent),
            (false, IfMatch::Version(version)) => Ok(PutCondition::Version(version)),
            (false, IfMatch::Any) => Err(unsupported("If-Match of this write is one ETag")),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PutCondition {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::read(&parts.headers)
    }
}

/// The tags of the versions that the client holds already. Tags that are not ours match nothing.
pub(crate) struct IfNoneMatch(Vec<HeaderValue>);

impl IfNoneMatch {
    pub(crate) fn holds(&self, version: i64) -> bool {
        self.holds_tag(&etag(version))
    }

    /// Whether one of the tags is this one; weak ones count too (RFC 9110, §13.1.2).
    pub(crate) fn holds_tag(&self, known: &HeaderValue) -> bool {
        let parts = self
            .0
            .iter()
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
        parts.map(<[u8]>::trim_ascii).any(|tag| {
            let strong = tag.strip_prefix(b"W/").unwrap_or(tag);
            tag == b"*" || strong == known.as_bytes()
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(
            parts
                .headers
                .get_all(IF_NONE_MATCH)
                .iter()
                .cloned()
                .collect(),
        ))
    }
}

fn version_of(tag: &[u8]) -> Option<i64> {
    let digits = tag.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let plain = digits.iter().all(u8::is_ascii_digit);
    str::from_utf8(digits).ok().filter(|_| plain)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: axum::http::HeaderName, values: &[&'static str]) -> HeaderMap {
        let value = |value: &&'static str| (name.clone(), HeaderValue::from_static(value));
        values.iter().map(value).collect()
    }

    #[test]
    fn if_match_is_one_version_or_any() {
        let read = |values: &[&'static str]| IfMatch::read(&headers(IF_MATCH, values)).ok();
        assert_eq!(read(&[]), Some(IfMatch::Absent));
        assert_eq!(read(&["*"]), Some(IfMatch::Any));
        assert_eq!(read(&["\"7\""]), Some(IfMatch::Version(7)));
        for bad in [
            "",
            "7",
            "\"\"",
            "\"-1\"",
            "\"+1\"",
            "\"x\"",
            "W/\"7\"",
            "\"1\", \"2\"",
        ] {
            assert_eq!(read(&[bad]), None, "{bad}");
        }
        assert_eq!(read(&["\"9223372036854775808\""]), None);
        assert_eq!(read(&["\"1\"", "\"1\""]), None);
    }

    #[test]
    fn a_put_demands_one_version_or_none_at_all() {
        let read = |pairs: &[(axum::http::HeaderName, &'static str)]| {
            let value = |value: &'static str| HeaderValue::from_static(value);
            let pairs = pairs.iter().map(|(name, text)| (name.clone(), value(text)));
            PutCondition::read(&pairs.collect()).ok()
        };
        assert_eq!(read(&[]), Some(PutCondition::Absent));
        assert_eq!(read(&[(IF_NONE_MATCH, "*")]), Some(PutCondition::New));
        let seven = read(&[(IF_MATCH, "\"7\"")]);
        assert_eq!(seven, Some(PutCondition::Version(7)));
        let zero = read(&[(IF_MATCH, "\"0\"")]).expect("a tag");
        assert_eq!(zero.expected_version(), Some(i64::MAX));
        for bad in [
            &[(IF_MATCH, "*")][..],
            &[(IF_MATCH, "7")],
            &[(IF_NONE_MATCH, "\"7\"")],
            &[(IF_MATCH, "\"7\""), (IF_NONE_MATCH, "*")],
        ] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn if_none_match_is_any_list() {
        let holds = |values: &[&'static str]| {
            let headers = headers(IF_NONE_MATCH, values);
            IfNoneMatch(headers.into_iter().map(|(_, value)| value).collect()).holds(7)
        };
        for yes in ["\"7\"", "W/\"7\"", "*", "\"x\" , \"7\"", "\"6\",W/\"7\""] {
            assert!(holds(&[yes]), "{yes}");
        }
        for no in ["", "7", "\"8\"", "\"x\"", ",,,"] {
            assert!(!holds(&[no]), "{no}");
        }
        assert!(holds(&["\"6\"", "\"7\""]));
        assert!(!holds(&[]));
    }
}
