//! Runs a few seeded schedules of faults. `CATALOG_TEST_CHAOS_SCHEDULES` sets how many,
//! `CATALOG_TEST_CHAOS_SEED` the first seed.

use std::process::Output;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

use crate::support::{CATALOGCTL, shown};

/// The first of the seeds that between them strike every process and a connection of each kind.
const SEED_DEFAULT: &str = "1";
const SCHEDULES_DEFAULT: &str = "4";
const MINUTES_MAX: u64 = 20;

async fn chaos(args: &[&str]) -> Output {
    let run = Command::new(CATALOGCTL)
        .arg("chaos")
        .args(args)
        .kill_on_drop(true)
        .output();
    let limit = Duration::from_secs(60 * MINUTES_MAX);
    let output = tokio::time::timeout(limit, run).await;
    output.expect("chaos ends").expect("run catalogctl")
}

fn variable(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or(default.to_owned())
}

#[tokio::test]
async fn promises_hold_through_seeded_faults() {
    let folder = tempfile::tempdir().expect("folder");
    let report = folder.path().join("report.jsonl").display().to_string();
    let seed = variable("CATALOG_TEST_CHAOS_SEED", SEED_DEFAULT);
    let schedules = variable("CATALOG_TEST_CHAOS_SCHEDULES", SCHEDULES_DEFAULT);
    let args = [
        "--seed",
        &seed,
        "--schedules",
        &schedules,
        "--report",
        &report,
    ];
    let output = chaos(&args).await;
    assert!(output.status.success(), "{}", shown(&output));

    let written = std::fs::read_to_string(&report).expect("a report");
    let verdicts: Vec<Value> = written
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(verdicts.len().to_string(), schedules);
    let total = |count: &str| -> u64 {
        let counts = verdicts.iter().map(|verdict| &verdict["counts"][count]);
        counts.map(|count| count.as_u64().expect("a number")).sum()
    };
    assert!(total("writes_ok") > 0, "{}", shown(&output));
    assert!(total("token_reads") > 0, "{}", shown(&output));
}

#[tokio::test]
async fn pairs_with_tokens_are_never_older_than_their_write() {
    let output = chaos(&["--seed", "1", "--pairs", "1000", "--minutes", "5"]).await;
    assert!(output.status.success(), "{}", shown(&output));
}
