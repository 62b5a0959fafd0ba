//! Takes in what readers do, without ever making them wait, and runs what publishes it.

use catalog_events::{Clicked, ProductId, ProductRead, ReadSource, Searched, SearchedBy};
use service_kit::Tasks;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::usage::publishing::{Publisher, Recorder, usage_events};
use crate::usage::query_text::QueryText;
use crate::usage::recent::{Opened, RecentSearches};

/// Records reads, searches and clicks as events. All may be lost by contract.
#[derive(Clone)]
pub(crate) struct UsageRecorder {
    reads: Recorder<ProductRead>,
    searches: Recorder<Searched>,
    clicks: Recorder<Clicked>,
    recent: RecentSearches,
}

/// A search that was answered with its first page.
pub(crate) struct AnsweredSearch<'a> {
    pub(crate) query: &'a str,
    pub(crate) strategy: SearchedBy,
    pub(crate) total: u64,
    /// How many products the page has.
    pub(crate) shown: u32,
    pub(crate) ms: f64,
    pub(crate) corrected: bool,
    pub(crate) relaxed: bool,
    pub(crate) degraded: bool,
    pub(crate) filtered: bool,
}

/// A product that was opened from an answer.
pub(crate) struct Click {
    pub(crate) search_id: Uuid,
    pub(crate) product_id: ProductId,
    /// From 1.
    pub(crate) position: u32,
}

impl UsageRecorder {
    pub(crate) fn read(&self, product_id: &ProductId, source: ReadSource) {
        self.reads.record(ProductRead {
            product_id: product_id.clone(),
            source,
            at: OffsetDateTime::now_utc(),
        });
    }

    /// Returns the id that clicks name the search by.
    pub(crate) fn search(&self, search: &AnsweredSearch<'_>) -> Uuid {
        let search_id = Uuid::new_v4();
        let text = QueryText::of(search.query);
        self.recent.remember(search_id, text.normalized.clone());
        self.searches.record(Searched {
            search_id,
            query: text.typed,
            normalized: text.normalized,
            strategy: search.strategy,
            total: search.total,
            shown: search.shown,
            ms: search.ms,
            corrected: search.corrected,
            relaxed: search.relaxed,
            degraded: search.degraded,
            filtered: search.filtered,
            at: OffsetDateTime::now_utc(),
        });
        search_id
    }

    pub(crate) fn click(&self, click: Click) {
        let query = match self.recent.open(&click.search_id, &click.product_id) {
            Opened::First(query) => query,
            Opened::Unknown => None,
            Opened::Again => return,
        };
        self.clicks.record(Clicked {
            search_id: click.search_id,
            product_id: click.product_id,
            position: click.position,
            query,
            at: OffsetDateTime::now_utc(),
        });
    }
}

/// Publishes what was recorded.
pub(crate) struct UsageEvents {
    client: async_nats::Client,
    sender: String,
    reads: Publisher<ProductRead>,
    searches: Publisher<Searched>,
    clicks: Publisher<Clicked>,
    recent: RecentSearches,
}

impl UsageEvents {
    /// A recorder and what publishes its events on `client`.
    pub(crate) fn new(client: async_nats::Client) -> (UsageRecorder, Self) {
        let sender = Uuid::new_v4().to_string();
        let (reads, read_publisher) = usage_events(client.clone(), sender.clone());
        let (searches, search_publisher) = usage_events(client.clone(), sender.clone());
        let (clicks, click_publisher) = usage_events(client.clone(), sender.clone());
        let recent = RecentSearches::default();
        let recorder = UsageRecorder {
            reads,
            searches,
            clicks,
            recent: recent.clone(),
        };
        let events = Self {
            client,
            sender,
            reads: read_publisher,
            searches: search_publisher,
            clicks: click_publisher,
            recent,
        };
        (recorder, events)
    }

    pub(crate) fn spawn(self, tasks: &mut Tasks) {
        let (client, me) = (self.client, self.sender);
        tasks.spawn("product-read events", |stop| self.reads.run(stop));
        tasks.spawn("search events", |stop| self.searches.run(stop));
        tasks.spawn("click events", |stop| self.clicks.run(stop));
        tasks.spawn("recent searches", |stop| {
            self.recent.follow(client, me, stop)
        });
    }
}
