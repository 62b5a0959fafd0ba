//! The lanes under outcomes of all kinds, with crashes between.

use std::collections::HashMap;

use catalog_events::{EventType, FeedType};
use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);

/// What the database has, and what has arrived.
struct World {
    log: Vec<NotifiedEvent>,
    place: LogPlace,
    waiting: BTreeMap<LogSpot, WaitingDelivery>,
    failing_since: Option<OffsetDateTime>,
    arrived: Vec<Position>,
    now: OffsetDateTime,
}

impl World {
    fn new(subjects: impl IntoIterator<Item = String>) -> Self {
        let log = subjects
            .into_iter()
            .enumerate()
            .map(|(n, subject)| NotifiedEvent {
                spot: spot(n as u64 + 1),
                event_id: Uuid::from_u128(n as u128),
                kind: FeedType::Product(EventType::Updated),
                subject,
                body: Bytes::from_static(b"{}"),
            });
        Self {
            log: log.collect(),
            place: LogPlace::default(),
            waiting: BTreeMap::new(),
            failing_since: None,
            arrived: Vec::new(),
            now: NOW,
        }
    }

    /// As after a start.
    fn lanes(&self, schedule: &str) -> Lanes {
        Lanes::new(
            schedule.parse().expect("schedule"),
            self.place,
            self.waiting.values().cloned().collect(),
            self.failing_since,
            None,
        )
    }

    fn read(&self, lanes: &mut Lanes) {
        let after = lanes.read_to().products.0 as usize;
        let end = self.log.len().min(after + lanes.room());
        if end > after {
            let events = self.log[after..end].to_vec();
            lanes.add(LogKind::Products, events, Position(end as u64));
        }
    }

    fn settle(&mut self, lanes: &mut Lanes) {
        let Some(settlement) = lanes.settlement() else {
            return;
        };
        for spot in &settlement.done {
            self.waiting.remove(spot);
        }
        for waiting in &settlement.waiting {
            self.waiting.insert(waiting.spot, waiting.clone());
        }
        assert!(
            settlement.place.products >= self.place.products,
            "it goes on"
        );
        assert!(self.waiting.len() <= WAITING_MAX, "{}", self.waiting.len());
        self.place = settlement.place;
        self.failing_since = settlement.failing_since;
        lanes.settled(&settlement);
    }

    fn arrive(&mut self, job: &Job) {
        self.arrived.push(job.spot.position);
    }

    /// Every event has arrived, and those of a product for the first time in their order.
    fn check(&self) {
        let mut last: HashMap<&str, Position> = HashMap::new();
        let mut seen = HashSet::new();
        for position in &self.arrived {
            let event = &self.log[position.0 as usize - 1];
            if seen.insert(*position) {
                let before = last.insert(&event.subject, *position);
                assert!(before < Some(*position), "{before:?} before {position}");
            }
        }
        assert_eq!(seen.len(), self.log.len(), "nothing is lost");
    }
}

fn spot(position: u64) -> LogSpot {
    LogSpot {
        log: LogKind::Products,
        position: Position(position),
    }
}

fn failure() -> Outcome {
    Outcome::Failed {
        status: Some(500),
        error: "answered 500".to_owned(),
        retry_after: None,
    }
}

fn success() -> Outcome {
    Outcome::Delivered { status: 200 }
}

fn begin(lanes: &mut Lanes, now: OffsetDateTime) -> Vec<Job> {
    std::iter::from_fn(|| lanes.next(now)).collect()
}

fn positions(jobs: &[Job]) -> Vec<u64> {
    jobs.iter().map(|job| job.spot.position.0).collect()
}

fn named<const N: usize>(subjects: [&str; N]) -> World {
    World::new(subjects.map(str::to_owned))
}

#[test]
fn products_are_told_at_once_and_one_product_in_order() {
    let world = named(["a", "b", "a", "c"]);
    let mut lanes = world.lanes("1000");
    world.read(&mut lanes);
    let jobs = begin(&mut lanes, NOW);
    assert_eq!(positions(&jobs), [1, 2, 4]);
    assert_eq!(lanes.finished(&jobs[1], success(), NOW, 0.5), Verdict::GoOn);
    let settlement = lanes.settlement().expect("a success");
    assert_eq!(settlement.place.products.0, 0, "the first is not done");
    assert_eq!(
        begin(&mut lanes, NOW).len(),
        0,
        "the third waits for the first"
    );
    lanes.finished(&jobs[0], success(), NOW, 0.5);
    assert_eq!(lanes.settlement().expect("more").place.products.0, 2);
    assert_eq!(positions(&begin(&mut lanes, NOW)), [3]);
}

