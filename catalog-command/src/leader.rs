//! One instance at a time runs the sequencer and the relays and delivers to webhooks. The lease decides which; the fencing epoch
//! and the expected sequence see to it that two instances that both believe to hold it do no harm.

use std::time::Duration;

use sqlx::PgPool;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::relay::Relay;
use crate::sequencer::Sequencer;
use crate::status::WriteProgress;
use crate::store::{self, Epoch};
use crate::webhooks::Deliverer;

/// How long the log may stand still after its leader was killed.
const LEASE_MS: u64 = 3_000;
const RENEW_EVERY_MS: u64 = 1_000;
/// How often an instance that does not lead asks for the lease.
const RETRY_EVERY_MS: u64 = 500;
/// How often the metrics of the outbox and the logs are read.
const WATCH_EVERY_MS: u64 = 2_000;

/// The work of the one instance that leads.
pub(crate) struct Leader {
    pub(crate) pool: PgPool,
    pub(crate) me: Uuid,
    pub(crate) sequencer: Sequencer,
    pub(crate) relay: Relay,
    pub(crate) rule_relay: Relay,
    pub(crate) deliverer: Deliverer,
    pub(crate) progress: WriteProgress,
}

impl Leader {
    pub(crate) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        while !stop.is_cancelled() {
            match store::acquire(&self.pool, self.me, LEASE_MS as i64).await {
                Ok(Some(epoch)) => {
                    tracing::info!(
                        epoch = epoch.0,
                        "leading: this instance sequences and relays"
                    );
                    self.progress.set_leader(true);
                    // It holds digests, which are large for a future.
                    Box::pin(self.lead(epoch, &stop)).await;
                    self.progress.set_leader(false);
                }
                Ok(None) => {}
                Err(err) => tracing::warn!("cannot ask for the lease on the log: {err}"),
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(RETRY_EVERY_MS)) => {}
                () = stop.cancelled() => {}
            }
        }
        Ok(())
    }

    /// Runs sequencer and relays until the lease is lost or the service stops.
    async fn lead(&self, epoch: Epoch, stop: &CancellationToken) {
        tokio::select! {
            () = self.sequencer.run(epoch) => tracing::warn!("another instance sequences now"),
            () = self.relay.run(epoch) => {}
            () = self.rule_relay.run(epoch) => {}
            () = self.deliverer.run(epoch) => {}
            () = self.watch() => {}
            () = self.keep_lease(epoch) => tracing::warn!("lost the lease on the log"),
            () = stop.cancelled() => {}
        }
        if let Err(err) = store::release(&self.pool, epoch).await {
            tracing::warn!("cannot release the lease on the log: {err}");
        }
    }

    /// Renews the lease and ends when it is gone. An unreachable database is no reason to stop: the log
    /// is extended only under the current epoch.
    async fn keep_lease(&self, epoch: Epoch) {
        loop {
            tokio::time::sleep(Duration::from_millis(RENEW_EVERY_MS)).await;
            match store::renew(&self.pool, epoch, LEASE_MS as i64).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(err) => tracing::warn!("cannot renew the lease on the log: {err}"),
            }
        }
    }

    /// Keeps the metrics of the outbox and the logs fresh.
    async fn watch(&self) {
        loop {
            if let Err(err) = self.look_once().await {
                tracing::warn!("cannot look at the outbox: {err}");
            }
            tokio::time::sleep(Duration::from_millis(WATCH_EVERY_MS)).await;
        }
    }

    async fn look_once(&self) -> sqlx::Result<()> {
        let mut db = self.pool.acquire().await?;
        let (pending, oldest) = store::outbox_backlog(&mut db).await?;
        self.progress.outbox_seen(pending, age_of(oldest));
        let head = store::head_position(&mut *db).await?;
        self.progress.relay.log_seen(head);
        let rules = store::rule_head_position(&mut *db).await?;
        self.progress.rule_relay.log_seen(rules);
        Ok(())
    }
}

/// How long the oldest event has been waiting; zero where none waits.
pub(crate) fn age_of(oldest: Option<OffsetDateTime>) -> Duration {
    let age = oldest.map(|oldest| OffsetDateTime::now_utc() - oldest);
    age.and_then(|age| age.try_into().ok()).unwrap_or_default()
}
