//! Versions as entity tags (RFC 9110, §8.8.3): `"7"` stands for the product, or the search rule,
//! after its seventh change.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header::{IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};

use crate::http::answer::entity_tags::unpacked;
use crate::problem::Problem;

pub(crate) fn etag(version: i64) -> HeaderValue {
    HeaderValue::try_from(format!("\"{version}\"")).unwrap_or(HeaderValue::from_static("\"0\""))
}

/// The condition of a write on the version of what it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum IfMatch {
    Absent,
    /// `*`: any version, which demands nothing.
    Any,
    /// Strong tags of ours among those of the list. Weak ones never match (RFC 9110, §13.1.1), and tags
    /// that are not ours are of nothing here: without any, the condition cannot hold.
    OneOf(Vec<i64>),
}

impl IfMatch {
    pub(crate) fn is_present(&self) -> bool {
        *self != IfMatch::Absent
    }

    /// Returns the version to expect; `current` tells the version that is stored, and is only asked where
    /// the list has several.
    pub(crate) async fn expected<E>(
        &self,
        current: impl Future<Output = Result<i64, E>>,
    ) -> Result<Option<i64>, Unmet<E>> {
        match self {
            IfMatch::Absent | IfMatch::Any => Ok(None),
            IfMatch::OneOf(versions) => match versions[..] {
                [] => Err(Unmet::Never),
                // 0 is no version's tag, and says something else to the write service.
                [0] => Err(Unmet::Never),
                [version] => Ok(Some(version)),
                _ => {
                    let current = current.await.map_err(Unmet::Unknown)?;
                    let known = versions.contains(&current);
                    known.then_some(Some(current)).ok_or(Unmet::Never)
                }
            },
        }
    }

    fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let values = headers.get_all(IF_MATCH);
        if values.iter().next().is_none() {
            return Ok(IfMatch::Absent);
        }
        let tags = tags(values.iter()).ok_or_else(|| {
            let detail = "If-Match is * or a list of ETags in quotes, such as \"7\"";
            Problem::new(StatusCode::BAD_REQUEST, detail)
        })?;
        Ok(match tags {
            Tags::Any => IfMatch::Any,
            Tags::List(tags) => {
                let strong = tags.iter().filter(|tag| !tag.is_weak);
                IfMatch::OneOf(strong.filter_map(|tag| version_of(&tag.opaque)).collect())
            }
        })
    }
}

/// Why there is no version to expect.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unmet<E> {
    /// None of the tags is that of the stored version.
    Never,
    /// The stored version could not be found out.
    Unknown(E),
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    /// A change of what is there cannot be made on the condition that it is not (RFC 9110, §13.1.2).
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut none_match = parts.headers.get_all(IF_NONE_MATCH).iter();
        match none_match.next().map(|value| value.as_bytes().trim_ascii()) {
            None => Self::read(&parts.headers),
            Some(b"*") => Err(Problem::new(
                StatusCode::PRECONDITION_FAILED,
                "If-None-Match: * holds only where nothing is there to change",
            )),
            Some(_) => Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "If-None-Match of a write is *: state the version to change by If-Match",
            )),
        }
    }
}

/// What `If-Match` or `If-None-Match` states.
enum Tags {
    Any,
    List(Vec<Tag>),
}

struct Tag {
    is_weak: bool,
    /// With its quotes, and without the encoding that it may name.
    opaque: Vec<u8>,
}