#[test]
fn what_fails_waits_with_all_that_is_behind_it_and_others_go_on() {
    let mut world = named(["a", "b", "a"]);
    let mut lanes = world.lanes("1000,2000");
    world.read(&mut lanes);
    let jobs = begin(&mut lanes, NOW);
    lanes.finished(&jobs[0], failure(), NOW, 0.5);
    lanes.finished(&jobs[1], success(), NOW, 0.5);
    world.settle(&mut lanes);
    assert_eq!(world.place.products.0, 3, "the rest is in the database");
    let waiting: Vec<_> = world.waiting.values().collect();
    assert_eq!((waiting[0].attempts, waiting[1].attempts), (1, 0));
    assert_eq!(waiting[0].last_error.as_deref(), Some("answered 500"));
    assert_eq!(waiting[1].next_attempt_at, None);
    let due = NOW + Duration::from_secs(1);
    assert_eq!(lanes.due_at(), Some(due));
    assert_eq!(begin(&mut lanes, NOW).len(), 0);

    // The same after a restart.
    for lanes in [lanes, world.lanes("1000,2000")].iter_mut() {
        let jobs = begin(lanes, due);
        assert_eq!(positions(&jobs), [1]);
        assert!(jobs[0].body.is_none(), "it is read from the log");
        lanes.finished(&jobs[0], success(), due, 0.5);
        assert_eq!(positions(&begin(lanes, due)), [3], "at once");
    }
}

#[test]
fn a_schedule_that_is_used_up_stops_the_webhook_and_keeps_what_waits() {
    let mut world = named(["a", "b"]);
    let mut lanes = world.lanes("1000,2000");
    world.read(&mut lanes);
    let mut now = NOW;
    for attempt in 1..=3 {
        let jobs = begin(&mut lanes, now);
        let verdict = lanes.finished(&jobs[0], failure(), now, 0.5);
        if let Some(other) = jobs.get(1) {
            lanes.finished(other, success(), now, 0.5);
        }
        match verdict {
            Verdict::GoOn => assert!(attempt < 3),
            Verdict::Stop(reason) => {
                assert_eq!(attempt, 3);
                assert!(
                    reason.contains("tried 3 times, the last one answered 500"),
                    "{reason}"
                );
            }
        }
        now += Duration::from_secs(5);
    }
    world.settle(&mut lanes);
    assert_eq!((world.place.products.0, world.waiting.len()), (2, 1));
}

#[test]
fn gone_means_gone() {
    let world = named(["a"]);
    let mut lanes = world.lanes("1000");
    world.read(&mut lanes);
    let jobs = begin(&mut lanes, NOW);
    let verdict = lanes.finished(&jobs[0], Outcome::Gone, NOW, 0.5);
    assert!(matches!(verdict, Verdict::Stop(reason) if reason.contains("410")));
    let place = lanes.settlement().expect("an error").place;
    assert_eq!(place.products.0, 0, "it was not delivered");
}

#[test]
fn an_endpoint_that_fails_altogether_is_asked_one_thing_at_a_time() {
    let mut world = World::new((0..500).map(|n| n.to_string()));
    let mut lanes = world.lanes("1000,60000,60000");
    let (mut now, mut attempts) = (NOW, 0);
    // An hour of failures.
    while now < NOW + Duration::from_secs(3_600) {
        world.read(&mut lanes);
        let jobs = begin(&mut lanes, now);
        assert!(jobs.len() == 8 || attempts > 0 && jobs.len() <= 1);
        for job in &jobs {
            assert_eq!(lanes.finished(job, failure(), now, 0.5), Verdict::GoOn);
        }
        attempts += jobs.len();
        world.settle(&mut lanes);
        now += Duration::from_secs(1);
    }
    assert!((60..90).contains(&attempts), "{attempts}");
    assert!(world.waiting.len() < 100, "{}", world.waiting.len());

    // It comes back: one probe finds out, and everything is told.
    let since = now;
    while world.arrived.len() < 500 {
        world.read(&mut lanes);
        for job in begin(&mut lanes, now) {
            world.arrive(&job);
            lanes.finished(&job, success(), now, 0.5);
        }
        world.settle(&mut lanes);
        now += Duration::from_secs(1);
        assert!(now - since < time::Duration::minutes(5));
    }
    world.check();
    assert!(world.waiting.is_empty());
}

#[test]
fn one_product_that_always_fails_holds_up_no_other() {
    let mut world = World::new((0..300).map(|n| {
        if n % 10 == 0 {
            "bad".to_owned()
        } else {
            n.to_string()
        }
    }));
    let mut lanes = world.lanes("1000,1000,1000,60000");
    for _ in 0..300 {
        world.read(&mut lanes);
        for job in begin(&mut lanes, NOW) {
            let outcome = if job.subject == "bad" {
                failure()
            } else {
                world.arrive(&job);
                success()
            };
            lanes.finished(&job, outcome, NOW, 0.5);
        }
        world.settle(&mut lanes);
    }
    assert_eq!(world.arrived.len(), 270);
    assert_eq!((world.waiting.len(), world.place.products.0), (30, 300));
}

