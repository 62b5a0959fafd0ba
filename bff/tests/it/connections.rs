//! Connections of slow clients, the operators' port, and stopping.

use std::time::Duration;

use bff::App;
use service_kit::{Env, Service as _};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::bff::{Bff, read_to_end};
use crate::peer::product;

const POST_HEAD: &str = "POST /api/products HTTP/1.1\r\nhost: x\r\n\
    content-type: application/json\r\ncontent-length: 100\r\n";

#[tokio::test]
async fn a_head_that_never_ends_is_cut_off() {
    let bff = Bff::start_with(|config| {
        config.read_timeout = Duration::from_millis(20);
        config.write_deadline = Duration::from_millis(20);
        config.get_deadline = Duration::from_millis(20);
        config.batch_deadline = Duration::from_millis(20);
        config.search_deadline = Duration::from_millis(20);
    })
    .await;
    assert_eq!(bff.raw(b"GET /api/health HT").await, "");
    assert_eq!(bff.raw(b"").await, "");
}

#[tokio::test]
async fn a_silent_connection_is_closed_after_its_last_answer() {
    let bff = Bff::start_with(|config| config.idle_timeout = Duration::from_millis(20)).await;
    let answer = bff
        .raw(b"GET /api/health HTTP/1.1\r\nhost: x\r\n\r\n")
        .await;
    assert!(answer.ends_with(r#"{"status":"ok"}"#), "{answer}");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_a_timeout() {
    let bff = Bff::start_with(|config| config.read_timeout = Duration::from_millis(20)).await;
    let request = format!("{POST_HEAD}connection: close\r\n\r\n{{");
    let answer = bff.raw(request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("Body did not arrive in time"), "{answer}");
}

#[tokio::test]
async fn a_body_that_breaks_off_reaches_no_upstream() {
    let bff = Bff::start().await;
    let mut stream = TcpStream::connect(bff.addr).await.expect("connection");
    let request = format!("{POST_HEAD}\r\n{{\"title\":\"T\",\"price\":1}}");
    stream.write_all(request.as_bytes()).await.expect("request");
    stream.shutdown().await.expect("half closed");
    let answer = read_to_end(stream).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 400 "),
        "{answer}"
    );
    assert!(bff.peer.take_calls().is_empty());
}

#[tokio::test]
async fn operators_see_readiness_and_requests_by_route() {
    let bff = Bff::start().await;
    bff.peer.put(product("a"));
    bff.get("/api/products/a").await;
    bff.get("/api/products/b").await;
    bff.get("/no/such/path").await;
    let ops = async |path: &str| {
        let url = format!("http://{}{path}", bff.ops_addr);
        let response = reqwest::get(url).await.expect("an answer");
        (
            response.status().as_u16(),
            response.text().await.expect("text"),
        )
    };
    assert_eq!(ops("/health/ready").await, (200, "ok".to_owned()));
    let (_, metrics) = ops("/metrics").await;
    for line in [
        r#"bff_http_requests_total{method="GET",route="/api/products/{id}",status="200"} 1"#,
        r#"bff_http_requests_total{method="GET",route="/api/products/{id}",status="404"} 1"#,
        r#"bff_http_requests_total{method="GET",route="unmatched",status="404"} 1"#,
        r#"bff_http_request_seconds_count{method="GET",route="/api/products/{id}"} 2"#,
    ] {
        assert!(metrics.contains(line), "{line} in\n{metrics}");
    }
}

#[tokio::test]
async fn it_stops_when_told_though_a_client_is_connected() {
    let pairs = ["BFF_HTTP_ADDR", "BFF_OPS_ADDR"].map(|name| (name, "127.0.0.1:0".to_owned()));
    let config = App::configure(&mut Env::from_pairs(App::PREFIX, pairs));
    let app = App::build(config).await.expect("two free ports");
    let health = format!("http://{}/api/health", app.http_addr());
    let stop = CancellationToken::new();
    let running = tokio::spawn(app.run(stop.clone()));
    let client = reqwest::Client::new();
    let answer = client.get(health).send().await.expect("an answer");
    assert_eq!(answer.text().await.expect("text"), r#"{"status":"ok"}"#);
    stop.cancel();
    // Well before what is left would be cut off.
    let stopped = tokio::time::timeout(Duration::from_secs(5), running).await;
    stopped
        .expect("in time")
        .expect("no panic")
        .expect("no error");
    drop(client);
}
