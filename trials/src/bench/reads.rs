//! Measures GET through the BFF and the query service, against a bare pass-through of the same
//! bytes.

mod load;
pub(super) mod peer;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use catalog_proto::v1;
use catalog_proto::v1::catalog_service_client::CatalogServiceClient;
use prost::Message as _;
use serde::Serialize;
use tokio::process::{Child, Command};

use crate::bench::args::BenchArgs;
use crate::bench::process::{cpu_time, pid};
use crate::bench::reads::load::Load;
use crate::bench::statistics::median;
use crate::cluster::{Cluster, Part, channel, free_port};

const WARM_UP_MS: u64 = 500;

#[derive(Debug, Serialize)]
pub(super) struct GetFigures {
    pub(super) ours: Side,
    pub(super) limit: Side,
    body_bytes: usize,
    rounds: usize,
}

/// Medians over the rounds of one side.
#[derive(Debug, Serialize)]
pub(super) struct Side {
    pub(super) requests_per_second: f64,
    pub(super) cpu_micros_per_request: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
}

/// One side of the comparison: the address to ask, and the processes that work for the answer.
struct Measured {
    address: String,
    pids: [u32; 2],
    rounds: Vec<(Load, Duration)>,
}

pub(super) async fn measure(
    cluster: &Cluster,
    catalogctl: &Path,
    args: &BenchArgs,
) -> anyhow::Result<GetFigures> {
    let product = any_product(cluster).await?;
    let path = format!("/api/products/{}", product.id);
    let body = reqwest::get(format!("{}{path}", cluster.http()))
        .await?
        .bytes()
        .await?;
    let peers = Peers::start(catalogctl, &product, &body).await?;
    let mut ours = Measured {
        address: cluster.http().trim_start_matches("http://").to_owned(),
        pids: [pid(cluster, Part::Bff)?, pid(cluster, Part::Query)?],
        rounds: Vec::new(),
    };
    let mut limit = Measured {
        address: peers.address.clone(),
        pids: peers.pids()?,
        rounds: Vec::new(),
    };
    let length = Duration::from_secs(args.seconds);
    for side in [&mut ours, &mut limit] {
        let warm_up = Duration::from_millis(WARM_UP_MS);
        load::run(&side.address, &path, args.connections, warm_up).await?;
    }
    for round in 1..=args.rounds {
        eprintln!("reads: round {round} of {}", args.rounds);
        for side in [&mut ours, &mut limit] {
            side.round(&path, args.connections, length).await?;
        }
    }
    Ok(GetFigures {
        ours: ours.medians(),
        limit: limit.medians(),
        body_bytes: body.len(),
        rounds: args.rounds,
    })
}

impl Measured {
    async fn round(
        &mut self,
        path: &str,
        connections: usize,
        length: Duration,
    ) -> anyhow::Result<()> {
        let before = self.cpu_time()?;
        let load = load::run(&self.address, path, connections, length).await?;
        self.rounds
            .push((load, self.cpu_time()?.saturating_sub(before)));
        Ok(())
    }

    fn cpu_time(&self) -> anyhow::Result<Duration> {
        self.pids.iter().map(|pid| cpu_time(*pid)).sum()
    }

    fn medians(&self) -> Side {
        let over = |figure: &dyn Fn(&Load, &Duration) -> f64| {
            median(
                self.rounds
                    .iter()
                    .map(|(load, cpu)| figure(load, cpu))
                    .collect(),
            )
        };
        Side {
            requests_per_second: over(&|load, _| load.requests as f64 / load.seconds),
            cpu_micros_per_request: over(&|load, cpu| {
                cpu.as_micros() as f64 / load.requests.max(1) as f64
            }),
            p50_ms: over(&|load, _| load.percentile_ms(0.50)),
            p99_ms: over(&|load, _| load.percentile_ms(0.99)),
        }
    }
}

/// The two processes of the pass-through.
struct Peers {
    address: String,
    grpc: Child,
    http: Child,
    _folder: tempfile::TempDir,
}

impl Peers {
    async fn start(catalogctl: &Path, product: &v1::Product, body: &[u8]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let (message, json) = (
            folder.path().join("product"),
            folder.path().join("product.json"),
        );
        tokio::fs::write(&message, product.encode_to_vec()).await?;
        tokio::fs::write(&json, body).await?;
        let address = |port: u16| format!("127.0.0.1:{port}");
        let (grpc_address, http_address) = (address(free_port()?), address(free_port()?));
        let start = |side: &str, listen: &str, body: &Path, upstream: Option<String>| {
            Command::new(catalogctl)
                .args(["bench-peer", side, listen])
                .arg(body)
                .args(upstream)
                .stdin(Stdio::null())
                .kill_on_drop(true)
                .spawn()
                .context("cannot start the pass-through")
        };
        let grpc = start("grpc", &grpc_address, &message, None)?;
        let upstream = format!("http://{grpc_address}");
        let http = start("http", &http_address, &json, Some(upstream))?;
        wait_for(&format!("http://{http_address}/api/products/x")).await?;
        Ok(Self {
            address: http_address,
            grpc,
            http,
            _folder: folder,
        })
    }

    fn pids(&self) -> anyhow::Result<[u32; 2]> {
        let pid = |child: &Child| child.id().context("the pass-through ended");
        Ok([pid(&self.grpc)?, pid(&self.http)?])
    }
}

async fn wait_for(url: &str) -> anyhow::Result<()> {
    const TRIES: u32 = 500;
    for _ in 0..TRIES {
        if reqwest::get(url)
            .await
            .is_ok_and(|answer| answer.status().is_success())
        {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bail!("the pass-through does not answer")
}

async fn any_product(cluster: &Cluster) -> anyhow::Result<v1::Product> {
    let mut client = CatalogServiceClient::new(channel(&cluster.query_grpc()));
    let request = v1::SearchProductsRequest {
        query: "black".to_owned(),
        limit: 1,
        strategy: v1::SearchStrategy::Keyword.into(),
        untracked: true,
        ..Default::default()
    };
    let found = client.search_products(request).await?.into_inner();
    found
        .products
        .into_iter()
        .next()
        .context("the catalog has no product to read")
}
