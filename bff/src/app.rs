//! The service as a whole: binds both listeners, then serves until it is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use prometheus_client::registry::Registry;
use service_kit::{Env, Ops, Readiness, Service, Tasks};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::http::{self, Api};
use crate::listener::Listener;
use crate::metrics::Metrics;
use crate::upstream::Upstream;

pub struct App {
    http: Listener,
    http_addr: SocketAddr,
    ops: Ops,
    ops_addr: SocketAddr,
    router: Router,
}

impl App {
    /// The bound address: it tells the port where the configured one is 0.
    pub fn http_addr(&self) -> SocketAddr {
        self.http_addr
    }

    pub fn ops_addr(&self) -> SocketAddr {
        self.ops_addr
    }
}

impl Service for App {
    const NAME: &'static str = "bff";
    const PREFIX: &'static str = "BFF_";
    type Config = Config;

    fn configure(env: &mut Env) -> Config {
        Config::read(env)
    }

    /// Binds both listeners. Upstreams are connected at the first call and again whenever they were
    /// away, so an absent one keeps the BFF neither from starting nor from being ready: it answers a
    /// typed 503.
    async fn build(config: Config) -> anyhow::Result<Self> {
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        let http = Listener::bind(&config)
            .await
            .with_context(|| format!("cannot listen on {} for HTTP", config.http_addr))?;
        let ops = Ops::bind(config.ops_addr, registry, Readiness::default()).await?;
        let upstream = Upstream::connect_lazily(&config);
        Ok(Self {
            http_addr: http.addr()?,
            http,
            ops_addr: ops.addr()?,
            ops,
            router: http::router(Arc::new(Api {
                upstream,
                metrics,
                document: http::document(),
                body_bytes_max: config.body_bytes_max,
                query_bytes_max: config.query_bytes_max,
                read_timeout: config.read_timeout,
            })),
        })
    }

    async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        tracing::info!(http = %self.http_addr, ops = %self.ops_addr, "bff listens");
        let mut tasks = Tasks::new(stop);
        tasks.spawn("ops", |stop| self.ops.run(stop));
        tasks.spawn("http", |stop| async move {
            axum::serve(self.http, self.router)
                .with_graceful_shutdown(stop.cancelled_owned())
                .await
                .context("HTTP listener")
        });
        tasks.run().await
    }
}
