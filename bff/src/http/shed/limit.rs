//! How many requests of a kind may run at once. Under overload that is as many as are answered about as soon
//! as a request is that has the machine to itself; the bound is found by trying.

use std::time::{Duration, Instant};

/// How many answers are looked at together. Their median is not moved by a few dear ones.
const WINDOW: usize = 32;
/// Where fewer come in this time, these few must do.
const WINDOW_MS: u64 = 100;
const WINDOW_MIN: usize = 8;
/// How many times the usual time an answer may take before fewer run at once.
const SLOWER: f64 = 1.5;
/// How long a usual time is believed under overload. Then the limit is lowered to measure it again.
const USUAL_S_MAX: u64 = 30;

#[derive(Debug)]
pub(super) struct Limit {
    bounds: Bounds,
    /// The limit while all who come find a place.
    calm: usize,
    /// The limit under overload.
    tight: usize,
    /// The time of an answer that has the machine to itself, and when it was measured.
    usual: Option<(Duration, Instant)>,
    alone: Window,
    all: Window,
}

/// Answers that are looked at together.
#[derive(Debug, Default)]
struct Window {
    times: Vec<Duration>,
    since: Option<Instant>,
}

/// The bounds of a limit without overload. Under overload it may be as low as 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) min: usize,
    pub(super) max: usize,
}

/// One answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) took: Duration,
    /// How many requests ran when this one began, itself included.
    pub(super) running: usize,
    /// Whether others wait for a place.
    pub(super) wanted: bool,
    /// Whether requests are refused at present.
    pub(super) overloaded: bool,
}

impl Limit {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            calm: bounds.min,
            tight: 1,
            usual: None,
            alone: Window::default(),
            all: Window::default(),
        }
    }

    /// How many may run at once now.
    pub(super) fn get(&self, overloaded: bool) -> usize {
        if overloaded { self.tight } else { self.calm }
    }

    /// Takes an answer into account.
    pub(super) fn answered(&mut self, sample: Sample, at: Instant) {
        if sample.running == 1
            && let Some(usual) = self.alone.add(sample.took, at)
        {
            self.usual = Some((usual, at));
        }
        if let Some(typical) = self.all.add(sample.took, at) {
            self.adjust(typical, sample, at);
        }
    }

    fn adjust(&mut self, typical: Duration, last: Sample, at: Instant) {
        let (limit, min) = if last.overloaded {
            (&mut self.tight, 1)
        } else {
            (&mut self.calm, self.bounds.min)
        };
        let is_fresh = |since: &Instant| at.duration_since(*since).as_secs() < USUAL_S_MAX;
        let usual = self.usual.as_ref();
        match usual.filter(|(_, since)| !last.overloaded || is_fresh(since)) {
            // One at a time tells the usual time.
            None if last.overloaded => *limit = 1,
            Some((usual, _)) if typical > usual.mul_f64(SLOWER) => {
                *limit = limit.saturating_sub(1 + *limit / 4).max(min);
            }
            Some(_) if last.wanted => *limit = (*limit + 1 + *limit / 8).min(self.bounds.max),
            None | Some(_) => {}
        }
    }
}

impl Window {
    /// Adds the time of an answer; returns the median of all when they are enough, and begins again.
    fn add(&mut self, took: Duration, at: Instant) -> Option<Duration> {
        let since = *self.since.get_or_insert(at);
        self.times.push(took);
        let is_old = at.duration_since(since) >= Duration::from_millis(WINDOW_MS);
        let needed = if is_old { WINDOW_MIN } else { WINDOW };
        if self.times.len() < needed {
            return None;
        }
        let middle = self.times.len() / 2;
        let median = *self.times.select_nth_unstable(middle).1;
        self.times.clear();
        self.since = None;
        Some(median)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALM: Bounds = Bounds { min: 16, max: 100 };

    /// Answers of a service with `cores`, on which each keeps a core busy for 4 ms. The first ones came alone.
    fn answer(limit: &mut Limit, cores: usize, count: usize, overloaded: bool, at: Instant) {
        for number in 0..count {
            let running = if number < 100 {
                1
            } else {
                limit.get(overloaded)
            };
            let micros = 4_000 * running.div_ceil(cores);
            let sample = Sample {
                took: Duration::from_micros(micros as u64),
                running,
                wanted: true,
                overloaded,
            };
            limit.answered(sample, at);
        }
    }

    #[test]
    fn under_overload_as_many_run_as_there_are_cores() {
        for cores in [1, 2, 8, 40] {
            let (mut limit, at) = (Limit::new(CALM), Instant::now());
            answer(&mut limit, cores, 20_000, true, at);
            let found = limit.get(true);
            let within = cores.saturating_sub(1 + cores / 4)..=cores + cores / 4 + 2;
            assert!(within.contains(&found), "{cores}: {found}");
        }
    }

    #[test]
    fn without_overload_there_is_room_for_a_burst() {
        let (mut limit, at) = (Limit::new(CALM), Instant::now());
        answer(&mut limit, 2, 10_000, false, at);
        assert_eq!(limit.get(false), CALM.min);
        answer(&mut limit, 40, 10_000, false, at);
        assert!(limit.get(false) > CALM.min);
    }

    #[test]
    fn the_usual_time_is_measured_again() {
        let (mut limit, at) = (Limit::new(CALM), Instant::now());
        answer(&mut limit, 2, 10_000, true, at);
        let (usual, _) = limit.usual.expect("measured");
        assert_eq!(usual, Duration::from_millis(4));
        // A machine of half the speed: the old measure would let one run at a time for ever.
        let later = at + Duration::from_secs(USUAL_S_MAX + 1);
        for _ in 0..10_000 {
            let running = limit.get(true);
            let sample = Sample {
                took: Duration::from_millis(8 * running.div_ceil(2) as u64),
                running,
                wanted: true,
                overloaded: true,
            };
            limit.answered(sample, later);
        }
        let (usual, since) = limit.usual.expect("measured");
        assert_eq!((usual, since), (Duration::from_millis(8), later));
        assert!((1..=4).contains(&limit.get(true)));
    }
}
