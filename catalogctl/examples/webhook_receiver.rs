//! Receives webhooks, checks who sent them and that none comes twice:
//!
//!     cargo run --example webhook_receiver -- 127.0.0.1:9000
//!     catalogctl webhooks create http://127.0.0.1:9000/
//!     WEBHOOK_SECRET=whsec_… cargo run --example webhook_receiver -- 127.0.0.1:9000
//!
//! Without a secret it accepts nothing. The specification (standardwebhooks.com) has libraries for other
//! languages.
#![expect(clippy::print_stdout, reason = "that is how it tells")]

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::net::TcpListener;

struct Receiver {
    webhook: Webhook,
    /// A real receiver keeps these with what it makes of an event, in one transaction.
    seen: Mutex<HashSet<String>>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let address = std::env::args().nth(1);
    let address = address.unwrap_or("127.0.0.1:9000".to_owned());
    let secret = std::env::var("WEBHOOK_SECRET").unwrap_or_default();
    let receiver = Arc::new(Receiver {
        webhook: Webhook::new(&secret)?,
        seen: Mutex::default(),
    });
    let listener = TcpListener::bind(&address).await?;
    println!(
        "listening for webhooks at http://{}/",
        listener.local_addr()?
    );
    let routes = Router::new().route("/", post(receive));
    axum::serve(listener, routes.with_state(receiver)).await?;
    Ok(())
}

async fn receive(
    State(receiver): State<Arc<Receiver>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    // The signature is of the bytes as they came: a body that was read and written again has another one.
    if receiver.webhook.verify(&body, &headers).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    let id = headers.get("webhook-id").and_then(|id| id.to_str().ok());
    let (Some(id), Ok(event)) = (id, serde_json::from_slice::<Value>(&body)) else {
        return StatusCode::BAD_REQUEST;
    };
    // An event comes again when its answer was lost. Whoever takes long answers first and works later.
    let is_new = receiver
        .seen
        .lock()
        .is_ok_and(|mut seen| seen.insert(id.to_owned()));
    if is_new {
        let subject = event["data"]["product_id"].as_str();
        println!(
            "{} {}",
            event["type"].as_str().unwrap_or("?"),
            subject.unwrap_or("")
        );
    }
    StatusCode::NO_CONTENT
}
