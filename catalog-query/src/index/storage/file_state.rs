//! Where each file of an index is: in memory, on its way to the disk, or on it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use catalog_events::Position;
use tantivy::directory::{DirectoryLock, MmapDirectory, OwnedBytes};
use tokio::sync::watch;

use crate::index::storage::disk::Disk;

pub(crate) struct SharedFiles {
    pub(super) disk: Disk,
    pub(super) bounds: Bounds,
    pub(super) mapped: MmapDirectory,
    pub(super) files: Mutex<Files>,
    /// Signals work for the flusher, or its end.
    pub(super) due: Condvar,
    /// Signals that memory holds less than before, or that nothing more will be written.
    pub(super) room: Condvar,
    /// Held during a flush, so that there is one at a time.
    pub(super) flushing: Mutex<()>,
    pub(super) state: watch::Sender<DiskState>,
    /// The lock on the folder, until the directory is closed.
    pub(super) folder_lock: Mutex<Option<DirectoryLock>>,
}

/// The bytes that memory may hold of files that are not on disk, all derived from one bound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Above this, because the disk is slow or refuses, writers wait.
    pub(super) held_bytes_max: usize,
    /// Above this a flush begins at once, and includes files that no commit names yet.
    pub(super) flush_at_bytes: usize,
    /// A file that grows larger, as merges make them, goes to the disk as it is written.
    pub(super) file_bytes_max: usize,
}

impl Bounds {
    pub(super) fn new(memory_bytes_max: usize) -> Self {
        Self {
            held_bytes_max: memory_bytes_max,
            flush_at_bytes: memory_bytes_max / 4,
            file_bytes_max: memory_bytes_max / 16,
        }
    }
}

/// How far the folder has caught up with the commits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DiskState {
    /// The position from which a restart continues.
    pub(crate) durable: Position,
    /// The bytes that only memory holds.
    pub(crate) held: usize,
    pub(crate) failures: u64,
    /// The error of the last flush.
    pub(crate) error: Option<String>,
}

#[derive(Default)]
pub(crate) struct Files {
    pub(super) stored: BTreeMap<PathBuf, Stored>,
    /// The names of files that a writer has open.
    pub(super) being_written: HashSet<PathBuf>,
    pub(super) meta: Option<Arc<[u8]>>,
    /// Counts the changes of `meta`: commits and merges.
    pub(super) commits: u64,
    pub(super) flushed: u64,
    /// The time since which there is something to flush.
    pub(super) unflushed_since: Option<Instant>,
    pub(super) last_flush_took: Duration,
    pub(super) held: usize,
    /// The files that tantivy has deleted, but that the commit in the folder may still need.
    pub(super) removable: BTreeSet<PathBuf>,
    /// Whether the index was closed, so that nothing is flushed any more.
    pub(super) closed: bool,
}

/// The place of a finished file.
#[derive(Clone)]
pub(crate) enum Stored {
    Memory(OwnedBytes),
    Disk { synced: bool },
}

impl Stored {
    pub(super) fn held(&self) -> usize {
        match self {
            Stored::Memory(data) => data.len(),
            Stored::Disk { .. } => 0,
        }
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SharedFiles {
    pub(super) fn files(&self) -> MutexGuard<'_, Files> {
        lock(&self.files)
    }

    /// The size above which a file goes to the disk as it is written.
    pub(super) fn file_bytes_max(&self) -> usize {
        self.bounds.file_bytes_max
    }

    /// Stores a finished file, which can be read from now on.
    pub(super) fn finished(&self, name: &Path, stored: Stored) {
        let mut files = self.files();
        files.held += stored.held();
        files.removable.remove(name);
        files.stored.insert(name.to_owned(), stored);
        let much = files.held > self.bounds.flush_at_bytes;
        drop(files);
        if much {
            self.due.notify_all();
        }
    }

    /// Notes that the writer of the file is gone.
    pub(super) fn ended(&self, name: &Path) {
        self.files().being_written.remove(name);
    }
}
