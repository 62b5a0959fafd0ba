//! Delivers to one webhook for as long as it is as it was when this began: reads the logs after its place,
//! sends, and keeps what became of it.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use catalog_events::FeedFilter;
use service_kit::Retry;
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::domain::{LogPlace, Schedule};
use crate::log_watch::Heads;
use crate::status::WebhookCounts;
use crate::store::{self, Epoch, FollowedWebhook, LogError, LogKind, PageBounds};
use crate::webhooks::lanes::{Job, Lanes, Verdict};
use crate::webhooks::sender::{Endpoint, Outcome, Sender};

/// The most bytes of the products of a page as JSON, but for the first of them.
const PAGE_BYTES_MAX: i64 = 256 * 1024;
/// How often what became of deliveries is kept while there are others on their way.
const SETTLE_EVERY_MS: u64 = 200;
/// How often a place is kept that has moved over events that are not wanted.
const KEEP_PLACE_EVERY_MS: u64 = 2_000;
/// The longest time between two looks at what is due.
const LOOK_EVERY_S: u64 = 60;

/// What all couriers share.
#[derive(Clone)]
pub(super) struct Office {
    pub(super) pool: PgPool,
    pub(super) sender: Sender,
    pub(super) schedule: Schedule,
    pub(super) counts: WebhookCounts,
}

/// The deliverer of one webhook.
pub(super) struct Courier {
    office: Office,
    epoch: Epoch,
    followed: FollowedWebhook,
    filter: FeedFilter,
    endpoint: Arc<Endpoint>,
    heads: watch::Receiver<Heads>,
}

/// What came of an attempt at a delivery.
type Attempted = (Job, Result<Outcome, LogError>);

impl Courier {
    pub(super) fn new(
        office: Office,
        epoch: Epoch,
        followed: FollowedWebhook,
        heads: watch::Receiver<Heads>,
    ) -> Self {
        Self {
            office,
            epoch,
            filter: followed.hook.webhook.filter(),
            endpoint: Arc::new(Endpoint::of(&followed.hook)),
            followed,
            heads,
        }
    }

    /// Delivers until the webhook is stopped, or was changed by somebody else.
    pub(super) async fn run(mut self) {
        let mut retry = Retry::new("webhooks");
        loop {
            match self.deliver(&mut retry).await {
                Ok(()) => return,
                Err(err) => retry.failed(err).wait().await,
            }
        }
    }

    /// An error of the database leads back here: what waits is read again, and what was delivered and not
    /// kept is delivered again.
    async fn deliver(&mut self, retry: &mut Retry) -> Result<(), LogError> {
        let id = self.followed.hook.webhook.id;
        let Some(fresh) = self.reread().await? else {
            return Ok(());
        };
        self.followed = fresh;
        let waiting = store::waiting_of(&self.office.pool, id).await?;
        let mut lanes = Lanes::new(
            self.office.schedule.clone(),
            self.followed.hook.place,
            waiting,
            self.followed.failing_since,
            self.followed.last_error.clone(),
        );
        // Tasks of their own: they hold connections, which this waits for while it polls none of them.
        let mut attempts: JoinSet<Attempted> = JoinSet::new();
        let mut settled_at = Instant::now();
        loop {
            let behind = self.read_on(&mut lanes).await?;
            retry.succeeded();
            while let Some(job) = lanes.next(OffsetDateTime::now_utc()) {
                attempts.spawn(self.attempt(job));
            }
            let outcomes = lanes.has_outcomes();
            let every = if outcomes {
                SETTLE_EVERY_MS
            } else {
                KEEP_PLACE_EVERY_MS
            };
            let settle_at = settled_at + Duration::from_millis(every);
            let unsettled = lanes.settlement();
            if let Some(settlement) = &unsettled
                && ((outcomes && attempts.is_empty()) || settle_at <= Instant::now())
            {
                if !self.settle(settlement).await? {
                    return Ok(());
                }
                lanes.settled(settlement);
                settled_at = Instant::now();
                continue;
            }
            if behind && lanes.room() > 0 {
                continue;
            }
            let look_at = Instant::now() + until(lanes.due_at());
            let wake_at = if unsettled.is_some() {
                settle_at.min(look_at)
            } else {
                look_at
            };
            tokio::select! {
                Some(attempted) = attempts.join_next() => {
                    let (job, outcome) =
                        attempted.unwrap_or_else(|err| resume_unwind(err.into_panic()));
                    if let Verdict::Stop(reason) = self.take(&mut lanes, &job, outcome)? {
                        return self.stop(&lanes, &reason).await;
                    }
                }
                changed = self.heads.changed(), if lanes.room() > 0 => {
                    if changed.is_err() {
                        return Ok(());
                    }
                }
                () = tokio::time::sleep_until(wake_at) => {}
            }
        }
    }

