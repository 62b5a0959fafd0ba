//! The keyword index of one replica: every live product, searchable by its words and identifiers.
//! Invariant: the index and the position of its last event are one commit; both can be rebuilt.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use catalog_events::{Digest, Position};
use tantivy::{IndexReader, ReloadPolicy};
use tokio::sync::watch;

use crate::index::document::schema::Fields;
use crate::index::error::IndexError;
use crate::index::options::IndexOptions;
#[cfg(test)]
use crate::index::scoring::hits::KeywordHits;
#[cfg(test)]
use crate::index::scoring::terms::QueryTerms;
#[cfg(test)]
use crate::index::scoring::weights::KeywordWeights;
use crate::index::snapshot::{IndexSnapshot, Published};
use crate::index::storage::directory::WriteBehindDirectory;
use crate::index::storage::file_state::DiskState;
use crate::index::storage::flusher::Flusher;
use crate::index::storage::folder;
use crate::index::text::analyzer;
use crate::index::text::language::Language;
use crate::index::writer::IndexWriter;

/// The position below which an index answers no search, because it is still being built. Shared by
/// an index and those that take its place.
#[derive(Clone, Default)]
pub(crate) struct Needed(Arc<AtomicU64>);

impl Needed {
    pub(crate) fn set(&self, position: Position) {
        self.0.store(position.0, Ordering::SeqCst);
    }

    pub(crate) fn get(&self) -> Position {
        Position(self.0.load(Ordering::SeqCst))
    }
}

/// Reads an index. Calls block on memory and at times on the disk, so they belong on a thread that
/// may.
pub(crate) struct KeywordIndex {
    index: tantivy::Index,
    folder: PathBuf,
    pub(super) directory: WriteBehindDirectory,
    fields: Fields,
    reader: IndexReader,
    published: Arc<Published>,
    options: IndexOptions,
    needed: Needed,
    /// Dropped with the index: what is not on disk by then, a restart replays.
    _flusher: Flusher,
}

impl KeywordIndex {
    /// Opens the index in `folder`, or begins an empty one at position 0 where there is none, or
    /// one that is damaged or of another format.
    pub(crate) fn open(
        folder: &Path,
        options: IndexOptions,
    ) -> Result<(Self, IndexWriter), IndexError> {
        let (schema, fields) = Fields::new(options.language);
        let (index, directory, position) = folder::open(folder, &schema, options.memory_bytes_max)?;
        analyzer::register(index.tokenizers(), options.language);
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()?;
        let snapshot = IndexSnapshot::new(reader.searcher(), fields, position);
        let opened = Self {
            index,
            folder: folder.to_owned(),
            _flusher: Flusher::start(directory.clone())?,
            directory,
            fields,
            reader,
            published: Arc::new(Published::new(snapshot)),
            options,
            needed: Needed::default(),
        };
        let writer = opened.writer()?;
        Ok((opened, writer))
    }

    /// A writer in place of one that failed and was dropped; [`IndexError::Locked`] while another
    /// lives.
    pub(crate) fn writer(&self) -> Result<IndexWriter, IndexError> {
        IndexWriter::open(
            &self.index,
            self.directory.clone(),
            self.fields,
            self.reader.clone(),
            Arc::clone(&self.published),
            &self.options,
        )
    }

    /// Answers searches from `needed` on; from the start unless told.
    pub(crate) fn answering_from(self, needed: Needed) -> Self {
        Self { needed, ..self }
    }

    pub(crate) fn language(&self) -> Language {
        self.fields.language
    }

    /// The name of its folder.
    pub(crate) fn name(&self) -> String {
        let name = self.folder.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// The position of the last commit, which is what searches see.
    pub(crate) fn position(&self) -> Position {
        self.published.position()
    }

    /// Completes once searches see everything up to `position`.
    pub(crate) async fn reached(&self, position: Position) {
        self.published.reached(position).await;
    }

    /// What searches see now; it stays as it is.
    pub(crate) fn snapshot(&self) -> Arc<IndexSnapshot> {
        self.published.snapshot()
    }

    /// How far the disk is.
    pub(crate) fn disk_state(&self) -> watch::Receiver<DiskState> {
        self.directory.state()
    }

    /// Brings the last commit to the disk.
    pub(crate) fn flush(&self) -> Result<(), IndexError> {
        self.directory.flush().map_err(IndexError::Folder)
    }

    /// Leaves the folder as it is from now on: another index takes its place.
    pub(crate) fn retire(&self) {
        self.directory.close();
    }

    /// The names of the files on disk that are damaged or missing. A restart would begin anew.
    pub(crate) fn check_files(&self) -> Result<Vec<String>, IndexError> {
        self.directory
            .hold_folder(|| folder::damaged_files(&self.folder))
    }

    /// [`IndexError::NotBuilt`] where the snapshot lacks what the documents held at the start.
    pub(crate) fn check_built(&self, snapshot: &IndexSnapshot) -> Result<(), IndexError> {
        let (at, needed) = (snapshot.position(), self.needed.get());
        if at < needed {
            Err(IndexError::NotBuilt { at, needed })
        } else {
            Ok(())
        }
    }

    /// The best `limit` products, best first; the same commit answers the same query alike.
    #[cfg(test)]
    pub(crate) fn search(
        &self,
        terms: &QueryTerms,
        limit: usize,
    ) -> Result<KeywordHits, IndexError> {
        let snapshot = self.snapshot();
        self.check_built(&snapshot)?;
        snapshot.search(terms, &KeywordWeights::default(), limit, None)
    }

    /// How many products the index holds.
    #[cfg(test)]
    pub(crate) fn documents(&self) -> u64 {
        self.snapshot().documents()
    }

    /// The digest of the live products: what a read model has without its tombstones.
    pub(crate) fn digest_of_live(&self) -> Result<Digest, IndexError> {
        self.snapshot().digest_of_live()
    }
}
