//! The service as a whole: binds both listeners, then serves until it is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use catalog_proto::v1::api_key_service_client::ApiKeyServiceClient;
use prometheus_client::registry::Registry;
use service_kit::{Env, GrpcChannel, Leaving, Ops, Readiness, Service, Tasks};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::events::Feed;
use crate::http::{self, Admission, Api, Feeds};
use crate::keys::KeyRing;
use crate::listener::{Listener, Peer};
use crate::metrics::Metrics;
use crate::tokens::Provider;
use crate::upstream::Upstream;

pub struct App {
    http: Listener,
    http_addr: SocketAddr,
    ops: Ops,
    ops_addr: SocketAddr,
    router: Router,
    readiness: Readiness,
    drain_wait: Duration,
    keys: KeyRing,
    provider: Option<Provider>,
    /// Ends what would hold up a stop.
    stopping: CancellationToken,
    events: Feed,
    key_service: ApiKeyServiceClient<GrpcChannel>,
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
        let readiness = Readiness::default();
        let ops = Ops::bind(config.ops_addr, registry, readiness.clone()).await?;
        let upstream = Upstream::connect_lazily(&config)?;
        let keys = KeyRing::new(config.keys_max_age);
        let max_age = config.keys_max_age;
        let provider = config.tokens.map(|config| Provider::new(config, max_age));
        let stopping = CancellationToken::new();
        let key_service = upstream.api_keys.clone();
        let limits = config.events.within(config.idle_timeout);
        let events = Feed::new(upstream.events.clone(), limits);
        Ok(Self {
            http_addr: http.addr()?,
            http,
            ops_addr: ops.addr()?,
            ops,
            readiness,
            drain_wait: config.drain_wait,
            keys: keys.clone(),
            provider: provider.clone(),
            stopping: stopping.clone(),
            events: events.clone(),
            key_service,
            router: http::router(
                Arc::new(Api {
                    upstream,
                    admission: Admission::new(config.requests_max, config.waiting_max, &metrics),
                    metrics,
                    document: http::document(config.public),
                    keys: keys.clone(),
                    provider,
                    events,
                    public: config.public,
                    cors_origins: config.cors_origins.0.clone(),
                    body_bytes_max: config.body_bytes_max,
                    query_bytes_max: config.query_bytes_max,
                    read_timeout: config.read_timeout,
                    feeds: Feeds::new(config.import_bytes_max, stopping),
                }),
                config.pages,
            ),
        })
    }

    /// Load balancers send nobody here any more while the listener still answers.
    fn leaving(&self) -> Leaving {
        Leaving::new(self.readiness.clone(), None, self.drain_wait)
    }

    /// Serves until `stop` is cancelled; health is told to the end.
    async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        tracing::info!(http = %self.http_addr, ops = %self.ops_addr, "bff listens");
        let mut tasks = Tasks::new(stop);
        let served = CancellationToken::new();
        let health_ends = served.clone();
        tasks.spawn("API keys", |stop| self.keys.follow(self.key_service, stop));
        if let Some(provider) = self.provider {
            tasks.spawn("tokens", |stop| provider.follow(stop));
        }
        tasks.spawn("events", |stop| self.events.run(stop));
        tasks.spawn("ops", |_| self.ops.run(health_ends));
        let stopping_streams = self.stopping;
        tasks.spawn("http", |stop| async move {
            let stopping = async move {
                stop.cancelled().await;
                stopping_streams.cancel();
            };
            let service = self.router.into_make_service_with_connect_info::<Peer>();
            let ended = axum::serve(self.http, service)
                .with_graceful_shutdown(stopping)
                .await;
            served.cancel();
            ended.context("HTTP listener")
        });
        tasks.run().await
    }
}
