//! A receiver of webhooks: a real HTTP server that checks signatures and answers as a test wants.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{HOST, LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, Response, StatusCode};
use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::harness::DEADLINE;

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) id: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) at: Instant,
    /// What it was answered.
    pub(crate) status: u16,
}

impl Received {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub(crate) fn kind(&self) -> String {
        self.json()["type"].as_str().expect("a type").to_owned()
    }

    pub(crate) fn position(&self) -> u64 {
        self.json()["data"]["position"].as_u64().expect("position")
    }

    pub(crate) fn product(&self) -> String {
        let json = self.json();
        json["data"]["product_id"].as_str().expect("id").to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|value| value.to_str().ok()).expect("header")
    }

    /// How many signatures of the request are of one of the secrets.
    pub(crate) fn signed_by(&self, secret: &str) -> bool {
        let signer = Webhook::new(secret).expect("secret");
        signer.verify(&self.body, &self.headers).is_ok()
    }
}

type Answer = Box<dyn FnMut(&Received) -> Reply + Send>;

/// An answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) retry_after: Option<String>,
    pub(crate) delay: Duration,
    pub(crate) body: Vec<u8>,
}

impl From<u16> for Reply {
    fn from(status: u16) -> Self {
        Self {
            status,
            location: None,
            retry_after: None,
            delay: Duration::ZERO,
            body: Vec::new(),
        }
    }
}

struct Shared {
    received: Mutex<Vec<Received>>,
    answer: Mutex<Answer>,
}

/// The server, which ends when it is dropped.
pub(crate) struct Receiver {
    shared: Arc<Shared>,
    pub(crate) addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        Self::at("127.0.0.1:0".parse().expect("address")).await
    }

    pub(crate) async fn at(addr: SocketAddr) -> Self {
        let listener = TcpListener::bind(addr).await.expect("bind");
        let addr = listener.local_addr().expect("address");
        let shared = Arc::new(Shared {
            received: Mutex::default(),
            answer: Mutex::new(Box::new(|_| 200.into())),
        });
        let router = Router::new().fallback(receive).with_state(shared.clone());
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("serve");
        });
        Self { shared, addr, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.addr)
    }

    /// What is answered from now on.
    pub(crate) fn answer<R: Into<Reply>>(
        &self,
        mut answer: impl FnMut(&Received) -> R + Send + 'static,
    ) {
        *self.shared.answer.lock().expect("lock") = Box::new(move |it| answer(it).into());
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.received.lock().expect("lock").clone()
    }

    /// Those that were answered 200.
    pub(crate) fn accepted(&self) -> Vec<Received> {
        let mut all = self.received();
        all.retain(|one| one.status == 200);
        all
    }

    /// What has been accepted once there are so many, with an id of each once.
    pub(crate) async fn until(&self, count: usize) -> Vec<Received> {
        let started = Instant::now();
        loop {
            let mut seen = std::collections::HashSet::new();
            let mut accepted = self.accepted();
            accepted.retain(|one| seen.insert(one.id.clone()));
            if accepted.len() >= count {
                return accepted;
            }
            let have = accepted.len();
            assert!(started.elapsed() < DEADLINE * 2, "{have} of {count} came");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn receive(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    assert!(headers.contains_key(HOST));
    let id = headers.get("webhook-id").and_then(|id| id.to_str().ok());
    let mut received = Received {
        id: id.unwrap_or_default().to_owned(),
        headers,
        body,
        at: Instant::now(),
        status: 0,
    };
    let reply = {
        let mut answer = shared.answer.lock().expect("lock");
        answer(&received)
    };
    received.status = reply.status;
    shared.received.lock().expect("lock").push(received);
    tokio::time::sleep(reply.delay).await;
    let status = StatusCode::from_u16(reply.status).expect("status");
    let mut response = Response::builder().status(status);
    if let Some(location) = reply.location {
        response = response.header(LOCATION, location);
    }
    if let Some(wait) = reply.retry_after {
        response = response.header(RETRY_AFTER, wait);
    }
    response.body(Body::from(reply.body)).expect("response")
}
