//! The app under test and a client of it.

use std::net::SocketAddr;
use std::time::Duration;

use bff::{App, Config};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use service_kit::{Env, Service as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::peer::Peer;

/// The longest that a test waits: no step takes so long unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Bff {
    pub(crate) peer: Peer,
    pub(crate) addr: SocketAddr,
    pub(crate) ops_addr: SocketAddr,
    client: reqwest::Client,
    _stop: DropGuard,
}

impl Bff {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let peer = Peer::start().await;
        let pairs = [
            ("BFF_HTTP_ADDR", "127.0.0.1:0".to_owned()),
            ("BFF_OPS_ADDR", "127.0.0.1:0".to_owned()),
            ("BFF_CATALOG_GRPC_TARGET", format!("http://{}", peer.addr)),
            ("BFF_COMMAND_GRPC_TARGET", format!("http://{}", peer.addr)),
            // Keys have tests of their own.
            ("BFF_PUBLIC", "search,read,write,rules,operate".to_owned()),
        ];
        let mut env = Env::from_pairs(App::PREFIX, pairs);
        let mut config = App::configure(&mut env);
        env.finish().expect("configuration");
        // A busy machine must not fail the tests that are not about deadlines.
        for deadline in [
            &mut config.get_deadline,
            &mut config.batch_deadline,
            &mut config.search_deadline,
            &mut config.write_deadline,
        ] {
            *deadline = PATIENCE;
        }
        change(&mut config);
        let app = App::build(config).await.expect("two free ports");
        let stop = CancellationToken::new();
        let bff = Self {
            peer,
            addr: app.http_addr(),
            ops_addr: app.ops_addr(),
            client: reqwest::Client::new(),
            _stop: stop.clone().drop_guard(),
        };
        tokio::spawn(app.run(stop));
        bff
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).expect("method");
        let url = format!("http://{}{path}", self.addr);
        self.client.request(method, url).timeout(PATIENCE)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request("GET", path)).await
    }

    /// Sends `body` unchanged as JSON.
    pub(crate) async fn json(&self, method: &str, path: &str, body: &str) -> Answer {
        let request = self
            .request(method, path)
            .header(CONTENT_TYPE, "application/json");
        send(request.body(body.to_owned())).await
    }

    /// Writes bytes that no HTTP client would send, and reads until the server closes.
    pub(crate) async fn raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.addr).await.expect("connection");
        // The server may have answered and closed before all is written.
        let _ = stream.write_all(request).await;
        read_to_end(stream).await
    }
}

pub(crate) async fn read_to_end(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer));
    // A reset after the answer is an end as well.
    let _ = read.await.expect("the server closes");
    String::from_utf8_lossy(&answer).into_owned()
}

pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.text().await.expect("a body"),
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("ASCII"))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|err| panic!("{err}: {self:?}"))
    }

    /// Asserts that the answer is a complete problem document and returns its detail.
    pub(crate) fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self:?}"
        );
        let problem = self.json();
        assert_eq!(problem["status"], status, "{self:?}");
        assert!(
            problem["type"]
                .as_str()
                .is_some_and(|kind| kind.starts_with("/api/problems/")),
            "{self:?}"
        );
        assert!(
            problem["title"]
                .as_str()
                .is_some_and(|title| !title.is_empty()),
            "{self:?}"
        );
        assert!(
            problem["instance"]
                .as_str()
                .is_some_and(|path| path.starts_with('/')),
            "{self:?}"
        );
        assert_eq!(
            problem["trace_id"].as_str(),
            self.header("x-trace-id"),
            "{self:?}"
        );
        problem["detail"].as_str().expect("detail").to_owned()
    }

    /// Asserts that the answer is a 422 and returns the pointers of its errors.
    pub(crate) fn pointers(&self) -> Vec<String> {
        self.problem(422);
        let problem = self.json();
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        let pointer = |error: &Value| error["pointer"].as_str().expect("pointer").to_owned();
        errors.iter().map(pointer).collect()
    }
}
