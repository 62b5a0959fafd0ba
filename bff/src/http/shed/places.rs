//! The places of the requests of one kind. Who finds none waits for one, in turn, as long as the line is
//! bounded. When it overflows, more comes than can be answered: from then on the newest goes first, for the
//! oldest has the least time left, no more wait than run, and who has waited for some milliseconds is refused.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::http::shed::limit::{Bounds, Limit, Sample};

/// How long a request waits for a place under overload.
const PATIENCE: Duration = Duration::from_millis(5);
/// How long the line must not have overflown for the overload to be over.
const OVERLOAD: Duration = Duration::from_secs(1);

pub(crate) struct Places {
    line_max: usize,
    state: Mutex<State>,
}

struct State {
    limit: Limit,
    running: usize,
    /// Who waits, the oldest first.
    line: VecDeque<oneshot::Sender<Place>>,
    overloaded_until: Option<Instant>,
}

/// A place, free for the next when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    since: Instant,
    /// How many ran when it was taken, itself included.
    running: usize,
    /// Whether its time tells something.
    sampled: bool,
}

/// More comes than can be answered.
#[derive(Debug)]
pub(crate) struct Overloaded;

impl std::fmt::Debug for Places {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Places").finish_non_exhaustive()
    }
}

impl Places {
    /// Without overload `bounds` many run at once, and `line_max` wait.
    pub(super) fn new(bounds: Bounds, line_max: usize) -> Arc<Self> {
        Arc::new(Self {
            line_max,
            state: Mutex::new(State {
                limit: Limit::new(bounds),
                running: 0,
                line: VecDeque::new(),
                overloaded_until: None,
            }),
        })
    }

    /// How many may run at once now.
    pub(crate) fn limit(&self) -> usize {
        let state = self.state();
        state.limit.get(state.is_overloaded(Instant::now()))
    }

    /// Takes a place, or waits for one.
    pub(crate) async fn take(self: &Arc<Self>) -> Result<Place, Overloaded> {
        let mut turn = match self.place_or_turn() {
            Ok(place) => return Ok(place),
            Err(turn) => turn,
        };
        loop {
            match tokio::time::timeout(PATIENCE, &mut turn).await {
                // Without a place the line has overflown, and this was the oldest in it.
                Ok(place) => return place.map_err(|_| Overloaded),
                Err(_) if self.state().is_overloaded(Instant::now()) => break,
                Err(_) => {}
            }
        }
        turn.close();
        // It may have come just now.
        turn.try_recv().map_err(|_| {
            self.state().refused(Instant::now());
            Overloaded
        })
    }

    /// A place, or else a turn in the line.
    fn place_or_turn(self: &Arc<Self>) -> Result<Place, oneshot::Receiver<Place>> {
        let now = Instant::now();
        let mut state = self.state();
        // Whoever left the line leaves a turn behind.
        while state.line.front().is_some_and(oneshot::Sender::is_closed) {
            state.line.pop_front();
        }
        if state.running < state.limit.get(state.is_overloaded(now)) && state.line.is_empty() {
            return Ok(self.place(&mut state, now));
        }
        let (sender, turn) = oneshot::channel();
        state.line.push_back(sender);
        let line_max = if state.is_overloaded(now) {
            state.limit.get(true)
        } else {
            self.line_max
        };
        while state.line.len() > line_max {
            state.line.pop_front();
            state.refused(now);
        }
        Err(turn)
    }

    fn place(self: &Arc<Self>, state: &mut State, now: Instant) -> Place {
        state.running += 1;
        Place {
            places: Arc::clone(self),
            since: now,
            running: state.running,
            sampled: false,
        }
    }

    /// Frees a place, and gives away all that are free.
    fn left(self: &Arc<Self>, sample: Option<(Duration, usize)>) {
        let now = Instant::now();
        let mut given = Vec::new();
        {
            let mut state = self.state();
            state.running -= 1;
            let overloaded = state.is_overloaded(now);
            if let Some((took, running)) = sample {
                let sample = Sample {
                    took,
                    running,
                    wanted: !state.line.is_empty(),
                    overloaded,
                };
                state.limit.answered(sample, now);
            }
            while state.running < state.limit.get(overloaded)
                && let Some(next) = state.next(overloaded)
            {
                given.push((next, self.place(&mut state, now)));
            }
        }
        // Without the lock: a place whose taker has gone is freed at once.
        for (next, place) in given {
            drop(next.send(place));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_overloaded(&self, now: Instant) -> bool {
        self.overloaded_until.is_some_and(|until| now < until)
    }

    fn refused(&mut self, now: Instant) {
        self.overloaded_until = Some(now + OVERLOAD);
    }

    /// Whose turn it is.
    fn next(&mut self, overloaded: bool) -> Option<oneshot::Sender<Place>> {
        loop {
            let next = if overloaded {
                self.line.pop_back()
            } else {
                self.line.pop_front()
            };
            if !next.as_ref()?.is_closed() {
                return next;
            }
        }
    }
}

impl Place {
    /// Frees the place after an answer that took as long as such answers take.
    pub(crate) fn answered(mut self) {
        self.sampled = true;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let sample = self.sampled.then(|| (self.since.elapsed(), self.running));
        self.places.left(sample);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { min: 2, max: 8 };

    async fn settle() {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_burst_is_served_in_turn() {
        let places = Places::new(BOUNDS, 10);
        let mut taken: Vec<Place> = Vec::new();
        for _ in 0..2 {
            taken.push(places.take().await.expect("free"));
        }
        let (served, mut order) = tokio::sync::mpsc::unbounded_channel();
        for number in 0..10 {
            let (places, served) = (Arc::clone(&places), served.clone());
            tokio::spawn(async move {
                let place = places.take().await.expect("all find one");
                served.send(number).expect("the test listens");
                drop(place);
            });
            settle().await;
        }
        // Longer than anybody waits under overload.
        tokio::time::sleep(PATIENCE * 3).await;
        drop(taken);
        for number in 0..10 {
            assert_eq!(order.recv().await, Some(number));
        }
        assert_eq!(places.state().running, 0);
    }

    #[tokio::test]
    async fn under_overload_the_newest_goes_first_and_the_others_hear_soon() {
        let places = Places::new(BOUNDS, 3);
        let first = places.take().await.expect("free");
        let second = places.take().await.expect("free");
        let mut waiting = Vec::new();
        for _ in 0..4 {
            let places = Arc::clone(&places);
            waiting.push(tokio::spawn(async move { places.take().await }));
            settle().await;
        }
        // The line overflowed: its oldest is refused at once.
        let oldest = waiting.remove(0).await.expect("no panic");
        assert!(oldest.is_err());
        // Under overload one runs at a time at first.
        drop((first, second));
        let newest = waiting.pop().expect("three").await.expect("no panic");
        let newest = newest.expect("a place");
        for other in waiting {
            assert!(other.await.expect("no panic").is_err());
        }
        drop(newest);
        assert_eq!(places.state().running, 0);
        // They left their turns behind, which hold up nobody.
        let again = places.take().await.expect("free");
        again.answered();
        assert_eq!(places.state().running, 0);
    }

    #[tokio::test]
    async fn a_place_given_to_nobody_is_free_again() {
        let places = Places::new(Bounds { min: 1, max: 1 }, 3);
        let only = places.take().await.expect("free");
        let waiting = {
            let places = Arc::clone(&places);
            tokio::spawn(async move { places.take().await })
        };
        settle().await;
        waiting.abort();
        settle().await;
        drop(only);
        assert_eq!(places.state().running, 0);
        assert!(places.take().await.is_ok());
    }
}
