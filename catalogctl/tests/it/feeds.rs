//! Feeds as suppliers send them, what is left of them in the catalog, and the way out again.

mod exports;
mod http;

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use trials::cluster::{Cluster, SERVICE_TOKEN};

use crate::support::{CATALOGCTL, catalogctl, cluster, feed, json, shown};

/// Awkward products, in the form of another shop.
const PRICE_LIST: &str = "Preisliste 2026\n\
    Artikel;Titel;Preis;Marke;EAN;Kategorie;Farben;Version;Beschreibung;Neu\n\
    a1;Bohrer \"Blitz\" 8 mm;1.299,00 \u{20ac};\"Black &amp; Decker\";4006381333931;Werkzeug > Bohrer;rot|blau;4.10;<p>F\u{fc}r <b>Holz</b></p>;ja\n\
    a2;S\u{e4}ge;49,90;Fjell;4.0E+12;;gr\u{fc}n;4.1;;nein\n\
    a3;\"Zange;5,00;;;;;4.2;;ja\n\
    a4;Hammer;7;;;;;5;;x\n";
const OPTIONS: [&str; 20] = [
    "--map",
    "description=Beschreibung",
    "--skip",
    "1",
    "--map",
    "id=Artikel",
    "--map",
    "title=Titel",
    "--price",
    "Preis",
    "--map",
    "brand=Marke",
    "--map",
    "gtins=EAN",
    "--map",
    "categories=Kategorie",
    "--split",
    "Farben=|",
    "--flag",
    "Neu",
];

async fn run(cluster: &Cluster, args: &[&str]) -> Output {
    let output = catalogctl(cluster, args).output().await;
    output.expect("run catalogctl")
}

async fn product(cluster: &Cluster, id: &str) -> Value {
    cluster.caught_up(1, false, 30).await.expect("documents");
    json(cluster, &["get", id, "--json"]).await
}

