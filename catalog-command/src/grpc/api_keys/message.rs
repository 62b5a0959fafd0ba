//! An API key as a message.

use catalog_proto::v1;

use crate::domain::{ApiKey, ApiScope};
use crate::grpc::convert::timestamp;

pub(super) fn key_message(key: ApiKey) -> v1::ApiKey {
    let scopes = key.scopes.into_iter();
    v1::ApiKey {
        id: key.id.to_string(),
        prefix: key.prefix,
        name: key.name,
        scopes: scopes.map(|scope| scope_message(scope).into()).collect(),
        created_at: Some(timestamp(key.created_at)),
        created_by: key.created_by,
        expires_at: key.expires_at.map(timestamp),
        revoked_at: key.revoked_at.map(timestamp),
        allowed_origins: key.allowed_origins,
        forced_filter: key.forced_filter.unwrap_or_default(),
        requests_per_second: key.requests_per_second,
        version: key.version.get(),
        rotated_at: key.rotated_at.map(timestamp),
    }
}

fn scope_message(scope: ApiScope) -> v1::ApiScope {
    match scope {
        ApiScope::Search => v1::ApiScope::Search,
        ApiScope::Read => v1::ApiScope::Read,
        ApiScope::Write => v1::ApiScope::Write,
        ApiScope::Rules => v1::ApiScope::Rules,
        ApiScope::Operate => v1::ApiScope::Operate,
    }
}
