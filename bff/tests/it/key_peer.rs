//! The peer's keys: those that a test puts are told at once.

use std::pin::Pin;

use catalog_proto::v1::api_key_service_server::ApiKeyService;
use catalog_proto::v1::watch_api_keys_response::Kind;
use catalog_proto::v1::*;
use futures_util::{Stream, StreamExt as _, stream};
use sha2::{Digest as _, Sha256};
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;
use tonic::{Request, Response, Status};

use crate::peer::{Handler, Peer};

/// The keys, and who is told of changes.
pub(crate) struct Keys {
    all: Vec<WatchedApiKey>,
    changes: broadcast::Sender<WatchedApiKey>,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            changes: broadcast::channel(16).0,
        }
    }
}

impl Peer {
    /// Makes or changes a key whose secret is `ck_ID`.
    pub(crate) fn put_key(&self, key: ApiKey) {
        let secret = format!("ck_{}", key.id);
        let told = WatchedApiKey {
            secrets: vec![ApiKeySecret {
                sha256: Sha256::digest(secret).to_vec(),
                valid_until: None,
            }],
            key: Some(ApiKey {
                prefix: key.id.clone(),
                ..key
            }),
        };
        let mut state = self.lock();
        let id = |key: &WatchedApiKey| key.key.as_ref().map(|key| key.id.clone());
        let changed = id(&told);
        state.keys.all.retain(|known| id(known) != changed);
        state.keys.all.push(told.clone());
        // Nobody may be watching yet.
        let _ = state.keys.changes.send(told);
    }
}

#[tonic::async_trait]
impl ApiKeyService for Handler {
    type WatchApiKeysStream =
        Pin<Box<dyn Stream<Item = Result<WatchApiKeysResponse, Status>> + Send>>;

    async fn watch_api_keys(
        &self,
        _: Request<WatchApiKeysRequest>,
    ) -> Result<Response<Self::WatchApiKeysStream>, Status> {
        let (keys, changes) = self.with_state(|state| {
            let changes = state.keys.changes.subscribe();
            (state.keys.all.clone(), changes)
        });
        let snapshot = Kind::Snapshot(ApiKeySnapshot { keys, last: true });
        let changes = BroadcastStream::new(changes).map(|key| {
            let keys = key.into_iter().collect();
            Kind::Changes(ApiKeyChanges { keys })
        });
        let told = stream::iter([snapshot]).chain(changes);
        Ok(Response::new(Box::pin(told.map(|kind| {
            Ok(WatchApiKeysResponse { kind: Some(kind) })
        }))))
    }

    async fn create_api_key(
        &self,
        _: Request<CreateApiKeyRequest>,
    ) -> Result<Response<CreateApiKeyResponse>, Status> {
        Err(Status::unimplemented("CreateApiKey"))
    }

    async fn rotate_api_key(
        &self,
        _: Request<RotateApiKeyRequest>,
    ) -> Result<Response<RotateApiKeyResponse>, Status> {
        Err(Status::unimplemented("RotateApiKey"))
    }

    async fn revoke_api_key(
        &self,
        _: Request<RevokeApiKeyRequest>,
    ) -> Result<Response<RevokeApiKeyResponse>, Status> {
        Err(Status::unimplemented("RevokeApiKey"))
    }

    async fn list_api_keys(
        &self,
        _: Request<ListApiKeysRequest>,
    ) -> Result<Response<ListApiKeysResponse>, Status> {
        Err(Status::unimplemented("ListApiKeys"))
    }
}
