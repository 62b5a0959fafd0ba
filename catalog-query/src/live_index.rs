//! The keyword index that answers, with its one writer; a rebuild replaces both at once. The file
//! `CURRENT` in the data folder names the index folder, so that a restart opens the right one.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use arc_swap::ArcSwap;
use catalog_events::{Position, Product, ProductEvent, ProductId, Version};
use tokio::sync::watch;

use crate::index::{DiskState, IndexError, IndexOptions, IndexWriter, KeywordIndex};

/// What searches read.
pub(crate) type CurrentIndex = Arc<ArcSwap<KeywordIndex>>;

pub(crate) struct LiveIndex {
    root: PathBuf,
    current: CurrentIndex,
    writing: Mutex<Writing>,
    /// Counts the replacements, so that a projector notices one; changed only under `writing`.
    epoch: watch::Sender<u64>,
}

struct Writing {
    /// None after an error, until the next use takes a new one.
    writer: Option<IndexWriter>,
}

impl LiveIndex {
    /// Blocks: checks the whole index.
    pub(crate) fn open(root: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(root)
            .with_context(|| format!("cannot use {} (CATALOG_QUERY_DATA_DIR)", root.display()))?;
        let name = match fs::read_to_string(root.join("CURRENT")) {
            Ok(name) if is_index_folder(name.trim()) => name.trim().to_owned(),
            _ => folder_name(0),
        };
        let folder = root.join(&name);
        let (index, writer) = KeywordIndex::open(&folder, IndexOptions::default())
            .with_context(|| format!("cannot open the keyword index in {}", folder.display()))?;
        Ok(Self {
            root: root.to_owned(),
            current: Arc::new(ArcSwap::from_pointee(index)),
            epoch: watch::Sender::new(0),
            writing: Mutex::new(Writing {
                writer: Some(writer),
            }),
        })
    }

    pub(crate) fn current(&self) -> CurrentIndex {
        self.current.clone()
    }

    /// The epoch to present to [`Self::apply`], and the position to go on from.
    pub(crate) fn resume(&self) -> (u64, Position) {
        let writing = self.lock();
        let resumed = (*self.epoch.borrow(), self.current.load().position());
        drop(writing);
        resumed
    }

    /// Completes once the index of `epoch` is not the one that answers any more.
    pub(crate) async fn replaced(&self, epoch: u64) {
        // Fails only when the sender is gone, and that is `self`.
        let _ = self
            .epoch
            .subscribe()
            .wait_for(|current| *current != epoch)
            .await;
    }

    /// Completes once searches see everything up to `position`, in whichever index answers then.
    pub(crate) async fn reached(&self, position: Position) {
        let mut epoch = self.epoch.subscribe();
        loop {
            epoch.borrow_and_update();
            let index = self.current.load_full();
            tokio::select! {
                () = index.reached(position) => return,
                // Fails only when the sender is gone, and that is `self`.
                _ = epoch.changed() => {}
            }
        }
    }

    /// Applies and commits; blocks. False when the index was replaced since `epoch`: then nothing
    /// was changed.
    pub(crate) fn apply(
        &self,
        epoch: u64,
        events: &[ProductEvent],
        to: Position,
    ) -> Result<bool, IndexError> {
        self.write(epoch, |writer| {
            writer.apply(events)?;
            writer.commit(to)
        })
    }

    /// Puts products there, or deletes them, whatever the positions say; blocks. `changes` are of
    /// the position `at`. False when the index was replaced since `epoch` or has moved on from `at`:
    /// then nothing was changed.
    pub(crate) fn repair(
        &self,
        epoch: u64,
        at: Position,
        changes: &[(ProductId, Option<(Version, Product)>)],
    ) -> Result<bool, IndexError> {
        let mut ours = false;
        let written = self.write(epoch, |writer| {
            ours = self.current.load().position() == at;
            match ours {
                true => writer.force(changes).and_then(|()| writer.commit(at)),
                false => Ok(()),
            }
        })?;
        Ok(written && ours)
    }

    fn write(
        &self,
        epoch: u64,
        write: impl FnOnce(&mut IndexWriter) -> Result<(), IndexError>,
    ) -> Result<bool, IndexError> {
        let mut writing = self.lock();
        if *self.epoch.borrow() != epoch {
            return Ok(false);
        }
        // Taken out, so that an error leaves none behind that is half way through a batch.
        let taken = writing.writer.take();
        let mut writer = match taken {
            Some(writer) => writer,
            None => self.current.load().writer()?,
        };
        write(&mut writer)?;
        writing.writer = Some(writer);
        Ok(true)
    }

