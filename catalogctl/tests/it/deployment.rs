//! The files of a deployment agree with each other.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use trials::cluster::Part;

fn read(file: &str) -> String {
    let workspace = Path::new("..");
    fs::read_to_string(workspace.join(file)).expect(file)
}

/// The names that stand between `before` and the first character that no name has.
fn names<'a>(text: &'a str, before: &'a str) -> BTreeSet<&'a str> {
    let part = |one: char| one.is_ascii_uppercase() || one.is_ascii_digit() || one == '_';
    let ends = text
        .match_indices(before)
        .map(|(at, _)| &text[at + before.len()..]);
    ends.map(|text| text.split(|one| !part(one)).next().unwrap_or_default())
        .filter(|name| !name.is_empty())
        .collect()
}

#[test]
fn every_secret_is_asked_for_and_made() {
    let compose = read("docker-compose.yml");
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("deploy/make-secrets");
    fs::create_dir(folder.path().join("deploy")).expect("a folder");
    fs::write(&script, read("deploy/make-secrets")).expect("the script");
    let run = || Command::new("sh").arg(&script).output().expect("a shell");
    assert!(run().status.success());

    let file = folder.path().join(".env");
    let mode = fs::metadata(&file).expect("secrets").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let secrets = fs::read_to_string(&file).expect("secrets");
    let made: Vec<_> = secrets
        .lines()
        .filter_map(|line| line.split_once('='))
        .collect();
    let asked = names(&compose, "${");
    let has_default = |name: &&str| compose.contains(&format!("${{{name}:-"));
    let settings: BTreeSet<_> = asked.iter().copied().filter(has_default).collect();
    let example = read(".env.example");
    let shown: BTreeSet<_> = example
        .lines()
        .filter_map(|line| line.split_once('='))
        .collect();
    for (name, default) in &shown {
        let line = format!("${{{name}:-{default}}}");
        assert!(compose.contains(&line), "{line}");
    }
    assert_eq!(
        shown.iter().map(|(name, _)| *name).collect::<BTreeSet<_>>(),
        settings
    );
    let made_names: BTreeSet<_> = made.iter().map(|(name, _)| *name).collect();
    assert_eq!(&asked - &settings, made_names);
    for name in made_names {
        let without = compose.matches(&format!("${{{name}")).count();
        let with = compose
            .matches(&format!("${{{name}:?run deploy/make-secrets}}"))
            .count();
        assert_eq!(with, without, "{name} has a default");
    }
    let values: BTreeSet<_> = made.iter().map(|(_, value)| *value).collect();
    assert_eq!(values.len(), made.len(), "each is another one");
    assert!(values.iter().all(|value| value.len() == 64));

    // What an older release has made stays, and what it did not know is added.
    let (older, added) = secrets.trim_end().rsplit_once('\n').expect("lines");
    let older = format!("HTTP_PORT=80\n{older}");
    fs::write(&file, &older).expect("secrets");
    assert!(run().status.success());
    let now = fs::read_to_string(&file).expect("secrets");
    let (kept, new) = now.trim_end().rsplit_once('\n').expect("lines");
    assert_eq!(kept, older);
    assert!(
        new != added
            && new.split_once('=').map(|(name, _)| name)
                == added.split_once('=').map(|(name, _)| name)
    );
    assert!(run().status.success());
    assert_eq!(fs::read_to_string(&file).expect("secrets"), now);
}

#[test]
fn every_user_of_the_broker_has_a_password_in_quotes() {
    let compose = read("docker-compose.yml");
    let users = read("deploy/nats/nats.conf");
    let variables = names(&users, "password: $");
    assert_eq!(variables.len(), 3);
    for name in variables {
        let quoted = format!("{name}: '\"${{{name}:?run deploy/make-secrets}}\"'");
        assert!(compose.contains(&quoted), "{quoted}");
    }
    assert!(!users.contains("\"$JS.>\"") && !users.contains("\"$JS.API.>\""));
}

/// The metrics of the services that an expression of Prometheus asks for.
fn metrics_of(expression: &str) -> BTreeSet<String> {
    let words = expression.split(|c: char| !c.is_alphanumeric() && c != '_');
    let of_ours = |word: &&str| word.starts_with("bff_") || word.starts_with("catalog_");
    words.filter(of_ours).map(str::to_owned).collect()
}

fn metrics_of_alerts() -> BTreeSet<String> {
    let rules = read("deploy/prometheus/alerts.yml");
    let named = rules.lines().filter(|line| !line.contains("__name__"));
    named.flat_map(metrics_of).collect()
}

fn board() -> Value {
    serde_json::from_str(&read("deploy/grafana/catalog.json")).expect("the board is JSON")
}

/// Every expression that the board asks Prometheus for, wherever it stands.
fn expressions(board: &Value) -> Vec<&str> {
    match board {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| match value {
                Value::String(text) if name == "expr" => vec![text.as_str()],
                _ => expressions(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(expressions).collect(),
        _ => Vec::new(),
    }
}

/// The name that stands for all series of a metric, without the end of one of them.
fn family(metric: &str) -> &str {
    let ends = ["_total", "_bucket", "_sum", "_count"];
    let shorter = ends.into_iter().find_map(|end| metric.strip_suffix(end));
    shorter.unwrap_or(metric)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_of_the_alerts_and_the_board_is_told_by_a_service() {
    let cluster = crate::support::cluster().await;
    let mut told = String::new();
    for part in Part::ALL {
        let log = cluster.log(part);
        let (_, address) = log.split_once("ops=").expect("the address is logged");
        let address = address.split_whitespace().next().expect("an address");
        let metrics = reqwest::get(format!("http://{address}/metrics")).await;
        told += &metrics.expect("metrics").text().await.expect("text");
    }
    let alerts = metrics_of_alerts();
    assert!(alerts.len() > 12, "{alerts:?}");
    let board = board();
    let shown: BTreeSet<_> = expressions(&board)
        .into_iter()
        .flat_map(metrics_of)
        .collect();
    assert!(shown.len() > 40, "{shown:?}");
    for metric in alerts.union(&shown) {
        let line = format!("# TYPE {} ", family(metric));
        assert!(told.contains(&line), "{metric}");
    }
}

#[test]
fn every_alert_is_explained() {
    let rules = read("deploy/prometheus/alerts.yml");
    let operations = read("docs/operations.md");
    for alert in rules
        .lines()
        .filter_map(|line| line.split_once("- alert: "))
    {
        assert!(
            operations.contains(&format!("`{}`", alert.1)),
            "{} is explained",
            alert.1
        );
    }
}

#[test]
fn every_panel_of_the_board_says_what_a_bad_value_means() {
    let board = board();
    let panels = board["panels"].as_array().expect("panels");
    let of_rows = |panel: &&Value| panel["type"] == "row";
    assert_eq!(panels.iter().filter(of_rows).count(), 5);
    for panel in panels.iter().filter(|panel| !of_rows(panel)) {
        let says = panel["description"].as_str().unwrap_or_default();
        assert!(says.ends_with('.'), "{}", panel["title"]);
    }
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len(), "each has an id of its own");
}
