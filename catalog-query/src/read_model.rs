//! The read model in Postgres: documents with the position they are at, their embeddings, and the
//! generations that a rebuild switches between.

mod generation_store;
mod checkpoint;
mod documents;
mod apply;
mod changes;
mod parked;
mod vectors;
mod embedding_queue;
mod reuse;
mod repository;
mod listing;
mod serving;
mod cached;
mod warm_up;

use std::sync::Arc;

use arc_swap::ArcSwap;
use sqlx::PgPool;

pub(crate) use self::apply::{Applied, is_refused};
pub(crate) use self::cached::CachedProductRepository;
pub(crate) use self::checkpoint::Checkpoint;
pub(crate) use self::documents::Held;
#[cfg(test)]
pub(crate) use self::generation_store::begun;
pub(crate) use self::generation_store::{Beginning, Generations};
pub(crate) use self::listing::{Candidates, ListOrder, Listing, ListingIndexes};
pub(crate) use self::parked::ParkedEvent;
pub(crate) use self::repository::{
    AtLeast, PostgresProductRepository, ProductRepository, RepositoryError,
};
pub(crate) use self::serving::Serving;
#[cfg(test)]
pub(crate) use self::vectors::Pass;
pub(crate) use self::vectors::{
    Coverage, EMBEDDING_DIMENSIONS, PgVectorIndex, ReplicaVectors, VectorFollower, VectorIndex,
    VectorIndexError, VectorMemory, vector_hash,
};

/// One generation of the read model. Every connection of `pool` has its schema first on the search
/// path, so that statements need not know which generation they work on.
pub(crate) struct ReadModel {
    pub(crate) generation: i64,
    /// The embedding model of the text hashes and vectors.
    pub(crate) model: String,
    pub(crate) pool: PgPool,
}

/// The generation that answers; replaced as a whole by a switch.
pub(crate) type LiveReadModel = Arc<ArcSwap<ReadModel>>;
