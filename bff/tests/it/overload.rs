//! More requests than can be answered: some are refused soon, the others do not notice.

use std::time::Duration;

use futures_util::future::join_all;

use crate::bff::{Answer, Bff, PATIENCE};
use crate::peer::{Mode, product};

/// How many reads run at once on a BFF that has seen none.
const RUNNING: usize = 16;
const WAITING: usize = 4;

async fn slow() -> Bff {
    let bff = Bff::start_with(|config| {
        config.waiting_max = WAITING;
        config.get_deadline = Duration::from_secs(1);
    })
    .await;
    bff.peer.put(product("a"));
    bff.peer.set(Mode::NeverAnswer);
    bff
}

fn is_refusal(answer: &Answer) -> bool {
    answer.status == 503 && answer.body.contains("More read requests at once")
}

#[tokio::test]
async fn who_finds_neither_a_place_nor_room_to_wait_is_refused() {
    let bff = slow().await;
    let few = RUNNING + WAITING;
    let answers = join_all((0..few).map(|_| bff.get("/api/products/a"))).await;
    assert!(!answers.iter().any(is_refusal), "{answers:?}");

    let many = few + 30;
    let answers = join_all((0..many).map(|_| bff.get("/api/products/a"))).await;
    let refused: Vec<&Answer> = answers.iter().filter(|answer| is_refusal(answer)).collect();
    assert_eq!(refused.len(), many - RUNNING);
    for refusal in &refused {
        refusal.problem(503);
        assert!(refusal.header("retry-after").is_some(), "{refusal:?}");
    }
    let metrics = reqwest::get(format!("http://{}/metrics", bff.ops_addr)).await;
    let metrics = metrics.expect("an answer").text().await.expect("text");
    let told = format!("bff_http_refused_total{{kind=\"read\"}} {}", refused.len());
    assert!(metrics.contains(&told), "{metrics}");
}

#[tokio::test]
async fn one_kind_does_not_crowd_out_the_others() {
    let bff = slow().await;
    let begun = tokio::time::Instant::now();
    let flood = join_all((0..100).map(|_| bff.get("/api/products/a")));
    let others = async {
        // Until the flood has filled all places of reads.
        while !is_refusal(&bff.get("/api/products/a").await) {
            assert!(begun.elapsed() < PATIENCE);
        }
        bff.peer.set(Mode::Serve);
        assert_eq!(bff.get("/api/products/search?q=P").await.status, 200);
        let body = r#"{"title":"T","price":1}"#;
        assert_eq!(bff.json("POST", "/api/products", body).await.status, 201);
        assert_eq!(bff.get("/api/health").await.status, 200);
    };
    tokio::join!(flood, others);
    // When the flood is over, reads are answered again.
    while is_refusal(&bff.get("/api/products/a").await) {
        assert!(begun.elapsed() < PATIENCE);
    }
}

#[tokio::test]
async fn who_waits_for_a_write_or_is_slow_to_send_takes_no_place() {
    let bff = slow().await;
    let waiting = async || {
        let request = bff.request("GET", "/api/products/a");
        crate::bff::send(request.header("catalog-consistency", "abc")).await
    };
    let answers = join_all((0..100).map(|_| waiting())).await;
    assert!(!answers.iter().any(is_refusal), "{answers:?}");

    let head = "POST /api/search HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                content-length: 100\r\n\r\n{";
    let slow = join_all((0..100).map(|_| async {
        let mut stream = tokio::net::TcpStream::connect(bff.addr).await?;
        tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await?;
        std::io::Result::Ok(stream)
    }))
    .await;
    bff.peer.set(Mode::Serve);
    let search = r#"{"q":"Product"}"#;
    let found = bff.json("POST", "/api/search", search).await;
    assert_eq!(found.status, 200, "{found:?}");
    drop(slow);
}

#[tokio::test]
async fn bodies_wait_for_a_place_too() {
    let bff = slow().await;
    let search = r#"{"q":"Product"}"#;
    let many = join_all((0..60).map(|_| async {
        let request = bff.json("POST", "/api/search", search);
        tokio::time::timeout(Duration::from_secs(1), request).await
    }))
    .await;
    let refused = many.iter().flatten().filter(|answer| answer.status == 503);
    assert_eq!(refused.count(), 60 - RUNNING);
}
