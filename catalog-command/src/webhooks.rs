//! Webhooks are delivered by the leader: a courier for each active one, begun anew whenever somebody changes
//! it. Nothing is kept here; a leader that comes after goes on from what the database has.

mod courier;
mod lanes;
mod sender;
mod connector;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use service_kit::Retry;
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use crate::domain::Schedule;
use crate::log_watch::LogWatch;
use crate::status::WebhookCounts;
use crate::store::{self, Epoch, FollowedWebhook};
use crate::webhooks::courier::{Courier, Office};
pub(crate) use crate::webhooks::sender::{Endpoint, Outcome, Sender};

/// How soon a change that another instance made is noticed.
const LOOK_EVERY_MS: u64 = 250;
const COUNT_EVERY_MS: u64 = 2_000;

/// Delivers to all webhooks.
pub(crate) struct Deliverer {
    office: Office,
    watch: LogWatch,
    changed: Arc<Notify>,
}

/// The courier of a webhook as it was at this revision.
struct Running {
    revision: i64,
    task: AbortOnDropHandle<()>,
}

impl Deliverer {
    /// `changed` is notified when this instance has changed a webhook.
    pub(crate) fn new(
        pool: PgPool,
        sender: Sender,
        schedule: Schedule,
        watch: LogWatch,
        changed: Arc<Notify>,
        counts: WebhookCounts,
    ) -> Self {
        let office = Office {
            pool,
            sender,
            schedule,
            counts,
        };
        Self {
            office,
            watch,
            changed,
        }
    }

    /// Delivers for as long as it is polled. When it is dropped, deliveries end where they are.
    pub(crate) async fn run(&self, epoch: Epoch) {
        let mut couriers = HashMap::new();
        let mut retry = Retry::new("webhooks");
        let mut seen = None;
        let mut counted_at = None;
        loop {
            match self
                .look(epoch, &mut couriers, &mut seen, &mut counted_at)
                .await
            {
                Ok(()) => {
                    retry.succeeded();
                    let poll = Duration::from_millis(LOOK_EVERY_MS);
                    let _ = tokio::time::timeout(poll, self.changed.notified()).await;
                }
                Err(err) => retry.failed(err).wait().await,
            }
        }
    }

    async fn look(
        &self,
        epoch: Epoch,
        couriers: &mut HashMap<Uuid, Running>,
        seen: &mut Option<i64>,
        counted_at: &mut Option<Instant>,
    ) -> sqlx::Result<()> {
        let pool = &self.office.pool;
        let revision = store::webhook_revision(pool).await?;
        // One that has ended was overtaken by a change, or has been stopped.
        let ended = couriers.values().any(|running| running.task.is_finished());
        if *seen != Some(revision) || ended {
            let followed = store::followed_webhooks(pool).await?;
            self.reconcile(epoch, couriers, followed).await;
            *seen = Some(revision);
        }
        let often = Duration::from_millis(COUNT_EVERY_MS);
        if counted_at.is_none_or(|at| at.elapsed() > often) {
            let it = store::webhook_totals(pool).await?;
            let counts = &self.office.counts;
            counts.seen(it.active, it.disabled, it.waiting, it.lag);
            *counted_at = Some(Instant::now());
        }
        Ok(())
    }

    async fn reconcile(
        &self,
        epoch: Epoch,
        couriers: &mut HashMap<Uuid, Running>,
        followed: Vec<FollowedWebhook>,
    ) {
        let current: HashMap<Uuid, i64> = followed
            .iter()
            .map(|one| (one.hook.webhook.id, one.revision))
            .collect();
        let outdated: Vec<Uuid> = couriers
            .iter()
            .filter(|(id, running)| {
                current.get(id) != Some(&running.revision) || running.task.is_finished()
            })
            .map(|(id, _)| *id)
            .collect();
        for id in outdated {
            if let Some(running) = couriers.remove(&id) {
                // The next one begins when this one has ended: two would not keep the order.
                running.task.abort();
                let _ = running.task.await;
            }
        }
        for one in followed {
            couriers.entry(one.hook.webhook.id).or_insert_with(|| {
                let (office, heads) = (self.office.clone(), self.watch.follow());
                let revision = one.revision;
                let courier = Courier::new(office, epoch, one, heads);
                Running {
                    revision,
                    task: AbortOnDropHandle::new(tokio::spawn(courier.run())),
                }
            });
        }
    }
}
