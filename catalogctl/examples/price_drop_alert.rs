//! Tells of every price that falls by ten per cent or more:
//!
//!     cargo run --example price_drop_alert -- 10
//!
//! It listens to `cargo up` unless CATALOG_NATS_URL names another broker. Stopped and started again, it goes
//! on behind the last event that it was done with: the broker remembers that under the consumer's name.
#![expect(clippy::print_stdout, reason = "that is how it tells")]

use async_nats::jetstream;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use catalog_events::{Change, Money, ProductEvent, STREAM, decode};
use futures_util::TryStreamExt as _;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let percent: f64 = std::env::args()
        .nth(1)
        .map_or(Ok(10.0), |text| text.parse())?;
    let url = std::env::var("CATALOG_NATS_URL").unwrap_or("nats://127.0.0.1:4222".to_owned());
    let client = catalog_events::connect("price-drop-alert", &url).await?;

    // Every change of every product is in one stream. The subject says what changed, so that the broker sends
    // nothing but prices.
    let stream = jetstream::new(client).get_stream(STREAM).await?;
    let config = pull::Config {
        durable_name: Some("price-drop-alert".to_owned()),
        filter_subject: "catalog.evt.v1.product.price_changed.*".to_owned(),
        deliver_policy: DeliverPolicy::New,
        ack_policy: AckPolicy::Explicit,
        ..pull::Config::default()
    };
    let consumer = stream
        .get_or_create_consumer("price-drop-alert", config)
        .await?;
    let mut messages = consumer.messages().await?;
    println!("listening for prices that fall by {percent} %");

    while let Some(message) = messages.try_next().await? {
        let event = decode(message.headers.as_ref(), &message.payload)?;
        if let Some(alert) = alert(&event, percent) {
            println!("{alert}");
        }
        // Only now is the event done with. It comes again if we die before, so that an alert may come twice and
        // is never lost; `event.event_id` tells one from another.
        message.ack().await.map_err(anyhow::Error::from_boxed)?;
    }
    Ok(())
}

/// What to say of an event, if anything.
fn alert(event: &ProductEvent, percent: f64) -> Option<String> {
    let Change::PriceChanged { was, now } = &event.change else {
        return None;
    };
    let fall = 100.0 * (was.minor() - now.minor()) as f64 / was.minor() as f64;
    if was.currency() != now.currency() || fall.is_nan() || fall < percent {
        return None;
    }
    // Every event carries the whole product as it is after the change: there is nothing to look up.
    let product = event.product.as_ref()?;
    let price = |money: &Money| money.currency().in_major_units(money.minor());
    let (title, currency) = (&product.title, now.currency());
    Some(format!(
        "{title}: {} -> {} {currency} (-{fall:.0} %)",
        price(was),
        price(now)
    ))
}
