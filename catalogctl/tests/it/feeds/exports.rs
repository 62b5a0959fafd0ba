//! Exports that are killed, packed, cut off by their reader, or for Google.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use serde_json::{Value, json as object};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use trials::cluster::Cluster;

use crate::support::{catalogctl, json, shown};

/// How often an export may end before it is killed.
const ATTEMPTS_MAX: usize = 50;

/// Exports the products of `lines`, made so long that they fill several blocks.
pub(super) async fn go_on_and_end_early(cluster: &Cluster, folder: &Path, lines: &str) {
    let path = |name: &str| folder.join(name).display().to_string();
    let long = path("long.jsonl");
    let rows = lines.lines().take(400).enumerate().map(|(index, line)| {
        let product: Value = serde_json::from_str(line).expect("JSON");
        let description = format!("{index} words ").repeat(1_500);
        format!(
            "{}\n",
            object!({"id": product["id"], "description": description})
        )
    });
    fs::write(&long, rows.collect::<String>()).expect("a feed");
    json(cluster, &["import", &long, "--json"]).await;

    let whole = path("whole.jsonl");
    let told = json(cluster, &["export", &whole, "--json"]).await;
    let position = told["position"].to_string();
    let whole = fs::read(whole).expect("the export");
    for name in ["part.jsonl", "part.jsonl.gz", "part.jsonl.zst"] {
        let part = path(name);
        kill(cluster, &["export", &part, "--position", &position], &part).await;
        let resumed = json(cluster, &["export", &part, "--resume", "--json"]).await;
        assert_eq!(
            (&resumed["position"], &resumed["digest"], &resumed["proof"]),
            (&told["position"], &told["digest"], &"equal".into()),
            "{resumed}"
        );
        let bytes = fs::read(&part).expect("the export");
        match name {
            "part.jsonl" => assert!(bytes == whole, "the files differ"),
            "part.jsonl.gz" => {
                let mut text = Vec::new();
                let mut packed = MultiGzDecoder::new(&bytes[..]);
                packed.read_to_end(&mut text).expect("gzip");
                assert!(text == whole, "the texts differ");
            }
            _ => {
                assert!(bytes.len() < whole.len() / 2, "{} bytes", bytes.len());
                let again = json(cluster, &["import", &part, "--json"]).await;
                assert_eq!(again["unchanged"], lines.lines().count(), "{again}");
            }
        }
    }
    end_with_the_reader(cluster).await;
    for_google(cluster, &path("shop.xml")).await;
}

/// Kills an export after its first block.
async fn kill(cluster: &Cluster, args: &[&str], file: &str) {
    let sound = format!("{file}.partial.json");
    for _ in 0..ATTEMPTS_MAX {
        let mut command = catalogctl(cluster, args);
        let mut export = command
            .stderr(Stdio::null())
            .spawn()
            .expect("run catalogctl");
        while !Path::new(&sound).exists() && export.try_wait().expect("a status").is_none() {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        export.kill().await.expect("killed");
        if Path::new(&sound).exists() {
            assert!(
                !Path::new(file).exists(),
                "it has its name before it is complete"
            );
            return;
        }
        fs::remove_file(file).expect("it was complete");
    }
    panic!("the export is always complete before it is killed");
}

/// A reader that has enough is no error.
async fn end_with_the_reader(cluster: &Cluster) {
    let mut command = catalogctl(cluster, &["export"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut export = command.spawn().expect("run catalogctl");
    let mut lines = BufReader::new(export.stdout.take().expect("a pipe")).lines();
    let first = lines.next_line().await.expect("a line");
    assert!(first.is_some_and(|line| line.starts_with('{')));
    drop(lines);
    let output = export.wait_with_output().await.expect("ended");
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    assert!(output.stderr.is_empty(), "{}", shown(&output));
}

/// Every product is in the feed or told, and the feed is read.
async fn for_google(cluster: &Cluster, file: &str) {
    let link = "https://shop.example/p/{id}";
    let told = json(cluster, &["export", file, "--link", link, "--json"]).await;
    let left_out = told["left_out"].as_object().expect("counts");
    let left_out: u64 = left_out.values().filter_map(Value::as_u64).sum();
    let products = told["products"].as_u64().expect("a count");
    assert_eq!(products + left_out, 1_000, "{told}");
    let checked = json(cluster, &["import", file, "--check", "--json"]).await;
    let of = |name: &str| checked[name].as_u64();
    assert_eq!(
        (of("rows"), of("rejected")),
        (Some(products), Some(0)),
        "{checked}"
    );
}
