//! The searches of a moment ago, so that a click can be told together with its query. A bounded ring in
//! the memory of each replica: the searches of other replicas come as events.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use catalog_events::{ProductId, SEARCH_SUBJECT, SearchBatch};
use futures_util::StreamExt as _;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const SEARCHES_MAX: usize = 10_000;
/// The most products of one search that are known to have been opened. More are no shopper's.
const OPENED_MAX: usize = 50;

/// What a click is the first of.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opened {
    /// The product was not opened from this search before. The query, where it may be told.
    First(Option<String>),
    /// It was, or too many others were.
    Again,
    /// The search is not remembered.
    Unknown,
}

#[derive(Clone, Debug, Default)]
pub(super) struct RecentSearches(Arc<Mutex<Ring>>);

#[derive(Debug, Default)]
struct Ring {
    by_id: HashMap<Uuid, Remembered>,
    oldest_first: VecDeque<Uuid>,
}

#[derive(Debug)]
struct Remembered {
    query: String,
    opened: Vec<ProductId>,
}

impl RecentSearches {
    pub(super) fn remember(&self, search: Uuid, query: String) {
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = Vec::new();
        if ring
            .by_id
            .insert(search, Remembered { query, opened })
            .is_some()
        {
            return;
        }
        ring.oldest_first.push_back(search);
        if ring.oldest_first.len() > SEARCHES_MAX
            && let Some(oldest) = ring.oldest_first.pop_front()
        {
            ring.by_id.remove(&oldest);
        }
    }

    pub(super) fn open(&self, search: &Uuid, product: &ProductId) -> Opened {
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(remembered) = ring.by_id.get_mut(search) else {
            return Opened::Unknown;
        };
        let opened = &mut remembered.opened;
        if opened.len() >= OPENED_MAX || opened.contains(product) {
            return Opened::Again;
        }
        opened.push(product.clone());
        let query = Some(remembered.query.clone());
        Opened::First(query.filter(|query| !query.is_empty()))
    }

    /// Remembers what the other replicas publish; `me` names this one in batches.
    pub(super) async fn follow(
        self,
        client: async_nats::Client,
        me: String,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        let mut batches = client.subscribe(SEARCH_SUBJECT).await?;
        loop {
            let message = tokio::select! {
                message = batches.next() => message,
                () = stop.cancelled() => return Ok(()),
            };
            let Some(message) = message else {
                anyhow::bail!("the subscription to {SEARCH_SUBJECT} ended");
            };
            // The subscriber that counts tells of messages that cannot be read.
            let Ok(batch) = serde_json::from_slice::<SearchBatch>(&message.payload) else {
                continue;
            };
            if batch.sender != me {
                for search in batch.searches {
                    self.remember(search.search_id, search.normalized);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_opened_from_a_search_once() {
        let recent = RecentSearches::default();
        let (search, product) = (Uuid::new_v4(), "p".parse().expect("id"));
        assert_eq!(recent.open(&search, &product), Opened::Unknown);
        recent.remember(search, "mouse".to_owned());
        let first = Opened::First(Some("mouse".to_owned()));
        assert_eq!(recent.open(&search, &product), first);
        assert_eq!(recent.open(&search, &product), Opened::Again);
        let other = "q".parse().expect("id");
        assert_eq!(recent.open(&search, &other), first);
    }

    #[test]
    fn old_searches_are_forgotten() {
        let recent = RecentSearches::default();
        let searches: Vec<Uuid> = (0..=SEARCHES_MAX).map(|_| Uuid::new_v4()).collect();
        for search in &searches {
            recent.remember(*search, String::new());
        }
        let product = "p".parse().expect("id");
        assert_eq!(recent.open(&searches[0], &product), Opened::Unknown);
        assert_eq!(recent.open(&searches[1], &product), Opened::First(None));
        let ring = recent.0.lock().expect("lock");
        assert_eq!(ring.by_id.len(), SEARCHES_MAX);
        assert_eq!(ring.oldest_first.len(), SEARCHES_MAX);
    }
}
