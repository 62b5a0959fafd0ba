//! kill -9 of each service in turn while an import runs: whatever was in the feed is there in the
//! end, in the documents and in both indexes.

use std::process::Stdio;
use std::time::Duration;

use catalogctl::cluster::{Cluster, Part};

use crate::support::{catalogctl, cluster, feed, get};

const PRODUCTS: usize = 3_000;

#[tokio::test(flavor = "multi_thread")]
async fn an_import_survives_the_death_of_any_service() {
    let folder = tempfile::tempdir().expect("folder");
    let mut cluster = cluster().await;
    let feed = feed(folder.path(), PRODUCTS).await;
    // Small batches make the import long enough to be hit several times.
    let args = [
        "import",
        &feed,
        "--price-minor",
        "price_minor",
        "--batch",
        "20",
        "--json",
    ];
    let import = catalogctl(&cluster, &args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("start the import");
    let import = tokio::spawn(import.wait_with_output());

    let mut killed_during_import = 0;
    for (round, part) in Part::ALL.into_iter().enumerate() {
        let at = (round + 1) * PRODUCTS / 5;
        until_written(&cluster, at as i64).await;
        killed_during_import += u32::from(!import.is_finished());
        cluster.kill(part).await.expect("kill -9");
        cluster.launch(part).expect("start again");
        cluster.ready().await.expect("ready again");
    }
    assert_eq!(
        killed_during_import, 3,
        "the import was over too soon to be disturbed"
    );
    let output = import.await.expect("no panic").expect("import ran");
    assert!(
        output.status.success(),
        "{}\n{}",
        crate::support::shown(&output),
        cluster.logs()
    );

    let status = cluster
        .caught_up(PRODUCTS as i64, true, 300)
        .await
        .expect("caught up");
    assert_eq!(
        status.stream_sequence, PRODUCTS as i64,
        "one event a product"
    );
    for projection in &status.projections {
        assert_eq!(projection.documents, PRODUCTS as i64, "{}", projection.name);
    }
    assert_eq!(status.projections[0].digest, status.projections[1].digest);
    for number in [1, PRODUCTS / 2, PRODUCTS] {
        let url = format!("{}/api/products/sample-{number:06}", cluster.http());
        assert_eq!(get(&url).await.0, 200);
    }
}

/// Until the log holds `count` events; a service that is down is asked again.
async fn until_written(cluster: &Cluster, count: i64) {
    let started = std::time::Instant::now();
    loop {
        let written = cluster.log_position().await;
        if written.is_ok_and(|position| position >= count) {
            return;
        }
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "stuck\n{}",
            cluster.logs()
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
