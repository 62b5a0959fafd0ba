//! Measures what each keystroke of a search box costs: the beginnings of titles, letter by letter.

use std::time::{Duration, Instant};

use catalog_proto::v1::AutocompleteRequest;
use catalog_proto::v1::catalog_service_client::CatalogServiceClient;
use client_kit::sample;
use serde::Serialize;

use crate::bench::statistics::percentile;
use crate::cluster::{Cluster, channel};

const TITLES: u64 = 100;
const CHARS_MAX: usize = 16;
const LIMIT: i32 = 8;

/// The completion times of one client.
#[derive(Debug, Serialize)]
pub(super) struct CompletionFigures {
    pub(super) products: u64,
    pub(super) keystrokes: usize,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
}

pub(super) async fn measure(
    cluster: &Cluster,
    products: u64,
    length: Duration,
) -> anyhow::Result<CompletionFigures> {
    eprintln!("autocomplete: one client");
    let mut client = CatalogServiceClient::new(channel(&cluster.query_grpc()));
    let prefixes = prefixes(products);
    let mut millis = Vec::new();
    let started = Instant::now();
    for prefix in prefixes.iter().cycle() {
        if started.elapsed() >= length {
            break;
        }
        let request = AutocompleteRequest {
            prefix: prefix.clone(),
            limit: LIMIT,
            ..Default::default()
        };
        let asked = Instant::now();
        client.autocomplete(request).await?;
        millis.push(asked.elapsed().as_secs_f64() * 1_000.0);
    }
    millis.sort_by(f64::total_cmp);
    Ok(CompletionFigures {
        products,
        keystrokes: millis.len(),
        p50_ms: percentile(&millis, 0.50),
        p99_ms: percentile(&millis, 0.99),
    })
}

fn prefixes(products: u64) -> Vec<String> {
    let mut random = fastrand::Rng::with_seed(11);
    let mut prefixes = Vec::new();
    for _ in 0..TITLES {
        let product = sample::product(random.u64(1..=products), sample::SEED_DEFAULT);
        let title: Vec<char> = product.title.chars().collect();
        let typed = 1..=title.len().min(CHARS_MAX);
        prefixes.extend(typed.map(|chars| title[..chars].iter().collect::<String>()));
    }
    prefixes
}