    /// The webhook as it is in the database; none where it is not the one of this courier any more.
    async fn reread(&self) -> Result<Option<FollowedWebhook>, LogError> {
        let all = store::followed_webhooks(&self.office.pool).await?;
        let same = |other: &FollowedWebhook| {
            other.hook.webhook.id == self.followed.hook.webhook.id
                && other.revision == self.followed.revision
        };
        Ok(all.into_iter().find(same))
    }

    /// Reads a page of each log where there is room. True where there is more.
    async fn read_on(&mut self, lanes: &mut Lanes) -> Result<bool, LogError> {
        let heads = *self.heads.borrow_and_update();
        let pool = &self.office.pool;
        let bounds = |lanes: &Lanes| PageBounds {
            events: i64::try_from(lanes.room()).unwrap_or(0),
            bytes: PAGE_BYTES_MAX,
        };
        let read = lanes.read_to();
        if heads.products > read.products && lanes.room() > 0 {
            let (after, head, bounds) = (read.products, heads.products, bounds(lanes));
            let page = store::product_events_after(pool, &self.filter, after, head, bounds);
            let (events, reached) = page.await?;
            lanes.add(LogKind::Products, events, reached);
        }
        if heads.rules > read.rules && lanes.room() > 0 {
            let page =
                store::rule_events_after(pool, &self.filter, read.rules, bounds(lanes)).await?;
            lanes.add(LogKind::Rules, page.0, page.1);
        }
        let LogPlace { products, rules } = lanes.read_to();
        Ok(heads.products > products || heads.rules > rules)
    }

    fn attempt(&self, job: Job) -> impl Future<Output = Attempted> + Send + 'static {
        let (office, endpoint) = (self.office.clone(), Arc::clone(&self.endpoint));
        async move {
            let body = match &job.body {
                Some(body) => body.clone(),
                None => match store::event_at(&office.pool, job.spot).await {
                    Ok(event) => event.body,
                    Err(err) => return (job, Err(err)),
                },
            };
            let id = job.event_id.to_string();
            let outcome = office.sender.send(&endpoint, &id, body).await;
            (job, Ok(outcome))
        }
    }

    fn take(
        &self,
        lanes: &mut Lanes,
        job: &Job,
        outcome: Result<Outcome, LogError>,
    ) -> Result<Verdict, LogError> {
        let outcome = outcome?;
        match &outcome {
            Outcome::Delivered { .. } => self.office.counts.delivered(),
            Outcome::Gone | Outcome::Failed { .. } => self.office.counts.failed(),
        }
        if let Outcome::Failed { error, .. } = &outcome {
            let (webhook, event) = (self.followed.hook.webhook.id, job.event_id);
            tracing::debug!(%webhook, %event, "a delivery failed: {error}");
        }
        let now = OffsetDateTime::now_utc();
        Ok(lanes.finished(job, outcome, now, fastrand::f64()))
    }

    async fn settle(&self, settlement: &store::Settlement) -> Result<bool, LogError> {
        let settled = store::settle(&self.office.pool, self.epoch, &self.followed, settlement);
        Ok(settled.await?)
    }

    async fn stop(&self, lanes: &Lanes, reason: &str) -> Result<(), LogError> {
        if let Some(settlement) = lanes.settlement()
            && !self.settle(&settlement).await?
        {
            return Ok(());
        }
        let (pool, webhook) = (&self.office.pool, self.followed.hook.webhook.id);
        tracing::warn!(%webhook, "the webhook is disabled: {reason}");
        let now = OffsetDateTime::now_utc();
        store::disable_webhook(pool, self.epoch, &self.followed, reason, now).await?;
        Ok(())
    }
}

/// How long it is until then, within the time between two looks.
fn until(due: Option<OffsetDateTime>) -> Duration {
    let longest = Duration::from_secs(LOOK_EVERY_S);
    let Some(due) = due else {
        return longest;
    };
    let wait = due - OffsetDateTime::now_utc();
    // Never none at all: what is due and still not begun waits for something else.
    Duration::try_from(wait)
        .unwrap_or_default()
        .clamp(Duration::from_millis(10), longest)
}
