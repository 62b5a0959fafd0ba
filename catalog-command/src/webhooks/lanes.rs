//! What one webhook is to be sent, in which order and when: a pure machine that is told the time and the
//! outcomes. Every product and every rule has a lane of its own, in which events wait for each other.
//! Invariant: the place of a settlement is before every event that is neither delivered nor waiting.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use catalog_events::Position;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{LogPlace, Schedule};
use crate::store::{LogKind, LogSpot, NotifiedEvent, Settlement, WaitingDelivery};
use crate::webhooks::sender::Outcome;

/// The most deliveries at one time, and the most lanes that may fail in a row before the endpoint counts as
/// failing altogether.
const TOGETHER_MAX: usize = 8;
/// The most deliveries that wait in the database: beyond, the place in the logs stands still.
pub(super) const WAITING_MAX: usize = 1_000;
/// The most events that are read ahead.
const AHEAD_MAX: usize = 64;
/// A webhook to which nothing could be delivered for so long is stopped.
const FAILING_DAYS_MAX: i64 = 5;

/// A lane: those of one log and one product or rule.
type Subject = (LogKind, String);

#[derive(Default)]
struct Lane {
    items: VecDeque<Item>,
    in_flight: bool,
    tried_at: Option<OffsetDateTime>,
    /// It is tried before its time: the endpoint works again.
    woken: bool,
}

struct Item {
    delivery: WaitingDelivery,
    /// None where it waits in the database.
    body: Option<Bytes>,
}

/// A delivery to be tried now.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) subject: String,
    pub(super) spot: LogSpot,
    pub(super) event_id: Uuid,
    /// None where it is to be read from the log.
    pub(super) body: Option<Bytes>,
}

/// What is to be done after an outcome.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Verdict {
    GoOn,
    /// The webhook is to be stopped for this reason.
    Stop(String),
}

/// The lanes of one webhook.
pub(super) struct Lanes {
    schedule: Schedule,
    lanes: BTreeMap<Subject, Lane>,
    /// Up to where the logs have been read.
    read: LogPlace,
    /// Read, and neither delivered nor waiting.
    open: BTreeSet<LogSpot>,
    waiting: usize,
    in_flight: usize,
    /// The lanes that have failed since the last success.
    failed: HashSet<Subject>,
    probes: u32,
    /// Before this time nothing is sent.
    quiet_until: Option<OffsetDateTime>,
    failing_since: Option<OffsetDateTime>,
    last_error: Option<String>,
    last_delivered_at: Option<OffsetDateTime>,
    delivered: i64,
    /// Deliveries whose row is to be written or removed.
    touched: BTreeSet<(Subject, LogSpot)>,
    settled: LogPlace,
    changed: bool,
}

impl Lanes {
    pub(super) fn new(
        schedule: Schedule,
        place: LogPlace,
        waiting: Vec<WaitingDelivery>,
        failing_since: Option<OffsetDateTime>,
        last_error: Option<String>,
    ) -> Self {
        let mut lanes: BTreeMap<Subject, Lane> = BTreeMap::new();
        let mut failed = HashSet::new();
        let count = waiting.len();
        for delivery in waiting {
            let subject = (delivery.spot.log, delivery.subject.clone());
            // Whoever failed altogether before a restart is not met with everything at once after it.
            if delivery.attempts > 0 && failing_since.is_some() {
                failed.insert(subject.clone());
            }
            let lane = lanes.entry(subject).or_default();
            lane.items.push_back(Item {
                delivery,
                body: None,
            });
        }
        Self {
            schedule,
            lanes,
            read: place,
            open: BTreeSet::new(),
            waiting: count,
            in_flight: 0,
            failed,
            probes: 0,
            quiet_until: None,
            failing_since,
            last_error,
            last_delivered_at: None,
            delivered: 0,
            touched: BTreeSet::new(),
            settled: place,
            changed: false,
        }
    }

    /// Up to where the logs have been read.
    pub(super) fn read_to(&self) -> LogPlace {
        self.read
    }

    /// How many events may be read now. Each may end up waiting.
    pub(super) fn room(&self) -> usize {
        let ahead = AHEAD_MAX.saturating_sub(self.open.len());
        // Many small pages would cost more than they bring.
        if ahead < AHEAD_MAX / 2 {
            return 0;
        }
        ahead.min(WAITING_MAX.saturating_sub(self.waiting + self.open.len()))
    }

    /// Takes events in the order of their log, which has no others that are wanted up to `reached`.
    pub(super) fn add(&mut self, log: LogKind, events: Vec<NotifiedEvent>, reached: Position) {
        for event in events {
            self.add_one(event);
        }
        match log {
            LogKind::Products => self.read.products = self.read.products.max(reached),
            LogKind::Rules => self.read.rules = self.read.rules.max(reached),
        }
    }

