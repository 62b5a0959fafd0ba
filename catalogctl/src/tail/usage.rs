//! Product reads, searches and clicks, as they are published. Whatever happens while nobody listens is
//! not shown; what was lost on the way is told on standard error.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Context as _;
use async_nats::{Client, Message};
use catalog_events::{
    CLICK_SUBJECT, ClickBatch, Clicked, ProductId, ProductRead, READ_SUBJECT, ReadBatch,
    ReadSource, SEARCH_SUBJECT, SearchBatch, Searched,
};
use client_kit::output;
use futures_util::StreamExt as _;
use futures_util::stream::select_all;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::endpoints::Endpoints;
use crate::tail::line::second;

/// How long the broker may take to answer at the start.
const CONNECT_S_MAX: u64 = 3;
const QUERY_CHARS_MAX: usize = 60;
/// The most senders that are remembered: replicas that are restarted have a new name.
const SENDERS_MAX: usize = 1_000;

pub(super) struct UsageTail {
    pub(super) client: Client,
    pub(super) reads: bool,
    pub(super) searches: bool,
    pub(super) product: Option<ProductId>,
    /// How many lines to show; None for all.
    pub(super) left: Option<u64>,
    pub(super) json: bool,
}

/// One line to show, and the product that it is about.
struct Shown {
    product: Option<ProductId>,
    json: Value,
    text: String,
}

/// The figures of a batch that tell what was lost.
struct Counters {
    sender: String,
    sequence: u64,
    dropped: u64,
}

impl UsageTail {
    pub(super) async fn run(mut self, endpoints: &Endpoints) -> anyhow::Result<()> {
        let mut subscriptions = Vec::new();
        for (subject, is_wanted) in [
            (READ_SUBJECT, self.reads),
            (SEARCH_SUBJECT, self.searches),
            (CLICK_SUBJECT, self.searches),
        ] {
            if is_wanted {
                subscriptions.push(self.client.subscribe(subject).await?);
            }
        }
        let deadline = Duration::from_secs(CONNECT_S_MAX);
        let flushed = tokio::time::timeout(deadline, self.client.flush()).await;
        flushed.ok().and_then(Result::ok).with_context(|| {
            let broker = endpoints.broker();
            format!(
                "no answer from the broker at {broker}: start it, for instance with \
                 `catalogctl up`, or name another, and its token, with --nats"
            )
        })?;
        let mut messages = select_all(subscriptions);
        let mut losses = Losses::default();
        while self.left != Some(0) {
            let message = messages.next().await.context("the broker is away")?;
            let Some((counters, lines)) = read(&message) else {
                eprintln!("unreadable message on {}", message.subject);
                continue;
            };
            if let Some(loss) = losses.note(&message.subject, counters) {
                eprintln!("{loss}");
            }
            self.show(lines)?;
        }
        Ok(())
    }

    fn show(&mut self, lines: Vec<Shown>) -> anyhow::Result<()> {
        for line in lines {
            if self.left == Some(0) {
                break;
            }
            if self.product.is_some() && line.product != self.product {
                continue;
            }
            if self.json {
                output::json(&line.json)?;
            } else {
                output::line(&line.text)?;
            }
            self.left = self.left.map(|left| left - 1);
        }
        Ok(())
    }
}

fn read(message: &Message) -> Option<(Counters, Vec<Shown>)> {
    match message.subject.as_str() {
        READ_SUBJECT => {
            let batch: ReadBatch = parse(message)?;
            let counters = counters(batch.sender, batch.sequence, batch.dropped);
            Some((counters, batch.reads.iter().map(read_line).collect()))
        }
        SEARCH_SUBJECT => {
            let batch: SearchBatch = parse(message)?;
            let counters = counters(batch.sender, batch.sequence, batch.dropped);
            Some((counters, batch.searches.iter().map(search_line).collect()))
        }
        _ => {
            let batch: ClickBatch = parse(message)?;
            let counters = counters(batch.sender, batch.sequence, batch.dropped);
            Some((counters, batch.clicks.iter().map(click_line).collect()))
        }
    }
}

fn parse<B: DeserializeOwned>(message: &Message) -> Option<B> {
    serde_json::from_slice(&message.payload).ok()
}

fn counters(sender: String, sequence: u64, dropped: u64) -> Counters {
    Counters {
        sender,
        sequence,
        dropped,
    }
}

fn read_line(read: &ProductRead) -> Shown {
    let source = match read.source {
        ReadSource::Get => "get",
        ReadSource::Batch => "batch",
    };
    Shown {
        product: Some(read.product_id.clone()),
        json: tagged("read", read),
        text: format!("{}  read    {}  {source}", second(read.at), read.product_id),
    }
}

