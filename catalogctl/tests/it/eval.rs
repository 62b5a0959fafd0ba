//! `catalogctl eval` measures a real catalog in every way it knows.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use trials::cluster::{Cluster, Part};

use crate::support::{catalogctl, cluster, feed, json, shown};

const PRODUCTS: usize = 300;
/// Every so manieth product is judged.
const JUDGED_OF: usize = 30;

/// Products by id, and a file that says of some titles that they should find their product.
struct Judged {
    titles: BTreeMap<String, String>,
    file: PathBuf,
    folder: tempfile::TempDir,
}

impl Judged {
    fn file(&self) -> &str {
        self.file.to_str().expect("a path")
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

/// Fills the cluster with made-up products and judges some of them.
async fn fill(cluster: &Cluster) -> Judged {
    let folder = tempfile::tempdir().expect("folder");
    let feed = feed(folder.path(), PRODUCTS).await;
    let imported = json(cluster, &["import", &feed, "--json"]).await;
    assert_eq!(imported["created"], json!(PRODUCTS));
    let caught_up = cluster.caught_up(PRODUCTS as i64, true, 300).await;
    caught_up.expect("caught up");
    let feed = fs::read_to_string(feed).expect("the feed");
    let product = |line: &str| {
        let product: Value = serde_json::from_str(line).expect("JSON");
        let text = |name: &str| product[name].as_str().expect("text").to_owned();
        (text("id"), text("title"))
    };
    let titles: BTreeMap<String, String> = feed.lines().map(product).collect();
    let judged = titles.iter().step_by(JUDGED_OF);
    let rows = judged.map(|(id, title)| format!("\"{title}\",{id},3\n"));
    let text = format!("query,docid,rating\n{}", rows.collect::<String>());
    let file = folder.path().join("judgments.csv");
    fs::write(&file, text).expect("write");
    Judged {
        titles,
        file,
        folder,
    }
}

/// A title finds its product, and one that is typed in part is another query.
async fn judgments_are_measured_saved_and_compared(cluster: &Cluster, judged: &Judged) {
    let saved = judged.path("run.json");
    let base = ["eval", "--judgments", judged.file(), "--json"];
    let report = json(cluster, &[&base[..], &["--save", &saved]].concat()).await;
    for strategy in ["keyword", "hybrid", "vector"] {
        let summary = &report["strategies"][strategy];
        let mean = |name: &str| summary[name]["mean"].as_f64().expect("a mean");
        assert_eq!(summary["queries"], json!(PRODUCTS / JUDGED_OF));
        assert!(mean("judged_ndcg_at_10") >= mean("ndcg_at_10"), "{report}");
        assert!(mean("ndcg_at_10") > 0.5, "{report}");
        // Of ten products, one is judged. By words, only that one may be found.
        assert!(
            strategy == "keyword" || mean("judged_at_10") < 0.5,
            "{report}"
        );
    }
    let cut = ["--cut", "0.6", "--compare", &saved, "--save", &saved];
    let report = json(cluster, &[&base[..], &cut].concat()).await;
    assert!(report["strategies"]["hybrid"]["difference"]["mean"].is_number());
    let run: Value = serde_json::from_slice(&fs::read(&saved).expect("saved")).expect("JSON");
    for (title, measured) in run["strategies"]["keyword"].as_object().expect("queries") {
        let typed = measured["typed"].as_str().expect("cut");
        assert!(
            title.starts_with(typed) && typed.len() < title.len(),
            "{typed}"
        );
    }
}

async fn known_items_are_found_and_drawn_alike_by_one_seed(cluster: &Cluster, judged: &Judged) {
    let args = ["eval", "--known-items", "40", "--seed", "7", "--json"];
    let report = json(cluster, &args).await;
    assert_eq!(report["products"], json!(PRODUCTS));
    assert_eq!(report["items"], json!(40));
    let keyword = &report["strategies"]["keyword"];
    assert_eq!(keyword["all"]["queries"], json!(40));
    let mean = |name: &str| keyword["all"][name]["mean"].as_f64().expect("a mean");
    assert!(mean("hits_at_10") > 0.8, "{report}");
    assert!(
        mean("hits_at_1") <= mean("mrr") && mean("mrr") <= 1.0,
        "{report}"
    );
    assert!(
        keyword["by_change"]["dropped"]["queries"].as_u64() > Some(20),
        "{report}"
    );
    for missed in keyword["missed"].as_array().expect("a list") {
        let title = missed["title"].as_str().expect("a title");
        assert!(judged.titles.values().any(|one| one == title), "{title}");
    }
    assert_eq!(json(cluster, &args).await, report);
}

async fn typing_is_timed_beside_whole_queries(cluster: &Cluster, judged: &Judged) {
    let queries = judged.path("queries.txt");
    fs::write(&queries, "webcam\n\n  usb hub \n").expect("write");
    let args = ["eval", "--prefixes", "--queries", &queries, "--json"];
    let report = json(cluster, &args).await;
    assert_eq!(report["queries"], json!(2));
    let times = &report["strategies"][0];
    // Three passes over we, web, webc, webca and us, usb, usb h, usb hu.
    assert_eq!(times["prefixes"]["searches"], json!(24));
    assert_eq!(times["whole"]["searches"], json!(24));
    assert!(times["ratio_p99"].as_f64() > Some(0.0), "{report}");
}

/// All products have embeddings, so that two rounds are enough.
async fn rounds_end_when_nothing_is_left_to_embed(cluster: &Cluster, judged: &Judged) {
    let args = [
        "eval",
        "--judgments",
        judged.file(),
        "--every",
        "1",
        "--json",
    ];
    let output = catalogctl(cluster, &args).output().await.expect("run");
    assert!(output.status.success(), "{}", shown(&output));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let lines = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    let lines: Vec<Value> = lines.collect();
    let [first, second, summary] = lines.as_slice() else {
        panic!("{text}");
    };
    assert_eq!(first["embedded"], json!(PRODUCTS));
    assert_eq!(second["complete"], json!(true));
    let of = |strategy: &str| first["ndcg_at_10"][strategy].as_f64().expect("a mean");
    let difference = first["hybrid_minus_keyword"].as_f64().expect("both");
    assert!(
        (difference - (of("hybrid") - of("keyword"))).abs() < 1e-9,
        "{text}"
    );
    assert_eq!(summary["rounds"], json!(2));
}

/// The profiles of a grid are compared once the service has them.
async fn profiles_of_a_grid_are_validated(cluster: &mut Cluster, judged: &Judged) {
    let grid = judged.path("grid.json");
    let write = [
        "eval",
        "--grid",
        "vector_weight=0.2,0.6",
        "--write-profiles",
        &grid,
    ];
    let output = catalogctl(cluster, &write).output().await.expect("run");
    assert!(output.status.success(), "{}", shown(&output));
    let args = [
        "eval",
        "--judgments",
        judged.file(),
        "--profiles-file",
        &grid,
        "--strategy",
        "hybrid",
        "--folds",
        "3",
        "--json",
    ];
    let early = catalogctl(cluster, &args).output().await.expect("run");
    let err = String::from_utf8_lossy(&early.stderr).into_owned();
    assert!(err.contains("CATALOG_QUERY_RANKING_PROFILES"), "{err}");

    cluster.configure("CATALOG_QUERY_RANKING_PROFILES", grid.clone());
    cluster.kill(Part::Query).await.expect("kill -9");
    cluster.launch(Part::Query).expect("start again");
    cluster.ready().await.expect("ready again");
    let report = json(cluster, &args).await;
    let hybrid = &report["strategies"]["hybrid"];
    assert_eq!(report["queries"], json!(PRODUCTS / JUDGED_OF));
    assert_eq!(
        hybrid["folds"].as_array().map(Vec::len),
        Some(3),
        "{report}"
    );
    assert_eq!(hybrid["parameters"], json!(["vector_weight"]));
    let names = |value: &Value| -> Vec<String> {
        let names = value.as_array().expect("a list").iter();
        names
            .map(|name| name.as_str().expect("a name").to_owned())
            .collect()
    };
    let plateau = names(&hybrid["plateau"]);
    for name in ["best", "centre"] {
        let name = hybrid[name].as_str().expect("a name");
        assert!(plateau.iter().any(|one| one == name), "{report}");
    }
    let profiles = hybrid["profiles"].as_array().expect("a list");
    assert_eq!(profiles.len(), 3, "the default and two points");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalog_is_measured_in_every_way() {
    let mut cluster = cluster().await;
    let judged = fill(&cluster).await;
    judgments_are_measured_saved_and_compared(&cluster, &judged).await;
    known_items_are_found_and_drawn_alike_by_one_seed(&cluster, &judged).await;
    typing_is_timed_beside_whole_queries(&cluster, &judged).await;
    rounds_end_when_nothing_is_left_to_embed(&cluster, &judged).await;
    profiles_of_a_grid_are_validated(&mut cluster, &judged).await;
}
