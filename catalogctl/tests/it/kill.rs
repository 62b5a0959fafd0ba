//! Every service is killed with -9 in turn while an import runs: everything in the feed is there in
//! the end, in the documents and in both indexes.

use std::process::Stdio;
use std::time::{Duration, Instant};

use trials::cluster::{Cluster, Part};

use tokio::task::JoinHandle;

use crate::support::{catalogctl, cluster, feed, get, shown};

/// The number of products, unless `CATALOG_TEST_PRODUCTS` sets another; embedding more takes
/// minutes.
const PRODUCTS_DEFAULT: usize = 2_000;

fn products() -> usize {
    let given = std::env::var("CATALOG_TEST_PRODUCTS");
    given.map_or(PRODUCTS_DEFAULT, |number| {
        number.parse().expect("a number of products")
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_survives_the_death_of_any_service() {
    let products = products();
    let folder = tempfile::tempdir().expect("folder");
    let mut cluster = cluster().await;
    let feed = feed(folder.path(), products).await;
    // One row a batch makes the import long enough to be hit several times.
    let args = ["import", &feed, "--batch", "1", "--json"];
    let process = catalogctl(&cluster, &args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("start the import");
    let import = tokio::spawn(process.wait_with_output());

    // The write side last: its restart takes as long as a lease, and the import does not wait.
    for (round, part) in [Part::Query, Part::Bff, Part::Command]
        .into_iter()
        .enumerate()
    {
        until_written(&cluster, (round as i64 + 1) * products as i64 / 8, &import).await;
        if import.is_finished() {
            let output = import.await.expect("no panic").expect("import ran");
            panic!(
                "over too soon to be disturbed: {}\n{}",
                shown(&output),
                cluster.logs()
            );
        }
        cluster.kill(part).await.expect("kill -9");
        cluster.launch(part).expect("start again");
        cluster.ready().await.expect("ready again");
    }
    let output = import.await.expect("no panic").expect("import ran");
    assert!(
        output.status.success(),
        "{}\n{}",
        shown(&output),
        cluster.logs()
    );

    let status = cluster
        .caught_up(products as i64, true, 1_800)
        .await
        .expect("caught up");
    assert_eq!(
        status.stream_sequence, products as i64,
        "one event a product"
    );
    for projection in &status.projections {
        assert_eq!(projection.documents, products as i64, "{}", projection.name);
    }
    assert_eq!(status.projections[0].digest, status.projections[1].digest);
    for number in [1, products / 2, products] {
        let url = format!("{}/api/products/sample-{number:06}", cluster.http());
        assert_eq!(get(&url).await.0, 200);
    }
}

/// Waits until the log holds `count` events or the import is over; a service that is down is asked
/// again.
async fn until_written<T>(cluster: &Cluster, count: i64, import: &JoinHandle<T>) {
    let started = Instant::now();
    loop {
        let written = cluster.log_position().await;
        if import.is_finished() || written.as_ref().is_ok_and(|position| *position >= count) {
            return;
        }
        let late = started.elapsed() > Duration::from_secs(60);
        assert!(
            !late,
            "never {count} events: {written:?}\n{}",
            cluster.logs()
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
