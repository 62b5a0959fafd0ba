//! Opens what the service keeps its data in: the read model in Postgres, the keyword index on disk,
//! the event stream and the embedding model.

use std::sync::Arc;

use anyhow::Context as _;
use arc_swap::ArcSwap;
use async_nats::jetstream;
use catalog_events::Broker;

use sqlx::postgres::PgConnectOptions;

use crate::config::{Config, SERVICE};
use crate::embedding::{Embedder, LocalEmbedder};
use crate::events::{EventSource, LogClient};
use crate::index::{IndexOptions, LiveIndex};
use crate::read_model::{
    Beginning, CachedProductRepository, EMBEDDING_DIMENSIONS, Generations, LiveReadModel,
    PostgresProductRepository, ReadModel, Serving, VectorMemory,
};

/// The model's name in text hashes while there is no model: one that comes later embeds anew.
const NO_MODEL: &str = "none";

pub(super) type Repository = CachedProductRepository<PostgresProductRepository>;

pub(super) struct Storage {
    pub(super) generations: Generations,
    /// The generation that answers, or is being filled to answer.
    pub(super) live: LiveReadModel,
    /// The live generation of another release, beside which this one is being filled.
    pub(super) other: Option<i64>,
    pub(super) serving: Serving,
    pub(super) repository: Arc<Repository>,
    pub(super) index: Arc<LiveIndex>,
    /// Empty without a model.
    pub(super) vectors: Arc<VectorMemory>,
    pub(super) nats: async_nats::Client,
    pub(super) jetstream: jetstream::Context,
    /// None where the address of the write service is not set.
    pub(super) log: Option<LogClient>,
    /// None without a model.
    pub(super) embedder: Option<Arc<dyn Embedder>>,
    /// The name of the model that queries are embedded with.
    pub(super) model: String,
}

impl Storage {
    pub(super) async fn open(config: &Config) -> anyhow::Result<Self> {
        let generations =
            Generations::connect(database(config)?, config.database_connections_max).await?;
        let nats = connect_nats(&config.nats).await?;
        let embedder = load_embedder(config).await?;
        let model = embedder
            .as_ref()
            .map_or(NO_MODEL, |embedder| embedder.model())
            .to_owned();
        let (read_model, other) = begin(&generations, &model).await?;
        let live = Arc::new(ArcSwap::from_pointee(read_model));
        let documents = PostgresProductRepository { live: live.clone() };
        Ok(Self {
            index: open_index(config).await?,
            vectors: Arc::default(),
            repository: Arc::new(CachedProductRepository::new(
                documents,
                config.cache_bytes_max,
            )),
            generations,
            live,
            other,
            serving: Serving::new(other.is_none()),
            jetstream: jetstream::new(nats.clone()),
            nats,
            log: log_client(config)?,
            embedder,
            model,
        })
    }

    /// Where events are read from: the stream, or the log past its retention.
    pub(super) fn events(&self) -> EventSource {
        EventSource::new(self.jetstream.clone(), self.log.clone())
    }
}

fn log_client(config: &Config) -> anyhow::Result<Option<LogClient>> {
    let target = config.command_grpc_target.clone();
    let client = target.map(|target| LogClient::new(target, &config.access));
    client
        .transpose()
        .context("CATALOG_QUERY_COMMAND_GRPC_TARGET")
}

pub(super) async fn connect_nats(broker: &Broker) -> anyhow::Result<async_nats::Client> {
    let client = broker.connect(SERVICE).await;
    client.context("CATALOG_QUERY_NATS_URL")
}

fn database(config: &Config) -> anyhow::Result<PgConnectOptions> {
    let options = catalog_migrations::connect_options(&config.database_url)
        .context("cannot use the database URL (CATALOG_QUERY_DATABASE_URL)")?;
    Ok(match &config.database_password {
        Some(password) => options.password(password),
        None => options,
    })
}

/// The generation of this release, and the live one of another where there is one.
async fn begin(generations: &Generations, model: &str) -> anyhow::Result<(ReadModel, Option<i64>)> {
    Ok(match generations.begin(model).await? {
        Beginning::Live(read_model) => (read_model, None),
        Beginning::Upgrade { read_model, other } => (read_model, Some(other)),
    })
}

async fn open_index(config: &Config) -> anyhow::Result<Arc<LiveIndex>> {
    let data_dir = config.data_dir.clone();
    let options = IndexOptions {
        currency: config.currency,
        ..IndexOptions::from(config.language)
    };
    let opened = tokio::task::spawn_blocking(move || LiveIndex::open(&data_dir, options)).await?;
    opened.map(Arc::new)
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
