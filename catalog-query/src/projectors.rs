//! Four projectors follow their logs, each at its own pace: documents, keyword index, embeddings and
//! search rules. What an event means for a product is decided in `projection.rs`.

mod progress;
mod read_model;
mod keyword_index;
mod copy;
mod embeddings;
mod rules;
mod rule_book;
mod error;

pub(crate) use self::copy::copy_documents;
pub(crate) use self::embeddings::{EmbeddingError, EmbeddingProjector, embed_some};
pub(crate) use self::keyword_index::KeywordIndexProjector;
pub(crate) use self::progress::{Progress, ProjectionProgress, RuleProgress};
pub(crate) use self::read_model::ReadModelProjector;
pub(crate) use self::rules::{FirstRead, RuleProjector};
