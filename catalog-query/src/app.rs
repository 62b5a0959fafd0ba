//! Puts the query service together: projections, search, gRPC and operators' listeners.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use arc_swap::ArcSwap;
use async_nats::jetstream;
use catalog_proto::v1::catalog_query_operations_server::CatalogQueryOperationsServer;
use catalog_proto::v1::catalog_service_server::CatalogServiceServer;
use prometheus_client::registry::Registry;
use service_kit::{Env, Ops, Readiness, RequestLogLayer, Service, Tasks};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::transport::server::TcpIncoming;
use uuid::Uuid;

use crate::config::Config;
use crate::consistency::{Consistency, DocumentWatch};
use crate::embedding::{Embedder, LocalEmbedder};
use crate::events::{EventSource, LogClient};
use crate::generations::{GenerationWatch, ModelChange, Rebuilder, Upgrade};
use crate::grpc::{CatalogGrpc, Operations, not_serving_yet};
use crate::index::LiveIndex;
use crate::popularity::{PopularityBoard, PopularityCounter, ReadPublisher, read_events};
use crate::projectors::{
    EmbeddingProjector, KeywordIndexProjector, Progress, ReadModelProjector, RuleProjector,
};
use crate::read_model::{
    Beginning, CachedProductRepository, Coverage, EMBEDDING_DIMENSIONS, Generations, LiveReadModel,
    PgVectorIndex, PostgresProductRepository, Serving,
};
use crate::search::{RankingProfiles, RulesHandle, SearchEngine, SearchStrategyFactory};
use crate::synonym_mining::SynonymMiner;
use crate::verification::{Place, Verifier};

/// What text hashes are made with while there is no model: the one that comes later embeds anew.
const NO_MODEL: &str = "none";

/// A client that is gone without a word is noticed by these.
const KEEP_ALIVE_INTERVAL_MS: u64 = 10_000;
const KEEP_ALIVE_ANSWER_MS_MAX: u64 = 10_000;

type Repository = CachedProductRepository<PostgresProductRepository>;

pub struct App {
    grpc: TcpListener,
    ops: Ops,
    catalog: CatalogGrpc<Repository>,
    operations: Operations,
    read_model_projector: ReadModelProjector,
    index_projector: KeywordIndexProjector,
    embedding_projector: Option<EmbeddingProjector>,
    rule_projection: RuleProjector,
    generation_watch: GenerationWatch,
    document_watch: DocumentWatch,
    model_change: ModelChange,
    upgrade: Upgrade,
    read_publisher: ReadPublisher,
    popularity: PopularityCounter,
    popularity_board: PopularityBoard,
    coverage: Coverage,
    live: LiveReadModel,
    reflection: bool,
}

impl App {
    pub fn grpc_addr(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.grpc.local_addr()?)
    }

    pub fn ops_addr(&self) -> anyhow::Result<SocketAddr> {
        self.ops.addr()
    }
}

impl Service for App {
    const NAME: &'static str = "catalog-query";
    const PREFIX: &'static str = "CATALOG_QUERY_";
    type Config = Config;

    fn configure(env: &mut Env) -> Config {
        Config::read(env)
    }

