//! The tasks that keep the read models of this replica at the head of the events, and those that
//! bring another generation to it.

use std::sync::Arc;

use service_kit::{Readiness, Tasks};
use uuid::Uuid;

use crate::app::storage::Storage;
use crate::config::Config;
use crate::generations::{DivergenceWatch, GenerationWatch, ModelChange, Rebuilder, Upgrade};
use crate::projectors::{
    EmbeddingProjector, FirstRead, KeywordIndexProjector, Progress, ReadModelProjector,
    RuleProjector,
};
use crate::read_model::ListingIndexes;
use crate::search::RulesHandle;

pub(super) struct Projections {
    read_model: ReadModelProjector,
    keyword_index: KeywordIndexProjector,
    embeddings: Option<EmbeddingProjector>,
    rules: RuleProjector,
    generation_watch: GenerationWatch,
    listing_indexes: ListingIndexes,
    model_change: ModelChange,
    divergence_watch: DivergenceWatch,
    upgrade: Upgrade,
}

impl Projections {
    pub(super) fn new(
        config: &Config,
        storage: &Storage,
        rules: RulesHandle,
        rebuilder: Arc<Rebuilder>,
        progress: &Progress,
        readiness: Readiness,
    ) -> Self {
        let rules = RuleProjector::new(
            storage.jetstream.clone(),
            rules,
            config.language,
            progress.rules.clone(),
        );
        Self {
            read_model: read_model_projector(storage, progress),
            keyword_index: keyword_index_projector(storage, progress),
            embeddings: embedding_projector(storage, progress),
            generation_watch: GenerationWatch {
                generations: storage.generations.clone(),
                live: storage.live.clone(),
                rebuilder: rebuilder.clone(),
            },
            divergence_watch: DivergenceWatch {
                live: storage.live.clone(),
                jetstream: storage.jetstream.clone(),
                rebuilder: rebuilder.clone(),
                serving: storage.serving.clone(),
                progress: progress.clone(),
            },
            listing_indexes: ListingIndexes {
                generations: storage.generations.clone(),
                live: storage.live.clone(),
            },
            model_change: ModelChange {
                live: storage.live.clone(),
                rebuilder,
                serving: storage.serving.clone(),
            },
            upgrade: Upgrade {
                generations: storage.generations.clone(),
                live: storage.live.clone(),
                other: storage.other,
                jetstream: storage.jetstream.clone(),
                serving: storage.serving.clone(),
                index: storage.index.clone(),
                rules: rules.first_read(),
                readiness,
            },
            rules,
        }
    }

    /// Before anything is asked: says what the replica is not ready for.
    pub(super) async fn begin(&self) -> anyhow::Result<()> {
        self.upgrade.begin().await
    }

    /// Completes once the search rules have been read, or cannot be.
    pub(super) fn first_read(&self) -> FirstRead {
        self.rules.first_read()
    }

    pub(super) fn spawn(self, tasks: &mut Tasks) {
        tasks.spawn("read model projection", |stop| self.read_model.run(stop));
        tasks.spawn("keyword index projection", |stop| {
            self.keyword_index.run(stop)
        });
        if let Some(projector) = self.embeddings {
            tasks.spawn("embedding projection", |stop| projector.run(stop));
        }
        tasks.spawn("search rules", |stop| self.rules.run(stop));
        tasks.spawn("upgrade", |stop| self.upgrade.run(stop));
        tasks.spawn("model change", |stop| self.model_change.run(stop));
        tasks.spawn("divergence watch", |stop| self.divergence_watch.run(stop));
        tasks.spawn("listing indexes", |stop| self.listing_indexes.run(stop));
        tasks.spawn("generation watch", |stop| self.generation_watch.run(stop));
    }
}

fn read_model_projector(storage: &Storage, progress: &Progress) -> ReadModelProjector {
    ReadModelProjector {
        source: storage.events(),
        live: storage.live.clone(),
        me: Uuid::new_v4(),
        repository: storage.repository.clone(),
        progress: progress.clone(),
    }
}

fn keyword_index_projector(storage: &Storage, progress: &Progress) -> KeywordIndexProjector {
    KeywordIndexProjector {
        jetstream: storage.jetstream.clone(),
        live: storage.live.clone(),
        index: storage.index.clone(),
        repository: storage.repository.clone(),
        progress: progress.keyword_index.clone(),
        disk: progress.index_disk.clone(),
    }
}

/// None without a model.
fn embedding_projector(storage: &Storage, progress: &Progress) -> Option<EmbeddingProjector> {
    let embedder = storage.embedder.clone()?;
    Some(EmbeddingProjector {
        generations: storage.generations.clone(),
        live: storage.live.clone(),
        serving: storage.serving.clone(),
        embedder,
        progress: progress.clone(),
    })
}
