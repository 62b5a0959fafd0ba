//! All tests of this binary share one throw-away instance, as those of other crates do.

use devkit::{Devkit, embedding_model};
use sqlx::{Connection as _, PgConnection, Row as _};
use tokio::sync::OnceCell;

use crate::connect_nats;

static DEVKIT: OnceCell<Devkit> = OnceCell::const_new();

pub(crate) async fn devkit() -> &'static Devkit {
    DEVKIT
        .get_or_init(|| async { Devkit::throwaway().await.unwrap() })
        .await
}

#[tokio::test]
async fn an_hnsw_index_on_half_precision_vectors_finds_the_nearest() {
    let url = devkit().await.unique_database("vectors").await.unwrap();
    let mut connection = PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(
        "CREATE EXTENSION vector;
         CREATE TABLE items (id int, embedding halfvec(384));
         CREATE INDEX ON items USING hnsw (embedding halfvec_cosine_ops);
         INSERT INTO items
         SELECT i, (array_fill(1, ARRAY[i]) || array_fill(0, ARRAY[384 - i]))::halfvec(384)
         FROM generate_series(1, 383) AS i;
         SET enable_seqscan = off",
    )
    .execute(&mut connection)
    .await
    .unwrap();

    const NEAREST: &str = "SELECT id FROM items ORDER BY embedding <=>
        (array_fill(1, ARRAY[100]) || array_fill(0, ARRAY[284]))::halfvec(384) LIMIT 3";
    let mut nearest: Vec<i32> = sqlx::query_scalar(NEAREST)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    assert_eq!(nearest.remove(0), 100);
    nearest.sort_unstable();
    assert_eq!(nearest, [99, 101]);

    let rows = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN {NEAREST}")))
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert!(
        plan.concat()
            .contains("Index Scan using items_embedding_idx"),
        "{plan:?}"
    );
}

#[tokio::test]
async fn a_published_message_is_read_back_from_its_stream() {
    let client = connect_nats(&devkit().await.nats_url()).await;
    let jetstream = async_nats::jetstream::new(client);
    let stream = jetstream
        .create_stream(async_nats::jetstream::stream::Config {
            name: "SHARED".into(),
            subjects: vec!["shared.>".into()],
            ..Default::default()
        })
        .await
        .unwrap();
    let ack = jetstream.publish("shared.a", "hello".into()).await.unwrap();
    assert_eq!(ack.await.unwrap().sequence, 1);
    let message = stream.get_raw_message(1).await.unwrap();
    assert_eq!(
        (&*message.subject, &*message.payload),
        ("shared.a", &b"hello"[..])
    );
}

#[tokio::test]
async fn a_stranger_is_refused_by_both_servers() {
    let devkit = devkit().await;
    let (_, address) = devkit
        .nats_url()
        .split_once('@')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    assert!(async_nats::connect(&*address).await.is_err());
    let url = devkit.database_url("strangers").await.unwrap();
    let (_, address) = url.split_once('@').unwrap();
    let url = format!("postgres://postgres:wrong@{address}");
    assert!(PgConnection::connect(&url).await.is_err());
}

#[tokio::test]
async fn a_database_is_created_once_whoever_asks() {
    let devkit = devkit().await;
    let urls = tokio::join!(
        devkit.database_url("twice"),
        devkit.database_url("twice"),
        devkit.database_url("twice"),
    );
    assert_eq!(urls.0.unwrap(), urls.1.unwrap());
    let url = urls.2.unwrap();
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let (name, collation): (String, String) = sqlx::query_as(
        "SELECT datname::text, datlocale FROM pg_database WHERE datname = current_database()",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!((&*name, &*collation), ("twice", "C.UTF-8"));

    let first = devkit.unique_database("same").await.unwrap();
    assert_ne!(first, devkit.unique_database("same").await.unwrap());
    assert!(devkit.database_url("no-name").await.is_err());
}

#[tokio::test]
async fn the_embedding_model_is_at_hand() {
    let (first, second) = tokio::join!(embedding_model(), embedding_model());
    let model = first.unwrap();
    assert_eq!(model, second.unwrap());
    assert_eq!(
        model.folder.join("model.onnx").metadata().unwrap().len(),
        22_928_619
    );
    assert_eq!(
        model
            .folder
            .join("tokenizer.json")
            .metadata()
            .unwrap()
            .len(),
        466_247
    );
}
