//! The read side of the catalog. Events become documents, embeddings and a keyword index; readers
//! get products by id and by search.

mod app;
mod config;
mod grpc;
mod consistency;
mod generations;
mod verification;
mod projectors;
mod search;
mod popularity;
mod read_model;
mod embedding;
mod events;
mod index;
mod projection;

pub use crate::app::App;
pub use crate::config::Config;
pub use crate::events::{InvalidLogTarget, LogTarget};
pub use crate::index::{InvalidLanguage, Language};
pub use crate::search::{ListedProfiles, ranking_profiles};
