//! The tasks of a service live and die together: any that ends stops all, and draining has a
//! deadline.

use std::future::Future;
use std::time::Duration;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long tasks may take to end after the stop.
const DRAIN_MS_MAX: u64 = 10_000;

/// Spawns tasks that watch one token and waits for them.
pub struct Tasks {
    set: JoinSet<(&'static str, anyhow::Result<()>)>,
    stop: CancellationToken,
}

impl Tasks {
    /// No tasks yet. Cancelling `stop` stops those to come.
    pub fn new(stop: CancellationToken) -> Self {
        Self {
            set: JoinSet::new(),
            stop,
        }
    }

    /// Starts a task, whose errors carry `name`. It gets the token and must end soon after that is
    /// cancelled.
    pub fn spawn<F, T>(&mut self, name: &'static str, task: F)
    where
        F: FnOnce(CancellationToken) -> T,
        T: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let task = task(self.stop.clone());
        self.set.spawn(async move { (name, task.await) });
    }

    /// Waits until a task ends or the token is cancelled, stops all and returns the first error. Tasks
    /// that have not ended 10 s after the stop are dropped.
    pub async fn run(mut self) -> anyhow::Result<()> {
        let mut result = Ok(());
        tokio::select! {
            () = self.stop.cancelled() => {}
            Some(ended) = self.set.join_next() => {
                result = outcome(ended);
                self.stop.cancel();
            }
        }
        let drained = tokio::time::timeout(Duration::from_millis(DRAIN_MS_MAX), async {
            while let Some(ended) = self.set.join_next().await {
                result = std::mem::replace(&mut result, Ok(())).and(outcome(ended));
            }
        });
        if drained.await.is_err() {
            tracing::warn!(
                left = self.set.len(),
                "tasks did not drain in {DRAIN_MS_MAX} ms"
            );
        }
        result
    }
}

fn outcome(
    ended: Result<(&'static str, anyhow::Result<()>), tokio::task::JoinError>,
) -> anyhow::Result<()> {
    let (name, result) = ended.context("a task panicked")?;
    tracing::debug!(task = name, "task ended");
    result.context(name)
}

/// Completes at the first SIGINT or SIGTERM. From then on a second one ends the process at once, with
/// exit code 130.
pub async fn stop_signal() {
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        tracing::error!("cannot listen for signals: stop by SIGKILL only");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    tracing::info!("stopping; a second signal ends the process at once");
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        std::process::exit(130);
    });
}
