//! Text as vectors, so that a search finds what it means and not only what it says.
//! Invariant: every vector has length one and belongs to the model that `Embedder::model` names.

mod text;
mod model;
mod queue;
mod local;
mod query_embedder;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::sync::Arc;

use futures_util::future::BoxFuture;

pub(crate) use self::local::LocalEmbedder;
pub(crate) use self::query_embedder::QueryEmbedder;
pub(crate) use self::text::{embedding_text, text_hash};

/// Turns texts into vectors of length one. Implementations bound what they queue and how long they
/// take.
pub(crate) trait Embedder: Send + Sync {
    /// Names the model and its version: vectors of two models have nothing to do with each other.
    fn model(&self) -> &str;

    /// How many numbers a vector has.
    fn dimensions(&self) -> usize;

    /// The vectors of documents, in the order of `texts`.
    fn embed(&self, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, EmbedError>>;

    /// The vector of what somebody searches for; does not wait behind documents.
    fn embed_query<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<Vec<f32>, EmbedError>>;
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum EmbedError {
    #[error("more queries wait for the embedding model than it can take")]
    Overloaded,
    #[error("the embedding model has stopped")]
    Stopped,
    #[error("the embedding model failed")]
    Model(#[source] Box<dyn Error + Send + Sync>),
    /// What the same query of somebody else ended with.
    #[error(transparent)]
    Shared(Arc<EmbedError>),
}
