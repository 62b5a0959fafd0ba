//! Product events, from the stream. Invariant: no position is shown twice and none is left out, even when
//! the broker restarts.

use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context as _;
use async_nats::Client;
use async_nats::connection::State;
use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::pull::OrderedConfig;
use async_nats::jetstream::{self, Message};
use catalog_events::{Change, EVENTS_WILDCARD, Money, ProductEvent, ProductId, STREAM};
use client_kit::output;
use client_kit::price;
use futures_util::StreamExt as _;

use crate::endpoints::Endpoints;
use crate::tail::line::second;

/// How often to look whether the connection is still the same.
const LOOK_MS: u64 = 500;
const TITLE_CHARS_MAX: usize = 60;

/// Where to begin.
pub(super) enum Start {
    Position(u64),
    First,
    Next,
}

/// Finds the first position to show. Fails where there is no broker, or no stream on it.
pub(super) async fn position(
    start: Start,
    client: &Client,
    endpoints: &Endpoints,
) -> anyhow::Result<u64> {
    let found = jetstream::new(client.clone()).get_stream(STREAM).await;
    let stream = found.map_err(|err| {
        let broker = endpoints.broker();
        match client.connection_state() {
            State::Connected => anyhow::anyhow!(err).context(format!(
                "cannot read the stream {STREAM} on {broker}; the write service creates it"
            )),
            _ => anyhow::anyhow!(
                "no answer from the broker at {broker}: start it, for instance with \
                 `catalogctl up`, or name another, and its token, with --nats"
            ),
        }
    })?;
    Ok(match start {
        Start::Position(position) => position.max(1),
        Start::First => 1,
        Start::Next => stream.cached_info().state.last_sequence + 1,
    })
}

/// The subjects of a product: its id is the last token.
pub(super) fn filter(product: Option<&ProductId>) -> String {
    match (product, EVENTS_WILDCARD.strip_suffix('*')) {
        (Some(id), Some(any)) => format!("{any}{id}"),
        _ => EVENTS_WILDCARD.to_owned(),
    }
}

pub(super) struct EventTail {
    pub(super) client: Client,
    pub(super) filter: String,
    /// The first position that has not been shown.
    pub(super) next: u64,
    /// How many events to show; None for all.
    pub(super) left: Option<u64>,
    pub(super) json: bool,
}

impl EventTail {
    pub(super) async fn run(mut self) -> anyhow::Result<()> {
        let mut attempt = 0;
        while self.left != Some(0) {
            let before = self.next;
            let Err(err) = self.follow().await else {
                return Ok(());
            };
            if err.downcast_ref::<std::io::Error>().is_some() {
                return Err(err);
            }
            if self.next > before {
                attempt = 0;
            }
            attempt += 1;
            if attempt == 1 {
                eprintln!(
                    "the broker is away ({err:#}); going on at position {}",
                    self.next
                );
            }
            tokio::time::sleep(service_kit::backoff(attempt)).await;
        }
        Ok(())
    }

    /// Shows the events of one consumer until the limit is reached or the consumer is lost.
    async fn follow(&mut self) -> anyhow::Result<()> {
        let connects = self.connects();
        let stream = jetstream::new(self.client.clone())
            .get_stream(STREAM)
            .await?;
        let config = OrderedConfig {
            filter_subject: self.filter.clone(),
            deliver_policy: DeliverPolicy::ByStartSequence {
                start_sequence: self.next,
            },
            ..OrderedConfig::default()
        };
        let mut messages = stream.create_consumer(config).await?.messages().await?;
        while self.left != Some(0) {
            let message = tokio::select! {
                message = messages.next() => message.context("the consumer ended")??,
                () = tokio::time::sleep(Duration::from_millis(LOOK_MS)) => {
                    // A broker that was restarted has forgotten the consumer, and does not say so.
                    anyhow::ensure!(self.connects() == connects, "it was restarted");
                    continue;
                }
            };
            self.show(&message)?;
        }
        Ok(())
    }

    fn connects(&self) -> u64 {
        self.client.statistics().connects.load(Ordering::Relaxed)
    }

