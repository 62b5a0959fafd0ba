//! What a token says of its bearer.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;

use crate::scope::{Scope, Scopes};

/// A scope of the catalog may be written so beside those of other services.
const OURS: &str = "catalog:";
const ACTOR_CHARS_MAX: usize = 100;

/// A token that was checked.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) scopes: Scopes,
    /// `jwt:` and the subject: visible ASCII, with `_` for other characters.
    pub(crate) actor: String,
    /// When it ends, in seconds since 1970, leeway included.
    ends: u64,
}

impl Token {
    pub(crate) fn is_valid(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.is_ok_and(|now| self.ends > now.as_secs())
    }
}

/// The claims that are read once the signature was found right.
#[derive(Deserialize)]
pub(super) struct Claims {
    sub: Option<String>,
    /// Some providers write it with decimals.
    exp: Option<f64>,
    scope: Option<Names>,
    scp: Option<Names>,
    permissions: Option<Names>,
}

/// Scopes as providers write them: a text with blanks between them (RFC 8693), or a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    Text(String),
    List(Vec<String>),
}

impl Claims {
    pub(super) fn into_token(self, leeway_s: u64) -> Token {
        let stated = [self.scope, self.scp, self.permissions];
        let names = stated.into_iter().flatten().flat_map(|names| match names {
            Names::Text(text) => text.split_whitespace().map(str::to_owned).collect(),
            Names::List(list) => list,
        });
        let scope = |name: String| name.strip_prefix(OURS).unwrap_or(&name).parse::<Scope>();
        let visible = |c: char| if c.is_ascii_graphic() { c } else { '_' };
        let actor = "jwt:"
            .chars()
            .chain(self.sub.iter().flat_map(|sub| sub.chars()).map(visible));
        Token {
            // The other scopes of a token are for other services.
            scopes: names.filter_map(|name| scope(name).ok()).collect(),
            actor: actor.take(ACTOR_CHARS_MAX).collect(),
            ends: (self.exp.unwrap_or_default() as u64).saturating_add(leeway_s),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(claims: Value, scopes: &str, actor: &str) {
        let claims: Claims = serde_json::from_value(claims).expect("claims");
        let token = claims.into_token(60);
        let scopes: Scopes = scopes.parse().expect("scopes");
        assert!(token.scopes == scopes, "{:?}", token.scopes);
        assert_eq!((token.actor.as_str(), token.ends), (actor, 160));
    }

    #[test]
    fn scopes_are_read_as_providers_write_them() {
        check(
            json!({"sub": "jane", "exp": 100, "scope": "openid read catalog:write"}),
            "read,write",
            "jwt:jane",
        );
        check(
            json!({"sub": "a b\u{e9}", "exp": 100, "scp": ["search"], "permissions": ["rules", "admin"]}),
            "search,rules",
            "jwt:a_b_",
        );
        let long = "x".repeat(200);
        let cut = format!("jwt:{}", "x".repeat(96));
        check(json!({"sub": long, "exp": 100}), "", &cut);
    }
}
