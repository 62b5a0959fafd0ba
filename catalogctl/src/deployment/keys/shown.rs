//! How an API key is shown: as a line, and as JSON.

use catalog_proto::v1::{ApiKey, ApiScope};
use client_kit::output;
use serde_json::{Value, json};

use crate::moment::moment;

pub(super) fn to_line(key: &ApiKey) -> String {
    let mut line = format!(
        "{}  {}  {}  {}",
        key.id,
        key.prefix,
        scopes(key).join(","),
        key.name
    );
    let mut tell = |what: &str, value: String| {
        line.push_str("  ");
        line.push_str(what);
        line.push_str(&value);
    };
    if let Some(at) = moment(key.revoked_at.as_ref()) {
        tell("revoked ", at);
    } else if let Some(at) = moment(key.expires_at.as_ref()) {
        tell("until ", at);
    }
    if !key.allowed_origins.is_empty() {
        tell("from ", key.allowed_origins.join(","));
    }
    if !key.forced_filter.is_empty() {
        tell("held to ", key.forced_filter.clone());
    }
    if let Some(limit) = key.requests_per_second {
        tell("", format!("{limit}/s"));
    }
    output::plain(&line)
}

pub(super) fn to_json(key: &ApiKey) -> Value {
    json!({
        "id": key.id,
        "prefix": key.prefix,
        "name": key.name,
        "scopes": scopes(key),
        "created_at": moment(key.created_at.as_ref()),
        "created_by": key.created_by,
        "expires_at": moment(key.expires_at.as_ref()),
        "revoked_at": moment(key.revoked_at.as_ref()),
        "rotated_at": moment(key.rotated_at.as_ref()),
        "allowed_origins": key.allowed_origins,
        "forced_filter": Some(&key.forced_filter).filter(|filter| !filter.is_empty()),
        "requests_per_second": key.requests_per_second,
        "version": key.version,
    })
}

fn scopes(key: &ApiKey) -> Vec<String> {
    let known = key.scopes().filter(|scope| *scope != ApiScope::Unspecified);
    let names = known.map(|scope| scope.as_str_name().trim_start_matches("API_SCOPE_"));
    names.map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;

    use super::*;

    #[test]
    fn a_key_is_told_on_one_line() {
        let key = ApiKey {
            id: "id-1".to_owned(),
            prefix: "abcdefgh".to_owned(),
            name: "Shop\u{1b}[31m".to_owned(),
            scopes: vec![ApiScope::Search.into(), ApiScope::Read.into()],
            expires_at: Some(Timestamp::default()),
            allowed_origins: vec!["https://shop.example".to_owned()],
            forced_filter: "brand=Acme".to_owned(),
            requests_per_second: Some(20),
            ..ApiKey::default()
        };
        let line = "id-1  abcdefgh  search,read  Shop[31m  until 1970-01-01T00:00:00Z  \
                    from https://shop.example  held to brand=Acme  20/s";
        assert_eq!(to_line(&key), line);
        let json = to_json(&key);
        assert_eq!(json["scopes"], json!(["search", "read"]));
        assert_eq!(json["revoked_at"], Value::Null);
    }
}