/// Reads entity tags (RFC 9110, §8.8.3), in one header or several. A comma may be part of a tag.
fn tags<'a>(values: impl Iterator<Item = &'a HeaderValue>) -> Option<Tags> {
    let mut tags = Vec::new();
    let mut is_any = false;
    for value in values {
        let mut rest = value.as_bytes().trim_ascii();
        if rest == b"*" {
            is_any = true;
            continue;
        }
        while !rest.is_empty() {
            if let Some(next) = rest.strip_prefix(b",") {
                rest = next.trim_ascii_start();
                continue;
            }
            let (is_weak, tag) = match rest.strip_prefix(b"W/") {
                Some(tag) => (true, tag),
                None => (false, rest),
            };
            let inner = tag.strip_prefix(b"\"")?;
            let length = inner.iter().position(|byte| *byte == b'"')?;
            let opaque = unpacked(&tag[..length + 2]);
            rest = inner[length + 1..].trim_ascii_start();
            if !rest.is_empty() && !rest.starts_with(b",") {
                return None;
            }
            tags.push(Tag { is_weak, opaque });
        }
    }
    match (is_any, tags.is_empty()) {
        (true, true) => Some(Tags::Any),
        (false, false) => Some(Tags::List(tags)),
        (true, false) | (false, true) => None,
    }
}

/// The condition of a write that creates or replaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PutCondition {
    /// `If-None-Match: *`: nothing is there.
    New,
    /// What `If-Match` states, if anything.
    At(IfMatch),
}

impl PutCondition {
    pub(crate) fn is_present(&self) -> bool {
        *self != PutCondition::At(IfMatch::Absent)
    }

    /// Returns the version as the write service takes it, where 0 means that nothing is there.
    pub(crate) async fn expected<E>(
        &self,
        current: impl Future<Output = Result<i64, E>>,
    ) -> Result<Option<i64>, Unmet<E>> {
        match self {
            PutCondition::New => Ok(Some(0)),
            // "Something is there" cannot be told as a version: it is looked up.
            PutCondition::At(IfMatch::Any) => current.await.map(Some).map_err(Unmet::Unknown),
            PutCondition::At(if_match) => if_match.expected(current).await,
        }
    }

    fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let unsupported = |detail| Problem::new(StatusCode::BAD_REQUEST, detail);
        let mut none_match = headers.get_all(IF_NONE_MATCH).iter();
        let is_new = match (none_match.next(), none_match.next()) {
            (None, _) => false,
            (Some(value), None) if value.as_bytes().trim_ascii() == b"*" => true,
            _ => return Err(unsupported("If-None-Match of a write is *")),
        };
        match (is_new, IfMatch::read(headers)?) {
            (true, IfMatch::Absent) => Ok(PutCondition::New),
            (true, _) => Err(unsupported("If-Match and If-None-Match exclude each other")),
            (false, if_match) => Ok(PutCondition::At(if_match)),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PutCondition {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::read(&parts.headers)
    }
}

/// The tags of what the client holds already. A header that is no list of tags matches nothing.
pub(crate) struct IfNoneMatch(Option<Tags>);

impl IfNoneMatch {
    pub(crate) fn holds(&self, version: i64) -> bool {
        self.holds_tag(&etag(version))
    }

