//! Tests with the real model in this process, and of the cache with made-up ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::sync::Notify;

use crate::embedding::local::LocalEmbedder;
use crate::embedding::model::ModelError;
use crate::embedding::query_embedder::QueryEmbedder;
use crate::embedding::{EmbedError, Embedder};

async fn embedder() -> LocalEmbedder {
    let model = devkit::embedding_model().await.expect("model");
    LocalEmbedder::load(&model.folder, 1).expect("embedder")
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[tokio::test]
async fn what_is_alike_is_near() {
    let embedder = embedder().await;
    assert_eq!(
        (embedder.model(), embedder.dimensions()),
        ("all-MiniLM-L6-v2-int8", 384)
    );
    let texts = [
        "wireless headphones",
        "Bluetooth earbuds, over-ear",
        "garden hose 20 m",
    ];
    let vectors = embedder
        .embed(texts.map(str::to_owned).into())
        .await
        .expect("vectors");
    for vector in &vectors {
        assert_eq!(vector.len(), 384);
        assert!((cosine(vector, vector) - 1.0).abs() < 1e-5);
    }
    let query = embedder.embed_query("headphones").await.expect("vector");
    let near: Vec<f32> = vectors
        .iter()
        .map(|vector| cosine(&query, vector))
        .collect();
    assert!(near[0] > near[1] && near[1] > near[2] + 0.1, "{near:?}");
}

#[tokio::test]
async fn a_text_among_others_has_the_vector_it_has_alone() {
    let embedder = embedder().await;
    let long = "a rugged notebook with a bright display and a long-lasting battery. ".repeat(40);
    let texts = [
        "usb",
        &long,
        "",
        "USB hub with four ports",
        "ノートパソコン",
        "\u{0}\u{202e}",
        "hub",
        "cup",
        "ink cartridge for laser printers",
        "usb cable for black notebooks",
        "red garden hose with taps",
    ];
    let together = embedder
        .embed(texts.map(str::to_owned).into())
        .await
        .expect("vectors");
    for (text, vector) in texts.into_iter().zip(together) {
        let alone = embedder.embed_query(text).await.expect("vector");
        assert!(cosine(&alone, &vector) > 0.9999, "{text:?}");
    }
}

#[tokio::test]
async fn a_query_does_not_wait_behind_documents() {
    let embedder = embedder().await;
    let texts = vec!["a notebook with a bright display and a battery".to_owned(); 100];
    let mut documents = std::pin::pin!(embedder.embed(texts));
    // The first poll queues the documents before the query.
    assert!(documents.as_mut().now_or_never().is_none());
    tokio::select! {
        biased;
        _ = &mut documents => panic!("100 documents were faster than a query"),
        query = embedder.embed_query("notebook") => assert_eq!(query.expect("vector").len(), 384),
    }
    assert_eq!(documents.await.expect("vectors").len(), 100);
}

#[tokio::test]
async fn an_oversized_text_costs_no_more_than_a_long_one() {
    let embedder = embedder().await;
    let huge = embedder
        .embed_query(&"é(".repeat(500_000))
        .await
        .expect("vector");
    assert_eq!(
        huge,
        embedder
            .embed_query(&"é(".repeat(5_000))
            .await
            .expect("vector")
    );
}

#[test]
fn files_that_are_no_model_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let load = || {
        LocalEmbedder::load(folder.path(), 1)
            .err()
            .expect("no model")
    };
    assert!(matches!(load(), ModelError::Read { .. }));
    std::fs::write(folder.path().join("model.onnx"), "no network").unwrap();
    std::fs::write(folder.path().join("tokenizer.json"), "{}").unwrap();
    assert!(matches!(load(), ModelError::Network(_)));
}

/// An embedder that fails the first time and then answers.
struct Flaky(AtomicUsize);

impl Embedder for Flaky {
    fn knows(&self, _: &str) -> bool {
        false
    }

    fn model(&self) -> &str {
        "flaky"
    }

    fn dimensions(&self) -> usize {
        1
    }

    fn embed(&self, _texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, EmbedError>> {
        async { Err(EmbedError::Stopped) }.boxed()
    }

    fn embed_query<'a>(&'a self, _text: &'a str) -> BoxFuture<'a, Result<Vec<f32>, EmbedError>> {
        let result = match self.0.fetch_add(1, Ordering::SeqCst) {
            0 => Err(EmbedError::Overloaded),
            count => Ok(vec![count as f32]),
        };
        async move { result }.boxed()
    }
}

#[tokio::test]
async fn remembers_vectors_but_no_errors() {
    let queries = QueryEmbedder::new(Arc::new(Flaky(AtomicUsize::new(0))));
    let refused = queries.embed("usb").await.expect_err("first");
    assert_eq!(refused.to_string(), EmbedError::Overloaded.to_string());
    for _ in 0..3 {
        assert_eq!(queries.embed("usb").await.expect("vector"), [1.0]);
    }
    assert_eq!(queries.embed("hub").await.expect("vector"), [2.0]);
}

/// An embedder that answers when it is told to.
struct Slow {
    asked: AtomicUsize,
    may_answer: Notify,
}

impl Embedder for Slow {
    fn knows(&self, _: &str) -> bool {
        false
    }

    fn model(&self) -> &str {
        "slow"
    }

    fn dimensions(&self) -> usize {
        1
    }

    fn embed(&self, _texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, EmbedError>> {
        async { Err(EmbedError::Stopped) }.boxed()
    }

    fn embed_query<'a>(&'a self, _text: &'a str) -> BoxFuture<'a, Result<Vec<f32>, EmbedError>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        async {
            self.may_answer.notified().await;
            Ok(vec![1.0])
        }
        .boxed()
    }
}

#[tokio::test]
async fn equal_queries_at_a_time_are_embedded_once() {
    let slow = Arc::new(Slow {
        asked: AtomicUsize::new(0),
        may_answer: Notify::new(),
    });
    let queries = QueryEmbedder::new(Arc::clone(&slow) as Arc<dyn Embedder>);
    let mut waiting: Vec<_> = (0..8).map(|_| queries.embed("usb").boxed()).collect();
    for query in &mut waiting {
        assert!(query.as_mut().now_or_never().is_none());
    }
    slow.may_answer.notify_one();
    for vector in futures_util::future::join_all(waiting).await {
        assert_eq!(vector.expect("vector"), [1.0]);
    }
    assert_eq!(slow.asked.load(Ordering::SeqCst), 1);
}
