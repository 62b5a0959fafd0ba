//! Leases the right to apply events to a generation that does not answer. A lease is short, so that
//! it ends soon after a holder that was killed, and renewed for as long as the work goes on.

use std::time::{Duration, Instant};

use crate::generations::rebuild::Rebuilder;
use crate::generations::rebuild::error::RebuildError;
use crate::read_model::ReadModel;

const LEASE_MS: i64 = 3_000;
const RENEW_EVERY_MS: u64 = 1_000;
/// How long a lease is waited for. A killed holder loses it after [`LEASE_MS`]; a replica that has
/// yet to notice that another generation is live gives it up within a few seconds, too.
const WAIT_MS_MAX: u64 = 10_000;
const LOOK_EVERY_MS: u64 = 50;

impl Rebuilder {
    /// Does `work` while nobody else applies events to `read_model`. The lease is still ours when the
    /// work succeeds, and given back when it fails.
    pub(crate) async fn leased<T>(
        &self,
        read_model: &ReadModel,
        work: impl Future<Output = Result<T, RebuildError>>,
    ) -> Result<T, RebuildError> {
        self.wait_for_lease(read_model).await?;
        // Work and renewal run side by side: a transaction of the work may hold the row to renew.
        let done = tokio::select! {
            done = work => done,
            lost = self.renew_lease(read_model) => Err(lost),
        };
        if done.is_err() {
            self.give_back_lease(read_model).await;
        }
        done
    }

    /// Takes the lease or renews it; [`RebuildError::Contended`] when somebody else has it.
    pub(crate) async fn hold_lease(&self, read_model: &ReadModel) -> Result<(), RebuildError> {
        if read_model.take_lease(self.me, LEASE_MS).await? {
            Ok(())
        } else {
            Err(RebuildError::Contended)
        }
    }

    /// Gives the lease back. One that cannot be given back ends by itself.
    pub(crate) async fn give_back_lease(&self, read_model: &ReadModel) {
        if let Err(err) = read_model.release_lease(self.me).await {
            let generation = read_model.generation;
            tracing::warn!(generation, "the lease was not given back: {err}");
        }
    }

    async fn wait_for_lease(&self, read_model: &ReadModel) -> Result<(), RebuildError> {
        let started = Instant::now();
        loop {
            match self.hold_lease(read_model).await {
                Err(RebuildError::Contended)
                    if started.elapsed() < Duration::from_millis(WAIT_MS_MAX) =>
                {
                    tokio::time::sleep(Duration::from_millis(LOOK_EVERY_MS)).await;
                }
                held => return held,
            }
        }
    }

    /// Renews the lease until somebody else has got it, and returns that error.
    async fn renew_lease(&self, read_model: &ReadModel) -> RebuildError {
        loop {
            tokio::time::sleep(Duration::from_millis(RENEW_EVERY_MS)).await;
            match self.hold_lease(read_model).await {
                Ok(()) => {}
                Err(RebuildError::Contended) => return RebuildError::Contended,
                Err(err) => {
                    let err = anyhow::Error::new(err);
                    tracing::warn!("the lease of a rebuild was not renewed: {err:#}");
                }
            }
        }
    }
}
