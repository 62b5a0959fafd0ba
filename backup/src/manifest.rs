//! What a backup holds: the content of `backup.json`, written last.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// The form of the folder that this release writes.
pub(crate) const FORMAT: u32 = 1;

/// A complete backup.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    /// When it was taken, by the clock of the database.
    #[serde(with = "time::serde::rfc3339")]
    pub taken_at: OffsetDateTime,
    /// The last migration of the schema.
    pub migration: i64,
    /// The head of the log.
    pub position: i64,
    /// The products that are live at that position.
    pub products: i64,
    /// Their digest, as `catalogctl status` shows it.
    pub digest: String,
    /// Writes that had no position yet.
    pub waiting: u64,
    pub tables: Vec<Table>,
    /// The last number that each sequence has given.
    pub sequences: BTreeMap<String, i64>,
}

impl Manifest {
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.tables.iter().flat_map(|table| &table.pieces)
    }

    /// The bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.pieces().map(|piece| piece.bytes).sum()
    }

    /// The rows of all tables.
    pub fn rows(&self) -> u64 {
        self.pieces().map(|piece| piece.rows).sum()
    }
}

/// A table, in the order in which it has to be filled.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Table {
    pub name: String,
    pub columns: Vec<String>,
    pub pieces: Vec<Piece>,
}

/// A file with rows of a table, as COPY writes them, compressed with gzip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    pub file: String,
    pub rows: u64,
    pub bytes: u64,
    /// The hash of the file, in hexadecimal digits.
    pub sha256: String,
    /// The part of the event log that it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stretch: Option<Stretch>,
}

/// Positions of the event log, which never change. The event at the last of them tells one log from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    pub first: i64,
    pub last: i64,
    pub last_event: Uuid,
}
