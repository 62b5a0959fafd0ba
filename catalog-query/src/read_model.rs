//! The read model in Postgres: documents with the position they are at, their embeddings, and the
//! generations that a rebuild switches between.

mod generations;
mod checkpoint;
mod documents;
mod apply;
mod changes;
mod parked;
mod embeddings;
mod reuse;
mod repository;
mod cached;
mod views;
mod warm_up;

use std::sync::Arc;

use arc_swap::ArcSwap;
use sqlx::PgPool;

pub(crate) use apply::{Applied, is_refused};
pub(crate) use cached::CachedProductRepository;
pub(crate) use checkpoint::Checkpoint;
pub(crate) use embeddings::{EMBEDDING_DIMENSIONS, PgVectorIndex, vector_hash};
pub(crate) use generations::{Beginning, Generations};
pub(crate) use parked::ParkedEvent;
pub(crate) use repository::{
    AtLeast, Held, PostgresProductRepository, ProductRepository, RepositoryError,
};
pub(crate) use views::{count_views, most_viewed};

/// One generation. Every connection of `pool` has its schema first on the search path, so that the
/// statements need not know which generation they work on.
pub(crate) struct ReadModel {
    pub(crate) generation: i64,
    /// The embedding model that text hashes and vectors are of.
    pub(crate) model: String,
    pub(crate) pool: PgPool,
}

/// The generation that answers; replaced as a whole by a switch.
pub(crate) type LiveReadModel = Arc<ArcSwap<ReadModel>>;
