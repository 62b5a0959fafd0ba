//! Changes the embedding model of the read model when this replica starts with another one: by a
//! rebuild in the background, during which searches go by keyword.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::generations::rebuild::Rebuilder;
use crate::generations::rebuild::error::RebuildError;
use crate::read_model::{LiveReadModel, Serving};

/// The pause while another replica rebuilds.
const LOOK_AGAIN_MS: u64 = 2_000;
/// The pause after a rebuild that differs. It would probably differ again, and has to replay all
/// events to find out, so that the pause doubles up to [`DIFFERS_SECONDS_MAX`].
const DIFFERS_SECONDS: u64 = 120;
const DIFFERS_SECONDS_MAX: u64 = 3_600;

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

    /// Changes the model once, at the start: of replicas of two models side by side, those that came
    /// last decide, and the others do not turn it back.
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
            // Nobody listens to the progress.
            let (progress, _) = mpsc::channel(1);
            let pause = match self.rebuilder.change_model(&progress).await {
                Ok(()) => return,
                // Another replica rebuilds, probably for the same reason.
                Err(RebuildError::Busy) => Duration::from_millis(LOOK_AGAIN_MS),
                Err(err) => {
                    failures += 1;
                    let pause = match err {
                        RebuildError::Differs { .. } => after_difference(failures),
                        _ => service_kit::backoff(failures),
                    };
                    let reason = anyhow::Error::new(err);
                    tracing::error!(failures, "cannot change the embedding model: {reason:#}");
                    pause
                }
            };
            tokio::time::sleep(pause).await;
        }
    }
}

fn after_difference(failures: u32) -> Duration {
    let doubled = DIFFERS_SECONDS << failures.saturating_sub(1).min(10);
    Duration::from_secs(doubled.min(DIFFERS_SECONDS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_tried_again_ever_more_seldom() {
        let minutes = |failures| after_difference(failures).as_secs() / 60;
        let pauses: Vec<u64> = [1, 2, 3, 6, 100].map(minutes).to_vec();
        assert_eq!(pauses, [2, 4, 8, 60, 60]);
    }
}
