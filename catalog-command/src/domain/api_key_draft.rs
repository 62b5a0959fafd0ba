//! Checked API keys: what passes here is accepted, and every mistake is reported.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::domain::check::{Check, Violation};

const NAME_CHARS_MAX: usize = 200;
const ORIGINS_MAX: usize = 100;
/// A host name has 253 bytes at most.
const ORIGIN_BYTES_MAX: usize = 270;
const FILTER_BYTES_MAX: usize = 4_000;
const REQUESTS_PER_SECOND_MAX: i32 = 1_000_000;

/// What a key allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ApiScope {
    Search,
    Read,
    Write,
    Rules,
    Operate,
}

impl ApiScope {
    const ALL: [Self; 5] = [
        Self::Search,
        Self::Read,
        Self::Write,
        Self::Rules,
        Self::Operate,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::Read => "read",
            Self::Write => "write",
            Self::Rules => "rules",
            Self::Operate => "operate",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

/// The unchecked fields of a key.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyFields {
    pub(crate) name: String,
    /// None for one that this release does not know.
    pub(crate) scopes: Vec<Option<ApiScope>>,
    pub(crate) expires_at: Option<OffsetDateTime>,
    pub(crate) allowed_origins: Vec<String>,
    pub(crate) forced_filter: String,
    pub(crate) requests_per_second: Option<i32>,
}

/// A checked key.
///
/// Invariant: every field is within its bounds; only id, secrets, version and times are missing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ApiKeyDraft {
    pub(super) name: String,
    pub(super) scopes: Vec<ApiScope>,
    pub(super) expires_at: Option<OffsetDateTime>,
    pub(super) allowed_origins: Vec<String>,
    pub(super) forced_filter: Option<String>,
    pub(super) requests_per_second: Option<i32>,
}

impl ApiKeyDraft {
    pub(crate) fn parse(fields: KeyFields, now: OffsetDateTime) -> Result<Self, Vec<Violation>> {
        let mut check = Check::default();
        let name = check.required("name", fields.name, NAME_CHARS_MAX);
        let scopes = check.scopes(&fields.scopes);
        if fields.expires_at.is_some_and(|end| end <= now) {
            check.fail("expires_at", "is not in the future");
        }
        let allowed_origins = check.origins(fields.allowed_origins);
        if fields.forced_filter.len() > FILTER_BYTES_MAX {
            let reason = format!("is longer than {FILTER_BYTES_MAX} bytes");
            check.fail("forced_filter", reason);
        }
        let forced_filter = check.optional("forced_filter", fields.forced_filter, FILTER_BYTES_MAX);
        let limit = fields.requests_per_second;
        if limit.is_some_and(|limit| !(1..=REQUESTS_PER_SECOND_MAX).contains(&limit)) {
            let reason = format!("is not within 1 and {REQUESTS_PER_SECOND_MAX}");
            check.fail("requests_per_second", reason);
        }
        if !check.violations.is_empty() {
            return Err(check.violations);
        }
        Ok(Self {
            name,
            scopes,
            expires_at: fields.expires_at,
            allowed_origins,
            forced_filter,
            requests_per_second: limit,
        })
    }
}

impl Check {
    /// The scopes, each once, in a fixed order.
    fn scopes(&mut self, stated: &[Option<ApiScope>]) -> Vec<ApiScope> {
        let mut scopes: Vec<ApiScope> = stated.iter().flatten().copied().collect();
        if stated.is_empty() {
            let known = ApiScope::ALL.map(ApiScope::as_str).join(", ");
            self.fail("scopes", format!("is empty: state any of {known}"));
        }
        for (index, _) in stated
            .iter()
            .enumerate()
            .filter(|(_, scope)| scope.is_none())
        {
            let field = format!("scopes[{index}]");
            self.fail(field, "is none that this service knows");
        }
        scopes.sort_unstable();
        scopes.dedup();
        scopes
    }

    /// The origins as browsers state them: in lower case.
    fn origins(&mut self, stated: Vec<String>) -> Vec<String> {
        if stated.len() > ORIGINS_MAX {
            let reason = format!("has more than {ORIGINS_MAX} entries");
            self.fail("allowed_origins", reason);
            return Vec::new();
        }
        let mut origins = Vec::with_capacity(stated.len());
        for (index, origin) in stated.into_iter().enumerate() {
            let origin = without_usual_port(origin.to_ascii_lowercase());
            if !is_origin(&origin) {
                let reason = format!(
                    "{origin:?} is no origin such as https://shop.example or \
                     http://localhost:3000, without anything after it"
                );
                self.fail(format!("allowed_origins[{index}]"), reason);
            } else if !origins.contains(&origin) {
                origins.push(origin);
            }
        }
        origins
    }
}

