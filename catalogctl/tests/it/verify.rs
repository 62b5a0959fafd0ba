//! `catalogctl verify` runs against real processes: it finds nothing while an import runs, and it
//! finds, names and mends planted errors.

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};

use trials::cluster::Cluster;

use crate::support::{catalogctl, cluster, feed, json, shown};

/// Runs `catalogctl verify` and returns the exit code and the report.
async fn verify(cluster: &Cluster, args: &[&str]) -> (i32, Value) {
    let args = [&["verify", "--json"], args].concat();
    let output = catalogctl(cluster, &args).output().await.expect("run");
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}\n{}", shown(&output), cluster.logs()));
    (output.status.code().expect("exited"), report)
}

/// The differences of a projection, each as `kind product`.
fn differences(report: &Value, projection: usize) -> Vec<String> {
    report["projections"][projection]["differences"]
        .as_array()
        .expect("an array")
        .iter()
        .map(|one| {
            let text = |name: &str| one[name].as_str().expect("text").to_owned();
            format!("{} {}", text("kind"), text("product_id"))
        })
        .collect()
}

async fn plant(pool: &PgPool, schema: &str, statement: &str) {
    let statement = statement.replace("{g}", schema);
    let planted = sqlx::query(AssertSqlSafe(statement.clone()))
        .execute(pool)
        .await
        .expect(&statement);
    assert!(planted.rows_affected() > 0, "{statement}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalog_is_proved_while_it_is_written_and_mended_when_it_is_not_right() {
    let folder = tempfile::tempdir().expect("folder");
    let cluster = cluster().await;
    let feed = feed(folder.path(), 600).await;
    let (code, report) = verify(&cluster, &[]).await;
    assert_eq!((code, &report["equal"]), (0, &json!(true)), "{report}");

    let args = ["import", &feed, "--batch", "5", "--json"];
    let import = tokio::spawn(catalogctl(&cluster, &args).output());
    let mut proofs = 0;
    while !import.is_finished() || proofs == 0 {
        let (code, report) = verify(&cluster, &[]).await;
        assert_eq!(code, 0, "{report}");
        proofs += 1;
    }
    let output = import.await.expect("no panic").expect("import ran");
    assert!(output.status.success(), "{}", shown(&output));
    let status = cluster.caught_up(600, false, 60).await.expect("caught up");

    let url = cluster.query_database_url().expect("set");
    let pool = PgPool::connect(url).await.expect("connect");
    let schema = format!("generation_{}", status.generation);
    for statement in [
        "DELETE FROM {g}.documents WHERE product_id = 'sample-000001'",
        "UPDATE {g}.documents SET version = 9 WHERE product_id = 'sample-000002'",
        "UPDATE {g}.documents SET product = jsonb_set(product, '{title}', '\"forged\"')
         WHERE product_id = 'sample-000003'",
        "INSERT INTO {g}.documents SELECT 'ghost', version, position,
             jsonb_set(product, '{id}', '\"ghost\"'), content_hash, text_hash
         FROM {g}.documents WHERE product_id = 'sample-000004'",
    ] {
        plant(&pool, &schema, statement).await;
    }
    let (code, report) = verify(&cluster, &[]).await;
    assert_eq!((code, &report["equal"]), (1, &json!(false)));
    assert_eq!(
        differences(&report, 0),
        [
            "extra ghost",
            "missing sample-000001",
            "version sample-000002",
            "content sample-000003"
        ]
    );
    assert_eq!(differences(&report, 1), Vec::<String>::new());

    let (code, report) = verify(&cluster, &["--repair"]).await;
    assert_eq!(code, 0, "{report}");
    assert_eq!(report["repaired"], json!(4), "{report}");
    let (code, _) = verify(&cluster, &[]).await;
    assert_eq!(code, 0);
    let found = json(&cluster, &["parked", "retry", "--json"]).await;
    assert_eq!(found["applied"], json!([]));
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn services_that_are_away_are_no_difference() {
    let output = tokio::process::Command::new(crate::support::CATALOGCTL)
        .args(["verify", "--query-grpc", "127.0.0.1:1"])
        .args(["--command-grpc", "127.0.0.1:1"])
        .output()
        .await
        .expect("run");
    assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
}
