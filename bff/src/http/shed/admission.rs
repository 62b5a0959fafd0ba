//! Who is let in: so many requests in all, and so many of a kind as are answered in time.

use std::sync::{Arc, OnceLock};

use axum::http::StatusCode;
use tokio::sync::Semaphore;

use crate::http::shed::limit::Bounds;
use crate::http::shed::places::{Overloaded, Place, Places};
use crate::metrics::{Metrics, Refusals};
use crate::problem::Problem;
use crate::scope::Scope;

/// More searches or reads at once than this are no quicker on a machine of some cores; on a larger one the
/// limit grows.
const READS_MIN: usize = 16;
/// Writes that come together are saved together, so that many at once are quicker than few.
const WRITES_MIN: usize = 64;

pub(crate) struct Admission {
    all: Semaphore,
    searches: Kind,
    reads: Kind,
    writes: Kind,
}

/// The requests of one kind.
#[derive(Clone)]
pub(crate) struct Kind {
    name: &'static str,
    places: Arc<Places>,
    refusals: Refusals,
}

/// A request that takes a place of its kind when it has arrived.
#[derive(Clone)]
pub(crate) struct Turn {
    kind: Kind,
    place: Arc<OnceLock<Place>>,
}

impl Admission {
    /// Lets in `requests_max` at once, and up to `waiting_max` of a kind wait.
    pub(crate) fn new(requests_max: usize, waiting_max: usize, metrics: &Metrics) -> Self {
        let all = requests_max.min(Semaphore::MAX_PERMITS);
        let kind = |name, min: usize| {
            let min = min.min(all).max(1);
            let bounds = Bounds {
                min,
                max: all.max(min),
            };
            Kind {
                name,
                places: Places::new(bounds, waiting_max),
                refusals: metrics.refusals(name),
            }
        };
        Self {
            all: Semaphore::new(all),
            searches: kind("search", READS_MIN),
            reads: kind("read", READS_MIN),
            writes: kind("write", WRITES_MIN),
        }
    }

    /// A place among all; None if there is none.
    pub(super) fn enter(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        self.all.try_acquire().ok()
    }

    /// What requests of a scope have places of.
    pub(super) fn kind(&self, scope: Scope) -> Option<&Kind> {
        match scope {
            Scope::Search => Some(&self.searches),
            Scope::Read => Some(&self.reads),
            Scope::Write => Some(&self.writes),
            // So few come that nothing is known of them.
            Scope::Rules | Scope::Operate => None,
        }
    }
}

impl Turn {
    pub(super) fn new(kind: Kind) -> Self {
        let place = Arc::default();
        Self { kind, place }
    }

    /// Waits for a place. A request with a body calls it when that has arrived, so that slow clients take no
    /// places.
    pub(crate) async fn wait(&self) -> Result<(), Problem> {
        let place = self.kind.places.take().await;
        let place = place.map_err(|Overloaded| {
            self.kind.refusals.add(self.kind.places.limit());
            let detail = format!(
                "More {} requests at once than can be answered in time",
                self.kind.name
            );
            Problem::for_now(StatusCode::SERVICE_UNAVAILABLE, detail)
        })?;
        // A second one would be given back.
        drop(self.place.set(place));
        Ok(())
    }

    /// Gives the place back, after an answer that tells how long one takes if `tells`.
    pub(super) fn end(mut self, tells: bool) {
        let place = Arc::get_mut(&mut self.place).and_then(OnceLock::take);
        if let Some(place) = place.filter(|_| tells) {
            place.answered();
        }
    }
}
