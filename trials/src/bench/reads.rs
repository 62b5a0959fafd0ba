//! Measures GET through the BFF and the query service, against a bare pass-through of the same
//! bytes.

pub(super) mod load;
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
use crate::bench::reads::load::{Asked, Load};
use crate::bench::statistics::median;
use crate::cluster::{Cluster, Part, channel, free_port};

const WARM_UP_MS: u64 = 500;
const KEY_TRIES: u32 = 500;

#[derive(Debug, Serialize)]
pub(super) struct GetFigures {
    pub(super) ours: Side,
    /// With a key that is checked, and compression that is negotiated.
    pub(super) keyed: Side,
    /// Where the client holds the product already: answered 304.
    pub(super) unchanged: Side,
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

/// One side of the comparison: what is asked where, and the processes that work for the answer.
struct Measured {
    address: String,
    asked: Asked,
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
    let answer = reqwest::get(format!("{}{path}", cluster.http())).await?;
    let tag = answer.headers().get("etag").context("a read has no ETag")?;
    let tag = tag.to_str()?.to_owned();
    let body = answer.bytes().await?;
    let key = key(cluster, &path).await?;
    let peers = Peers::start(catalogctl, &product, &body).await?;
    let side = |headers: String, status: u16| {
        anyhow::Ok(Measured {
            address: cluster.http().trim_start_matches("http://").to_owned(),
            asked: Asked {
                path: path.clone(),
                headers,
                status,
            },
            pids: [pid(cluster, Part::Bff)?, pid(cluster, Part::Query)?],
            rounds: Vec::new(),
        })
    };
    let known = format!("authorization: Bearer {key}\r\naccept-encoding: gzip, br, zstd\r\n");
    let mut sides = [
        side(String::new(), 200)?,
        side(known.clone(), 200)?,
        side(format!("{known}if-none-match: {tag}\r\n"), 304)?,
        Measured {
            address: peers.address.clone(),
            pids: peers.pids()?,
            ..side(String::new(), 200)?
        },
    ];
    let length = Duration::from_secs(args.seconds);
    for side in &sides {
        let warm_up = Duration::from_millis(WARM_UP_MS);
        load::run(&side.address, &side.asked, args.connections, warm_up).await?;
    }
    for round in 1..=args.rounds {
        eprintln!("reads: round {round} of {}", args.rounds);
        for side in &mut sides {
            side.round(args.connections, length).await?;
        }
    }
    let [ours, keyed, unchanged, limit] = sides.map(|side| side.medians());
    Ok(GetFigures {
        ours,
        keyed,
        unchanged,
        limit,
        body_bytes: body.len(),
        rounds: args.rounds,
    })
}

impl Measured {
    async fn round(&mut self, connections: usize, length: Duration) -> anyhow::Result<()> {
        let before = self.cpu_time()?;
        let load = load::run(&self.address, &self.asked, connections, length).await?;
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

/// Makes a key that may read, and waits until it is known.
async fn key(cluster: &Cluster, path: &str) -> anyhow::Result<String> {
    let client = reqwest::Client::new();
    let made = client.post(format!("{}/api/keys", cluster.http()));
    let made = made.json(&serde_json::json!({"name": "bench", "scopes": ["read"]}));
    let made: serde_json::Value = made.send().await?.error_for_status()?.json().await?;
    let secret = made["secret"].as_str().context("a key has no secret")?;
    for _ in 0..KEY_TRIES {
        let read = client.get(format!("{}{path}", cluster.http()));
        if read.bearer_auth(secret).send().await?.status().is_success() {
            return Ok(secret.to_owned());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bail!("the BFF does not learn of a new key")
}

pub(super) async fn any_product(cluster: &Cluster) -> anyhow::Result<v1::Product> {
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