/// The origin as browsers state it: without the port that its scheme has anyway.
fn without_usual_port(mut origin: String) -> String {
    for (scheme, port) in [("https://", ":443"), ("http://", ":80")] {
        if origin.starts_with(scheme) && origin.ends_with(port) {
            origin.truncate(origin.len() - port.len());
        }
    }
    origin
}

/// Whether it is a scheme, a host and perhaps a port, and nothing else.
fn is_origin(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest.filter(|_| text.len() <= ORIGIN_BYTES_MAX) else {
        return false;
    };
    // The colons of an IPv6 address stand within brackets.
    let (host, port) = match rest.strip_prefix('[').and_then(|it| it.split_once(']')) {
        Some((address, after)) => {
            let is_address = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.');
            if address.is_empty() || !address.chars().all(is_address) {
                return false;
            }
            (
                "v6",
                after
                    .strip_prefix(':')
                    .or((!after.is_empty()).then_some("")),
            )
        }
        None => match rest.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (rest, None),
        },
    };
    let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let has_port = port.is_none_or(|port| {
        port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok()
    });
    !host.is_empty() && host.chars().all(is_host) && has_port
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);

    fn parse(change: impl FnOnce(&mut KeyFields)) -> Result<ApiKeyDraft, Vec<String>> {
        let mut fields = KeyFields {
            name: " Shop ".to_owned(),
            scopes: vec![
                Some(ApiScope::Read),
                Some(ApiScope::Search),
                Some(ApiScope::Read),
            ],
            ..KeyFields::default()
        };
        change(&mut fields);
        let told = |all: Vec<Violation>| all.into_iter().map(|one| one.field).collect();
        ApiKeyDraft::parse(fields, NOW).map_err(told)
    }

    #[test]
    fn what_is_stated_is_put_into_one_form() {
        let draft = parse(|fields| {
            fields.allowed_origins = ["HTTPS://Shop.example:443", "https://shop.example"]
                .map(str::to_owned)
                .into();
            fields.forced_filter = "brand=Acme&attr.colour=Red".to_owned();
            fields.requests_per_second = Some(1_000_000);
        });
        let draft = draft.expect("valid");
        assert_eq!(draft.name, "Shop");
        assert_eq!(draft.scopes, [ApiScope::Search, ApiScope::Read]);
        assert_eq!(draft.allowed_origins, ["https://shop.example"]);
    }

    #[test]
    fn every_mistake_is_reported() {
        let found = parse(|fields| {
            *fields = KeyFields {
                name: "\u{7}".to_owned(),
                scopes: vec![Some(ApiScope::Read), None],
                expires_at: Some(NOW),
                allowed_origins: vec!["https://shop.example".to_owned(), "*".to_owned()],
                forced_filter: "x".repeat(4_001),
                requests_per_second: Some(0),
            };
        });
        let mut found = found.expect_err("all wrong");
        found.dedup();
        let expected = [
            "name",
            "scopes[1]",
            "expires_at",
            "allowed_origins[1]",
            "forced_filter",
            "requests_per_second",
        ];
        assert_eq!(found, expected);
        let unseen = parse(|fields| fields.name = "\u{200B}\u{FEFF}".to_owned());
        assert_eq!(unseen.expect_err("no name"), ["name"]);
        let none = parse(|fields| fields.scopes.clear());
        assert_eq!(none.expect_err("no scope"), ["scopes"]);
    }

    #[test]
    fn an_origin_is_a_scheme_a_host_and_perhaps_a_port() {
        for good in [
            "https://shop.example",
            "http://localhost:3000",
            "http://127.0.0.1",
            "http://[::1]:8080",
            "http://[::1]",
        ] {
            assert!(is_origin(good), "{good}");
        }
        for bad in [
            "",
            "*",
            "null",
            "shop.example",
            "https://",
            "https://shop.example/",
            "https://*.example",
            "https://ann@shop.example",
            "https://shop.example:",
            "https://shop.example:99999",
            "https://shop.example:+80",
            "http://[::1]x",
            "http://[]",
            "ftp://shop.example",
            "https://shop example",
        ] {
            assert!(!is_origin(bad), "{bad}");
        }
    }

    #[test]
    fn scopes_keep_their_names() {
        for scope in ApiScope::ALL {
            assert_eq!(ApiScope::named(scope.as_str()), Some(scope));
        }
        assert_eq!(ApiScope::named("admin"), None);
    }
}
