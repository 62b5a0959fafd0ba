//! A directory of index files that are written behind: a commit ends in memory, and a flush brings
//! whole commits to the folder, synced. After a kill or a power cut the folder holds the last
//! flushed commit, complete, and the index replays from its position.

use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    Directory, DirectoryLock, FileHandle, Lock, MmapDirectory, WatchCallback, WatchHandle, WritePtr,
};
use tokio::sync::watch;

use crate::index::error::IndexError;
use crate::index::storage::commit::{Commit, segment_of};
use crate::index::storage::disk::Disk;
use crate::index::storage::file_state::{Bounds, DiskState, Files, SharedFiles, Stored, lock};
use crate::index::storage::file_writer::FileWriter;

/// The lock that is held while the folder may be written to, with or without a writer.
const FLUSH_LOCK: &str = ".flush.lock";
pub(crate) const META: &str = "meta.json";
/// Tantivy's list of its files. This directory derives the list from the folder, so that it is
/// never behind.
pub(crate) const MANAGED: &str = ".managed.json";

/// The time from a commit to its flush, if the disk is quick.
const FLUSH_AFTER: Duration = Duration::from_secs(1);
/// Flushes take one part in this many of the time of a slow disk, which others use too.
const FLUSH_DUTY: u32 = 20;
const FLUSH_AFTER_MAX: Duration = Duration::from_secs(10);
#[derive(Clone)]
pub(crate) struct WriteBehindDirectory {
    shared: Arc<SharedFiles>,
}

/// A commit, and those of its files that are not on disk yet.
struct Flush {
    meta: Arc<[u8]>,
    commit: Commit,
    number: u64,
    files: Vec<(PathBuf, Stored)>,
}

impl WriteBehindDirectory {
    /// Opens the folder. Fails with [`IndexError::Locked`] while another directory has it open.
    pub(crate) fn open(folder: &Path, memory_bytes_max: usize) -> Result<Self, IndexError> {
        std::fs::create_dir_all(folder).map_err(IndexError::Folder)?;
        let mapped = MmapDirectory::open(folder)?;
        let lock = mapped
            .acquire_lock(&Lock {
                filepath: PathBuf::from(FLUSH_LOCK),
                is_blocking: false,
            })
            .map_err(tantivy::TantivyError::from)?;
        let shared = SharedFiles {
            disk: Disk::new(folder),
            bounds: Bounds::new(memory_bytes_max),
            mapped,
            files: Mutex::default(),
            due: Condvar::new(),
            room: Condvar::new(),
            flushing: Mutex::default(),
            state: watch::Sender::default(),
            folder_lock: Mutex::new(Some(lock)),
        };
        let opened = Self {
            shared: Arc::new(shared),
        };
        opened.rescan().map_err(IndexError::Folder)?;
        Ok(opened)
    }

    /// Takes the folder as it is, and forgets the files in memory.
    pub(crate) fn rescan(&self) -> io::Result<()> {
        let mut files = Files::default();
        for name in self.shared.disk.names()? {
            if segment_of(&name).is_some() {
                let on_disk = Stored::Disk { synced: true };
                files.stored.insert(PathBuf::from(name), on_disk);
            } else if name == META {
                files.meta = Some(self.shared.disk.read(Path::new(META))?.into());
            }
        }
        let meta = files.meta.clone().unwrap_or_default();
        let durable = Commit::read(&meta).position;
        *self.files() = files;
        self.shared.state.send_replace(DiskState {
            durable,
            ..DiskState::default()
        });
        Ok(())
    }

    #[cfg(test)]
    pub(crate) fn disk(&self) -> &Disk {
        &self.shared.disk
    }

    pub(crate) fn state(&self) -> watch::Receiver<DiskState> {
        self.shared.state.subscribe()
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.shared.files()
    }