fn search_line(search: &Searched) -> Shown {
    let query = if search.query.is_empty() {
        "(left out: it might hold personal data)".to_owned()
    } else {
        let plain = output::plain(&search.query);
        format!("{:?}", output::shorten(&plain, QUERY_CHARS_MAX))
    };
    let notes = [
        (search.corrected, "corrected"),
        (search.relaxed, "relaxed"),
        (search.degraded, "degraded"),
        (search.filtered, "filtered"),
    ];
    let notes = notes.into_iter().filter(|(holds, _)| *holds);
    let notes: String = notes.map(|(_, note)| format!("  {note}")).collect();
    Shown {
        product: None,
        json: tagged("search", search),
        text: format!(
            "{}  search  {query}  {} found by {} in {:.1} ms{notes}",
            second(search.at),
            search.total,
            search.strategy.as_str(),
            search.ms
        ),
    }
}

fn click_line(click: &Clicked) -> Shown {
    let query = match &click.query {
        Some(query) => {
            let plain = output::plain(query);
            format!("  {:?}", output::shorten(&plain, QUERY_CHARS_MAX))
        }
        None => String::new(),
    };
    Shown {
        product: Some(click.product_id.clone()),
        json: tagged("click", click),
        text: format!(
            "{}  click   {}  at {}{query}",
            second(click.at),
            click.product_id,
            click.position
        ),
    }
}

/// The event with its kind, as lines of several kinds are mixed.
fn tagged(kind: &str, event: &impl Serialize) -> Value {
    let mut value = serde_json::to_value(event).unwrap_or_default();
    if let Some(members) = value.as_object_mut() {
        members.insert("event".to_owned(), kind.into());
    }
    value
}

/// What each sender has said of its messages so far.
#[derive(Default)]
struct Losses(HashMap<(String, String), (u64, u64)>);

impl Losses {
    /// Tells what was lost since the message before of the same sender on this subject.
    fn note(&mut self, subject: &str, now: Counters) -> Option<String> {
        if self.0.len() > SENDERS_MAX {
            self.0.clear();
        }
        let key = (subject.to_owned(), now.sender);
        let before = self.0.insert(key, (now.sequence, now.dropped));
        let (sequence, dropped) = before?;
        let messages = now.sequence.saturating_sub(sequence + 1);
        let events = now.dropped.saturating_sub(dropped);
        (messages > 0 || events > 0).then(|| {
            format!("lost on {subject}: {messages} messages on the way, {events} events before")
        })
    }
}

#[cfg(test)]
mod tests {
    use catalog_events::SearchedBy;
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;

    fn searched() -> Searched {
        Searched {
            search_id: Uuid::nil(),
            query: "Mouse \u{1b}[2J\"".to_owned(),
            normalized: "mouse".to_owned(),
            strategy: SearchedBy::Hybrid,
            total: 7,
            shown: 7,
            ms: 2.345,
            corrected: true,
            relaxed: true,
            degraded: false,
            filtered: false,
            at: datetime!(2026-01-02 03:04:05.678 UTC),
        }
    }

    #[test]
    fn each_event_is_one_line_of_plain_text() {
        let at = datetime!(2026-01-02 03:04:05.678 UTC);
        let product_id: ProductId = "p-1".parse().expect("id");
        let read = ProductRead {
            product_id: product_id.clone(),
            source: ReadSource::Get,
            at,
        };
        assert_eq!(
            read_line(&read).text,
            "2026-01-02T03:04:05Z  read    p-1  get"
        );
        let expected = "2026-01-02T03:04:05Z  search  \"Mouse [2J\\\"\"  7 found by hybrid in 2.3 ms  corrected  relaxed";
        assert_eq!(search_line(&searched()).text, expected);
        let private = Searched {
            query: String::new(),
            ..searched()
        };
        assert!(search_line(&private).text.contains("personal data"));
        let click = Clicked {
            search_id: Uuid::nil(),
            product_id,
            position: 3,
            query: Some("mouse".to_owned()),
            at,
        };
        let expected = "2026-01-02T03:04:05Z  click   p-1  at 3  \"mouse\"";
        assert_eq!(click_line(&click).text, expected);
        assert_eq!(click_line(&click).json["event"], "click");
    }

    #[test]
    fn what_was_lost_is_told_once() {
        let mut losses = Losses::default();
        let now = |sequence, dropped| counters("a".to_owned(), sequence, dropped);
        assert_eq!(losses.note("s", now(7, 2)), None);
        assert_eq!(losses.note("s", now(8, 2)), None);
        assert_eq!(losses.note("t", now(1, 0)), None);
        let told = losses.note("s", now(11, 5)).expect("lost");
        assert_eq!(told, "lost on s: 2 messages on the way, 3 events before");
        assert_eq!(losses.note("s", now(12, 5)), None);
    }
}
