//! The gRPC face of API keys.

mod message;
mod watch;

use catalog_events::moment;
use catalog_proto::v1;
use catalog_proto::v1::api_key_service_server::ApiKeyService;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use self::message::key_message;
use self::watch::KeyStream;
pub(crate) use self::watch::KeyWatch;
use crate::commands::{Commands, SecretToken};
use crate::domain::{ApiScope, KeyFields, Violation};
use crate::grpc::call::call;
use crate::grpc::convert::expected_version;
use crate::grpc::error::{command_status, invalid_key};
use crate::grpc::grace::grace;
use crate::store::KeyPage;

const LIMIT_UNLESS_TOLD: i64 = 100;
/// Keys with all the origins and the filter that they may have come to 3 MiB in such a page.
const LIMIT_MAX: i64 = 100;

pub(crate) struct ApiKeyGrpc {
    pub(crate) commands: Commands,
    pub(crate) watch: KeyWatch,
}

#[tonic::async_trait]
impl ApiKeyService for ApiKeyGrpc {
    async fn create_api_key(
        &self,
        request: Request<v1::CreateApiKeyRequest>,
    ) -> Result<Response<v1::CreateApiKeyResponse>, Status> {
        let (call, request) = call(request).map_err(invalid_key)?;
        let fields = fields(request).map_err(invalid_key)?;
        let made = self.commands.create_api_key(fields, &call).await;
        let made = made.map_err(command_status)?;
        Ok(Response::new(v1::CreateApiKeyResponse {
            key: Some(key_message(made.key)),
            secret_token: shown(made.secret),
        }))
    }

    async fn rotate_api_key(
        &self,
        request: Request<v1::RotateApiKeyRequest>,
    ) -> Result<Response<v1::RotateApiKeyResponse>, Status> {
        let (call, request) = call(request).map_err(invalid_key)?;
        let id = key_id(&request.id).map_err(invalid_key)?;
        let expected = expected_version(request.expected_version).map_err(invalid_key)?;
        let grace = grace(request.grace_seconds).map_err(invalid_key)?;
        let rotated = self.commands.rotate_api_key(id, grace, expected, &call);
        let rotated = rotated.await.map_err(command_status)?;
        Ok(Response::new(v1::RotateApiKeyResponse {
            key: Some(key_message(rotated.key)),
            secret_token: shown(rotated.secret),
        }))
    }

    async fn revoke_api_key(
        &self,
        request: Request<v1::RevokeApiKeyRequest>,
    ) -> Result<Response<v1::RevokeApiKeyResponse>, Status> {
        let (call, request) = call(request).map_err(invalid_key)?;
        let id = key_id(&request.id).map_err(invalid_key)?;
        let expected = expected_version(request.expected_version).map_err(invalid_key)?;
        let revoked = self.commands.revoke_api_key(id, expected, &call).await;
        let key = Some(key_message(revoked.map_err(command_status)?));
        Ok(Response::new(v1::RevokeApiKeyResponse { key }))
    }

    async fn list_api_keys(
        &self,
        request: Request<v1::ListApiKeysRequest>,
    ) -> Result<Response<v1::ListApiKeysResponse>, Status> {
        let page = page(request.get_ref()).map_err(invalid_key)?;
        let listed = self.commands.api_keys(&page).await;
        let (keys, more) = listed.map_err(command_status)?;
        let last = keys.last().filter(|_| more);
        Ok(Response::new(v1::ListApiKeysResponse {
            next_page_token: last.map_or(String::new(), |key| key.id.to_string()),
            keys: keys.into_iter().map(key_message).collect(),
        }))
    }

    type WatchApiKeysStream = KeyStream;

    async fn watch_api_keys(
        &self,
        _request: Request<v1::WatchApiKeysRequest>,
    ) -> Result<Response<KeyStream>, Status> {
        self.watch.open().map(Response::new)
    }
}

fn fields(request: v1::CreateApiKeyRequest) -> Result<KeyFields, Vec<Violation>> {
    let expires_at = match request.expires_at {
        None => None,
        Some(end) => Some(moment(&end).ok_or_else(|| {
            let reason = "is no time of the calendar";
            vec![Violation::new("expires_at", reason)]
        })?),
    };
    Ok(KeyFields {
        name: request.name,
        scopes: request.scopes.into_iter().map(scope).collect(),
        expires_at,
        allowed_origins: request.allowed_origins,
        forced_filter: request.forced_filter,
        requests_per_second: request.requests_per_second,
    })
}

fn scope(number: i32) -> Option<ApiScope> {
    match v1::ApiScope::try_from(number).ok()? {
        v1::ApiScope::Unspecified => None,
        v1::ApiScope::Search => Some(ApiScope::Search),
        v1::ApiScope::Read => Some(ApiScope::Read),
        v1::ApiScope::Write => Some(ApiScope::Write),
        v1::ApiScope::Rules => Some(ApiScope::Rules),
        v1::ApiScope::Operate => Some(ApiScope::Operate),
    }
}

fn key_id(text: &str) -> Result<Uuid, Vec<Violation>> {
    text.parse()
        .map_err(|_| vec![Violation::new("id", "is no id of a key, which is a UUID")])
}

fn page(request: &v1::ListApiKeysRequest) -> Result<KeyPage, Vec<Violation>> {
    let limit = match i64::from(request.limit) {
        ..0 => return Err(vec![Violation::new("limit", "is negative")]),
        0 => LIMIT_UNLESS_TOLD,
        limit => limit.min(LIMIT_MAX),
    };
    let before = match request.page_token.as_str() {
        "" => None,
        token => Some(token.parse().map_err(|_| {
            let reason = "is none of this service";
            vec![Violation::new("page_token", reason)]
        })?),
    };
    Ok(KeyPage {
        before,
        ended: request.include_ended,
        limit,
    })
}

fn shown(secret: Option<SecretToken>) -> String {
    secret.map_or(String::new(), SecretToken::into_shown)
}