    fn add_one(&mut self, event: NotifiedEvent) {
        let subject = (event.spot.log, event.subject.clone());
        let lane = self.lanes.entry(subject.clone()).or_default();
        let behind = lane.items.back().filter(|last| last.body.is_none());
        // After a restart events come again. What is not behind the last one that waits is in the lane, or
        // was delivered before that one was tried.
        if behind.is_some_and(|last| event.spot <= last.delivery.spot) {
            return;
        }
        let waits = behind.is_some();
        lane.items.push_back(Item {
            delivery: WaitingDelivery {
                spot: event.spot,
                subject: event.subject,
                event_id: event.event_id,
                event_type: event.kind.to_string(),
                attempts: 0,
                failed_at: None,
                next_attempt_at: None,
                last_status: None,
                last_error: None,
            },
            body: (!waits).then_some(event.body),
        });
        if waits {
            self.waiting += 1;
            self.touched.insert((subject, event.spot));
        } else {
            self.open.insert(event.spot);
        }
    }

    fn fails_altogether(&self) -> bool {
        self.failed.len() >= TOGETHER_MAX
    }

    fn together(&self) -> usize {
        if self.fails_altogether() {
            1
        } else {
            TOGETHER_MAX
        }
    }

    /// The next delivery that is due, the oldest first. While the endpoint fails altogether there is one at
    /// a time, of the lane that was not tried for the longest time.
    pub(super) fn next(&mut self, now: OffsetDateTime) -> Option<Job> {
        if self.in_flight >= self.together() || self.quiet_until.is_some_and(|until| now < until) {
            return None;
        }
        let altogether = self.fails_altogether();
        let idle = self.lanes.iter().filter(|(_, lane)| !lane.in_flight);
        let subject = if altogether {
            let longest = idle.min_by_key(|(_, lane)| (lane.tried_at, lane.first_spot()));
            longest.map(|(subject, _)| subject.clone())
        } else {
            let due = idle.filter(|(_, lane)| lane.is_due(now));
            let oldest = due.min_by_key(|(_, lane)| lane.first_spot());
            oldest.map(|(subject, _)| subject.clone())
        }?;
        let lane = self.lanes.get_mut(&subject)?;
        let item = lane.items.front()?;
        lane.in_flight = true;
        self.in_flight += 1;
        Some(Job {
            subject: subject.1,
            spot: item.delivery.spot,
            event_id: item.delivery.event_id,
            body: item.body.clone(),
        })
    }

    /// When the next delivery is due that is not yet; none where an outcome or an event comes first.
    pub(super) fn due_at(&self) -> Option<OffsetDateTime> {
        let altogether = self.fails_altogether();
        if self.in_flight >= self.together() {
            return None;
        }
        let idle = self.lanes.values().filter(|lane| !lane.in_flight);
        let due = idle.filter_map(|lane| {
            let head = lane.items.front()?;
            let now = OffsetDateTime::UNIX_EPOCH;
            Some(if altogether || lane.woken {
                now
            } else {
                head.delivery.next_attempt_at.unwrap_or(now)
            })
        });
        let due = due.min()?;
        Some(self.quiet_until.map_or(due, |until| due.max(until)))
    }

    /// An attempt could not be made, for reasons of our own.
    pub(super) fn given_up(&mut self, job: &Job) {
        self.in_flight -= 1;
        if let Some(lane) = self.lanes.get_mut(&(job.spot.log, job.subject.clone())) {
            lane.in_flight = false;
        }
    }

    /// Takes the outcome of an attempt. `jitter` is from 0 to 1.
    pub(super) fn finished(
        &mut self,
        job: &Job,
        outcome: Outcome,
        now: OffsetDateTime,
        jitter: f64,
    ) -> Verdict {
        self.given_up(job);
        match outcome {
            Outcome::Delivered { .. } => {
                self.delivered(job, now);
                Verdict::GoOn
            }
            Outcome::Gone => {
                self.changed = true;
                self.last_error = Some("answered 410".to_owned());
                Verdict::Stop("the endpoint answered 410 Gone: it wants no more events".to_owned())
            }
            Outcome::Failed {
                status,
                error,
                retry_after,
            } => self.failed(job, status, error, retry_after, now, jitter),
        }
    }

    fn delivered(&mut self, job: &Job, now: OffsetDateTime) {
        let subject = (job.spot.log, job.subject.clone());
        if self.fails_altogether() {
            for lane in self.lanes.values_mut() {
                lane.woken = true;
            }
            self.quiet_until = None;
        }
        self.failed.clear();
        self.probes = 0;
        self.failing_since = None;
        self.last_error = None;
        self.last_delivered_at = Some(now);
        self.delivered += 1;
        self.changed = true;
        let Some(lane) = self.lanes.get_mut(&subject) else {
            return;
        };
        lane.tried_at = None;
        let item = lane.items.pop_front();
        if lane.items.is_empty() {
            self.lanes.remove(&subject);
        }
        if item.is_some_and(|item| item.body.is_none()) {
            self.waiting -= 1;
            self.touched.insert((subject, job.spot));
        } else {
            self.open.remove(&job.spot);
        }
    }