    async fn build(config: Config) -> anyhow::Result<Self> {
        let profiles = match &config.ranking_profiles {
            Some(file) => RankingProfiles::load(file).context("CATALOG_QUERY_RANKING_PROFILES")?,
            None => RankingProfiles::default(),
        };
        let me = Uuid::new_v4();
        let grpc = TcpListener::bind(config.grpc_addr)
            .await
            .with_context(|| format!("cannot listen on {} for gRPC", config.grpc_addr))?;
        let generations =
            Generations::connect(&config.database_url, config.database_connections_max).await?;
        let nats = connect_nats(&config.nats_url).await?;
        let jetstream = jetstream::new(nats.clone());
        let log = config.command_grpc_target.clone().map(LogClient::new);
        let embedder = load_embedder(&config).await?;
        let model = embedder
            .as_ref()
            .map_or(NO_MODEL, |embedder| embedder.model())
            .to_owned();
        let (read_model, other) = match generations.begin(&model).await? {
            Beginning::Live(read_model) => (read_model, None),
            Beginning::Upgrade { read_model, other } => (read_model, Some(other)),
        };
        let serving = Serving::new(other.is_none());
        let live = Arc::new(ArcSwap::from_pointee(read_model));
        let (data_dir, language) = (config.data_dir.clone(), config.language);
        let index = tokio::task::spawn_blocking(move || LiveIndex::open(&data_dir, language));
        let index = index.await??;
        let index = Arc::new(index);

        let progress = Progress::default();
        let mut registry = Registry::default();
        progress.register(&mut registry);
        let (consistency, document_watch) = Consistency::new(
            &config.token_secret,
            live.clone(),
            index.clone(),
            &progress,
            &mut registry,
        );
        let readiness = Readiness::default();
        let ops = Ops::bind(config.ops_addr, registry, readiness.clone()).await?;

        let repository = Arc::new(CachedProductRepository::new(
            PostgresProductRepository { live: live.clone() },
            config.cache_bytes_max,
        ));
        let vectors = Arc::new(PgVectorIndex {
            live: live.clone(),
            model,
        });
        let rules = RulesHandle::default();
        let rule_projection = RuleProjector::new(
            jetstream.clone(),
            rules.clone(),
            language,
            progress.rules.clone(),
        );
        let (coverage, live_for_coverage) = (Coverage::default(), live.clone());
        let strategies = SearchStrategyFactory::new(
            index.current(),
            rules.clone(),
            embedder.clone(),
            vectors,
            coverage.clone(),
        );
        let popularity_board = PopularityBoard::default();
        let search = Arc::new(SearchEngine::new(
            strategies,
            profiles,
            popularity_board.clone(),
        ));
        // A connection of their own: reads must not wait behind events, nor events behind reads.
        let read_connection = connect_nats(&config.nats_url).await?;
        let (recorder, read_publisher) = read_events(read_connection, me.to_string());
        let rebuilder = Arc::new(Rebuilder {
            generations: generations.clone(),
            live: live.clone(),
            index: index.clone(),
            source: EventSource::new(jetstream.clone(), log.clone()),
            log: log.clone(),
            embedder: embedder.clone(),
            me: Uuid::new_v4(),
        });
        let verifier = Arc::new(Verifier {
            live: live.clone(),
            index: index.clone(),
            repository: repository.clone(),
            log: log.clone(),
            progress: progress.clone(),
            place: Place::default(),
        });
        let upgrade = Upgrade {
            generations: generations.clone(),
            live: live.clone(),
            other,
            jetstream: jetstream.clone(),
            serving: serving.clone(),
            index: index.clone(),
            rules: rule_projection.first_read(),
            readiness,
        };
        upgrade.begin().await?;
        Ok(Self {
            grpc,
            ops,
            catalog: CatalogGrpc {
                repository: repository.clone(),
                search,
                consistency,
                reads: recorder,
            },
            operations: Operations {
                live: live.clone(),
                index: index.clone(),
                jetstream: jetstream.clone(),
                progress: progress.clone(),
                rebuilder: rebuilder.clone(),
                verifier,
                synonym_miner: SynonymMiner {
                    index: index.clone(),
                    embedder: embedder.clone(),
                },
            },
            read_model_projector: ReadModelProjector {
                source: EventSource::new(jetstream.clone(), log),
                live: live.clone(),
                me,
                repository: repository.clone(),
                progress: progress.clone(),
            },
            index_projector: KeywordIndexProjector {
                jetstream,
                live: live.clone(),
                index,
                repository,
                progress: progress.keyword_index.clone(),
                disk: progress.index_disk.clone(),
            },
            embedding_projector: embedder.map(|embedder| EmbeddingProjector {
                generations: generations.clone(),
                live: live.clone(),
                serving: serving.clone(),
                embedder,
                progress,
            }),
            rule_projection,
            generation_watch: GenerationWatch {
                generations: generations.clone(),
                live: live.clone(),
            },
            model_change: ModelChange {
                live: live.clone(),
                rebuilder,
                serving,
            },
            upgrade,
            document_watch,
            read_publisher,
            popularity: PopularityCounter {
                client: nats,
                registry: generations.registry().clone(),
            },
            popularity_board,
            coverage,
            live: live_for_coverage,
            reflection: config.reflection,
        })
    }

