//! Prints the products that are looked at most at the moment, every few seconds:
//!
//!     cargo run --example trending -- 5
//!
//! It listens to `cargo up` unless CATALOG_NATS_URL names another broker.
#![expect(clippy::print_stdout, reason = "that is how it tells")]

use std::collections::HashMap;
use std::time::Duration;

use catalog_events::{ProductId, READ_SUBJECT, ReadBatch};
use futures_util::StreamExt as _;

const SHOWN: usize = 10;
/// How much a read counts one round later: a product that nobody looks at any more sinks.
const KEPT: f64 = 0.8;
/// What counts less is forgotten, so that the table stays small.
const WEIGHT_MIN: f64 = 0.05;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let seconds: u64 = std::env::args().nth(1).map_or(Ok(5), |text| text.parse())?;
    let url = std::env::var("CATALOG_NATS_URL").unwrap_or("nats://127.0.0.1:4222".to_owned());
    let client = catalog_events::connect("trending", &url).await?;

    // Reads go through core NATS: who does not listen misses them, which does no harm to a list like this.
    let mut messages = client.subscribe(READ_SUBJECT).await?;
    client.flush().await?;
    println!("listening for products that are looked at");

    let mut weights: HashMap<ProductId, f64> = HashMap::new();
    let mut rounds = tokio::time::interval(Duration::from_secs(seconds.max(1)));
    loop {
        tokio::select! {
            message = messages.next() => {
                let Some(message) = message else { return Ok(()) };
                // One message has all reads of one replica since its last one.
                let batch: ReadBatch = serde_json::from_slice(&message.payload)?;
                for read in batch.reads {
                    *weights.entry(read.product_id).or_default() += 1.0;
                }
            }
            _ = rounds.tick() => {
                show(&weights);
                weights.retain(|_, weight| {
                    *weight *= KEPT;
                    *weight > WEIGHT_MIN
                });
            }
        }
    }
}

fn show(weights: &HashMap<ProductId, f64>) {
    let mut ranked: Vec<(&ProductId, &f64)> = weights.iter().collect();
    ranked.sort_by(|a, b| b.1.total_cmp(a.1).then(a.0.cmp(b.0)));
    for (place, (id, weight)) in ranked.into_iter().take(SHOWN).enumerate() {
        println!("{:2}. {id} {weight:.1}", place + 1);
    }
}
