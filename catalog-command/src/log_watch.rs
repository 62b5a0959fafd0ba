//! Tells whoever follows the logs how far they have come. One look at the database serves all followers of
//! this instance; nobody looks while there are none.

use std::sync::Arc;
use std::time::Duration;

use catalog_events::Position;
use service_kit::Retry;
use sqlx::PgPool;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::store;

/// With the time of a look and that of a read, this makes less than the 200 ms of the contract.
const LOOK_EVERY_MS: u64 = 100;

/// The ends of both logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heads {
    pub(crate) products: Position,
    pub(crate) rules: Position,
}

/// Where followers learn of new events. Clones share it.
#[derive(Clone)]
pub(crate) struct LogWatch {
    heads: Arc<watch::Sender<Heads>>,
    /// Told when somebody begins to follow.
    wanted: Arc<Notify>,
}

impl LogWatch {
    pub(crate) fn new() -> Self {
        Self {
            heads: Arc::new(watch::Sender::new(Heads::default())),
            wanted: Arc::default(),
        }
    }

    /// Follows the ends of the logs. What is seen at first may be out of date.
    pub(crate) fn follow(&self) -> watch::Receiver<Heads> {
        let heads = self.heads.subscribe();
        self.wanted.notify_one();
        heads
    }

    pub(crate) async fn run(self, pool: PgPool, stop: CancellationToken) -> anyhow::Result<()> {
        let looking = async {
            let mut retry = Retry::new("ends of the logs");
            loop {
                if self.heads.receiver_count() == 0 {
                    self.wanted.notified().await;
                }
                match store::heads(&pool).await {
                    Ok((products, rules)) => {
                        retry.succeeded();
                        let heads = Heads { products, rules };
                        let changed = |known: &mut Heads| {
                            let changed = *known != heads;
                            *known = heads;
                            changed
                        };
                        self.heads.send_if_modified(changed);
                        tokio::time::sleep(Duration::from_millis(LOOK_EVERY_MS)).await;
                    }
                    Err(err) => retry.failed(err).wait().await,
                }
            }
        };
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            () = looking => Ok(()),
        }
    }
}
