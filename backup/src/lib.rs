//! Backups of the write side's database, which is all of a catalog that cannot be made again. [`take`]
//! reads while writes go on, and what it keeps is the state at one position of the log; [`restore`] proves
//! that state by its digest before anybody sees it.
//! Invariant: a folder holds the last complete backup however taking a later one ended, and a database
//! is what it was before or what the backup holds, however restoring it ended.

mod check;
mod restore;
mod take;
mod proof;
mod tables;
mod piece;
mod folder;
mod manifest;
mod error;

pub use crate::check::check;
pub use crate::error::BackupError;
pub use crate::manifest::{Manifest, Piece, Stretch, Table};
pub use crate::restore::{Restored, restore};
pub use crate::take::{Taken, take};

/// How far a backup or a restore has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// What is copied or proved.
    pub what: &'a str,
    pub done: u64,
    /// None where the end is not known.
    pub total: Option<u64>,
}
