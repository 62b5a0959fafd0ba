//! Notices that another replica has switched the read model to another generation, and follows.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::generations::rebuild::Rebuilder;
use crate::read_model::{Generations, LiveReadModel};

const LOOK_EVERY_MS: u64 = 1_000;

pub(crate) struct GenerationWatch {
    pub(crate) generations: Generations,
    pub(crate) live: LiveReadModel,
    /// Makes the keyword index of this replica anew where it holds something else than the new documents.
    pub(crate) rebuilder: Arc<Rebuilder>,
}

impl GenerationWatch {
    pub(crate) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(LOOK_EVERY_MS)) => {}
                () = stop.cancelled() => return Ok(()),
            }
            if let Err(err) = self.look().await {
                tracing::warn!("cannot tell which generation is live: {err:#}");
            }
        }
    }

    async fn look(&self) -> anyhow::Result<()> {
        // There is none while the first generation of this release is being filled.
        let live = self.generations.live_id().await?;
        if live.is_none_or(|live| live == self.live.load().generation) {
            return Ok(());
        }
        let opened = self.generations.open_live().await?;
        opened.warm_up(&self.live.load_full()).await?;
        tracing::info!(
            generation = opened.generation,
            "another generation is live now"
        );
        self.live.store(Arc::new(opened));
        // The other replica may have replaced documents that were wrong.
        if let Err(err) = self.rebuilder.check_index().await {
            tracing::error!("the keyword index was not compared with the new documents: {err:#}");
        }
        Ok(())
    }
}
