//! The JSON of API keys, in and out.

use catalog_proto::v1;
use prost_types::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::json::grace::read_grace_seconds;
use crate::json::product::rfc3339;
use crate::json::{number, raw};
use crate::problem::{FieldErrors, Problem, pointer, with_nearest};
use crate::scope::{Scope, Scopes};

const NEW_MEMBERS: [&str; 6] = [
    "name",
    "scopes",
    "expires_at",
    "allowed_origins",
    "forced_filter",
    "requests_per_second",
];

/// A key without its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct ApiKeyJson {
    id: String,
    /// What every secret of the key begins with, behind `ck_`: people recognise the key by it.
    prefix: String,
    name: String,
    /// What the key allows.
    scopes: Vec<String>,
    #[schema(required, format = DateTime)]
    created_at: Option<String>,
    created_by: String,
    #[schema(required, format = DateTime)]
    expires_at: Option<String>,
    #[schema(required, format = DateTime)]
    revoked_at: Option<String>,
    /// When the key last got a new secret.
    #[schema(required, format = DateTime)]
    rotated_at: Option<String>,
    /// The origins whose pages may use the key; none means that it is not bound to pages.
    allowed_origins: Vec<String>,
    /// The filter that every search with the key is held to, as a query string.
    #[schema(required)]
    forced_filter: Option<String>,
    #[schema(required)]
    requests_per_second: Option<i32>,
    /// Counts the changes of the key, from 1.
    version: i64,
}

/// A key with a new secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct ApiKeyWithSecretJson {
    key: ApiKeyJson,
    /// `ck_PREFIX_SECRET`: what the caller presents. It is shown this once. Null where the request was
    /// answered before: nobody keeps it, so that a key whose secret was lost is rotated.
    #[schema(required)]
    secret: Option<String>,
}

/// A page of keys, the newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct ApiKeysJson {
    items: Vec<ApiKeyJson>,
    #[schema(required)]
    next_page_token: Option<String>,
}

impl ApiKeyJson {
    pub(crate) fn of(key: v1::ApiKey) -> Self {
        let scopes = key.scopes().filter_map(Scope::of_message);
        Self {
            scopes: scopes.map(|scope| scope.name().to_owned()).collect(),
            created_at: key.created_at.as_ref().and_then(rfc3339),
            expires_at: key.expires_at.as_ref().and_then(rfc3339),
            revoked_at: key.revoked_at.as_ref().and_then(rfc3339),
            rotated_at: key.rotated_at.as_ref().and_then(rfc3339),
            id: key.id,
            prefix: key.prefix,
            name: key.name,
            created_by: key.created_by,
            allowed_origins: key.allowed_origins,
            forced_filter: Some(key.forced_filter).filter(|filter| !filter.is_empty()),
            requests_per_second: key.requests_per_second,
            version: key.version,
        }
    }
}

impl ApiKeyWithSecretJson {
    pub(crate) fn of(key: v1::ApiKey, secret: String) -> Self {
        Self {
            key: ApiKeyJson::of(key),
            secret: Some(secret).filter(|secret| !secret.is_empty()),
        }
    }
}

impl ApiKeysJson {
    pub(crate) fn of(answer: v1::ListApiKeysResponse) -> Self {
        Self {
            items: answer.keys.into_iter().map(ApiKeyJson::of).collect(),
            next_page_token: Some(answer.next_page_token).filter(|token| !token.is_empty()),
        }
    }
}

