//! Checks after a switch whose index was not built here that the keyword index of this replica holds what
//! the documents hold, and makes it anew from the documents when it does not.

use std::time::Duration;

use crate::generations::rebuild::Rebuilder;
use crate::projectors::copy_documents;

const LOOKS_MAX: u32 = 100;
const LOOK_EVERY: Duration = Duration::from_millis(50);

impl Rebuilder {
    pub(crate) async fn check_index(&self) -> anyhow::Result<()> {
        match self.index_agrees().await? {
            Some(true) => Ok(()),
            None => {
                tracing::warn!("the keyword index never was where the documents are: not compared");
                Ok(())
            }
            Some(false) => {
                tracing::warn!("the keyword index differs from the documents: building it anew");
                let (epoch, _) = self.index.resume();
                let live = self.live.load_full();
                if copy_documents(&live, &self.index, epoch).await?.is_none() {
                    tracing::info!("another keyword index answers: the copy is given up");
                }
                Ok(())
            }
        }
    }

    /// Whether the index holds what the log does not have any more: no event brings it on from there.
    pub(crate) async fn is_index_beyond_the_log(&self) -> bool {
        let index = self.index.current().load().snapshot().position();
        match &self.log {
            Some(log) => log.head().await.is_ok_and(|head| index > head),
            None => false,
        }
    }

    /// Whether index and documents have one digest. None when both are never seen at one position, as
    /// under a steady stream of events.
    async fn index_agrees(&self) -> anyhow::Result<Option<bool>> {
        for _ in 0..LOOKS_MAX {
            let live = self.live.load_full().checkpoint().await?;
            // Position and digest come from one commit.
            let snapshot = self.index.current().load().snapshot();
            let position = snapshot.position();
            let digest = tokio::task::spawn_blocking(move || snapshot.digest_of_live()).await??;
            if position == live.position {
                return Ok(Some(digest == live.digest.total()));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let is_beyond = self.is_index_beyond_the_log().await;
        Ok(is_beyond.then_some(false))
    }
}