#[test]
fn the_place_stands_still_when_too_much_waits() {
    let mut world = World::new((0..3_000).map(|_| "bad".to_owned()));
    let mut lanes = world.lanes("1000,1000");
    for _ in 0..200 {
        world.read(&mut lanes);
        for job in begin(&mut lanes, NOW) {
            lanes.finished(&job, failure(), NOW, 0.5);
        }
        world.settle(&mut lanes);
    }
    assert_eq!(world.waiting.len(), WAITING_MAX);
    assert_eq!(world.place.products.0, WAITING_MAX as u64);
}

#[test]
fn an_endpoint_that_asks_for_a_pause_gets_it() {
    let world = named(["a", "b"]);
    let mut lanes = world.lanes("1000,1000");
    world.read(&mut lanes);
    let first = lanes.next(NOW).expect("due");
    let asked = Outcome::Failed {
        status: Some(429),
        error: "answered 429".to_owned(),
        retry_after: Some(Duration::from_secs(60)),
    };
    lanes.finished(&first, asked, NOW, 0.5);
    let later = NOW + Duration::from_secs(59);
    assert_eq!(begin(&mut lanes, later).len(), 0);
    assert_eq!(lanes.due_at(), Some(NOW + Duration::from_secs(60)));
    assert_eq!(begin(&mut lanes, NOW + Duration::from_secs(60)).len(), 2);
}

#[test]
fn five_days_without_a_success_stop_the_webhook() {
    let mut world = World::new((0..20).map(|n| n.to_string()));
    world.failing_since = Some(NOW - time::Duration::days(6));
    let mut lanes = world.lanes("1000,1000");
    world.read(&mut lanes);
    let job = lanes.next(NOW).expect("due");
    let verdict = lanes.finished(&job, failure(), NOW, 0.5);
    assert!(matches!(verdict, Verdict::Stop(reason) if reason.contains("5 days")));
}

/// Random outcomes, random crashes between any two steps, deliveries that arrive and are not known to.
#[test]
fn everything_arrives_in_order_through_failures_and_crashes() {
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let products = random.usize(1..30);
        let subjects: Vec<String> = (0..400)
            .map(|_| random.usize(0..products).to_string())
            .collect();
        let mut world = World::new(subjects);
        let schedule = ["1000"; 60].join(",");
        let mut lanes = world.lanes(&schedule);
        let mut jobs: Vec<Job> = Vec::new();
        let failing = random.u32(0..50);
        for step in 0.. {
            assert!(step < 100_000, "seed {seed} does not end");
            match random.u32(0..100) {
                0 => {
                    // A crash: some of what was on its way arrives all the same.
                    for job in std::mem::take(&mut jobs) {
                        if random.bool() {
                            world.arrive(&job);
                        }
                    }
                    lanes = world.lanes(&schedule);
                }
                1..=20 => world.settle(&mut lanes),
                21..=40 => {
                    world.read(&mut lanes);
                    jobs.extend(begin(&mut lanes, world.now));
                }
                41..=45 => world.now += Duration::from_millis(700),
                _ if jobs.is_empty() => {
                    let all = world.place.products.0 == world.log.len() as u64;
                    if all && world.waiting.is_empty() {
                        break;
                    }
                }
                _ => {
                    let job = jobs.swap_remove(random.usize(0..jobs.len()));
                    let lost = random.u32(0..100) < failing;
                    if !lost || random.bool() {
                        world.arrive(&job);
                    }
                    let outcome = if lost { failure() } else { success() };
                    let verdict = lanes.finished(&job, outcome, world.now, random.f64());
                    assert_eq!(verdict, Verdict::GoOn, "seed {seed}");
                }
            }
        }
        world.check();
    }
}

#[test]
fn what_waits_and_what_was_delivered_before_it_does_not_come_twice_after_a_restart() {
    let mut world = named(["a", "b", "a", "a"]);
    let mut lanes = world.lanes("1000");
    world.read(&mut lanes);
    let jobs = begin(&mut lanes, NOW);
    lanes.finished(&jobs[0], success(), NOW, 0.5);
    let third = begin(&mut lanes, NOW);
    lanes.finished(&third[0], failure(), NOW, 0.5);
    world.settle(&mut lanes);
    assert_eq!(world.place.products.0, 1, "the second is on its way");
    assert_eq!(world.waiting.len(), 2);

    world.place = LogPlace::default();
    let mut lanes = world.lanes("1000");
    world.read(&mut lanes);
    let later = NOW + Duration::from_secs(2);
    let mut arrived = Vec::new();
    while let Some(job) = lanes.next(later) {
        arrived.push(job.spot.position.0);
        lanes.finished(&job, success(), later, 0.5);
    }
    assert_eq!(arrived, [2, 3, 4]);
    world.settle(&mut lanes);
    assert_eq!((world.place.products.0, world.waiting.len()), (4, 0));
}
