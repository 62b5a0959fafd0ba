//! What operators ask for: rebuilds, checks, repairs, suggestions of synonyms and the status.

use std::sync::Arc;

use uuid::Uuid;

use crate::app::storage::Storage;
use crate::generations::Rebuilder;
use crate::grpc::Operations;
use crate::projectors::Progress;
use crate::search::{ListedProfiles, RulesHandle, SynonymMiner};
use crate::verification::{Place, Verifier};

pub(super) fn rebuilder(storage: &Storage) -> Arc<Rebuilder> {
    Arc::new(Rebuilder {
        generations: storage.generations.clone(),
        live: storage.live.clone(),
        index: storage.index.clone(),
        source: storage.events(),
        log: storage.log.clone(),
        embedder: storage.embedder.clone(),
        me: Uuid::new_v4(),
    })
}

pub(super) fn operations(
    storage: &Storage,
    rebuilder: Arc<Rebuilder>,
    rules: RulesHandle,
    profiles: ListedProfiles,
    progress: &Progress,
) -> Operations {
    let verifier = Verifier {
        live: storage.live.clone(),
        index: storage.index.clone(),
        vectors: storage.vectors.clone(),
        repository: storage.repository.clone(),
        log: storage.log.clone(),
        progress: progress.clone(),
        place: Place::default(),
    };
    Operations {
        live: storage.live.clone(),
        index: storage.index.clone(),
        jetstream: storage.jetstream.clone(),
        progress: progress.clone(),
        rebuilder,
        verifier: Arc::new(verifier),
        synonym_miner: SynonymMiner {
            index: storage.index.clone(),
            embedder: storage.embedder.clone(),
            rules,
        },
        profiles,
    }
}
