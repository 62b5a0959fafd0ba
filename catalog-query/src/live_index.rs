//! The keyword index that answers, with its one writer; a rebuild replaces both at once. The file
//! `CURRENT` in the data folder names the index folder, so that a restart opens the right one.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use arc_swap::ArcSwap;
use catalog_events::{Position, ProductEvent};
use tokio::sync::watch;

use crate::index::{IndexError, IndexOptions, IndexWriter, KeywordIndex};

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
        let writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
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

    /// Applies and commits; blocks. False when the index was replaced since `epoch`: then nothing
    /// was changed.
    pub(crate) fn apply(
        &self,
        epoch: u64,
        events: &[ProductEvent],
        to: Position,
    ) -> Result<bool, IndexError> {
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if *self.epoch.borrow() != epoch {
            return Ok(false);
        }
        // Taken out, so that an error leaves none behind that is half way through a batch.
        let taken = writing.writer.take();
        let mut writer = match taken {
            Some(writer) => writer,
            None => self.current.load().writer()?,
        };
        writer.apply(events)?;
        writer.commit(to)?;
        writing.writer = Some(writer);
        Ok(true)
    }

    /// An empty index for `generation` beside the live one.
    pub(crate) fn create(&self, generation: i64) -> anyhow::Result<(KeywordIndex, IndexWriter)> {
        let folder = self.root.join(folder_name(generation));
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
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = fs::read_to_string(self.root.join("CURRENT")).unwrap_or(folder_name(0));
        self.write_current(&folder_name(generation))?;
        self.current.store(Arc::new(index));
        self.epoch.send_modify(|epoch| *epoch += 1);
        writing.writer = Some(writer);
        drop(writing);
        self.remove_others(&[before.trim(), &folder_name(generation)]);
        Ok(())
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

fn folder_name(generation: i64) -> String {
    format!("index-{generation}")
}

fn is_index_folder(name: &str) -> bool {
    let number = name.strip_prefix("index-");
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}