    fn failed(
        &mut self,
        job: &Job,
        status: Option<u16>,
        error: String,
        retry_after: Option<Duration>,
        now: OffsetDateTime,
        jitter: f64,
    ) -> Verdict {
        let subject = (job.spot.log, job.subject.clone());
        self.changed = true;
        self.failed.insert(subject.clone());
        let failing_since = *self.failing_since.get_or_insert(now);
        self.last_error = Some(error.clone());
        self.make_wait(&subject);
        if self.fails_altogether() {
            self.probes += 1;
            let wait = self.schedule.probe_wait(self.probes);
            self.quiet_until = Some(now + wait);
        }
        if let Some(wait) = retry_after {
            let until = now + wait;
            self.quiet_until = Some(self.quiet_until.map_or(until, |quiet| quiet.max(until)));
        }
        let Some(lane) = self.lanes.get_mut(&subject) else {
            return Verdict::GoOn;
        };
        lane.tried_at = Some(now);
        lane.woken = false;
        let Some(head) = lane.items.front_mut().map(|item| &mut item.delivery) else {
            return Verdict::GoOn;
        };
        head.failed_at.get_or_insert(now);
        head.last_status = status.map(i32::from);
        head.last_error = Some(error);
        // Attempts before their time are for the sake of the endpoint: they use up nothing.
        if head.next_attempt_at.is_none_or(|at| at <= now) {
            head.attempts += 1;
            let attempts = u32::try_from(head.attempts).unwrap_or(u32::MAX);
            match self.schedule.wait_after(attempts, jitter) {
                Some(wait) => {
                    let wait = retry_after.map_or(wait, |asked| asked.max(wait));
                    head.next_attempt_at = Some(now + wait);
                }
                None => {
                    return Verdict::Stop(format!(
                        "event {} was tried {} times, the last one {}",
                        head.event_id,
                        head.attempts,
                        head.last_error.as_deref().unwrap_or("failed")
                    ));
                }
            }
        }
        if now - failing_since > time::Duration::days(FAILING_DAYS_MAX) {
            let error = head.last_error.as_deref().unwrap_or("failed");
            return Verdict::Stop(format!(
                "nothing could be delivered for {FAILING_DAYS_MAX} days, the last attempt {error}"
            ));
        }
        Verdict::GoOn
    }

    /// Makes everything of the lane wait in the database: what comes behind a failure stays behind it.
    fn make_wait(&mut self, subject: &Subject) {
        let Some(lane) = self.lanes.get_mut(subject) else {
            return;
        };
        for (place, item) in lane.items.iter_mut().enumerate() {
            let spot = item.delivery.spot;
            let was_open = item.body.take().is_some();
            if was_open {
                self.open.remove(&spot);
                self.waiting += 1;
            }
            if was_open || place == 0 {
                self.touched.insert((subject.clone(), spot));
            }
        }
    }

    /// What has changed since the last settlement; none where nothing has.
    pub(super) fn settlement(&self) -> Option<Settlement> {
        let place = self.place();
        if !self.has_outcomes() && place == self.settled {
            return None;
        }
        let mut settlement = Settlement {
            place,
            delivered: self.delivered,
            last_delivered_at: self.last_delivered_at,
            failing_since: self.failing_since,
            last_error: self.last_error.clone(),
            ..Settlement::default()
        };
        for (subject, spot) in &self.touched {
            let lane = self.lanes.get(subject);
            let mut items = lane.into_iter().flat_map(|lane| &lane.items);
            match items.find(|item| item.delivery.spot == *spot) {
                Some(item) => settlement.waiting.push(item.delivery.clone()),
                None => settlement.done.push(*spot),
            }
        }
        Some(settlement)
    }

    /// The settlement has been kept.
    pub(super) fn settled(&mut self, settlement: &Settlement) {
        self.settled = settlement.place;
        self.touched.clear();
        self.delivered = 0;
        self.last_delivered_at = None;
        self.changed = false;
    }

    /// Whether something was delivered or failed since the last settlement, and not only read.
    pub(super) fn has_outcomes(&self) -> bool {
        self.changed || !self.touched.is_empty()
    }

    fn place(&self) -> LogPlace {
        let before_open = |log, read: Position| {
            let mut open = self.open.iter().filter(|spot| spot.log == log);
            open.next()
                .map_or(read, |spot| Position(spot.position.0.saturating_sub(1)))
        };
        LogPlace {
            products: before_open(LogKind::Products, self.read.products),
            rules: before_open(LogKind::Rules, self.read.rules),
        }
    }
}

impl Lane {
    fn first_spot(&self) -> Option<LogSpot> {
        self.items.front().map(|item| item.delivery.spot)
    }

    fn is_due(&self, now: OffsetDateTime) -> bool {
        let head = self.items.front();
        let at = head.and_then(|item| item.delivery.next_attempt_at);
        self.woken || at.is_none_or(|at| at <= now)
    }
}
