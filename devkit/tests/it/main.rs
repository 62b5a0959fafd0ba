//! Real servers are started, killed, restarted and orphaned.

#![expect(clippy::unwrap_used, reason = "what fails in a helper fails its test")]

mod owner;
mod environment;
mod shared;
mod throwaway;
mod persistent;

use std::future::Future;
use std::process::Command;
use std::time::{Duration, Instant};

const EVENTUALLY_MS_MAX: u64 = 20_000;
const POLL_MS: u64 = 10;

/// Polls until `condition` holds; fails the test after 20 seconds.
async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let deadline = Instant::now() + Duration::from_millis(EVENTUALLY_MS_MAX);
    while !condition().await {
        assert!(Instant::now() < deadline, "not within 20 s: {what}");
        tokio::time::sleep(Duration::from_millis(POLL_MS)).await;
    }
}

fn is_alive(pid: u32) -> bool {
    signal("-0", pid)
}

fn signal(signal: &str, pid: u32) -> bool {
    let command = format!("kill {signal} {pid} 2>/dev/null");
    Command::new("sh")
        .args(["-c", &command])
        .status()
        .unwrap()
        .success()
}

/// Connects to the broker with the token in the user part of the URL.
async fn connect_nats(url: &str) -> async_nats::Client {
    let (token, address) = url
        .strip_prefix("nats://")
        .unwrap()
        .split_once('@')
        .unwrap();
    async_nats::ConnectOptions::with_token(token.to_owned())
        .connect(address)
        .await
        .unwrap()
}
