//! The live keyword index with its one writer; a rebuild replaces both at once. The file `CURRENT`
//! in the data folder names the index folder, so that a restart opens the right one.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use arc_swap::ArcSwap;
use catalog_events::{Position, ProductEvent, ProductId};
use tokio::sync::{OwnedMutexGuard, watch};

use crate::index::error::IndexError;
use crate::index::keyword_index::{KeywordIndex, Needed};
use crate::index::options::IndexOptions;
use crate::index::snapshot::IndexSnapshot;
use crate::index::storage::file_state::DiskState;
use crate::index::writer::{Change, IndexWriter};

/// The index that searches read.
pub(crate) type CurrentIndex = Arc<ArcSwap<KeywordIndex>>;

pub(crate) struct LiveIndex {
    root: PathBuf,
    options: IndexOptions,
    current: CurrentIndex,
    writing: Mutex<Writing>,
    /// Held while a copy is filled, because all copies use the same folder.
    copying: Arc<tokio::sync::Mutex<()>>,
    needed: Needed,
    /// Counts the replacements, so that a projector notices one. It changes only under `writing`.
    epoch: watch::Sender<u64>,
}

struct Writing {
    /// None after an error; the next use takes a new one.
    writer: Option<IndexWriter>,
}

impl Writing {
    fn write(
        &mut self,
        index: &KeywordIndex,
        write: impl FnOnce(&mut IndexWriter) -> Result<(), IndexError>,
    ) -> Result<(), IndexError> {
        // The writer is taken out, so that an error leaves none behind in the middle of a batch.
        let taken = self.writer.take();
        let mut writer = match taken {
            Some(writer) => writer,
            None => index.writer()?,
        };
        write(&mut writer)?;
        self.writer = Some(writer);
        Ok(())
    }
}

impl LiveIndex {
    /// Opens the index that `CURRENT` names. Blocks, because it checks the whole index.
    pub(crate) fn open(root: &Path, options: impl Into<IndexOptions>) -> anyhow::Result<Self> {
        let options = options.into();
        fs::create_dir_all(root)
            .with_context(|| format!("cannot use {} (CATALOG_QUERY_DATA_DIR)", root.display()))?;
        let name = match fs::read_to_string(root.join("CURRENT")) {
            Ok(name) if is_index_folder(name.trim()) => name.trim().to_owned(),
            _ => folder_name(0),
        };
        let folder = root.join(&name);
        let (index, writer) = KeywordIndex::open(&folder, options.clone())
            .with_context(|| format!("cannot open the keyword index in {}", folder.display()))?;
        let needed = Needed::default();
        let index = index.answering_from(needed.clone());
        Ok(Self {
            root: root.to_owned(),
            options,
            current: Arc::new(ArcSwap::from_pointee(index)),
            epoch: watch::Sender::new(0),
            copying: Arc::default(),
            needed,
            writing: Mutex::new(Writing {
                writer: Some(writer),
            }),
        })
    }

    pub(crate) fn current(&self) -> CurrentIndex {
        self.current.clone()
    }

    /// Returns the epoch to present to [`Self::apply`], and the position to continue from. Does not
    /// wait for a write under way. If the index is being replaced right now, the epoch is still the
    /// previous one, and `apply` reports that.
    pub(crate) fn resume(&self) -> (u64, Position) {
        let epoch = *self.epoch.borrow();
        (epoch, self.current.load().position())
    }

    /// Refuses searches until the index has applied everything up to `position`.
    pub(crate) fn require(&self, position: Position) {
        self.needed.set(position);
    }

    /// Whether the index answers searches.
    pub(crate) fn is_built(&self) -> bool {
        self.current.load().position() >= self.needed.get()
    }

    /// Completes once the index answers searches.
    pub(crate) async fn built(&self) {
        self.reached(self.needed.get()).await;
    }

    /// Completes once another index has replaced that of `epoch`.
    pub(crate) async fn replaced(&self, epoch: u64) {
        // Fails only when the sender is gone, and that is `self`.
        let _ = self
            .epoch
            .subscribe()
            .wait_for(|current| *current != epoch)
            .await;
    }

    /// Completes once searches see everything up to `position`, whichever index answers them.
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

