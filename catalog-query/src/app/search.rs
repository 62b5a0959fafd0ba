//! Puts the search together, with what tells it of views, of search rules and of embeddings.

use std::sync::Arc;

use anyhow::Context as _;
use service_kit::Tasks;

use crate::app::storage::Storage;
use crate::config::Config;
use crate::read_model::{Coverage, PgVectorIndex, ReplicaVectors, VectorFollower};
use crate::search::{RankingProfiles, RulesHandle, SearchEngine, SearchStrategyFactory};
use crate::usage::{HalfLife, PopularityBoard, UsageSubscriber, UsageUpkeep};

pub(super) struct Search {
    pub(super) engine: Arc<SearchEngine>,
    /// Filled by the projector of the search rules.
    pub(super) rules: RulesHandle,
    board: PopularityBoard,
    half_life: HalfLife,
    coverage: Coverage,
    /// None without a model.
    vector_follower: Option<VectorFollower>,
}

impl Search {
    pub(super) async fn new(profiles: RankingProfiles, config: &Config, storage: &Storage) -> Self {
        let rules = RulesHandle::default();
        let coverage = Coverage::counted(&storage.live, storage.vectors.clone()).await;
        let vectors = ReplicaVectors {
            memory: storage.vectors.clone(),
            postgres: PgVectorIndex {
                live: storage.live.clone(),
                model: storage.model.clone(),
            },
        };
        let strategies = SearchStrategyFactory::new(
            storage.index.current(),
            rules.clone(),
            storage.embedder.clone(),
            Arc::new(vectors),
            coverage.clone(),
        );
        let board = PopularityBoard::default();
        let engine = SearchEngine::new(strategies, profiles, board.clone());
        Self {
            engine: Arc::new(engine),
            rules,
            board,
            half_life: config.usage_half_life,
            coverage,
            vector_follower: storage.embedder.is_some().then(|| VectorFollower {
                live: storage.live.clone(),
                model: storage.model.clone(),
                memory: storage.vectors.clone(),
                vectors_max: config.memory_vectors_max,
            }),
        }
    }

    /// Keeps what searches know beside the index up to date.
    pub(super) fn spawn(self, storage: &Storage, tasks: &mut Tasks) {
        let registry = storage.generations.registry().clone();
        let half_life = self.half_life;
        let subscriber = UsageSubscriber {
            client: storage.nats.clone(),
            registry: registry.clone(),
            half_life,
        };
        let upkeep = UsageUpkeep {
            registry: registry.clone(),
            half_life,
        };
        let live = storage.live.clone();
        tasks.spawn("usage subscriber", |stop| subscriber.run(stop));
        tasks.spawn("usage upkeep", |stop| upkeep.run(stop));
        tasks.spawn("popularity board", |stop| {
            self.board.run(registry, half_life, stop)
        });
        if let Some(follower) = self.vector_follower {
            tasks.spawn("vectors in memory", |stop| follower.run(stop));
        }
        tasks.spawn("embedding coverage", |stop| self.coverage.run(live, stop));
        let engine = Arc::clone(&self.engine);
        tasks.spawn("similarity floor", |stop| engine.keep_calibrated(stop));
        tasks.spawn("completions", |stop| self.engine.keep_completions(stop));
    }
}

pub(super) fn load_profiles(config: &Config) -> anyhow::Result<RankingProfiles> {
    match &config.ranking_profiles {
        Some(file) => RankingProfiles::load(file).context("CATALOG_QUERY_RANKING_PROFILES"),
        None => Ok(RankingProfiles::default()),
    }
}