    /// Waits until memory has room for what a writer is about to add, because events can come
    /// faster than the disk writes.
    pub(crate) fn wait_for_room(&self, at_most: Duration) -> Result<(), IndexError> {
        let held_bytes_max = self.shared.bounds.held_bytes_max;
        let full = |files: &mut Files| files.held > held_bytes_max && !files.closed;
        let waited = self
            .shared
            .room
            .wait_timeout_while(self.files(), at_most, full);
        let (files, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if !timeout.timed_out() {
            return Ok(());
        }
        let held = files.held;
        drop(files);
        let error = self.shared.state.borrow().error.clone();
        Err(IndexError::DiskBehind {
            held,
            error: error.unwrap_or_else(|| "it is slow".to_owned()),
        })
    }

    /// Blocks until a flush is due. Returns false if there will be none any more.
    pub(crate) fn wait_until_due(&self) -> bool {
        let mut files = self.files();
        loop {
            if files.closed {
                return false;
            }
            let after = (files.last_flush_took * FLUSH_DUTY).clamp(FLUSH_AFTER, FLUSH_AFTER_MAX);
            let wait = match files.unflushed_since {
                _ if files.held > self.shared.bounds.flush_at_bytes => return true,
                Some(since) => after.saturating_sub(since.elapsed()),
                None => FLUSH_AFTER_MAX,
            };
            if wait.is_zero() {
                return true;
            }
            let waited = self.shared.due.wait_timeout(files, wait);
            (files, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Sleeps, unless the directory is closed.
    pub(crate) fn pause(&self, pause: Duration) {
        let open = |files: &mut Files| !files.closed;
        let _ = self
            .shared
            .due
            .wait_timeout_while(self.files(), pause, open);
    }

    /// Ends all writing to the folder.
    pub(crate) fn close(&self) {
        self.files().closed = true;
        self.shared.due.notify_all();
        self.shared.room.notify_all();
        // A flush under way ends first.
        let _ended = lock(&self.shared.flushing);
        lock(&self.shared.folder_lock).take();
    }

    /// Keeps the folder as it is while `look` runs.
    pub(crate) fn hold_folder<T>(&self, look: impl FnOnce() -> T) -> T {
        let _held = lock(&self.shared.flushing);
        look()
    }

    /// Writes the current commit to the folder. Later commits go on meanwhile, and are not in it.
    pub(crate) fn flush(&self) -> io::Result<()> {
        let _one = lock(&self.shared.flushing);
        let Some(flush) = self.next_flush() else {
            return Ok(());
        };
        let started = Instant::now();
        let done = self.write_out(&flush);
        let mut files = self.files();
        files.last_flush_took = started.elapsed();
        if done.is_err() || !files.removable.is_empty() {
            files.unflushed_since.get_or_insert_with(Instant::now);
        }
        let held = files.held;
        drop(files);
        self.shared.state.send_modify(|state| {
            state.held = held;
            match &done {
                Ok(()) => {
                    state.durable = flush.commit.position;
                    state.error = None;
                }
                Err(err) => {
                    state.failures += 1;
                    state.error = Some(err.to_string());
                }
            }
        });
        done
    }

    fn next_flush(&self) -> Option<Flush> {
        let mut files = self.files();
        if files.closed {
            return None;
        }
        let meta = files.meta.clone()?;
        let commit = Commit::read(&meta);
        let all = files.held > self.shared.bounds.flush_at_bytes;
        let due = files.stored.iter().filter(|(name, stored)| {
            !matches!(stored, Stored::Disk { synced: true }) && (all || commit.has(name))
        });
        let flush = Flush {
            files: due
                .map(|(name, stored)| (name.clone(), stored.clone()))
                .collect(),
            number: files.commits,
            commit,
            meta,
        };
        files.unflushed_since = None;
        Some(flush)
    }

    fn write_out(&self, flush: &Flush) -> io::Result<()> {
        let disk = &self.shared.disk;
        for (name, stored) in &flush.files {
            if let Stored::Memory(data) = stored {
                disk.write(name, data)?;
            }
        }
        let needed = flush.files.iter().map(|(name, _)| name);
        disk.sync_all(needed.filter(|name| flush.commit.has(name)).collect())?;
        for (name, _) in &flush.files {
            self.is_on_disk(name, flush.commit.has(name));
        }
        if flush.number != self.files().flushed {
            disk.sync_folder()?;
            disk.replace(Path::new(META), &flush.meta)?;
            self.files().flushed = flush.number;
        }
        self.remove_unneeded(&flush.commit)
    }

    /// Marks a file as on disk: new readers read it there, and open readers keep what they have.
    fn is_on_disk(&self, name: &Path, synced: bool) {
        let mut files = self.files();
        match files.stored.get_mut(name) {
            Some(stored) => {
                let held = stored.held();
                *stored = Stored::Disk { synced };
                files.held -= held;
            }
            // A merge has removed the file meanwhile.
            None => {
                files.removable.insert(name.to_owned());
            }
        }
        drop(files);
        self.shared.room.notify_all();
    }

    /// Removes the files that tantivy has given up and that `durable`, the commit in the folder,
    /// does not need.
    fn remove_unneeded(&self, durable: &Commit) -> io::Result<()> {
        let removable = self.files().removable.clone();
        for name in removable.into_iter().filter(|name| !durable.has(name)) {
            self.shared.disk.remove(&name)?;
            self.files().removable.remove(&name);
        }
        Ok(())
    }

    fn stored(&self, name: &Path) -> Option<Stored> {
        self.files().stored.get(name).cloned()
    }
}

impl std::fmt::Debug for WriteBehindDirectory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WriteBehindDirectory({:?})", self.shared.disk)
    }
}

impl Directory for WriteBehindDirectory {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        match self.stored(path) {
            Some(Stored::Memory(data)) => Ok(Arc::new(data)),
            Some(Stored::Disk { .. }) => self.shared.mapped.get_file_handle(path),
            None => Err(OpenReadError::FileDoesNotExist(path.to_owned())),
        }
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        let mut files = self.files();
        let Some(stored) = files.stored.remove(path) else {
            return Err(DeleteError::FileDoesNotExist(path.to_owned()));
        };
        files.held -= stored.held();
        // A flush that failed may have left a part of it on disk, even if the file is in memory.
        files.removable.insert(path.to_owned());
        files.unflushed_since.get_or_insert_with(Instant::now);
        drop(files);
        self.shared.room.notify_all();
        Ok(())
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        let files = self.files();
        if path == Path::new(META) {
            return Ok(files.meta.is_some());
        }
        Ok(files.stored.contains_key(path) || files.being_written.contains(path))
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        let mut files = self.files();
        if files.stored.contains_key(path) || !files.being_written.insert(path.to_owned()) {
            return Err(OpenWriteError::FileAlreadyExists(path.to_owned()));
        }
        Ok(BufWriter::new(Box::new(FileWriter::new(
            Arc::clone(&self.shared),
            path,
        ))))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        let files = self.files();
        let absent = || OpenReadError::FileDoesNotExist(path.to_owned());
        if path == Path::new(META) {
            return files.meta.as_deref().map(<[u8]>::to_vec).ok_or_else(absent);
        }
        if path != Path::new(MANAGED) || files.stored.is_empty() {
            return Err(absent());
        }
        let names: Vec<&PathBuf> = files.stored.keys().collect();
        serde_json::to_vec(&names)
            .map_err(|err| OpenReadError::wrap_io_error(err.into(), path.to_owned()))
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        if path == Path::new(META) {
            let mut files = self.files();
            files.meta = Some(data.into());
            files.commits += 1;
            files.unflushed_since.get_or_insert_with(Instant::now);
            drop(files);
            self.shared.due.notify_all();
        }
        Ok(())
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }

    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        self.shared.mapped.acquire_lock(lock)
    }

    /// Tells nothing, because readers are reloaded by hand.
    fn watch(&self, _: WatchCallback) -> tantivy::Result<WatchHandle> {
        Ok(WatchHandle::empty())
    }
}
