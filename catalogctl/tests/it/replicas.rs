//! Two replicas of the query service behind one BFF: one is killed and one is stopped while clients read, and no
//! read fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use trials::cluster::{Cluster, Part};

use crate::support::{catalogctl, cluster, get};

const CLIENTS: usize = 6;

/// Reads on and on; counts the answers and keeps what went wrong.
struct Readers {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    tasks: JoinSet<Vec<String>>,
}

impl Readers {
    fn start(cluster: &Cluster) -> Self {
        let (stop, answered) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let mut tasks = JoinSet::new();
        for client in 0..CLIENTS {
            let path = match client % 3 {
                0 => "/api/products/kettle",
                1 => "/api/products/search?q=kettle&strategy=keyword",
                _ => "/api/products?ids=kettle",
            };
            let url = format!("{}{path}", cluster.http());
            let (stop, answered) = (stop.clone(), answered.clone());
            tasks.spawn(async move {
                let (client, mut failed) = (reqwest::Client::new(), Vec::new());
                while !stop.load(Ordering::Relaxed) {
                    match client.get(&url).send().await {
                        Ok(answer) if answer.status().is_success() => {}
                        Ok(answer) => failed.push(format!("{url}: {}", answer.status())),
                        Err(err) => failed.push(format!("{url}: {err}")),
                    }
                    answered.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                failed
            });
        }
        Self {
            stop,
            answered,
            tasks,
        }
    }

    /// Waits until so many more reads were answered.
    async fn go_on(&self, reads: usize) {
        let target = self.answered.load(Ordering::Relaxed) + reads;
        while self.answered.load(Ordering::Relaxed) < target {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn end(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        self.tasks.join_all().await.concat()
    }
}

async fn with_two_replicas() -> Cluster {
    let mut cluster = cluster().await;
    cluster.launch(Part::Replica).expect("a replica");
    let targets = format!("{},{}", cluster.query_grpc(), cluster.replica_grpc());
    cluster.stop(Part::Bff).await.expect("stop");
    cluster.configure("BFF_CATALOG_GRPC_TARGET", targets);
    cluster.launch(Part::Bff).expect("launch");
    cluster.ready().await.expect("ready");
    cluster
}

/// Waits until documents and index of a replica equal the log.
async fn proved(cluster: &Cluster, replica: &str) {
    for _ in 0..60 {
        let mut verify = catalogctl(cluster, &["verify"]);
        let output = verify.env("CATALOG_QUERY_GRPC", replica).output().await;
        if output.expect("run catalogctl").status.success() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    panic!("{replica} is not like the log\n{}", cluster.logs());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_read_fails_when_a_replica_is_killed_or_stands_still() {
    let mut cluster = with_two_replicas().await;
    let client = reqwest::Client::new();
    let product = serde_json::json!({"title": "Kettle", "price_minor": 100});
    let url = format!("{}/api/products/kettle", cluster.http());
    let put = client.put(&url).json(&product).send().await.expect("HTTP");
    assert_eq!(put.status(), 201);
    cluster.caught_up(1, false, 60).await.expect("caught up");
    for replica in [cluster.query_grpc(), cluster.replica_grpc()] {
        proved(&cluster, &replica).await;
    }

    let readers = Readers::start(&cluster);
    readers.go_on(100).await;
    cluster.kill(Part::Query).await.expect("kill -9");
    readers.go_on(200).await;
    cluster.launch(Part::Query).expect("launch");
    proved(&cluster, &cluster.query_grpc()).await;
    readers.go_on(100).await;
    let pause = cluster.pause(Part::Replica).await.expect("stopped");
    readers.go_on(100).await;
    drop(pause);
    readers.go_on(100).await;
    let failed = readers.end().await;
    assert!(failed.is_empty(), "{failed:#?}\n{}", cluster.logs());
    // The replica that was killed is asked again.
    cluster.kill(Part::Replica).await.expect("kill -9");
    let (status, _) = get(&url).await;
    assert_eq!(status, 200);
}
