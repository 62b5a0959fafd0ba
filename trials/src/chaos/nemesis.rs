//! Strikes a cluster as a schedule says, and then heals it: paused processes go on, and those that
//! ended are started again, as in production. Nothing else is mended by hand.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use async_nats::jetstream;
use catalog_events::STREAM;
use catalog_proto::v1::RebuildRequest;
use catalog_proto::v1::catalog_query_operations_client::CatalogQueryOperationsClient;
use catalog_proto::v1::rebuild_progress::Phase;
use devkit::Pause;
use futures_util::TryStreamExt as _;
use tokio::task::JoinHandle;
use tonic::{Code, Status};

use crate::chaos::history::History;
use crate::chaos::schedule::{Fault, Schedule, Target};
use crate::chaos::violation::Violation;
use crate::cluster::{Cluster, Link, Part, channel};

const REBUILD_SECONDS_MAX: u64 = 120;
const BROKER_MS_MAX: u64 = 5_000;
/// How often services that have ended are looked for and started again.
const SUPERVISE_EVERY_MS: u64 = 100;

pub(super) struct Nemesis<'c> {
    pub(super) cluster: &'c mut Cluster,
    pub(super) history: &'c History,
    rebuild: Option<JoinHandle<Result<String, Status>>>,
    /// A copy of the broker's files, taken when the loss of the tail began.
    copy: Option<tempfile::TempDir>,
    paused: Vec<(Target, Pause)>,
    /// Violations that no fault excuses.
    pub(super) outrages: Vec<Violation>,
}

#[derive(Clone, Copy, PartialEq)]
enum Moment {
    Begin,
    End,
}

impl<'c> Nemesis<'c> {
    pub(super) fn new(cluster: &'c mut Cluster, history: &'c History) -> Self {
        Self {
            cluster,
            history,
            rebuild: None,
            copy: None,
            paused: Vec::new(),
            outrages: Vec::new(),
        }
    }

    /// Carries out every strike from its beginning to its end, as near to its times as the actions
    /// allow.
    pub(super) async fn run(&mut self, schedule: &Schedule) -> anyhow::Result<()> {
        let mut actions: Vec<(u64, Moment, Fault)> = schedule
            .strikes
            .iter()
            .flat_map(|strike| {
                [
                    (strike.from_ms, Moment::Begin, strike.fault),
                    (strike.to_ms, Moment::End, strike.fault),
                ]
            })
            .collect();
        actions.sort_by_key(|(at_ms, ..)| *at_ms);
        let started = Instant::now();
        for (at_ms, moment, fault) in actions {
            self.wait_until(started + Duration::from_millis(at_ms))
                .await?;
            let done = match moment {
                Moment::Begin => self.begin(fault).await,
                Moment::End => self.end(fault).await,
            };
            let moment = if moment == Moment::Begin {
                "begin"
            } else {
                "end"
            };
            match done {
                Ok(()) => self.history.note(format!("{moment}: {fault}")),
                // A stream, for instance, cannot be deleted while the broker is cut off.
                Err(err) => self
                    .history
                    .note(format!("{moment}: {fault} failed: {err:#}")),
            }
        }
        Ok(())
    }

    async fn wait_until(&mut self, until: Instant) -> anyhow::Result<()> {
        loop {
            self.supervise()?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            tokio::time::sleep(left.min(Duration::from_millis(SUPERVISE_EVERY_MS))).await;
        }
    }

    pub(super) fn supervise(&mut self) -> anyhow::Result<()> {
        for part in self.cluster.supervise()? {
            let name = part.name();
            self.history
                .note(format!("{name} ended by itself and was started again"));
        }
        Ok(())
    }

    async fn begin(&mut self, fault: Fault) -> anyhow::Result<()> {
        match fault {
            Fault::Kill(target) => self.kill(target).await,
            Fault::Pause(target) => self.pause(target).await,
            Fault::Restart(target) => self.stop(target).await,
            Fault::Link(link, fault) => {
                self.cluster.set_link(link, Some(fault));
                Ok(())
            }
            Fault::DeleteConsumers => self.within(delete_consumers).await,
            Fault::DeleteStream => self.within(delete_stream).await,
            Fault::LoseTail => self.copy_broker().await,
            Fault::PowerCut => self.cluster.cut_power().await,
            Fault::Rebuild => {
                let target = self.cluster.query_grpc();
                self.rebuild = Some(tokio::spawn(rebuild(target)));
                Ok(())
            }
            Fault::Replica => self.cluster.launch(Part::Replica),
        }
    }

    async fn end(&mut self, fault: Fault) -> anyhow::Result<()> {
        match fault {
            Fault::Kill(target) | Fault::Restart(target) => self.start(target).await,
            Fault::Pause(target) => {
                self.paused.retain(|(paused, _)| *paused != target);
                Ok(())
            }
            Fault::Link(link, _) => {
                self.cluster.set_link(link, None);
                Ok(())
            }
            Fault::DeleteConsumers | Fault::DeleteStream | Fault::PowerCut => Ok(()),
            Fault::LoseTail => self.restore_broker().await,
            Fault::Rebuild => Ok(()),
            Fault::Replica => self.cluster.kill(Part::Replica).await,
        }
    }

    async fn kill(&mut self, target: Target) -> anyhow::Result<()> {
        match part(target) {
            Some(part) => self.cluster.kill(part).await,
            None if target == Target::Postgres => Ok(self.postgres()?.kill().await?),
            None => Ok(self.nats()?.kill().await?),
        }
    }

    /// Stops a service. The servers of devkit are stopped and started in one step, at the end of
    /// the strike.
    async fn stop(&mut self, target: Target) -> anyhow::Result<()> {
        match part(target) {
            Some(part) => self.cluster.stop(part).await,
            None => Ok(()),
        }
    }

