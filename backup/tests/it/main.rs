//! Backups of real databases, and what is said of those that are not sound.

mod shop;
mod refused;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use catalog_backup::{BackupError, check, restore, take};

use self::shop::Shop;

fn files(folder: &Path) -> BTreeSet<String> {
    let files = fs::read_dir(folder).expect("read the folder");
    let names = files.map(|file| file.expect("a file").file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    names.filter(|name| name.ends_with(".gz")).collect()
}

#[tokio::test]
async fn what_is_restored_is_what_was_backed_up() {
    let (shop, folder) = (Shop::open().await, tempfile::tempdir().unwrap());
    shop.sell(1, 2_500).await;
    shop.delete_product(7).await;
    shop.leave_waiting().await;
    let odd = r#"'a	b\n"', 'key.created', 'x', '{"a": "\u00e9"}'"#;
    shop.run(&format!(
        "INSERT INTO operator_audit (at, actor, action, subject, details) VALUES (now(), {odd})"
    ))
    .await;
    let taken = take(&shop.url, folder.path(), |_| {}).await.expect("take");
    assert_eq!(taken.kept_events, 0);
    let manifest = &taken.manifest;
    assert_eq!(
        (manifest.position, manifest.products, manifest.waiting),
        (2_501, 999, 1)
    );
    check(folder.path(), |_| {}).expect("a sound backup");

    let other = Shop::empty().await;
    let restored = restore(&other.url, folder.path(), false, |_| {}).await;
    assert_eq!(restored.expect("restore").replaced, 0);
    assert_eq!(other.content().await, shop.content().await);
    // Numbers go on behind those that were given.
    other.leave_waiting().await;
    other.sell(2_502, 2_503).await;

    let again = take(&other.url, folder.path(), |_| {}).await.expect("take");
    assert_eq!(again.manifest.position, 2_503);
    let left = Shop::open().await;
    left.sell(1, 10).await;
    let restored = restore(&left.url, folder.path(), true, |_| {}).await;
    assert_eq!(restored.expect("restore").replaced, 10);
    assert_eq!(left.content().await, other.content().await);
}

#[tokio::test]
async fn a_later_backup_copies_what_is_new() {
    let (shop, folder) = (Shop::open().await, tempfile::tempdir().unwrap());
    shop.sell(1, 200_500).await;
    take(&shop.url, folder.path(), |_| {}).await.expect("take");
    let first = files(folder.path());
    shop.sell(200_501, 200_600).await;
    let second = take(&shop.url, folder.path(), |_| {}).await.expect("take");
    assert_eq!(second.kept_events, 200_000);
    // Two full stretches of the log stay, all else is written anew.
    assert_eq!(files(folder.path()).intersection(&first).count(), 2);
    assert_eq!(files(folder.path()).len(), first.len());

    let other = Shop::empty().await;
    restore(&other.url, folder.path(), false, |_| {})
        .await
        .expect("restore");
    assert_eq!(other.content().await, shop.content().await);

    // Another log has other events at the same positions.
    let another = Shop::open().await;
    another.sell(1, 100_000).await;
    let third = take(&another.url, folder.path(), |_| {})
        .await
        .expect("take");
    assert_eq!((third.kept_events, third.manifest.position), (0, 100_000));
    check(folder.path(), |_| {}).expect("a sound backup");
}

#[tokio::test]
async fn a_backup_that_was_cut_off_leaves_the_one_before() {
    let (shop, folder) = (Shop::open().await, tempfile::tempdir().unwrap());
    shop.sell(1, 5_000).await;
    take(&shop.url, folder.path(), |_| {}).await.expect("take");
    let (sound, before) = (files(folder.path()), shop.content().await);
    shop.sell(5_001, 9_000).await;
    let (url, path) = (shop.url.clone(), folder.path().to_owned());
    // It ends in the middle of a table.
    let cut = tokio::spawn(async move {
        take(&url, &path, |progress| {
            assert!(progress.what != "event_log", "cut off");
        })
        .await
    });
    assert!(cut.await.is_err());
    assert!(files(folder.path()).len() > sound.len());

    let other = Shop::empty().await;
    restore(&other.url, folder.path(), false, |_| {})
        .await
        .expect("restore");
    assert_eq!(other.content().await, before);
    take(&shop.url, folder.path(), |_| {}).await.expect("take");
    assert_eq!(files(folder.path()).len(), sound.len());
}

#[tokio::test]
async fn a_folder_has_one_user() {
    let (shop, folder) = (Shop::open().await, tempfile::tempdir().unwrap());
    shop.sell(1, 20_000).await;
    let (url, path) = (shop.url.clone(), folder.path().to_owned());
    let first = tokio::spawn(async move { take(&url, &path, |_| {}).await });
    let mut refused = 0;
    while !first.is_finished() {
        if let Err(BackupError::Busy { .. }) = take(&shop.url, folder.path(), |_| {}).await {
            refused += 1;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // Either the first or one of the others was there before.
    let first = first.await.expect("no panic");
    assert!(refused > 0 || matches!(first, Err(BackupError::Busy { .. })));
    check(folder.path(), |_| {}).expect("a sound backup");
}