    /// Whether one of the tags is this one; weak ones count too (RFC 9110, §13.1.2).
    pub(crate) fn holds_tag(&self, known: &HeaderValue) -> bool {
        match &self.0 {
            None => false,
            Some(Tags::Any) => true,
            Some(Tags::List(tags)) => tags.iter().any(|tag| tag.opaque == known.as_bytes()),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(tags(parts.headers.get_all(IF_NONE_MATCH).iter())))
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
    fn if_match_is_a_list_of_tags_or_any() {
        let read = |values: &[&'static str]| IfMatch::read(&headers(IF_MATCH, values)).ok();
        assert_eq!(read(&[]), Some(IfMatch::Absent));
        assert_eq!(read(&["*"]), Some(IfMatch::Any));
        let versions = |versions: &[i64]| Some(IfMatch::OneOf(versions.to_vec()));
        assert_eq!(read(&["\"7\""]), versions(&[7]));
        assert_eq!(read(&["\"1\",\"2\" , \"3\""]), versions(&[1, 2, 3]));
        assert_eq!(read(&["\"1\"", "\"2\","]), versions(&[1, 2]));
        // None of these can ever match, and all are well-formed.
        for never in [
            "W/\"7\"",
            "\"\"",
            "\"-1\"",
            "\"+1\"",
            "\"x\"",
            "\"a, b\"",
            "\"9223372036854775808\"",
        ] {
            assert_eq!(read(&[never]), versions(&[]), "{never}");
        }
        assert_eq!(read(&["W/\"7\", \"8\""]), versions(&[8]));
        assert_eq!(
            read(&["\"7-gzip\", \"8-br\", W/\"9-gzip\""]),
            versions(&[7, 8])
        );
        for bad in [
            "",
            ",",
            "7",
            "\"7",
            "\"1\" \"2\"",
            "\"1\", 2",
            "w/\"7\"",
            "*, \"7\"",
        ] {
            assert_eq!(read(&[bad]), None, "{bad}");
        }
        assert_eq!(read(&["*", "\"7\""]), None);
    }

    #[tokio::test]
    async fn of_several_versions_the_stored_one_is_expected() {
        let several = IfMatch::OneOf(vec![1, 7]);
        let stored = |version| async move { Ok::<i64, ()>(version) };
        assert_eq!(several.expected(stored(7)).await, Ok(Some(7)));
        assert_eq!(several.expected(stored(8)).await, Err(Unmet::Never));
        let unknown = async { Err(()) };
        assert_eq!(several.expected(unknown).await, Err(Unmet::Unknown(())));
        let one = IfMatch::OneOf(vec![1]);
        assert_eq!(one.expected(stored(7)).await, Ok(Some(1)));
        let none = IfMatch::OneOf(vec![]);
        assert_eq!(none.expected(stored(7)).await, Err(Unmet::Never));
        assert_eq!(IfMatch::Any.expected(stored(7)).await, Ok(None));
    }

    #[tokio::test]
    async fn a_put_may_demand_that_there_is_something_or_nothing() {
        let read = |pairs: &[(axum::http::HeaderName, &'static str)]| {
            let value = |value: &'static str| HeaderValue::from_static(value);
            let pairs = pairs.iter().map(|(name, text)| (name.clone(), value(text)));
            PutCondition::read(&pairs.collect()).ok()
        };
        let stored = |version| async move { Ok::<i64, ()>(version) };
        let new = read(&[(IF_NONE_MATCH, "*")]).expect("a condition");
        assert_eq!(new.expected(stored(3)).await, Ok(Some(0)));
        let any = read(&[(IF_MATCH, "*")]).expect("a condition");
        assert_eq!(any.expected(stored(3)).await, Ok(Some(3)));
        let zero = read(&[(IF_MATCH, "\"0\"")]).expect("a condition");
        assert_eq!(zero.expected(stored(3)).await, Err(Unmet::Never));
        let absent = read(&[]).expect("no condition");
        assert!(!absent.is_present());
        assert_eq!(absent.expected(stored(3)).await, Ok(None));
        assert_eq!(read(&[(IF_NONE_MATCH, "\"7\"")]), None);
        assert_eq!(read(&[(IF_NONE_MATCH, "*"), (IF_MATCH, "\"7\"")]), None);
    }

    #[test]
    fn weak_and_listed_tags_are_held() {
        let read = |values: &[&'static str]| {
            let headers = headers(IF_NONE_MATCH, values);
            IfNoneMatch(tags(headers.get_all(IF_NONE_MATCH).iter()))
        };
        for held in [
            "\"7\"",
            "W/\"7\"",
            "\"6\", W/\"7\"",
            "*",
            "\"7-gzip\"",
            "W/\"7-zstd\"",
        ] {
            assert!(read(&[held]).holds(7), "{held}");
        }
        for other in ["\"6\"", "7", "", "\"70\"", "\"x\""] {
            assert!(!read(&[other]).holds(7), "{other}");
        }
        assert!(read(&["\"6\"", "\"7\""]).holds(7));
    }
}