    async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        tracing::info!(grpc = %self.grpc_addr()?, ops = %self.ops_addr()?, "catalog-query is up");
        let (health, health_service) = tonic_health::server::health_reporter();
        health
            .set_not_serving::<CatalogServiceServer<CatalogGrpc<Repository>>>()
            .await;
        let serving = self.upgrade.serving.clone();
        let index = self.upgrade.index.clone();
        let rules = self.upgrade.rules.clone();
        let (gate, search) = (serving.clone(), Arc::clone(&self.catalog.search));
        let repository = Arc::clone(&self.catalog.repository);
        let reads = CatalogServiceServer::with_interceptor(self.catalog, move |request| match gate
            .is_on()
        {
            true => Ok(request),
            false => Err(not_serving_yet()),
        });
        let reflection = self
            .reflection
            .then(|| {
                tonic_reflection::server::Builder::configure()
                    .register_encoded_file_descriptor_set(catalog_proto::FILE_DESCRIPTOR_SET)
                    .build_v1()
            })
            .transpose()?;
        let router = tonic::transport::Server::builder()
            .http2_keepalive_interval(Some(Duration::from_millis(KEEP_ALIVE_INTERVAL_MS)))
            .http2_keepalive_timeout(Some(Duration::from_millis(KEEP_ALIVE_ANSWER_MS_MAX)))
            .layer(RequestLogLayer)
            .add_service(reads)
            .add_service(CatalogQueryOperationsServer::new(self.operations))
            .add_service(health_service)
            .add_optional_service(reflection);
        let incoming = TcpIncoming::from(self.grpc).with_nodelay(Some(true));

        let mut tasks = Tasks::new(stop);
        tasks.spawn("cache", |stop| repository.keep_tidy(stop));
        tasks.spawn("read model projection", |stop| {
            self.read_model_projector.run(stop)
        });
        tasks.spawn("keyword index projection", |stop| {
            self.index_projector.run(stop)
        });
        if let Some(projector) = self.embedding_projector {
            tasks.spawn("embedding projection", |stop| projector.run(stop));
        }
        tasks.spawn("search rules", |stop| self.rule_projection.run(stop));
        tasks.spawn("upgrade", |stop| self.upgrade.run(stop));
        tasks.spawn("model change", |stop| self.model_change.run(stop));
        tasks.spawn("health", |stop| async move {
            let ready = async {
                serving.wait().await;
                index.built().await;
                rules.wait().await;
                health
                    .set_serving::<CatalogServiceServer<CatalogGrpc<Repository>>>()
                    .await;
            };
            tokio::select! {
                () = ready => {}
                () = stop.cancelled() => {}
            }
            stop.cancelled().await;
            Ok(())
        });
        tasks.spawn("generation watch", |stop| self.generation_watch.run(stop));
        tasks.spawn("document watch", |stop| self.document_watch.run(stop));
        tasks.spawn("product-read events", |stop| self.read_publisher.run(stop));
        let (board, registry) = (self.popularity_board, self.popularity.registry.clone());
        tasks.spawn("popularity", |stop| self.popularity.run(stop));
        let (coverage, live) = (self.coverage, self.live);
        tasks.spawn("embedding coverage", |stop| coverage.run(live, stop));
        tasks.spawn("completions", |stop| search.keep_completions(stop));
        tasks.spawn("popularity board", |stop| board.run(registry, stop));
        tasks.spawn("ops", |stop| self.ops.run(stop));
        tasks.spawn("grpc", |stop| async move {
            let served = router.serve_with_incoming_shutdown(incoming, stop.cancelled());
            Ok(served.await?)
        });
        tasks.run().await
    }
}

async fn connect_nats(url: &str) -> anyhow::Result<async_nats::Client> {
    let client = catalog_events::connect(App::NAME, url).await;
    client.context("CATALOG_QUERY_NATS_URL")
}

/// None without a model: search is then by keyword only, and says so.
async fn load_embedder(config: &Config) -> anyhow::Result<Option<Arc<dyn Embedder>>> {
    let Some(folder) = config.model_dir.clone() else {
        tracing::warn!("no embedding model (CATALOG_QUERY_MODEL_DIR): search is by keyword only");
        return Ok(None);
    };
    let threads = config.embedding_threads;
    let shown = folder.display().to_string();
    let embedder = tokio::task::spawn_blocking(move || LocalEmbedder::load(&folder, threads))
        .await?
        .with_context(|| format!("cannot load the embedding model from {shown}"))?;
    let (found, expected) = (embedder.dimensions(), EMBEDDING_DIMENSIONS);
    anyhow::ensure!(
        found == expected,
        "the embedding model in {shown} has {found} dimensions, the read model {expected}"
    );
    Ok(Some(Arc::new(embedder)))
}
