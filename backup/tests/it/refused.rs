//! Backups and databases that cannot be used: each is said, and nothing is changed.

use std::fs;
use std::path::Path;
use std::time::Duration;

use catalog_backup::{BackupError, check, restore, take};
use serde_json::{Value, json};

use crate::files;
use crate::shop::Shop;

async fn backed_up(events: i64) -> tempfile::TempDir {
    let (shop, folder) = (Shop::open().await, tempfile::tempdir().expect("folder"));
    shop.sell(1, events).await;
    take(&shop.url, folder.path(), |_| {}).await.expect("take");
    folder
}

fn edit(folder: &Path, change: impl Fn(&mut Value)) {
    let path = folder.join("backup.json");
    let text = fs::read(&path).expect("a manifest");
    let mut manifest = serde_json::from_slice(&text).expect("JSON");
    change(&mut manifest);
    fs::write(&path, manifest.to_string()).expect("write");
}

/// Restores into a shop with other products, which it keeps.
async fn refused(folder: &Path) -> BackupError {
    let shop = Shop::open().await;
    shop.sell(1, 20).await;
    let before = shop.content().await;
    let refused = restore(&shop.url, folder, true, |_| {}).await;
    assert_eq!(shop.content().await, before);
    refused.expect_err("refused")
}

#[tokio::test]
async fn a_damaged_file_changes_nothing() {
    let folder = backed_up(50).await;
    let log = files(folder.path());
    let log = log.iter().find(|file| file.starts_with("event_log"));
    let log = folder.path().join(log.expect("a log"));
    let sound = fs::read(&log).unwrap();

    let mut flipped = sound.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let cut = sound[..sound.len() - 20].to_vec();
    let longer = [&sound[..], &b"more"[..]].concat();
    for damaged in [flipped, cut, longer, Vec::new()] {
        fs::write(&log, damaged).unwrap();
        let checked = check(folder.path(), |_| {}).expect_err("damaged");
        assert!(matches!(checked, BackupError::Damaged { .. }), "{checked}");
        // Postgres may be the first to refuse rows.
        let refused = refused(folder.path()).await;
        let is_told = matches!(
            refused,
            BackupError::Damaged { .. } | BackupError::Postgres(_)
        );
        assert!(is_told, "{refused}");
    }
    fs::remove_file(&log).unwrap();
    let refused = refused(folder.path()).await;
    assert!(matches!(refused, BackupError::File { .. }), "{refused}");
}

#[tokio::test]
async fn what_does_not_add_up_changes_nothing() {
    let folder = backed_up(50).await;
    edit(folder.path(), |manifest| manifest["digest"] = json!("00"));
    let told = refused(folder.path()).await.to_string();
    assert!(
        told.contains("50 products at position 50") && told.contains("and 00"),
        "{told}"
    );

    let (shop, folder) = (Shop::open().await, tempfile::tempdir().unwrap());
    shop.sell(1, 50).await;
    shop.run("UPDATE products SET version = 9 WHERE id = 'p7'")
        .await;
    take(&shop.url, folder.path(), |_| {}).await.expect("take");
    let told = refused(folder.path()).await.to_string();
    assert!(told.contains("1 products are at another version"), "{told}");
}

#[tokio::test]
async fn a_manifest_that_cannot_be_followed_is_refused() {
    let folder = backed_up(5).await;
    edit(folder.path(), |manifest| manifest["migration"] = json!(999));
    let told = refused(folder.path()).await;
    assert!(
        matches!(told, BackupError::Newer { theirs: 999, .. }),
        "{told}"
    );

    let folder = backed_up(5).await;
    edit(folder.path(), |manifest| {
        manifest["tables"][0]["pieces"][0]["file"] = json!("../secret.copy.gz");
    });
    let told = refused(folder.path()).await;
    assert!(matches!(told, BackupError::Unreadable { .. }), "{told}");

    edit(folder.path(), |manifest| manifest["format"] = json!(2));
    let told = refused(folder.path()).await.to_string();
    assert!(told.contains("its format is 2, not 1"), "{told}");

    let empty = tempfile::tempdir().unwrap();
    let told = refused(empty.path()).await;
    assert!(matches!(told, BackupError::NoBackup { .. }), "{told}");
}

#[tokio::test]
async fn a_database_with_a_catalog_or_with_users_is_left_alone() {
    let folder = backed_up(5).await;
    let shop = Shop::open().await;
    shop.sell(1, 20).await;
    let before = shop.content().await;
    let told = restore(&shop.url, folder.path(), false, |_| {}).await;
    let told = told.expect_err("not empty").to_string();
    assert!(told.contains("20 products, with the log at 20"), "{told}");

    // A service looks at its database every second.
    let mut user = shop.connect().await;
    let using = tokio::spawn(async move {
        loop {
            sqlx::query("SELECT 1")
                .execute(&mut user)
                .await
                .expect("a session");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let told = restore(&shop.url, folder.path(), true, |_| {}).await;
    using.abort();
    assert!(
        matches!(told, Err(BackupError::InUse { sessions: 1 })),
        "{told:?}"
    );
    assert_eq!(shop.content().await, before);

    // A pool keeps sessions that nobody uses.
    let pooled = shop.connect().await;
    restore(&shop.url, folder.path(), true, |_| {})
        .await
        .expect("restore");
    drop(pooled);

    let nothing = Shop::empty().await;
    let told = take(&nothing.url, folder.path(), |_| {}).await;
    assert!(matches!(told, Err(BackupError::NoCatalog(_))), "{told:?}");
}

#[tokio::test]
async fn a_backup_of_an_older_release_becomes_one_of_this() {
    let (shop, folder) = (Shop::empty().await, tempfile::tempdir().unwrap());
    let mut db = shop.connect().await;
    // Before webhooks.
    catalog_migrations::COMMAND
        .run_to(11, &mut db)
        .await
        .expect("migrate");
    drop(db);
    shop.sell(1, 50).await;
    take(&shop.url, folder.path(), |_| {}).await.expect("take");
    let other = Shop::empty().await;
    restore(&other.url, folder.path(), false, |_| {})
        .await
        .expect("restore");
    let tables = other.content().await;
    let (webhooks, events) = ("webhooks".to_owned(), "event_log".to_owned());
    assert!(
        tables
            .iter()
            .any(|(name, rows)| *name == webhooks && rows == "0 ")
    );
    assert!(
        tables
            .iter()
            .any(|(name, rows)| *name == events && rows.starts_with("50 "))
    );
}
