//! Rules of the architecture that a compiler does not check.

use std::fs;
use std::path::{Path, PathBuf};

const FILE_LINES_MAX: usize = 500;

fn workspace() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.parent().expect("workspace").to_owned()
}

/// Every Rust file below `folder`.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("folder") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn mentions(folder: &str, words: &[&str]) -> Vec<String> {
    let files = sources(&workspace().join(folder)).into_iter();
    files
        .flat_map(|path| {
            let text = fs::read_to_string(&path).expect("source");
            let found: Vec<_> = words.iter().filter(|word| text.contains(*word)).collect();
            found
                .into_iter()
                .map(|word| format!("{}: {word}", path.display()))
                .collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn the_domain_knows_no_database_no_wire_and_no_clock() {
    let words = [
        "sqlx",
        "tonic",
        "prost",
        "async ",
        "tokio",
        "now_utc",
        "catalog_proto",
    ];
    let found = mentions("catalog-command/src/domain", &words);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn services_know_of_each_other_only_what_they_may() {
    let dependencies = |name: &str| {
        let manifest = fs::read_to_string(workspace().join(name).join("Cargo.toml"));
        let manifest = manifest.expect("manifest");
        let end = manifest
            .find("[dev-dependencies]")
            .unwrap_or(manifest.len());
        manifest[..end].to_owned()
    };
    for (name, forbidden) in [
        (
            "bff",
            vec![
                "sqlx",
                "tantivy",
                "async-nats",
                "catalog-command",
                "catalog-query",
            ],
        ),
        ("catalog-query", vec!["catalog-command", "bff"]),
        ("catalog-command", vec!["catalog-query", "bff", "tantivy"]),
        ("service-kit", vec!["catalog-", "sqlx", "async-nats"]),
    ] {
        let manifest = dependencies(name);
        let lines = manifest
            .lines()
            .skip_while(|line| *line != "[dependencies]");
        for line in lines {
            let found = forbidden.iter().find(|one| line.starts_with(**one));
            assert!(found.is_none(), "{name} depends on {line}");
        }
    }
}

#[test]
fn every_file_tells_one_story_and_says_which() {
    for folder in [
        "bff",
        "catalog-command",
        "catalog-events",
        "catalog-query",
        "catalogctl",
        "client-kit",
        "devkit",
        "service-kit",
        "trials",
    ] {
        for path in sources(&workspace().join(folder).join("src")) {
            let text = fs::read_to_string(&path).expect("source");
            let lines = text.lines().count();
            assert!(
                lines <= FILE_LINES_MAX,
                "{} has {lines} lines",
                path.display()
            );
            assert!(
                text.starts_with("//!"),
                "{} does not say what it is",
                path.display()
            );
        }
    }
}
