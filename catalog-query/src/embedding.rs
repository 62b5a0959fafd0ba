//! Turns text into vectors, so that a search also finds products that say the same in other words.
//! Invariant: every vector has length one and belongs to the model that `Embedder::model` names.

mod text;
mod model;
mod queue;
mod idle_cores;
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
    /// Names the model and its version: vectors of different models cannot be compared.
    fn model(&self) -> &str;

    /// How many numbers a vector has.
    fn dimensions(&self) -> usize;

    /// Whether the model knows a word in lower case as a whole, and need not take it apart.
    fn knows(&self, word: &str) -> bool;

    /// The vectors of documents, in the order of `texts`.
    fn embed(&self, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, EmbedError>>;

    /// The vector of a search query, which does not wait behind documents.
    fn embed_query<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<Vec<f32>, EmbedError>>;
}

/// Why a text has no vector.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EmbedError {
    #[error("more queries wait for the embedding model than it can take")]
    Overloaded,
    #[error("the embedding model has stopped")]
    Stopped,
    #[error("the embedding model failed")]
    Model(#[source] Box<dyn Error + Send + Sync>),
    /// The error of an equal query that was being embedded at the same time.
    #[error(transparent)]
    Shared(Arc<EmbedError>),
}