    /// How far the disk is, with the epoch of the index that it is told of.
    pub(crate) fn disk_state(&self) -> (u64, watch::Receiver<DiskState>) {
        let _writing = self.lock();
        (*self.epoch.borrow(), self.current.load().disk_state())
    }

    /// Brings everything that was committed to the disk; blocks.
    pub(crate) fn flush(&self) -> Result<(), IndexError> {
        self.current.load_full().flush()
    }

    /// An empty index for `generation` beside the live one.
    pub(crate) fn create(&self, generation: i64) -> anyhow::Result<(KeywordIndex, IndexWriter)> {
        self.create_in(&folder_name(generation))
    }

    /// An empty index beside the live one that is of no generation in particular: it is filled from
    /// the documents.
    pub(crate) fn create_copy(&self) -> anyhow::Result<(KeywordIndex, IndexWriter)> {
        let live = self.current.load().name();
        let free = (1..).map(|number| format!("{COPY_PREFIX}{number}"));
        let name = free.into_iter().find(|name| *name != live);
        self.create_in(&name.unwrap_or_default())
    }

    fn create_in(&self, name: &str) -> anyhow::Result<(KeywordIndex, IndexWriter)> {
        let folder = self.root.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        Ok(KeywordIndex::open(&folder, IndexOptions::default())?)
    }

    /// Makes the index of `generation` the one that answers, now and after a restart, and removes
    /// all others but the one that answered until now. Blocks.
    pub(crate) fn switch_to(
        &self,
        generation: i64,
        index: KeywordIndex,
        writer: IndexWriter,
    ) -> anyhow::Result<()> {
        debug_assert_eq!(index.name(), folder_name(generation));
        self.replace(None, index, writer).map(|_| ())
    }

    /// As [`Self::switch_to`], and only while the index of `epoch` answers: else false, and `index`
    /// is given up.
    pub(crate) fn switch_from(
        &self,
        epoch: u64,
        index: KeywordIndex,
        writer: IndexWriter,
    ) -> anyhow::Result<bool> {
        self.replace(Some(epoch), index, writer)
    }

    fn replace(
        &self,
        epoch: Option<u64>,
        index: KeywordIndex,
        writer: IndexWriter,
    ) -> anyhow::Result<bool> {
        // A restart must find what `CURRENT` names.
        index.flush()?;
        let mut writing = self.lock();
        if epoch.is_some_and(|epoch| *self.epoch.borrow() != epoch) {
            return Ok(false);
        }
        let before = self.current.load_full();
        let name = index.name();
        self.write_current(&name)?;
        self.current.store(Arc::new(index));
        self.epoch.send_modify(|epoch| *epoch += 1);
        writing.writer = Some(writer);
        drop(writing);
        before.retire();
        // A copy leaves alone what a rebuild may be filling.
        if epoch.is_none() {
            self.remove_others(&[&before.name(), &name]);
        }
        Ok(true)
    }

    fn lock(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the index of a generation that did not come to be.
    pub(crate) fn discard(&self, generation: i64) {
        let _ = fs::remove_dir_all(self.root.join(folder_name(generation)));
    }

    fn write_current(&self, name: &str) -> std::io::Result<()> {
        let next = self.root.join("CURRENT.next");
        let mut file = fs::File::create(&next)?;
        file.write_all(name.as_bytes())?;
        file.sync_all()?;
        fs::rename(&next, self.root.join("CURRENT"))?;
        fs::File::open(&self.root)?.sync_all()
    }

    fn remove_others(&self, keep: &[&str]) {
        let Ok(entries) = fs::read_dir(&self.root) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if is_index_folder(&name) && !keep.contains(&name.as_str()) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

const GENERATION_PREFIX: &str = "index-";
/// Of an index that was filled from the documents of the live generation.
const COPY_PREFIX: &str = "index-copy-";

fn folder_name(generation: i64) -> String {
    format!("{GENERATION_PREFIX}{generation}")
}

fn is_index_folder(name: &str) -> bool {
    let copy = name.strip_prefix(COPY_PREFIX);
    let number = copy.or_else(|| name.strip_prefix(GENERATION_PREFIX));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}
