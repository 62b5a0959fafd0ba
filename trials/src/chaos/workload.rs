//! Clients write, repeat what they are not sure of, and read what they wrote. Each product has one
//! writer, so that its whole story is known, except for a few products that all clients write to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::chaos::history::{After, Answer, History, Mark, Outcome, Request, word};
use crate::chaos::wire::{Addresses, Wire};

const CLIENTS: u32 = 6;
const SHARED_PRODUCTS: u64 = 3;
const IMPORT_ROWS: u64 = 5;
const ATTEMPTS_MAX: u32 = 4;
const RETRY_MS: u64 = 120;
/// The pause between two calls of a client: the test is not about how much the machine can do.
const PAUSE_MS: u64 = 25;

/// Hands out the marks of a whole run.
#[derive(Debug)]
pub(super) struct Marks(AtomicU64);

impl Default for Marks {
    fn default() -> Self {
        // Marks serve as prices too, and a price of 0 would prove nothing.
        Self(AtomicU64::new(1))
    }
}

impl Marks {
    pub(super) fn take(&self, count: u64) -> Mark {
        self.0.fetch_add(count, Ordering::Relaxed)
    }
}

/// The state that the clients of one schedule share.
pub(super) struct Workload {
    /// The beginning of the ids of all products of this schedule.
    pub(super) prefix: String,
    pub(super) seed: u64,
    pub(super) history: Arc<History>,
    pub(super) marks: Arc<Marks>,
    pub(super) addresses: Addresses,
}

impl Workload {
    /// Runs the clients until `stop`; they end every call that they began.
    pub(super) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let shared = Arc::new(self);
        let mut clients = JoinSet::new();
        for number in 1..=CLIENTS {
            let client = Client::new(number, shared.clone())?;
            let stop = stop.clone();
            clients.spawn(async move { client.run(stop).await });
        }
        while let Some(ended) = clients.join_next().await {
            ended?;
        }
        Ok(())
    }
}

/// The state of a client's own product, as the client knows it.
#[derive(Clone, Debug, Default)]
struct Known {
    live: bool,
    /// The version; none after an import, whose answer tells no versions.
    version: Option<i64>,
    token: String,
    word: String,
}

struct Client {
    number: u32,
    shared: Arc<Workload>,
    wire: Wire,
    /// The way for imports, which HTTP does not have.
    grpc: Wire,
    random: fastrand::Rng,
    /// The products of this client whose state is certain; an uncertain one is left alone.
    own: BTreeMap<String, Known>,
    /// The last token of each shared product that this client wrote to.
    tokens: BTreeMap<String, (i64, String)>,
    created: u64,
}

impl Client {
    fn new(number: u32, shared: Arc<Workload>) -> anyhow::Result<Self> {
        let wire = Wire::of_client(number, &shared.addresses)?;
        Ok(Self {
            number,
            wire,
            grpc: Wire::grpc(&shared.addresses),
            random: fastrand::Rng::with_seed(shared.seed ^ (u64::from(number) << 32)),
            own: BTreeMap::new(),
            tokens: BTreeMap::new(),
            created: 0,
            shared,
        })
    }