    async fn start(&mut self, target: Target) -> anyhow::Result<()> {
        match part(target) {
            Some(part) if self.cluster.is_launched(part) => Ok(()),
            Some(part) => self.cluster.launch(part),
            None if target == Target::Postgres => Ok(self.postgres()?.restart().await?),
            None => Ok(self.nats()?.restart().await?),
        }
    }

    async fn pause(&mut self, target: Target) -> anyhow::Result<()> {
        let pause = match part(target) {
            Some(part) => self.cluster.pause(part).await?,
            None if target == Target::Postgres => Some(self.postgres()?.pause().await?),
            None => Some(self.nats()?.pause().await?),
        };
        self.paused.extend(pause.map(|pause| (target, pause)));
        Ok(())
    }

    fn postgres(&mut self) -> anyhow::Result<&mut devkit::Postgres> {
        let postgres = self.cluster.devkit.postgres();
        postgres.context("faults need a Postgres of their own: unset CATALOG_TEST_POSTGRES_URL")
    }

    fn nats(&mut self) -> anyhow::Result<&mut devkit::Nats> {
        let nats = self.cluster.devkit.nats();
        nats.context("faults need a NATS of their own: unset CATALOG_TEST_NATS_URL")
    }

    /// Does admin work on the broker, past the proxies.
    async fn within<F>(&mut self, work: impl FnOnce(jetstream::Context) -> F) -> anyhow::Result<()>
    where
        F: Future<Output = anyhow::Result<()>>,
    {
        let limit = Duration::from_millis(BROKER_MS_MAX);
        let broker = broker(self.cluster).await?;
        tokio::time::timeout(limit, work(broker)).await?
    }

    async fn copy_broker(&mut self) -> anyhow::Result<()> {
        let nats = self.nats()?;
        nats.kill().await?;
        let copy = tempfile::tempdir()?;
        copy_folder(&nats.store_dir(), copy.path())?;
        nats.restart().await?;
        self.copy = Some(copy);
        Ok(())
    }

    async fn restore_broker(&mut self) -> anyhow::Result<()> {
        let Some(copy) = self.copy.take() else {
            return Ok(());
        };
        let nats = self.nats()?;
        nats.kill().await?;
        let store = nats.store_dir();
        std::fs::remove_dir_all(&store)?;
        copy_folder(copy.path(), &store)?;
        nats.restart().await?;
        Ok(())
    }

    /// Ends every fault, including those whose end failed.
    pub(super) async fn heal(&mut self) -> anyhow::Result<()> {
        for link in Link::ALL {
            self.cluster.set_link(link, None);
        }
        self.paused.clear();
        if !self.postgres()?.is_running() {
            self.postgres()?.restart().await?;
        }
        if !self.nats()?.is_running() {
            self.nats()?.restart().await?;
        }
        self.cluster.kill(Part::Replica).await?;
        for part in Part::ALL {
            if !self.cluster.is_launched(part) {
                self.cluster.launch(part)?;
            }
        }
        self.supervise()?;
        self.history.note("healed");
        Ok(())
    }

    /// Waits for a rebuild that is still running, and judges how it ended.
    pub(super) async fn finish_rebuild(&mut self) -> anyhow::Result<()> {
        let Some(rebuild) = self.rebuild.take() else {
            return Ok(());
        };
        let limit = Duration::from_secs(REBUILD_SECONDS_MAX);
        let Ok(ended) = tokio::time::timeout(limit, rebuild).await else {
            let text = format!("a rebuild did not end within {limit:?}");
            self.outrages.push(Violation::new("I8", text));
            return Ok(());
        };
        match ended? {
            Ok(digest) => self
                .history
                .note(format!("rebuild switched, digest {digest}")),
            Err(status) => {
                let why = format!("{:?} {}", status.code(), status.message());
                self.history.note(format!("rebuild ended: {why}"));
                if status.code() == Code::FailedPrecondition {
                    let text = format!("a rebuild found a difference: {why}");
                    self.outrages.push(Violation::new("I3", text));
                }
            }
        }
        Ok(())
    }
}

fn part(target: Target) -> Option<Part> {
    match target {
        Target::Command => Some(Part::Command),
        Target::Query => Some(Part::Query),
        Target::Bff => Some(Part::Bff),
        Target::Postgres | Target::Nats => None,
    }
}

pub(super) async fn broker(cluster: &Cluster) -> anyhow::Result<jetstream::Context> {
    let url = cluster.devkit.nats_url();
    let client = catalog_events::connect("chaos", &url).await?;
    Ok(jetstream::new(client))
}

async fn delete_consumers(broker: jetstream::Context) -> anyhow::Result<()> {
    let stream = broker.get_stream(STREAM).await?;
    let names: Vec<String> = stream.consumer_names().try_collect().await?;
    for name in names {
        stream.delete_consumer(&name).await?;
    }
    Ok(())
}

async fn delete_stream(broker: jetstream::Context) -> anyhow::Result<()> {
    broker.delete_stream(STREAM).await?;
    Ok(())
}

/// Rebuilds and returns the digest of the new live generation.
async fn rebuild(target: String) -> Result<String, Status> {
    let mut operations = CatalogQueryOperationsClient::new(channel(&target));
    let answer = operations.rebuild(RebuildRequest {}).await?;
    let mut steps = answer.into_inner();
    while let Some(step) = steps.message().await? {
        if step.phase() == Phase::Switched {
            return Ok(step.digest);
        }
    }
    Err(Status::unavailable("the rebuild ended before it switched"))
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target: PathBuf = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
