//! The vectors of products: kept in pgvector, and in the memory of each replica, which compares them
//! without a round trip.

mod vector_index;
mod coverage;
mod replica;
mod follower;
mod memory;
mod table;
mod differences;
mod postgres;
mod vector_hash;

pub(crate) use self::coverage::Coverage;
pub(crate) use self::follower::VectorFollower;
pub(crate) use self::memory::VectorMemory;
pub(crate) use self::postgres::{PgVectorIndex, find_nearest};
pub(crate) use self::replica::ReplicaVectors;
pub(crate) use self::vector_hash::{VECTOR_HASH_SQL, vector_hash};
#[cfg(test)]
pub(crate) use self::vector_index::Pass;
pub(crate) use self::vector_index::{VectorIndex, VectorIndexError};

/// The dimensions of the column that `create_generation_2` makes.
pub(crate) const EMBEDDING_DIMENSIONS: usize = 384;
