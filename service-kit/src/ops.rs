//! The operators' listener of a service: `/health/live`, `/health/ready` and Prometheus
//! `/metrics`, apart from the public port.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::grpc_server::Health;
use crate::process_metrics::ProcessMetrics;
use crate::{request_log, trace};

/// Whether the service is ready, and why not. Parts of the service set it; `/health/ready` shows it.
/// Clones share one state, which begins as ready.
#[derive(Clone, Default)]
pub struct Readiness(Arc<RwLock<Ready>>);

#[derive(Default)]
struct Ready {
    why_not: Option<String>,
    /// Whether the service is stopping: then nothing makes it ready again.
    is_leaving: bool,
}

impl Readiness {
    /// From now on the service is ready, unless it is stopping.
    pub fn set_ready(&self) {
        self.change(|ready| ready.why_not = None);
    }

    /// From now on the service is not ready, for this reason.
    pub fn set_not_ready(&self, why: impl Into<String>) {
        self.change(|ready| ready.why_not = Some(why.into()));
    }

    /// The reason why the service is not ready; none when it is.
    pub fn why_not(&self) -> Option<String> {
        let ready = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if ready.is_leaving {
            return Some("the service is stopping".to_owned());
        }
        ready.why_not.clone()
    }

    fn set_leaving(&self) {
        self.change(|ready| ready.is_leaving = true);
    }

    fn change(&self, change: impl FnOnce(&mut Ready)) {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner));
    }
}

/// How a service takes its leave: it is not ready any more, and goes on answering for a while, until
/// whoever balances the load has heard of it.
#[derive(Clone, Default)]
pub struct Leaving {
    readiness: Readiness,
    health: Option<Health>,
    wait: Duration,
}

impl Leaving {
    /// Turns `readiness` off, and `health` where there is gRPC, and then waits.
    pub fn new(readiness: Readiness, health: Option<Health>, wait: Duration) -> Self {
        Self {
            readiness,
            health,
            wait,
        }
    }

    pub(crate) async fn take(self) {
        self.readiness.set_leaving();
        if let Some(health) = self.health {
            health.set_not_serving().await;
        }
        tokio::time::sleep(self.wait).await;
    }
}

/// A bound listener that serves health and metrics once [`Ops::run`] is polled.
pub struct Ops {
    listener: TcpListener,
    registry: Arc<Registry>,
    readiness: Readiness,
}

impl Ops {
    /// Takes the port; port 0 takes a free one. The error names the address that is in use or not
    /// allowed.
    pub async fn bind(
        addr: SocketAddr,
        mut registry: Registry,
        readiness: Readiness,
    ) -> anyhow::Result<Self> {
        registry.register_collector(Box::new(ProcessMetrics));
        request_log::register(&mut registry);
        trace::register(&mut registry);
        let listener = TcpListener::bind(addr)
            .await
            .with_context(|| format!("cannot listen on {addr} for health and metrics"))?;
        Ok(Self {
            listener,
            registry: Arc::new(registry),
            readiness,
        })
    }

    /// The address that operators connect to, with the port that was taken.
    pub fn addr(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Serves until `stop` is cancelled.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let router = Router::new()
            .route("/health/live", get(|| async { "ok" }))
            .route("/health/ready", get(ready))
            .with_state(self.readiness)
            .merge(
                Router::new()
                    .route("/metrics", get(metrics))
                    .with_state(self.registry),
            );
        axum::serve(self.listener, router)
            .with_graceful_shutdown(stop.cancelled_owned())
            .await
            .context("health and metrics listener")
    }
}

async fn ready(State(readiness): State<Readiness>) -> impl IntoResponse {
    match readiness.why_not() {
        None => (StatusCode::OK, "ok".to_owned()),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, why),
    }
}

async fn metrics(State(registry): State<Arc<Registry>>) -> impl IntoResponse {
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, &registry) {
        Ok(()) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            (StatusCode::OK, [(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
