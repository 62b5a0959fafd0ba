//! Runs one schedule from its first call to its verdict, on a cluster that outlives it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::chaos::checker;
use crate::chaos::history::{Entry, Event, History, calls};
use crate::chaos::ledger::Ledger;
use crate::chaos::logged::Logged;
use crate::chaos::nemesis::{Nemesis, broker};
use crate::chaos::rest;
use crate::chaos::schedule::Schedule;
use crate::chaos::violation::{Counts, Violation};
use crate::chaos::wire::{Addresses, Wire};
use crate::chaos::workload::{Marks, Workload};
use crate::cluster::{Cluster, ClusterOptions};

/// The time of load before the first strike, so that there is something to break.
const WARM_UP_MS: u64 = 300;
/// The time of load on the healed cluster.
const AFTER_HEALING_MS: u64 = 500;

/// A cluster and what is known of it.
pub(super) struct Arena {
    cluster: Cluster,
    marks: Arc<Marks>,
    ledger: Ledger,
    /// The whole log, to compare the stream with.
    log: Vec<Logged>,
    schedules: u64,
    /// Whether answers carried tokens: then request ids must hold too.
    tokens: bool,
}

/// The result of a schedule.
pub(super) struct Verdict {
    pub(super) schedule: Schedule,
    pub(super) counts: Counts,
    /// The time from healing until nothing lagged.
    pub(super) lag_over: Option<Duration>,
    pub(super) took: Duration,
    pub(super) violations: Vec<Violation>,
    pub(super) history: Vec<Entry>,
    /// The last lines of the services' logs, when something is wrong.
    pub(super) logs: String,
}

impl Arena {
    pub(super) async fn open(
        catalogctl: &Path,
        options: ClusterOptions,
        marks: Arc<Marks>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            cluster: Cluster::start_with(catalogctl, options).await?,
            marks,
            ledger: Ledger::default(),
            log: Vec::new(),
            schedules: 0,
            tokens: false,
        })
    }

    pub(super) fn schedules(&self) -> u64 {
        self.schedules
    }

    /// Runs a schedule. An error of the suite itself becomes a violation too: no recovery may need
    /// a hand (I7).
    pub(super) async fn run(&mut self, schedule: &Schedule) -> Verdict {
        self.schedules += 1;
        let started = Instant::now();
        let history = Arc::new(History::begin());
        let mut verdict = Verdict {
            schedule: schedule.clone(),
            counts: Counts::default(),
            lag_over: None,
            took: Duration::ZERO,
            violations: Vec::new(),
            history: Vec::new(),
            logs: String::new(),
        };
        if let Err(err) = self.load_and_check(&history, &mut verdict).await {
            let text = format!("the cluster did not come back by itself: {err:#}");
            verdict.violations.push(Violation::new("I7", text));
        }
        if !verdict.violations.is_empty() {
            verdict.logs = self.cluster.logs();
        }
        verdict.history = history.entries();
        verdict.took = started.elapsed();
        verdict
    }

    async fn load_and_check(
        &mut self,
        history: &Arc<History>,
        verdict: &mut Verdict,
    ) -> anyhow::Result<()> {
        let schedule = verdict.schedule.clone();
        let prefix = format!("s{}-{}", schedule.seed, self.schedules);
        let mut nemesis = Nemesis::new(&mut self.cluster, history);
        let workload = Workload {
            prefix: prefix.clone(),
            seed: schedule.seed,
            history: history.clone(),
            marks: self.marks.clone(),
            addresses: Addresses::of(nemesis.cluster),
        };
        let stop = CancellationToken::new();
        let load = tokio::spawn(workload.run(stop.clone()));
        // This guard ends the clients whatever happens below.
        let _stop = stop.clone().drop_guard();

        tokio::time::sleep(Duration::from_millis(WARM_UP_MS)).await;
        nemesis.run(&schedule).await?;
        nemesis.heal().await?;
        let healed = Instant::now();
        tokio::time::sleep(Duration::from_millis(AFTER_HEALING_MS)).await;
        stop.cancel();
        load.await??;
        nemesis.finish_rebuild().await?;
        let settled = rest::settle(&mut nemesis).await?;
        verdict.violations.append(&mut nemesis.outrages);
        match settled {
            Ok(_) => verdict.lag_over = Some(healed.elapsed()),
            Err(lag) => verdict.violations.push(Violation::new("I6", lag)),
        }
        self.check(&prefix, history, verdict).await
    }

    async fn check(
        &mut self,
        prefix: &str,
        history: &History,
        verdict: &mut Verdict,
    ) -> anyhow::Result<()> {
        let violations = &mut verdict.violations;
        let database = self.cluster.command_database();
        let events = self.ledger.read_on(database, violations).await?;
        let entries = history.entries();
        self.tokens |= entries.iter().any(gives_token);
        let (broken, counts) =
            checker::judge(&calls(&entries), &events, &verdict.schedule, self.tokens);
        verdict.counts = counts;
        violations.extend(broken);

        let new_from = self.log.len();
        self.log.extend(events);
        let from = if verdict.schedule.loses_events() {
            0
        } else {
            new_from
        };
        let broker = broker(&self.cluster).await?;
        violations.extend(rest::stream(&broker, &self.log[from..]).await?);
        violations.extend(rest::digests(&self.cluster, &self.ledger).await?);
        let wire = Wire::grpc(&Addresses::of(&self.cluster));
        let prefix = format!("{prefix}-");
        violations.extend(rest::answers(&wire, &self.ledger, &prefix).await);
        Ok(())
    }
}

fn gives_token(entry: &Entry) -> bool {
    match &entry.event {
        Event::Ok { answer } => answer.token().is_some_and(|token| !token.is_empty()),
        _ => false,
    }
}
