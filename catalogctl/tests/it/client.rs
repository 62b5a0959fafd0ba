//! The client library against a whole catalog.

use catalog_client::{Attribute, Client, NewProduct, Price, ProductChanges, Search};
use trials::cluster::Part;

use crate::support::cluster;

#[tokio::test(flavor = "multi_thread")]
async fn a_program_writes_finds_and_deletes_products() {
    let mut cluster = cluster().await;
    let client = Client::new(&cluster.http()).expect("an address");
    let lamp = NewProduct::new("Walnut desk lamp", Price::minor(4_990, "EUR")).id("lamp");
    let lamp = lamp
        .brand("Fjell")
        .attribute("colour", "brown")
        .attribute("watts", 7.5);
    let lamp = client.create(&lamp).await.expect("created");
    assert_eq!((lamp.version, lamp.price_minor), (1, 4_990));
    // Each read knows the writes before it.
    let found = client
        .search(&Search::words("desk lamp").brand("Fjell").facets(&["brand"]))
        .await;
    let found = found.expect("found");
    assert_eq!((found.total, found.items[0].id.as_str()), (1, "lamp"));
    assert_eq!(found.facets[0].values[0].count, 1);
    let dear = client
        .change_price("lamp", &Price::minor(5_990, "EUR"))
        .await
        .expect("dearer");
    let read = client.get("lamp").await.expect("read").expect("a lamp");
    assert_eq!(
        (&read, read.attributes["watts"].clone()),
        (&dear, Attribute::Number(7.5))
    );

    let dark = ProductChanges::new()
        .attribute("colour", "black")
        .set("sku", "L-1");
    let err = client
        .update("lamp", &dark, Some(1))
        .await
        .expect_err("another version");
    assert_eq!(
        err.problem().expect("a problem").name(),
        "precondition-failed"
    );
    let dark = client
        .update("lamp", &dark, Some(2))
        .await
        .expect("changed");
    assert_eq!((dark.sku.as_deref(), dark.version), (Some("L-1"), 3));
    let odd = NewProduct::new("", Price::minor(-1, "EUR"));
    let err = client.create(&odd).await.expect_err("two mistakes");
    let problem = err.problem().expect("a problem");
    let pointers: Vec<&str> = problem
        .errors
        .iter()
        .map(|one| one.pointer.as_str())
        .collect();
    assert_eq!(pointers, ["/price_minor", "/title"], "{problem}");

    a_write_is_done_once_though_the_bff_was_away(&mut cluster, &client).await;
    let all = client.list(None).await.expect("a page");
    assert_eq!((all.items.len(), all.total), (2, Some(2)));
    let both = client
        .get_all(&["desk", "none", "lamp"])
        .await
        .expect("a batch");
    assert_eq!(
        (both.items.len(), both.missing),
        (2, vec!["none".to_owned()])
    );

    let export = client
        .export(&[])
        .await
        .expect("an export")
        .text()
        .await
        .expect("all of it");
    assert!(client.delete("lamp").await.expect("deleted"));
    assert!(!client.delete("lamp").await.expect("gone already"));
    let report = client.import(export, &[]).await.expect("a report");
    assert_eq!(
        (report.created, report.unchanged, report.rejected),
        (1, 1, 0)
    );
    let again = client.get("lamp").await.expect("read").expect("a lamp");
    assert_eq!((again.title, again.sku), (dark.title, dark.sku));
}

async fn a_write_is_done_once_though_the_bff_was_away(
    cluster: &mut trials::cluster::Cluster,
    client: &Client,
) {
    cluster.kill(Part::Bff).await.expect("killed");
    let desk = NewProduct::new("Oak desk", Price::minor(19_900, "EUR")).id("desk");
    let created = tokio::spawn({
        let client = client.clone();
        async move { client.create(&desk).await }
    });
    cluster.launch(Part::Bff).expect("launched");
    let created = created.await.expect("no panic");
    assert_eq!(created.expect("sent until it was answered").version, 1);
}
