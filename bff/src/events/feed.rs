//! Opens a stream of events for a client, and follows the write service for all of them.

use std::sync::Arc;
use std::time::Duration;

use catalog_events::FeedFilter;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::config::EventLimits;
use crate::events::cursor::Start;
use crate::events::follow;
use crate::events::places::{Full, Place, Places};
use crate::events::reader::{NotNow, Reader, Source};
use crate::upstream::EventClient;

/// The clients that read old events at one time.
const CATCHING_UP_MAX: usize = 50;
/// How long a client waits until the write service says where the logs end.
const BEGIN_MS_MAX: u64 = 1_000;

/// The events of the catalog. Clones share it.
#[derive(Clone)]
pub(crate) struct Feed {
    source: Source,
    places: Places,
    catching_up: Arc<Semaphore>,
}

impl Feed {
    pub(crate) fn new(client: EventClient, limits: EventLimits) -> Self {
        Self {
            source: Source {
                tail: Arc::default(),
                client,
                heartbeat: limits.heartbeat,
                end: CancellationToken::new(),
            },
            places: Places::new(limits.streams_max, limits.streams_per_key_max),
            catching_up: Arc::new(Semaphore::new(CATCHING_UP_MAX)),
        }
    }

    /// Takes a place among the clients that follow at once; `key` is that of the client.
    pub(crate) fn place(&self, key: Option<&str>) -> Result<Place, Full> {
        self.places.take(key)
    }

    /// Begins to follow for a client.
    pub(crate) async fn open(&self, start: Start, filter: FeedFilter) -> Result<Reader, NotNow> {
        if self.source.end.is_cancelled() {
            return Err(NotNow::Stopping);
        }
        let known = self.source.tail.known();
        let patience = Duration::from_millis(BEGIN_MS_MAX);
        let Ok(end) = tokio::time::timeout(patience, known).await else {
            return Err(NotNow::Silent);
        };
        let cursor = start.after(end);
        let mut reader = Reader::new(self.source.clone(), cursor, filter);
        // One that is beyond the tail may have been told more by another replica, or be made up.
        if !reader.join() || !cursor.is_within(end) {
            let turn = Arc::clone(&self.catching_up).try_acquire_owned();
            reader.catch_up(turn.map_err(|_| NotNow::Busy)?).await?;
        }
        Ok(reader)
    }

    /// Follows the write service until the stop, which ends the streams of all clients too.
    pub(crate) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        tokio::select! {
            () = stop.cancelled() => {}
            () = follow::follow(&self.source.tail, self.source.client) => {}
        }
        self.source.end.cancel();
        Ok(())
    }
}
