//! Puts the search together, with what tells it of views, of search rules and of embeddings.

use std::sync::Arc;

use anyhow::Context as _;
use service_kit::Tasks;

use crate::app::storage::Storage;
use crate::config::Config;
use crate::popularity::{PopularityBoard, PopularityCounter};
use crate::read_model::{Coverage, PgVectorIndex};
use crate::search::{RankingProfiles, RulesHandle, SearchEngine, SearchStrategyFactory};

pub(super) struct Search {
    pub(super) engine: Arc<SearchEngine>,
    /// Filled by the projector of the search rules.
    pub(super) rules: RulesHandle,
    board: PopularityBoard,
    coverage: Coverage,
}

impl Search {
    pub(super) async fn new(profiles: RankingProfiles, storage: &Storage) -> Self {
        let rules = RulesHandle::default();
        let coverage = Coverage::counted(&storage.live).await;
        let vectors = PgVectorIndex {
            live: storage.live.clone(),
            model: storage.model.clone(),
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
            coverage,
        }
    }

    /// Keeps what searches know beside the index up to date.
    pub(super) fn spawn(self, storage: &Storage, tasks: &mut Tasks) {
        let registry = storage.generations.registry().clone();
        let counter = PopularityCounter {
            client: storage.nats.clone(),
            registry: registry.clone(),
        };
        let live = storage.live.clone();
        tasks.spawn("popularity", |stop| counter.run(stop));
        tasks.spawn("popularity board", |stop| self.board.run(registry, stop));
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