/// Reads the body of `POST /api/keys`. The write service decides what a key may be. Nobody gives away
/// more than `held`, what the caller may do. Beside the key comes whether a filter is stated, be it an empty one.
pub(crate) fn read_new(
    body: &RawValue,
    held: Scopes,
) -> Result<(v1::CreateApiKeyRequest, bool), Problem> {
    let mut errors = FieldErrors::default();
    let mut is_filtered = false;
    let mut key = v1::CreateApiKeyRequest::default();
    for (name, value) in raw::members(body, &[], &mut errors) {
        let place = pointer(&[&name]);
        match name.as_str() {
            "name" => key.name = errors.take(place, raw::text(value)).unwrap_or_default(),
            "scopes" => key.scopes = read_scopes(value, held, &mut errors),
            "expires_at" => {
                let time = errors.take(place, raw::time_or_null(value)).flatten();
                key.expires_at = time.map(|time| Timestamp {
                    seconds: time.unix_timestamp(),
                    nanos: 0,
                });
            }
            "allowed_origins" => {
                key.allowed_origins = raw::texts_or_null(value, &[&name], &mut errors);
            }
            "forced_filter" => {
                let filter = errors.take(place, raw::text_or_null(value));
                key.forced_filter = filter.unwrap_or_default();
                is_filtered = !raw::is_null(value);
            }
            "requests_per_second" if raw::is_null(value) => {}
            "requests_per_second" => {
                let count = number::whole(value).and_then(|count| i32::try_from(count).ok());
                let count = count.ok_or("must be a whole number from 1 to 1000000");
                key.requests_per_second = errors.take(place, count);
            }
            _ => errors.push(place, with_nearest(raw::UNKNOWN, &name, &NEW_MEMBERS)),
        }
    }
    let given = [
        ("name", !key.name.is_empty()),
        ("scopes", !key.scopes.is_empty()),
    ];
    for (name, is_given) in given {
        let place = pointer(&[name]);
        if !is_given && !errors.has_below(&place) && !errors.has("") {
            errors.push(place, "is required");
        }
    }
    errors.finish()?;
    Ok((key, is_filtered))
}

fn read_scopes(value: &RawValue, held: Scopes, errors: &mut FieldErrors) -> Vec<i32> {
    let Some(stated) = raw::elements(value) else {
        raw::texts_or_null(value, &["scopes"], errors);
        return Vec::new();
    };
    let mut scopes = Vec::new();
    for (index, name) in stated.into_iter().enumerate() {
        let place = pointer(&["scopes", &index.to_string()]);
        let Some(name) = errors.take(place.clone(), raw::text(name)) else {
            continue;
        };
        match name.parse::<Scope>() {
            Ok(scope) if held.has(scope) => scopes.push(scope.to_message().into()),
            Ok(_) => errors.push(place, "is more than you may do yourself"),
            Err(err) => errors.push(place, err),
        }
    }
    scopes
}

/// Reads the body of `POST /api/keys/{id}/rotate`: for how many seconds the present secret stays valid.
pub(crate) fn read_grace(body: &RawValue) -> Result<i64, Problem> {
    read_grace_seconds(body, 0)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(body: &Value, held: &str) -> Result<v1::CreateApiKeyRequest, Problem> {
        let body = body.to_string();
        let held = held.parse().expect("scopes");
        let read = read_new(raw::value(body.as_bytes()).expect("JSON"), held);
        read.map(|(key, _)| key)
    }

    fn check_refused(body: Value, held: &str, pointer: &str, detail: &str) {
        let problem = read(&body, held).expect_err("at fault");
        let expected = json!([{"pointer": pointer, "detail": detail}]);
        assert_eq!(problem.to_json()["errors"], expected, "{body}");
    }

    #[test]
    fn nobody_gives_away_more_than_they_may_do() {
        let shop = json!({"name": "Shop", "scopes": ["search", "write"]});
        let told = "is more than you may do yourself";
        check_refused(shop.clone(), "search,operate", "/scopes/1", told);
        let key = read(&shop, "search,write,operate").expect("valid");
        assert_eq!(key.scopes.len(), 2);
    }

    #[test]
    fn a_member_at_fault_is_named() {
        let with = |name: &str, value: Value| {
            let mut body = json!({"name": "Shop", "scopes": ["read"]});
            body[name] = value;
            body
        };
        check_refused(json!({"name": "Shop"}), "read", "/scopes", "is required");
        check_refused(
            with("scopes", json!(["admin"])),
            "read",
            "/scopes/0",
            "a scope is search, read, write, rules or operate",
        );
        check_refused(
            with("expires_at", json!("tomorrow")),
            "read",
            "/expires_at",
            "must be a time such as 2026-01-31T08:00:00Z, or null",
        );
        check_refused(
            with("expires", json!(null)),
            "read",
            "/expires",
            "is not a member that can be set; did you mean expires_at?",
        );
    }
}