    /// Applies events and commits; blocks. Returns false, and changes nothing, if the index was
    /// replaced since `epoch`.
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

    /// Writes or deletes products regardless of positions; blocks. `changes` sees what the index
    /// holds, and no event is applied in between. Returns the ids of the changed products.
    pub(crate) fn repair<E: From<IndexError>>(
        &self,
        changes: impl FnOnce(&IndexSnapshot) -> Result<Vec<Change>, E>,
    ) -> Result<Vec<ProductId>, E> {
        let mut writing = self.lock();
        let index = self.current.load_full();
        let snapshot = index.snapshot();
        let changes = changes(&snapshot)?;
        if !changes.is_empty() {
            writing.write(&index, |writer| {
                writer.force(&changes)?;
                writer.commit(snapshot.position())
            })?;
        }
        Ok(changes.into_iter().map(|(id, _)| id).collect())
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
        writing.write(&self.current.load_full(), write)?;
        Ok(true)
    }

    /// Returns the epoch of the live index, and how far its disk has caught up.
    pub(crate) fn disk_state(&self) -> (u64, watch::Receiver<DiskState>) {
        let epoch = *self.epoch.borrow();
        (epoch, self.current.load().disk_state())
    }

    /// Writes everything that was committed to the disk; blocks.
    pub(crate) fn flush(&self) -> Result<(), IndexError> {
        self.current.load_full().flush()
    }

    /// Creates an empty index for `generation` beside the live one.
    pub(crate) fn create(&self, generation: i64) -> anyhow::Result<(KeywordIndex, IndexWriter)> {
        self.create_in(&folder_name(generation))
    }

    /// Waits until no other copy is being filled.
    pub(crate) async fn copying(&self) -> OwnedMutexGuard<()> {
        self.copying.clone().lock_owned().await
    }

    /// Creates an empty index beside the live one, to be filled from the documents of the live
    /// generation. The caller must hold [`Self::copying`].
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
        let (index, writer) = KeywordIndex::open(&folder, self.options.clone())?;
        Ok((index.answering_from(self.needed.clone()), writer))
    }

    /// Makes `index` the live one, now and after a restart. Removes all other indexes but the
    /// previous one. Blocks.
    pub(crate) fn switch_to(&self, index: KeywordIndex, writer: IndexWriter) -> anyhow::Result<()> {
        self.replace(None, index, writer).map(|_| ())
    }

    /// Does the same as [`Self::switch_to`] if the index of `epoch` is still live. Otherwise
    /// returns false and drops `index`.
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
        // A restart must find the index that `CURRENT` names.
        index.flush()?;
        let mut writing = self.lock();
        if epoch.is_some_and(|epoch| *self.epoch.borrow() != epoch) {
            return Ok(false);
        }
        let before = self.current.load_full();
        let name = index.name();
        self.write_current(&name)?;
        // The index comes before the epoch: see `resume`.
        self.current.store(Arc::new(index));
        self.epoch.send_modify(|epoch| *epoch += 1);
        let writer_before = writing.writer.replace(writer);
        drop(writing);
        before.retire();
        // This waits for merges under way, for which no lock is needed.
        drop(writer_before);
        // A copy must not remove the index that a rebuild may be filling.
        if epoch.is_none() {
            self.remove_others(&[&before.name(), &name]);
        }
        Ok(true)
    }

    fn lock(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the index of a generation that was given up.
    pub(crate) fn discard(&self, generation: i64) {
        let _ = fs::remove_dir_all(self.root.join(folder_name(generation)));
    }

    /// Removes a copy that did not become the live index.
    pub(crate) fn discard_copy(&self, name: &str) {
        if self.current.load().name() != name {
            let _ = fs::remove_dir_all(self.root.join(name));
        }
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
/// The folder name of an index that was filled from the documents of the live generation begins
/// like this.
const COPY_PREFIX: &str = "index-copy-";

fn folder_name(generation: i64) -> String {
    format!("{GENERATION_PREFIX}{generation}")
}

fn is_index_folder(name: &str) -> bool {
    let copy = name.strip_prefix(COPY_PREFIX);
    let number = copy.or_else(|| name.strip_prefix(GENERATION_PREFIX));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}