/// All products at the end of the log, without what differs between catalogs.
async fn exported(cluster: &Cluster, folder: &Path, name: &str) -> String {
    let file = folder.join(name).display().to_string();
    let output = run(cluster, &["export", &file]).await;
    assert!(output.status.success(), "{}", shown(&output));
    std::fs::read_to_string(file).expect("the export")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_list_of_a_spreadsheet_goes_in_and_out_again() {
    let cluster = cluster().await;
    let folder = tempfile::tempdir().expect("folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (list, report) = (path("liste.csv"), path("report.csv"));
    // Windows-1252, as spreadsheets write it.
    let bytes: Vec<u8> = PRICE_LIST
        .chars()
        .map(|c| if c == '\u{20ac}' { 0x80 } else { c as u8 })
        .collect();
    std::fs::write(&list, bytes).expect("the price list");
    let import = ["import", list.as_str(), "--report", report.as_str()];
    let output = run(&cluster, &[&import[..], &OPTIONS[..]].concat()).await;
    let told = shown(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    for expected in [
        "taken as windows-1252",
        "decimal comma",
        "\"Version\" stays text",
        "line 5: the quote of value 2 is never closed",
        "warning: line 4, product a2, gtins: \"4.0E+12\" is left out",
        "4 rows: 3 created, 0 updated, 0 unchanged, 1 rejected, 1 warning",
    ] {
        assert!(told.contains(expected), "{expected}\n{told}");
    }
    let rows = exported(&cluster, folder.path(), "all.jsonl").await;
    let first: Value = serde_json::from_str(rows.lines().next().expect("a1")).expect("JSON");
    assert_eq!(
        (&first["price"], &first["currency"], &first["brand"]),
        (&"1299.00".into(), &"EUR".into(), &"Black & Decker".into())
    );
    assert_eq!(
        first["description"], "<p>F\u{fc}r <b>Holz</b></p>",
        "as it was given"
    );
    let attributes = serde_json::json!({"farben": ["rot", "blau"], "neu": true, "version": "4.10"});
    assert_eq!(first["attributes"], attributes);

    let rejected = std::fs::read_to_string(&report).expect("the report");
    assert!(rejected.starts_with("Artikel,Titel,"), "{rejected}");
    assert!(rejected.contains("a3;"), "the row as it stood: {rejected}");

    // Prices alone leave the rest, and a dry run nothing at all.
    let prices = path("prices.csv");
    std::fs::write(&prices, "id,price\na2,45.50\n").expect("prices");
    let dry = run(&cluster, &["import", &prices, "--dry-run"]).await;
    let dry = shown(&dry);
    assert!(
        dry.contains("product a2 changes: price \"49.90 USD\" -> \"45.50 USD\""),
        "{dry}"
    );
    assert_eq!(exported(&cluster, folder.path(), "same.jsonl").await, rows);
    let output = run(&cluster, &["import", &prices]).await;
    assert!(output.status.success(), "{}", shown(&output));
    cluster.caught_up(4, false, 30).await.expect("documents");
    let saw = product(&cluster, "a2").await;
    assert_eq!(
        (&saw["brand"], &saw["price"]),
        (&"Fjell".into(), &45.5.into())
    );

    // The command that is suggested for the list says the same as ours, and takes the currency from its prices.
    let told = shown(&suggested(&cluster, folder.path(), "liste.csv").await);
    let expected = "4 rows: 0 created, 2 updated, 1 unchanged, 1 rejected, 1 warning";
    assert!(told.contains(expected), "{told}");
    cluster.caught_up(6, false, 30).await.expect("documents");
    let saw = product(&cluster, "a2").await;
    assert_eq!(
        (&saw["currency"], &saw["price"]),
        (&"EUR".into(), &49.9.into())
    );
}

/// Asks how a file is imported, and does it so in a shell.
async fn suggested(cluster: &Cluster, folder: &Path, file: &str) -> Output {
    let mut look = catalogctl(cluster, &["import", file, "--suggest"]);
    let look = look.current_dir(folder).output().await;
    let look = look.expect("run catalogctl");
    assert!(look.status.success(), "{}", shown(&look));
    let text = String::from_utf8_lossy(&look.stdout).into_owned();
    let command = text.lines().last().expect("a command");
    assert!(
        command.starts_with("catalogctl import "),
        "{command}\n{text}"
    );
    let tool = format!("catalogctl() {{ \"$CATALOGCTL\" \"$@\"; }}; {command}");
    tokio::process::Command::new("sh")
        .args(["-c", &tool])
        .env("CATALOGCTL", CATALOGCTL)
        .env("CATALOG_COMMAND_GRPC", cluster.command_grpc())
        .env("CATALOG_SERVICE_TOKEN", SERVICE_TOKEN)
        .current_dir(folder)
        .output()
        .await
        .expect("a shell")
}

/// An export of a shop whose products have variants and several images.
const SHOP: &str = "Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Variant SKU,Variant Price,Variant Barcode,Image Src,Cost per item,Status\n\
    tee,Classic Tee,<p>Soft</p>,Fjell,Shirts,\"summer, cotton\",TRUE,Colour,\"Red, White\",'001,19.90,'4006381333931,http://i.example/1.jpg,7.50,active\n\
    tee,,,,,,,,Blue,'002,21.00,,http://i.example/2.jpg,7.50,\n\
    tee,,,,,,,,,,,,http://i.example/3.jpg,,\n\
    lost,,,,,,,,M,,5.00,,,,\n\
    lamp,Old lamp,,Acme,Lamps,,TRUE,Title,Default Title,L-1,9.50,,,,archived\n";

#[tokio::test(flavor = "multi_thread")]
async fn the_variants_of_a_shop_are_products_and_every_row_is_counted() {
    let cluster = cluster().await;
    let folder = tempfile::tempdir().expect("folder");
    std::fs::write(folder.path().join("my products.csv"), SHOP).expect("the export");
    for counts in [
        "3 created, 0 updated, 0 unchanged",
        "0 created, 0 updated, 3 unchanged",
    ] {
        let output = suggested(&cluster, folder.path(), "my products.csv").await;
        let told = shown(&output);
        let expected = format!("5 rows: {counts}, 1 rejected, 1 left out");
        assert!(told.contains(&expected), "{expected}\n{told}");
        assert!(
            told.contains("line 5, handle: the first row of the handle \"lost\""),
            "{told}"
        );
    }
    let rows = exported(&cluster, folder.path(), "all.jsonl").await;
    let rows: Vec<Value> = rows
        .lines()
        .map(|row| serde_json::from_str(row).expect("JSON"))
        .collect();
    let of = |id: &str| rows.iter().find(|row| row["id"] == id).expect(id);
    let blue = of("tee_Blue");
    assert_eq!(blue["title"], "Classic Tee - Blue");
    assert_eq!(
        (&blue["brand"], &blue["sku"], &blue["image_url"]),
        (
            &"Fjell".into(),
            &"002".into(),
            &"http://i.example/1.jpg".into()
        )
    );
    let attributes =
        serde_json::json!({"colour": "Blue", "handle": "tee", "tags": ["summer", "cotton"]});
    assert_eq!(blue["attributes"], attributes);
    assert_eq!(of("lamp")["status"], "discontinued");
}

#[tokio::test]
async fn a_row_that_is_no_json_is_reported_as_it_stands() {
    let folder = tempfile::tempdir().expect("folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (feed, report) = (path("feed.jsonl"), path("report.jsonl"));
    let bad = r#"{"id":"b","title":"18" pipe"}"#;
    std::fs::write(&feed, format!("{{\"id\":\"a\"}}\n{bad}\n")).expect("a feed");
    let mut command = tokio::process::Command::new(CATALOGCTL);
    let output = command.args(["import", &feed, "--check", "--report", &report]);
    let output = output.output().await.expect("run catalogctl");
    assert_eq!(output.status.code(), Some(1), "{}", shown(&output));
    let text = std::fs::read_to_string(report).expect("the report");
    let row: Value = serde_json::from_str(&text).expect("one object");
    assert_eq!(
        (&row["import_line"], &row["import_row"]),
        (&2.into(), &bad.into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_exported_is_the_same_catalog_elsewhere() {
    let (first, second) = (cluster().await, cluster().await);
    let folder = tempfile::tempdir().expect("folder");
    let sample = feed(folder.path(), 1_000).await;
    let output = run(&first, &["import", &sample]).await;
    assert!(output.status.success(), "{}", shown(&output));
    let lines = exported(&first, folder.path(), "first.jsonl").await;
    let table = exported(&first, folder.path(), "first.csv").await;
    assert_eq!(lines.lines().count(), 1_000);
    let packed = folder.path().join("first.csv").display().to_string();
    let output = run(&second, &["import", &packed]).await;
    assert!(output.status.success(), "{}", shown(&output));
    assert_eq!(
        exported(&second, folder.path(), "second.jsonl").await,
        lines
    );
    let second_table = exported(&second, folder.path(), "second.csv").await;
    assert!(second_table == table, "the tables differ");

    // At an old position the catalog is what it was.
    let change = folder.path().join("change.jsonl").display().to_string();
    let one: Value = serde_json::from_str(lines.lines().next().expect("one")).expect("JSON");
    let text = format!("{{\"id\":{},\"price\":1,\"brand\":null}}\n", one["id"]);
    std::fs::write(&change, text).expect("a change");
    let output = run(&first, &["import", &change]).await;
    assert!(output.status.success(), "{}", shown(&output));
    let old = folder.path().join("old.jsonl").display().to_string();
    let output = run(&first, &["export", &old, "--position", "1000"]).await;
    assert!(output.status.success(), "{}", shown(&output));
    let old = std::fs::read_to_string(old).expect("old");
    assert!(old == lines, "the old position differs");
    let new = exported(&first, folder.path(), "new.jsonl").await;
    assert!(new != lines, "the change is not there");
    exports::go_on_and_end_early(&first, folder.path(), &lines).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_pipe_that_is_interrupted_loses_and_repeats_nothing() {
    let cluster = cluster().await;
    let folder = tempfile::tempdir().expect("folder");
    let sample = feed(folder.path(), 300).await;
    let rows = std::fs::read_to_string(&sample).expect("the feed");
    let mut command = catalogctl(&cluster, &["import", "-", "--batch", "20"]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut import = command.spawn().expect("run catalogctl");
    let mut pipe = import.stdin.take().expect("a pipe");
    for line in rows.lines().take(150) {
        pipe.write_all(format!("{line}\n").as_bytes())
            .await
            .expect("written");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let pid = import.id().expect("it runs").to_string();
    let killed = tokio::process::Command::new("kill")
        .args(["-INT", &pid])
        .status()
        .await;
    assert!(killed.expect("run kill").success());
    let output = import.wait_with_output().await.expect("ended");
    assert_eq!(output.status.code(), Some(130), "{}", shown(&output));
    let told: String = String::from_utf8_lossy(&output.stdout).into_owned();
    let taken: u64 = told
        .split(' ')
        .next()
        .and_then(|rows| rows.parse().ok())
        .expect("a count");
    assert!(taken > 0 && taken <= 150, "{told}");

    let again = json(&cluster, &["import", &sample, "--json"]).await;
    let of = |name: &str| again[name].as_u64().expect("a count");
    assert_eq!(
        (of("unchanged"), of("created")),
        (taken, 300 - taken),
        "{again}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_killed_goes_on_where_it_stopped() {
    let cluster = cluster().await;
    let folder = tempfile::tempdir().expect("folder");
    let sample = feed(folder.path(), 20_000).await;
    let kept = folder.path().join("kept").display().to_string();
    let args = ["import", &sample, "--batch", "50", "--resume", &kept];
    let mut import = catalogctl(&cluster, &args).spawn().expect("run catalogctl");
    let line = || {
        let state = std::fs::read(&kept).ok()?;
        let state: Value = serde_json::from_slice(&state).expect("never half written");
        state["line"].as_u64()
    };
    while line().is_none_or(|line| line < 1_000) {
        let ended = import.try_wait().expect("its state");
        assert!(ended.is_none(), "it ended before it could be killed");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    import.kill().await.expect("killed");
    let stopped = line().expect("a line");
    let again = json(&cluster, &[&args[..], &["--json"]].concat()).await;
    let of = |name: &str| again[name].as_u64().expect("a count");
    assert_eq!(of("rows"), 20_000 - stopped, "{again}");
    // What was on its way when it was killed was applied, or is now.
    assert!(of("unchanged") <= 4 * 50, "{again}");
    assert_eq!(of("created") + of("unchanged"), of("rows"), "{again}");
    assert!(!std::path::Path::new(&kept).exists());
    let whole = json(&cluster, &["import", &sample, "--json"]).await;
    assert_eq!(whole["unchanged"], 20_000, "{whole}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_whole_feed_lacks_is_deleted_within_a_bound() {
    let cluster = cluster().await;
    let folder = tempfile::tempdir().expect("folder");
    let sample = feed(folder.path(), 40).await;
    let output = run(&cluster, &["import", &sample]).await;
    assert!(output.status.success(), "{}", shown(&output));
    let rows = std::fs::read_to_string(&sample).expect("the feed");
    let part = folder.path().join("part.jsonl").display().to_string();
    let write = |count: usize, more: &str| {
        let rows: Vec<&str> = rows.lines().take(count).collect();
        std::fs::write(&part, format!("{}\n{more}", rows.join("\n"))).expect("a part");
    };
    write(10, "");
    let output = run(&cluster, &["import", &part, "--delete-missing"]).await;
    let told = shown(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("lacks 30 of 40 products, more than 10 %"),
        "{told}"
    );
    write(37, "{\"title\":\"nobody\"}\n");
    let output = run(&cluster, &["import", &part, "--delete-missing"]).await;
    let told = shown(&output);
    assert!(
        told.contains("1 rows do not tell which product they are"),
        "{told}"
    );
    write(37, "");
    let dry = run(
        &cluster,
        &["import", &part, "--delete-missing", "--dry-run"],
    )
    .await;
    let dry = shown(&dry);
    assert!(dry.contains("3 products would be deleted"), "{dry}");
    assert_eq!(
        exported(&cluster, folder.path(), "all.jsonl")
            .await
            .lines()
            .count(),
        40
    );
    let deleted = json(&cluster, &["import", &part, "--delete-missing", "--json"]).await;
    assert_eq!(deleted["deleted"], 3, "{deleted}");
    assert_eq!(
        exported(&cluster, folder.path(), "left.jsonl")
            .await
            .lines()
            .count(),
        37
    );
    let again = json(&cluster, &["import", &part, "--delete-missing", "--json"]).await;
    assert_eq!(
        (&again["deleted"], &again["unchanged"]),
        (&0.into(), &37.into())
    );
}
