//! Single writes that come at the same time are saved by one statement, so that many writers cost
//! little more than one. A write that meets an obstacle, a lost race or a lock, leaves the group and
//! goes on alone: nobody waits for somebody else's product.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use catalog_events::ProductId;
use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};
use time::OffsetDateTime;
use tokio::sync::{Notify, mpsc, oneshot};

use crate::commands::attempt::Attempt;
use crate::commands::written::Written;
use crate::domain::{Current, Decision, Rejection};
use crate::store::{self, Clock, Origin, soon};

const WRITES_MAX: usize = 64;
/// How many writes are set aside for later groups, behind an earlier write of the same product: more than
/// there are clients of one product, so that these keep nobody else waiting.
const LATER_MAX: usize = 4_096;
/// How many writes wait in the queue; further writers wait for room in it.
const WAITING_MAX: usize = 1_024;
/// How long the connection is kept while nobody writes.
const KEEP_CONNECTION_MS: u64 = 100;

/// What a command makes of its product as it is at that time. `Ok(None)` leaves it as it is.
pub(super) type Decide = Arc<
    dyn Fn(Option<&Current>, OffsetDateTime) -> Result<Option<Decision>, Rejection> + Send + Sync,
>;

/// What a command expects of its product, so that it need not look first.
#[derive(Clone, Copy, Debug)]
pub(super) enum Before {
    Absent,
    Present,
    Unknown,
}

/// One write on its way through the group.
pub(super) struct GroupWrite {
    pub(super) id: ProductId,
    pub(super) before: Before,
    pub(super) origin: Origin,
    pub(super) decide: Decide,
}

struct Waiting {
    write: GroupWrite,
    answer: oneshot::Sender<Result<Written, Attempt>>,
}

/// Where writers hand in what they want written.
#[derive(Clone)]
pub(super) struct WriteGroup(mpsc::Sender<Waiting>);

impl WriteGroup {
    /// Waits until the write is saved with others. `Attempt::Lost` asks the writer to go on alone.
    pub(super) async fn write(&self, write: GroupWrite) -> Result<Written, Attempt> {
        let (answer, answered) = oneshot::channel();
        // Without a saver, which ends only with the service, everybody writes alone.
        let handed_in = self.0.send(Waiting { write, answer }).await;
        handed_in.map_err(|_| Attempt::Lost)?;
        answered.await.unwrap_or(Err(Attempt::Lost))
    }
}

/// Saves what writers hand in, group after group, on one connection.
pub(crate) struct GroupSaver {
    pool: PgPool,
    clock: Clock,
    committed: Arc<Notify>,
    waiting: mpsc::Receiver<Waiting>,
    /// Writes that wait for the next group, because an earlier write of the same product is in this one.
    next: Vec<Waiting>,
}

pub(super) fn write_group(
    pool: PgPool,
    clock: Clock,
    committed: Arc<Notify>,
) -> (WriteGroup, GroupSaver) {
    let (hand_in, waiting) = mpsc::channel(WAITING_MAX);
    let saver = GroupSaver {
        pool,
        clock,
        committed,
        waiting,
        next: Vec::new(),
    };
    (WriteGroup(hand_in), saver)
}

impl GroupSaver {
    /// Saves until the last writer is gone: what was handed in before the service stops is still saved.
    pub(crate) async fn run(mut self) -> anyhow::Result<()> {
        let mut connection = None;
        loop {
            if self.next.is_empty() {
                let keep = Duration::from_millis(KEEP_CONNECTION_MS);
                match tokio::time::timeout(keep, self.waiting.recv()).await {
                    Ok(Some(first)) => self.next.push(first),
                    Ok(None) => return Ok(()),
                    Err(_) => {
                        connection = None;
                        match self.waiting.recv().await {
                            Some(first) => self.next.push(first),
                            None => return Ok(()),
                        }
                    }
                }
            }
            let group = self.take_group();
            if !group.is_empty() {
                connection = self.save(connection, group).await;
            }
        }
    }

