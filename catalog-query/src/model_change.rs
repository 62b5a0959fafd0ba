//! Brings the vectors of the read model to the embedding model of this replica, when it starts with
//! another one: by a rebuild in the background, while searches go by keyword.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::read_model::LiveReadModel;
use crate::rebuild::{RebuildError, Rebuilder};
use crate::upgrade::Serving;

const LOOK_AGAIN_MS: u64 = 2_000;

pub(crate) struct ModelChange {
    pub(crate) live: LiveReadModel,
    pub(crate) rebuilder: Arc<Rebuilder>,
    pub(crate) serving: Serving,
}

impl ModelChange {
    pub(crate) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        tokio::select! {
            () = self.change() => {}
            () = stop.cancelled() => return Ok(()),
        }
        stop.cancelled().await;
        Ok(())
    }

    /// Once, at the start: while replicas of two models run side by side, the ones that came last
    /// decide, and the others do not turn it back.
    async fn change(&self) {
        let Some(embedder) = &self.rebuilder.embedder else {
            return;
        };
        self.serving.wait().await;
        let mut failures = 0;
        while self.live.load().model != embedder.model() {
            let (old, new) = (self.live.load().model.clone(), embedder.model());
            tracing::info!(
                old,
                new,
                "another embedding model: building the read model anew"
            );
            // Nobody listens.
            let (progress, _) = mpsc::channel(1);
            let pause = match self.rebuilder.run(&progress).await {
                Ok(()) => return,
                // By another replica, which has the same in mind.
                Err(RebuildError::Busy) => Duration::from_millis(LOOK_AGAIN_MS),
                Err(err) => {
                    failures += 1;
                    let err = anyhow::Error::new(err);
                    tracing::error!(failures, "cannot change the embedding model: {err:#}");
                    service_kit::backoff(failures)
                }
            };
            tokio::time::sleep(pause).await;
        }
    }
}