    fn show(&mut self, message: &Message) -> anyhow::Result<()> {
        let info = message.info().map_err(|err| anyhow::anyhow!(err))?;
        let position = info.stream_sequence;
        // An ordered consumer that has seen nothing yet starts at 1 when it is created again.
        if position < self.next {
            return Ok(());
        }
        if self.json {
            output::line(&String::from_utf8_lossy(&message.payload))?;
        } else {
            let event = catalog_events::decode(message.headers.as_ref(), &message.payload);
            output::line(&match event {
                Ok(event) => describe(position, &event),
                Err(err) => format!("{position}  is no product event: {err}"),
            })?;
        }
        self.next = position + 1;
        self.left = self.left.map(|left| left - 1);
        Ok(())
    }
}

/// An event in one line: position, time, kind, product, version, title, and what changed.
fn describe(position: u64, event: &ProductEvent) -> String {
    let at = second(event.occurred_at);
    let kind = event
        .change
        .event_type()
        .map_or("unknown", |kind| kind.as_str());
    let full_title = event.product.as_ref().map_or("", |product| &product.title);
    let title = output::shorten(&output::plain(full_title), TITLE_CHARS_MAX);
    let change = match (&event.change, &event.product) {
        (Change::PriceChanged { was, now }, _) => format!("{} → {}", amount(was), amount(now)),
        (Change::Updated { fields }, _) => output::plain(&fields.join(", ")),
        (Change::Created, Some(product)) => amount(&product.price),
        _ => String::new(),
    };
    let line = format!(
        "{position}  {at}  {kind:13}  {}  v{}  {title}  {change}",
        event.product_id, event.version
    );
    line.trim_end().to_owned()
}

fn amount(money: &Money) -> String {
    price::amount(money.minor(), money.currency().code())
}

#[cfg(test)]
mod tests {
    use catalog_events::{Currency, Position, Product, Status, Version};
    use expect_test::{Expect, expect};
    use time::macros::datetime;

    use super::*;

    fn check(change: Change, expected: Expect) {
        let usd = |minor| Money::from_minor(minor, Currency::USD).unwrap();
        let id: ProductId = "p-1".parse().unwrap();
        let at = datetime!(2026-01-02 03:04:05.678 UTC);
        let product = Product {
            id: id.clone(),
            title: "Mouse \u{1b}[2J".to_owned(),
            description: String::new(),
            price: usd(1999),
            image_url: None,
            brand: None,
            sku: None,
            gtins: Vec::new(),
            categories: Vec::new(),
            attributes: Default::default(),
            status: Status::Active,
            created_at: at,
            updated_at: at,
        };
        let event = ProductEvent {
            event_id: Default::default(),
            position: Position(7),
            product_id: id,
            version: Version::FIRST,
            occurred_at: at,
            actor: String::new(),
            traceparent: None,
            product: (change != Change::Deleted).then_some(product),
            change,
        };
        expected.assert_eq(&describe(7, &event));
    }

    #[test]
    fn an_event_is_one_line_of_plain_text() {
        let usd = |minor| Money::from_minor(minor, Currency::USD).unwrap();
        check(
            Change::Created,
            expect!["7  2026-01-02T03:04:05Z  created        p-1  v1  Mouse [2J  19.99 USD"],
        );
        let fields = vec!["title".to_owned(), "attributes.colour".to_owned()];
        check(
            Change::Updated { fields },
            expect![
                "7  2026-01-02T03:04:05Z  updated        p-1  v1  Mouse [2J  title, attributes.colour"
            ],
        );
        check(
            Change::PriceChanged {
                was: usd(2499),
                now: usd(1999),
            },
            expect![
                "7  2026-01-02T03:04:05Z  price_changed  p-1  v1  Mouse [2J  24.99 USD → 19.99 USD"
            ],
        );
        check(
            Change::Deleted,
            expect!["7  2026-01-02T03:04:05Z  deleted        p-1  v1"],
        );
    }

    #[test]
    fn one_product_is_the_last_token_of_every_subject() {
        let id: ProductId = "p-1".parse().unwrap();
        assert_eq!(filter(Some(&id)), "catalog.evt.v1.product.*.p-1");
        assert_eq!(filter(None), "catalog.evt.v1.product.*.*");
    }
}
