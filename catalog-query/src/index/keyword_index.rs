//! Opens one index folder, reads it and hands out its writer. Invariant: the index and the position
//! of its last event are one commit; both can be rebuilt.

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

/// The position below which an index answers no search, because it is still being built. An index
/// and its replacements share one.
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

/// A reader of an index. Calls block on memory and at times on the disk, so they belong on a thread
/// that may block.
pub(crate) struct KeywordIndex {
    index: tantivy::Index,
    folder: PathBuf,
    pub(super) directory: WriteBehindDirectory,
    fields: Fields,
    reader: IndexReader,
    published: Arc<Published>,
    options: IndexOptions,
    needed: Needed,
    /// Stops when the index is dropped. A restart replays what is not on disk by then.
    _flusher: Flusher,
}

impl KeywordIndex {
    /// Opens the index in `folder`. Begins an empty one at position 0 if there is none, or if it is
    /// damaged or has another format.
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
        let snapshot =
            IndexSnapshot::new(reader.searcher(), fields, position).with_currency(options.currency);
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

    /// Returns a writer in place of one that failed and was dropped. Fails with
    /// [`IndexError::Locked`] while another writer lives.
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

    /// Makes the index answer searches only from `needed` on. By default it answers from the start.
    pub(crate) fn answering_from(self, needed: Needed) -> Self {
        Self { needed, ..self }
    }

    pub(crate) fn language(&self) -> Language {
        self.fields.language
    }

    /// The name of the index folder.
    pub(crate) fn name(&self) -> String {
        let name = self.folder.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// The position of the last commit, which searches see.
    pub(crate) fn position(&self) -> Position {
        self.published.position()
    }

    /// Completes once searches see everything up to `position`.
    pub(crate) async fn reached(&self, position: Position) {
        self.published.reached(position).await;
    }

    /// The commit that searches see now. The snapshot itself never changes.
    pub(crate) fn snapshot(&self) -> Arc<IndexSnapshot> {
        self.published.snapshot()
    }

    /// How far the disk has caught up with the commits.
    pub(crate) fn disk_state(&self) -> watch::Receiver<DiskState> {
        self.directory.state()
    }

    /// Writes the last commit to the disk.
    pub(crate) fn flush(&self) -> Result<(), IndexError> {
        self.directory.flush().map_err(IndexError::Folder)
    }

    /// Writes nothing more to the folder, because another index takes over.
    pub(crate) fn retire(&self) {
        self.directory.close();
    }

    /// Lists the files on disk that are damaged or missing. With any of them, a restart begins an
    /// empty index.
    pub(crate) fn check_files(&self) -> Result<Vec<String>, IndexError> {
        self.directory
            .hold_folder(|| folder::damaged_files(&self.folder))
    }

    /// Fails with [`IndexError::NotBuilt`] if the snapshot is older than the position that searches
    /// need.
    pub(crate) fn check_built(&self, snapshot: &IndexSnapshot) -> Result<(), IndexError> {
        let (at, needed) = (snapshot.position(), self.needed.get());
        if at < needed {
            Err(IndexError::NotBuilt { at, needed })
        } else {
            Ok(())
        }
    }

    /// Finds the best `limit` products, best first. The same commit answers the same query alike.
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

    /// The number of products in the index.
    #[cfg(test)]
    pub(crate) fn documents(&self) -> u64 {
        self.snapshot().documents()
    }

    /// The digest of the live products. It equals that of a read model without its tombstones.
    pub(crate) fn digest_of_live(&self) -> Result<Digest, IndexError> {
        self.snapshot().digest_of_live()
    }
}
