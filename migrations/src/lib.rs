//! The schemas of both databases, compiled in: a service migrates its own at start, and
//! `catalogctl migrate` does it ahead of a deployment. Forward only.

use sqlx::migrate::Migrator;

/// Database of the write side: products, outbox, event log.
pub static COMMAND: Migrator = sqlx::migrate!("./command");

/// Database of the read side: generations of the read model, view counts.
pub static QUERY: Migrator = sqlx::migrate!("./query");
