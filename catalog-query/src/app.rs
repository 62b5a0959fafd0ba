//! Puts the query service together: storage, search, projections, gRPC and operators' listeners.

mod storage;
mod search;
mod projections;
mod operators;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use catalog_events::TokenKey;
use catalog_proto::encoded::catalog_service_server::CatalogServiceServer;
use catalog_proto::v1::catalog_query_operations_server::CatalogQueryOperationsServer;
use catalog_proto::v1::usage_service_server::UsageServiceServer;
use prometheus_client::registry::Registry;
use service_kit::{Env, GrpcServer, Health, Leaving, Ops, Readiness, Service, Tasks};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::{Request, Status};

use self::projections::Projections;
use self::search::{Search, load_profiles};
use self::storage::{Repository, Storage, connect_nats};
use crate::config::{Config, SERVICE};
use crate::consistency::{Consistency, DocumentWatch};
use crate::grpc::{CatalogGrpc, Operations, SearchMetrics, UsageGrpc, not_serving_yet};
use crate::index::LiveIndex;
use crate::projectors::{FirstRead, Progress};
use crate::read_model::{Listing, Serving};
use crate::search::ListedProfiles;
use crate::usage::UsageEvents;

type Catalog = CatalogGrpc<Repository>;

pub struct App {
    grpc: GrpcServer,
    ops: Ops,
    storage: Storage,
    search: Search,
    projections: Projections,
    catalog: Catalog,
    operations: Operations,
    document_watch: DocumentWatch,
    usage_grpc: UsageGrpc,
    usage_events: UsageEvents,
    health: Health,
    leaving: Leaving,
}

impl App {
    pub fn grpc_addr(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.grpc.addr())
    }

    pub fn ops_addr(&self) -> anyhow::Result<SocketAddr> {
        self.ops.addr()
    }
}

impl Service for App {
    const NAME: &'static str = SERVICE;
    const PREFIX: &'static str = "CATALOG_QUERY_";
    type Config = Config;

    fn configure(env: &mut Env) -> Config {
        Config::read(env)
    }

    async fn build(config: Config) -> anyhow::Result<Self> {
        TokenKey::check_secret(&config.token_secret, config.grpc_addr)
            .context("CATALOG_QUERY_TOKEN_SECRET")?;
        let profiles = load_profiles(&config)?;
        let listed = ListedProfiles::of(&profiles)?;
        let reflected = config
            .reflection
            .then_some(catalog_proto::FILE_DESCRIPTOR_SET);
        let mut grpc = GrpcServer::bind_with(config.grpc_addr, config.tls.clone())
            .await?
            .with_reflection(reflected)
            .with_tokens(config.service_token.clone());
        let storage = Storage::open(&config).await?;
        let progress = Progress::default();
        let mut registry = Registry::default();
        progress.register(&mut registry);
        storage.vectors.register(&mut registry);
        let (consistency, document_watch) = Consistency::new(
            &config.token_secret,
            storage.live.clone(),
            storage.index.clone(),
            &progress,
            &mut registry,
        );
        let metrics = SearchMetrics::new(&mut registry);
        let readiness = Readiness::default();
        let ops = Ops::bind(config.ops_addr, registry, readiness.clone()).await?;
        let health = grpc.announce::<CatalogServiceServer<Catalog>>().await;
        let leaving = Leaving::new(readiness.clone(), Some(health.clone()), config.drain_wait);

        let search = Search::new(profiles, &config, &storage).await;
        // A connection of their own: reads must not wait behind events, nor events behind reads.
        let (usage, usage_events) = UsageEvents::new(connect_nats(&config.nats).await?);
        let rebuilder = operators::rebuilder(&storage);
        let projections = Projections::new(
            &config,
            &storage,
            search.rules.clone(),
            rebuilder.clone(),
            &progress,
            readiness,
        );
        projections.begin().await?;
        Ok(Self {
            catalog: CatalogGrpc {
                repository: storage.repository.clone(),
                search: search.engine.clone(),
                consistency,
                usage: usage.clone(),
                metrics,
                listing: Listing {
                    live: storage.live.clone(),
                },
                page_key: TokenKey::new(&config.token_secret),
            },
            usage_grpc: UsageGrpc {
                usage,
                registry: storage.generations.registry().clone(),
            },
            operations: operators::operations(
                &storage,
                rebuilder,
                search.rules.clone(),
                listed,
                &progress,
            ),
            grpc,
            ops,
            storage,
            search,
            projections,
            document_watch,
            usage_events,
            health,
            leaving,
        })
    }

    fn leaving(&self) -> Leaving {
        self.leaving.clone()
    }

    async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        tracing::info!(grpc = %self.grpc_addr()?, ops = %self.ops_addr()?, "catalog-query is up");
        let ready = Ready {
            health: self.health,
            serving: self.storage.serving.clone(),
            index: self.storage.index.clone(),
            rules: self.projections.first_read(),
        };
        let serving = self.storage.serving.clone();
        let routes = routes(self.catalog, self.usage_grpc, self.operations, serving);
        let repository = self.storage.repository.clone();

        let mut tasks = Tasks::new(stop);
        tasks.spawn("cache", |stop| repository.keep_tidy(stop));
        self.projections.spawn(&mut tasks);
        tasks.spawn("health", |stop| ready.run(stop));
        tasks.spawn("document watch", |stop| self.document_watch.run(stop));
        self.usage_events.spawn(&mut tasks);
        self.search.spawn(&self.storage, &mut tasks);
        tasks.spawn("ops", |stop| self.ops.run(stop));
        tasks.spawn("grpc", |stop| self.grpc.serve(routes, stop));
        tasks.run().await
    }
}

fn routes(catalog: Catalog, usage: UsageGrpc, operations: Operations, serving: Serving) -> Routes {
    let answer_once_serving = move |request: Request<()>| -> Result<Request<()>, Status> {
        if serving.is_on() {
            Ok(request)
        } else {
            Err(not_serving_yet())
        }
    };
    Routes::new(CatalogServiceServer::with_interceptor(
        catalog,
        answer_once_serving,
    ))
    .add_service(UsageServiceServer::new(usage))
    .add_service(CatalogQueryOperationsServer::new(operations))
}

/// Tells the health protocol when reads are answered.
struct Ready {
    health: Health,
    serving: Serving,
    index: Arc<LiveIndex>,
    rules: FirstRead,
}

impl Ready {
    async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        tokio::select! {
            () = self.wait() => self.health.set_serving().await,
            () = stop.cancelled() => {}
        }
        stop.cancelled().await;
        Ok(())
    }

    async fn wait(&self) {
        self.serving.wait().await;
        self.index.built().await;
        self.rules.wait().await;
    }
}
