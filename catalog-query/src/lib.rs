//! The read side of the catalog. Events become documents, embeddings and a keyword index; readers
//! get products by id and by search.

mod config;
mod app;
mod grpc;
mod consistency;
mod search;
mod consumer;
mod log_client;
mod event_source;
mod projection;
mod progress;
mod read_model_projector;
mod index_projector;
mod embedding_projector;
mod rule_projection;
mod read_model;
mod generation_watch;
mod upgrade;
mod model_change;
mod embedding;
mod index;
mod live_index;
mod synonym_mining;
mod rebuild;
mod verification;
mod reads;
mod popularity;

pub use crate::app::App;
pub use crate::config::Config;
pub use crate::index::{InvalidLanguage, Language};
pub use crate::log_client::{InvalidLogTarget, LogTarget};
