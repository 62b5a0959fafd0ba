//! Calls the write service about API keys.

use anyhow::Context as _;
use catalog_proto::v1::api_key_service_client::ApiKeyServiceClient;
use catalog_proto::v1::{
    ApiKey, CreateApiKeyRequest, ListApiKeysRequest, RevokeApiKeyRequest, RotateApiKeyRequest,
};
use client_kit::Target;
use service_kit::GrpcChannel;
use uuid::Uuid;

use crate::endpoints::{EndpointArgs, signed};

/// A client of the keys of the write service.
pub(crate) struct Keys {
    target: Target,
    client: ApiKeyServiceClient<GrpcChannel>,
}

/// A key with its new secret. It has no `Debug`: nothing must show the secret by accident.
pub(crate) struct Made {
    pub(crate) key: ApiKey,
    pub(crate) secret: String,
}

impl Keys {
    pub(crate) fn of(endpoints: &EndpointArgs) -> anyhow::Result<Self> {
        Self::new(endpoints.resolve()?.command)
    }

    pub(crate) fn new(target: Target) -> anyhow::Result<Self> {
        let client = ApiKeyServiceClient::new(target.channel()?);
        Ok(Self { target, client })
    }

    pub(crate) async fn create(&mut self, request: CreateApiKeyRequest) -> anyhow::Result<Made> {
        let answer = self.client.create_api_key(signed(request)).await;
        let answer = answer.map_err(|status| self.target.error(&status))?;
        let answer = answer.into_inner();
        made(answer.key, answer.secret_token)
    }

    /// All keys, the newest first.
    pub(crate) async fn list(&mut self, include_ended: bool) -> anyhow::Result<Vec<ApiKey>> {
        let mut keys = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = ListApiKeysRequest {
                limit: 0,
                page_token,
                include_ended,
            };
            let answer = self.client.list_api_keys(signed(request)).await;
            let answer = answer.map_err(|status| self.target.error(&status))?;
            let page = answer.into_inner();
            keys.extend(page.keys);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(keys);
            }
        }
    }

    pub(super) async fn rotate(&mut self, key: &str, grace_seconds: i64) -> anyhow::Result<Made> {
        let request = RotateApiKeyRequest {
            id: self.id_of(key).await?,
            grace_seconds,
            ..RotateApiKeyRequest::default()
        };
        let answer = self.client.rotate_api_key(signed(request)).await;
        let answer = answer.map_err(|status| self.target.error(&status))?;
        let answer = answer.into_inner();
        made(answer.key, answer.secret_token)
    }

    pub(super) async fn revoke(&mut self, key: &str) -> anyhow::Result<ApiKey> {
        let request = RevokeApiKeyRequest {
            id: self.id_of(key).await?,
            ..RevokeApiKeyRequest::default()
        };
        let answer = self.client.revoke_api_key(signed(request)).await;
        let answer = answer.map_err(|status| self.target.error(&status))?;
        answer.into_inner().key.context("the answer has no key")
    }

    /// The id of the key with this id or prefix.
    async fn id_of(&mut self, key: &str) -> anyhow::Result<String> {
        if key.parse::<Uuid>().is_ok() {
            return Ok(key.to_owned());
        }
        let keys = self.list(true).await?;
        let found = keys.into_iter().find(|known| known.prefix == key);
        let id = found.map(|known| known.id);
        id.with_context(|| {
            format!(
                "no key has the id or the prefix {key:?}: `catalogctl keys list --all` shows them"
            )
        })
    }
}

fn made(key: Option<ApiKey>, secret: String) -> anyhow::Result<Made> {
    let key = key.context("the answer has no key")?;
    Ok(Made { key, secret })
}
