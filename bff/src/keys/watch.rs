//! Follows the keys of the write service, for as long as the process lives.

use std::convert::Infallible;
use std::time::Duration;

use catalog_proto::v1;
use catalog_proto::v1::api_key_service_client::ApiKeyServiceClient;
use catalog_proto::v1::watch_api_keys_response::Kind;
use service_kit::{GrpcChannel, Retry};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Status};

use crate::keys::ring::KeyRing;

/// The write service says something every two seconds.
const SILENCE_S_MAX: u64 = 10;

impl KeyRing {
    pub(crate) async fn follow(
        self,
        client: ApiKeyServiceClient<GrpcChannel>,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        let following = async {
            let mut retry = Retry::new("API keys");
            loop {
                let Err(ended) = self.follow_once(client.clone(), &mut retry).await;
                retry.failed(ended).wait().await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            () = following => Ok(()),
        }
    }

    async fn follow_once(
        &self,
        mut client: ApiKeyServiceClient<GrpcChannel>,
        retry: &mut Retry,
    ) -> Result<Infallible, Status> {
        let request = Request::new(v1::WatchApiKeysRequest {});
        let mut stream = client.watch_api_keys(request).await?.into_inner();
        let mut all = Vec::new();
        loop {
            let next = tokio::time::timeout(Duration::from_secs(SILENCE_S_MAX), stream.message());
            let next = next
                .await
                .map_err(|_| Status::unavailable("the write service fell silent"))??;
            match next.and_then(|message| message.kind) {
                Some(Kind::Snapshot(part)) => {
                    all.extend(part.keys);
                    if part.last {
                        self.replace(&std::mem::take(&mut all));
                        retry.succeeded();
                    }
                }
                Some(Kind::Changes(changes)) => self.change(&changes.keys),
                Some(Kind::Heartbeat(_)) => self.hear(),
                None => return Err(Status::unavailable("the write service ended the stream")),
            }
        }
    }
}
