//! Follows the keys for whoever checks them: all of them first, then every change. Changes are looked for
//! in the database, so that those of other instances are seen as soon as our own.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use catalog_proto::v1;
use catalog_proto::v1::watch_api_keys_response::Kind;
use futures_util::{Stream, StreamExt as _, stream};
use service_kit::status;
use sqlx::PgPool;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::domain::StoredKey;
use crate::grpc::api_keys::message::key_message;
use crate::grpc::convert::timestamp;
use crate::grpc::error::database_status;
use crate::store::{self, soon};

/// A change is seen within this time and that of a look, which makes less than the 500 ms of the contract.
const LOOK_EVERY_MS: u64 = 200;
const HEARTBEAT_EVERY_S: u64 = 2;
/// Keys with all the origins and the filter that they may have come to 2 MiB in such an answer.
const KEYS_PER_ANSWER: i64 = 50;
const WATCHERS_MAX: usize = 100;

pub(crate) type KeyStream =
    Pin<Box<dyn Stream<Item = Result<v1::WatchApiKeysResponse, Status>> + Send>>;

/// Lets callers follow the keys.
pub(crate) struct KeyWatch {
    pool: PgPool,
    places: Arc<Semaphore>,
    /// Ends all streams, which would go on for ever.
    stop: CancellationToken,
}

impl KeyWatch {
    /// `pool` should be one of its own: heartbeats must not wait behind requests.
    pub(crate) fn new(pool: PgPool, stop: CancellationToken) -> Self {
        Self {
            pool,
            places: Arc::new(Semaphore::new(WATCHERS_MAX)),
            stop,
        }
    }

    pub(super) fn open(&self) -> Result<KeyStream, Status> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| {
            let message =
                format!("{WATCHERS_MAX} callers follow the keys already: try again later");
            status(Code::ResourceExhausted, "TOO_MANY_WATCHERS", message, [])
        })?;
        let watcher = Watcher {
            pool: self.pool.clone(),
            stop: self.stop.clone(),
            reached: Reached::Nothing,
            heartbeat_at: Instant::now(),
            _place: place,
        };
        let answers = stream::try_unfold(watcher, async |mut watcher| {
            let kind = watcher.next().await?;
            let answer = v1::WatchApiKeysResponse { kind: Some(kind) };
            Ok(Some((answer, watcher)))
        });
        Ok(answers.boxed())
    }
}

/// One caller, and what it was told.
struct Watcher {
    pool: PgPool,
    stop: CancellationToken,
    reached: Reached,
    heartbeat_at: Instant,
    _place: OwnedSemaphorePermit,
}

#[derive(Clone, Copy)]
enum Reached {
    Nothing,
    /// All keys up to this id. The revision was read before the first of them: what has changed since is
    /// told again.
    Snapshot {
        revision: i64,
        after: Option<Uuid>,
    },
    /// All changes up to this revision.
    Revision(i64),
}

impl Watcher {
    async fn next(&mut self) -> Result<Kind, Status> {
        loop {
            let step = self.step().await.map_err(database_status)?;
            if let Some(kind) = step {
                return Ok(kind);
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(LOOK_EVERY_MS)) => {}
                () = self.stop.cancelled() => {
                    let message = "this instance is stopping: follow the keys at another one";
                    return Err(status(Code::Unavailable, "STOPPING", message, []));
                }
            }
        }
    }

    /// Looks once; none where there is nothing to tell.
    async fn step(&mut self) -> sqlx::Result<Option<Kind>> {
        match self.reached {
            Reached::Nothing => {
                let revision = soon(store::key_revision(&self.pool)).await?;
                let after = None;
                self.snapshot(revision, after).await.map(Some)
            }
            Reached::Snapshot { revision, after } => self.snapshot(revision, after).await.map(Some),
            Reached::Revision(revision) => self.changes(revision).await,
        }
    }

    async fn snapshot(&mut self, revision: i64, after: Option<Uuid>) -> sqlx::Result<Kind> {
        let keys = soon(store::live_keys(&self.pool, after, KEYS_PER_ANSWER)).await?;
        let last = (keys.len() as i64) < KEYS_PER_ANSWER;
        self.reached = match keys.last() {
            Some(stored) if !last => Reached::Snapshot {
                revision,
                after: Some(stored.key.id),
            },
            _ => Reached::Revision(revision),
        };
        Ok(Kind::Snapshot(v1::ApiKeySnapshot {
            keys: keys.into_iter().map(watched).collect(),
            last,
        }))
    }

    async fn changes(&mut self, revision: i64) -> sqlx::Result<Option<Kind>> {
        let changes = store::keys_changed_since(&self.pool, revision, KEYS_PER_ANSWER);
        let changes = soon(changes).await?;
        if let Some((revision, _)) = changes.last() {
            self.reached = Reached::Revision(*revision);
            let keys = changes.into_iter().map(|(_, stored)| watched(stored));
            return Ok(Some(Kind::Changes(v1::ApiKeyChanges {
                keys: keys.collect(),
            })));
        }
        if self.heartbeat_at > Instant::now() {
            return Ok(None);
        }
        self.heartbeat_at = Instant::now() + Duration::from_secs(HEARTBEAT_EVERY_S);
        Ok(Some(Kind::Heartbeat(v1::ApiKeyHeartbeat {})))
    }
}

fn watched(stored: StoredKey) -> v1::WatchedApiKey {
    let newest = v1::ApiKeySecret {
        sha256: stored.secret.0.to_vec(),
        valid_until: None,
    };
    let previous = stored.previous.map(|(hash, until)| v1::ApiKeySecret {
        sha256: hash.0.to_vec(),
        valid_until: Some(timestamp(until)),
    });
    v1::WatchedApiKey {
        key: Some(key_message(stored.key)),
        secrets: [newest].into_iter().chain(previous).collect(),
    }
}
