//! The files of a deployment agree with each other.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

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

    assert!(!run().status.success(), "it does not overwrite them");
    assert_eq!(fs::read_to_string(&file).expect("secrets"), secrets);
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

/// The names of metrics that the rules of Prometheus ask for.
fn metrics_of(rules: &str) -> BTreeSet<String> {
    let expressions = rules.lines().filter(|line| !line.contains("__name__"));
    let words = expressions.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'));
    let of_ours = |word: &&str| word.starts_with("bff_") || word.starts_with("catalog_");
    words.filter(of_ours).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_of_an_alert_is_told_by_a_service() {
    let cluster = crate::support::cluster().await;
    let mut told = String::new();
    for part in Part::ALL {
        let log = cluster.log(part);
        let (_, address) = log.split_once("ops=").expect("the address is logged");
        let address = address.split_whitespace().next().expect("an address");
        let metrics = reqwest::get(format!("http://{address}/metrics")).await;
        told += &metrics.expect("metrics").text().await.expect("text");
    }
    let asked = metrics_of(&read("deploy/prometheus/alerts.yml"));
    assert!(asked.len() > 12, "{asked:?}");
    for metric in asked {
        let family = metric.trim_end_matches("_total");
        assert!(told.contains(&format!("# TYPE {family} ")), "{metric}");
    }
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