    /// Takes the writes that wait already, each product once.
    fn take_group(&mut self) -> Vec<Waiting> {
        let mut products = HashSet::new();
        let (mut group, mut later) = (Vec::new(), Vec::new());
        let mut earlier = std::mem::take(&mut self.next).into_iter();
        while group.len() < WRITES_MAX && later.len() < LATER_MAX {
            let next = earlier.next().or_else(|| self.waiting.try_recv().ok());
            let Some(next) = next else { break };
            // A writer that gave up waiting does not want it written any more.
            if next.answer.is_closed() {
                continue;
            }
            if products.insert(next.write.id.clone()) {
                group.push(next);
            } else {
                later.push(next);
            }
        }
        later.extend(earlier);
        self.next = later;
        group
    }

    /// Saves a group and returns the connection where it can be used again.
    async fn save(
        &self,
        connection: Option<PoolConnection<Postgres>>,
        group: Vec<Waiting>,
    ) -> Option<PoolConnection<Postgres>> {
        let acquired = match connection {
            Some(connection) => Ok(connection),
            None => self.pool.acquire().await,
        };
        let mut connection = match acquired {
            Ok(connection) => connection,
            Err(err) => {
                answer_all(group, err);
                return None;
            }
        };
        match soon(decide_and_save(&mut connection, &group, &self.clock)).await {
            Ok(outcomes) => {
                let saved = outcomes.iter().any(|outcome| outcome.saved);
                for (waiting, outcome) in group.into_iter().zip(outcomes) {
                    // A writer that gave up meanwhile knows that it may have been written.
                    let _ = waiting.answer.send(outcome.answer);
                }
                if saved {
                    self.committed.notify_one();
                }
                Some(connection)
            }
            Err(err) => {
                answer_all(group, err);
                // Nothing is known of its state.
                drop(connection.detach());
                None
            }
        }
    }
}

/// Answers all writers of a statement that failed and wrote nothing. What the database refuses is one
/// writer's fault, or somebody else's lock: each tries alone. Any other error is that of all of them.
fn answer_all(group: Vec<Waiting>, err: sqlx::Error) {
    let refused = err.as_database_error().is_some();
    let message = err.to_string();
    for waiting in group {
        let attempt = if refused {
            Attempt::Lost
        } else {
            sqlx::Error::Io(io::Error::other(message.clone())).into()
        };
        let _ = waiting.answer.send(Err(attempt));
    }
}

struct Outcome {
    saved: bool,
    answer: Result<Written, Attempt>,
}

async fn decide_and_save(
    db: &mut PgConnection,
    group: &[Waiting],
    clock: &Clock,
) -> Result<Vec<Outcome>, sqlx::Error> {
    let current = load_present(db, group).await?;
    let decided: Vec<_> = group
        .iter()
        .map(|waiting| {
            let write = &waiting.write;
            (write.decide)(current.get(&write.id), clock.now())
        })
        .collect();
    let writes: Vec<_> = decided
        .iter()
        .zip(group)
        .filter_map(|(decided, waiting)| {
            let decision = decided.as_ref().ok()?.as_ref()?;
            Some((decision, &waiting.write.origin))
        })
        .collect();
    let saved = store::save_each(db, &writes, &current).await?;
    let outcome = |(decided, waiting): (Result<Option<Decision>, Rejection>, &Waiting)| {
        let id = &waiting.write.id;
        let is_saved = saved.contains(id.as_str());
        Outcome {
            saved: is_saved,
            answer: match decided {
                Err(rejection) => Err(rejection.into()),
                Ok(None) => unchanged(id, current.get(id)),
                Ok(Some(decision)) if is_saved => Ok(Written::from(&decision)),
                Ok(Some(_)) => Err(Attempt::Lost),
            },
        }
    };
    Ok(decided.into_iter().zip(group).map(outcome).collect())
}

/// Loads the products that the writers do not expect to be absent.
async fn load_present(
    db: &mut PgConnection,
    group: &[Waiting],
) -> sqlx::Result<HashMap<ProductId, Current>> {
    let ids: Vec<&str> = group
        .iter()
        .map(|waiting| &waiting.write)
        .filter(|write| !matches!(write.before, Before::Absent))
        .map(|write| write.id.as_str())
        .collect();
    if ids.is_empty() {
        Ok(HashMap::new())
    } else {
        store::load(db, &ids).await
    }
}

fn unchanged(id: &ProductId, current: Option<&Current>) -> Result<Written, Attempt> {
    let unchanged = current.ok_or(Rejection::NotFound)?;
    Ok(Written::unchanged(id, unchanged))
}