    async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            self.step().await;
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(PAUSE_MS)) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    async fn step(&mut self) {
        let some_product = self.some_product();
        match (self.random.u32(..100), some_product) {
            (0..5, _) => self.import().await,
            (5..15, _) => self.write_shared().await,
            (15..35, Some(id)) => self.update(id).await,
            (35..55, Some(id)) => self.change_price(id).await,
            (55..63, Some(id)) => self.delete(id).await,
            (63..80, Some(id)) => self.read(&id).await,
            (..80, None) | (80.., _) => self.create().await,
        }
    }

    fn some_product(&mut self) -> Option<String> {
        let index = self.random.usize(..self.own.len().max(1));
        self.own.keys().nth(index).cloned()
    }

    fn fresh_id(&mut self) -> String {
        self.created += 1;
        format!("{}-{}-{}", self.shared.prefix, self.number, self.created)
    }

    async fn create(&mut self) {
        let id = self.fresh_id();
        self.create_as(id).await;
    }

    async fn create_as(&mut self, id: String) {
        let mark = self.shared.marks.take(1);
        let request = Request::Create {
            id: id.clone(),
            mark,
        };
        let outcome = self.write(&request).await;
        self.learn(id, outcome, true, Some(mark)).await;
    }

    async fn update(&mut self, id: String) {
        if !self.own.get(&id).is_some_and(|known| known.live) {
            // The id was deleted and now lives again, above its tombstone.
            return self.create_as(id).await;
        }
        let mark = self.shared.marks.take(1);
        let request = Request::Update {
            id: id.clone(),
            mark,
        };
        let outcome = self.write(&request).await;
        self.learn(id, outcome, true, Some(mark)).await;
    }

    async fn change_price(&mut self, id: String) {
        if !self.own.get(&id).is_some_and(|known| known.live) {
            return self.read(&id).await;
        }
        let mark = self.shared.marks.take(1);
        let request = Request::Price {
            id: id.clone(),
            mark,
        };
        let outcome = self.write(&request).await;
        self.learn(id, outcome, true, None).await;
    }

    async fn delete(&mut self, id: String) {
        if !self.own.get(&id).is_some_and(|known| known.live) {
            return self.read(&id).await;
        }
        let mark = self.shared.marks.take(1);
        let request = Request::Delete {
            id: id.clone(),
            mark,
        };
        let outcome = self.write(&request).await;
        self.learn(id, outcome, false, None).await;
    }

    async fn import(&mut self) {
        let mark = self.shared.marks.take(IMPORT_ROWS);
        let ids: Vec<String> = (0..IMPORT_ROWS).map(|_| self.fresh_id()).collect();
        let request = Request::Import {
            ids: ids.clone(),
            mark,
        };
        let outcome = self.write(&request).await;
        if let Outcome::Ok(answer) = outcome {
            for (id, mark) in ids.into_iter().zip(mark..) {
                let known = Known {
                    live: true,
                    version: Some(1),
                    token: answer.token().unwrap_or_default().to_owned(),
                    word: word(mark),
                };
                self.own.insert(id, known);
            }
        }
    }

    /// Writes to a product that all clients write to, without asking for a version: each write is
    /// one event.
    async fn write_shared(&mut self) {
        let number = self.random.u64(..SHARED_PRODUCTS);
        let id = format!("{}-shared-{number}", self.shared.prefix);
        let mark = self.shared.marks.take(1);
        let same_id = id.clone();
        let request = if !self.tokens.contains_key(&id) {
            Request::Create { id: same_id, mark }
        } else if self.random.bool() {
            Request::Update { id: same_id, mark }
        } else {
            Request::Price { id: same_id, mark }
        };
        match self.write(&request).await {
            Outcome::Ok(Answer::Written {
                version: Some(version),
                token,
            }) => {
                self.tokens.insert(id.clone(), (version, token.clone()));
                let after = After {
                    version,
                    live: true,
                    token,
                };
                self.get(&id, Some(after)).await;
            }
            // Another client created it.
            Outcome::Fail(_) => {
                self.tokens.entry(id).or_default();
            }
            _ => {}
        }
    }

    /// Remembers the result of a write, and often reads at once what it wrote.
    async fn learn(&mut self, id: String, outcome: Outcome, live: bool, mark: Option<Mark>) {
        let before = self.own.get(&id).cloned().unwrap_or_default();
        let Outcome::Ok(Answer::Written { version, token }) = outcome else {
            self.own.remove(&id);
            return;
        };
        let known = Known {
            live,
            version: version.or(before.version.map(|version| version + 1)),
            token,
            word: mark.map_or(before.word, word),
        };
        self.own.insert(id.clone(), known);
        if self.random.bool() {
            self.read(&id).await;
        }
    }

    async fn read(&mut self, id: &str) {
        let known = self.own.get(id).cloned().unwrap_or_default();
        let after = known.version.map(|version| After {
            version,
            live: known.live,
            token: known.token,
        });
        if self.random.bool() {
            self.get(id, after).await;
        } else {
            let request = Request::Search {
                id: id.to_owned(),
                word: known.word,
                after,
            };
            self.attempt(&request, "").await;
        }
    }

    async fn get(&self, id: &str, after: Option<After>) {
        let id = id.to_owned();
        self.attempt(&Request::Get { id, after }, "").await;
    }

    /// Sends a write again under the same id as long as nobody knows whether it happened.
    async fn write(&self, request: &Request) -> Outcome {
        let mark = request.mark().unwrap_or_default();
        let request_id = format!("{}-{mark}", self.shared.prefix);
        let mut attempts = 0;
        loop {
            attempts += 1;
            let outcome = self.attempt(request, &request_id).await;
            match outcome {
                Outcome::Unknown(_) if attempts < ATTEMPTS_MAX => {
                    tokio::time::sleep(Duration::from_millis(RETRY_MS)).await;
                }
                // The refusal may be the result of an earlier attempt that succeeded.
                Outcome::Fail(failure) if attempts > 1 => return Outcome::Unknown(failure),
                outcome => return outcome,
            }
        }
    }

    async fn attempt(&self, request: &Request, request_id: &str) -> Outcome {
        let history = &self.shared.history;
        let import = matches!(request, Request::Import { .. });
        let wire = if import && self.wire.is_http() {
            &self.grpc
        } else {
            &self.wire
        };
        let call = history.invoke(self.number, request);
        let outcome = wire.call(request, request_id).await;
        history.end(self.number, call, outcome.clone().event());
        outcome
    }
}
