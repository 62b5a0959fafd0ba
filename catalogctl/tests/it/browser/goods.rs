//! A small shop whose contents the tests know.

use serde_json::{Value, json};
use trials::cluster::Cluster;

use crate::support::{cluster, json as told};

const MICE: usize = 30;

/// A catalog with thirty mice, of which ten are for gaming, and some other things.
pub(crate) async fn shop() -> Cluster {
    let cluster = cluster().await;
    let mice = (0..MICE).map(|number| {
        let kind = if number % 3 == 0 { "gaming" } else { "office" };
        let brand = ["Acme", "Bolt", "Corvo"][number % 3];
        let colour = ["black", "white"][number % 2];
        product(
            &format!("mouse-{number:02}"),
            &format!("{brand} {kind} mouse {}", 100 + number),
            9.9 + number as f64,
            json!({"brand": brand, "categories": ["Input", "Mice"],
                   "attributes": {"colour": colour, "buttons": 3 + number % 4, "wireless": number % 2 == 0}}),
        )
    });
    let others = [
        ("laptop-1", "Acme notebook 15 inch", 899.0, "Computers"),
        ("laptop-2", "Bolt notebook 13 inch", 1_099.0, "Computers"),
        ("sleeve-1", "Corvo laptop sleeve", 24.0, "Bags"),
        ("kettle-1", "Acme kettle 1.7 litre", 34.5, "Kitchen"),
        ("lamp-1", "Bolt desk lamp", 49.0, "Lamps"),
    ];
    let others = others.map(|(id, title, price, category)| {
        product(id, title, price, json!({"categories": [category]}))
    });
    let changes: Vec<Value> = mice
        .chain(others)
        .map(|product| json!({"create": product}))
        .collect();
    write(&cluster, changes).await;
    settled(&cluster).await;
    cluster
}

fn product(id: &str, title: &str, price: f64, more: Value) -> Value {
    let mut product = json!({"id": id, "title": title, "price": price, "currency": "EUR",
        "description": format!("{title}. It does what it says.")});
    if let (Some(product), Value::Object(more)) = (product.as_object_mut(), more) {
        product.extend(more);
    }
    product
}

async fn write(cluster: &Cluster, changes: Vec<Value>) {
    let url = format!("{}/api/products:batch", cluster.http());
    let client = reqwest::Client::new();
    let answer = client.post(url).json(&json!({"writes": changes})).send();
    let answer = answer.await.expect("HTTP");
    let status = answer.status();
    assert!(
        status.is_success(),
        "{status}: {}",
        answer.text().await.expect("a body")
    );
}

/// Everything that was written can be found, by its meaning too.
pub(crate) async fn settled(cluster: &Cluster) {
    told(cluster, &["status", "--wait", "--json"]).await;
}
