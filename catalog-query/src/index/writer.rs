//! The one writer of an index. Invariant: the position of a commit is that of its last event, or of
//! a later one that the index has no use for, such as one that cannot be read.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use catalog_events::{Position, Product, ProductEvent, ProductId, Version};
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy, NoMergePolicy};
use tantivy::{Index, IndexReader, Term};

use crate::index::document::contents;
use crate::index::document::schema::Fields;
use crate::index::error::IndexError;
use crate::index::options::IndexOptions;
use crate::index::snapshot::Published;
use crate::index::storage::checkpoint;
use crate::index::storage::directory::WriteBehindDirectory;
use crate::projection::newest;

/// Segments below this size are merged with each other and not with large ones, so that an index of
/// a million products is not rewritten for a handful of changes.
const SMALL_SEGMENT_DOCS: u32 = 1_000;
/// How many segments of about one size are merged. Each query looks its words up in every segment, and
/// there are far more queries than changes.
const MERGED_SEGMENTS_MIN: usize = 4;
/// The share of replaced documents above which a segment is merged to drop them.
const REPLACED_SHARE_MAX: f32 = 0.3;
/// The longest time that a batch waits for a slow disk.
const ROOM_WAIT_MAX: Duration = Duration::from_secs(2);

/// How long a writer waits for the one before it, whose merges may still be ending, and how often it looks.
const TURN_WAIT_MAX: Duration = Duration::from_secs(1);
const TURN_LOOK_EVERY: Duration = Duration::from_millis(10);

/// The product that the index must hold under an id, or none.
pub(crate) type Change = (ProductId, Option<(Version, Product)>);

/// Applies events in the order of their positions. After an error, drop the writer and take a new
/// one with [`crate::index::keyword_index::KeywordIndex::writer`], which continues at the last
/// commit.
pub(crate) struct IndexWriter {
    /// None only while the writer is dropped.
    inner: Option<tantivy::IndexWriter>,
    directory: WriteBehindDirectory,
    fields: Fields,
    reader: IndexReader,
    published: Arc<Published>,
    applied: Position,
}

/// The writer of an index, once no other one has it; an error after a second.
fn only_writer(
    index: &Index,
    options: &IndexWriterOptions,
) -> Result<tantivy::IndexWriter, IndexError> {
    let until = Instant::now() + TURN_WAIT_MAX;
    loop {
        let opened = index.writer_with_options(options.clone());
        match opened.map_err(IndexError::from) {
            Err(IndexError::Locked) if Instant::now() < until => thread::sleep(TURN_LOOK_EVERY),
            opened => return opened,
        }
    }
}

impl IndexWriter {
    pub(crate) fn open(
        index: &Index,
        directory: WriteBehindDirectory,
        fields: Fields,
        reader: IndexReader,
        published: Arc<Published>,
        options: &IndexOptions,
    ) -> Result<Self, IndexError> {
        let writer_options = IndexWriterOptions::builder()
            .num_worker_threads(1)
            .num_merge_threads(1)
            .memory_budget_per_thread(options.writer_bytes.max(IndexOptions::WRITER_BYTES_MIN))
            .build();
        let inner = only_writer(index, &writer_options)?;
        let mut merges = LogMergePolicy::default();
        merges.set_min_layer_size(SMALL_SEGMENT_DOCS);
        merges.set_min_num_segments(MERGED_SEGMENTS_MIN);
        merges.set_del_docs_ratio_before_merge(REPLACED_SHARE_MAX);
        inner.set_merge_policy(Box::new(merges));
        // Tantivy gives the first operation of a writer the stamp of the last commit. A merge takes
        // it for a part of that commit, and a deletion would be lost: so the first one deletes
        // nothing.
        inner.delete_term(Term::from_field_text(fields.id, ""));
        Ok(Self {
            inner: Some(inner),
            directory,
            fields,
            reader,
            applied: published.position(),
            published,
        })
    }

    /// Applies the events after the last applied position, and skips the rest. They are not visible
    /// before [`Self::commit`].
    pub(crate) fn apply(&mut self, events: &[ProductEvent]) -> Result<(), IndexError> {
        self.directory.wait_for_room(ROOM_WAIT_MAX)?;
        let applied = self.applied;
        for event in newest(events.iter().filter(|event| event.position > applied)).into_values() {
            // Before a product's first version there is nothing to delete, and deletions are kept
            // in memory until the commit.
            match &event.product {
                Some(product) if event.version == Version::FIRST => {
                    self.add(product, event.version)?;
                }
                Some(product) => self.put(product, event.version)?,
                None => self.delete(&event.product_id)?,
            }
        }
        self.applied = events
            .last()
            .map_or(applied, |last| last.position.max(applied));
        Ok(())
    }

    /// Writes or deletes products regardless of positions. The changes are not visible before
    /// [`Self::commit`].
    pub(crate) fn force(&mut self, changes: &[Change]) -> Result<(), IndexError> {
        self.directory.wait_for_room(ROOM_WAIT_MAX)?;
        for (id, change) in changes {
            match change {
                Some((version, product)) => self.put(product, *version)?,
                None => self.delete(id)?,
            }
        }
        Ok(())
    }

    /// Adds products that the index does not hold yet.
    pub(crate) fn load(&mut self, products: &[(Version, Product)]) -> Result<(), IndexError> {
        self.directory.wait_for_room(ROOM_WAIT_MAX)?;
        for (version, product) in products {
            self.add(product, *version)?;
        }
        Ok(())
    }

    /// Adds a product or replaces its older version.
    fn put(&mut self, product: &Product, version: Version) -> Result<(), IndexError> {
        self.delete(&product.id)?;
        self.add(product, version)
    }

    fn add(&mut self, product: &Product, version: Version) -> Result<(), IndexError> {
        let document = contents::document(&self.fields, product, version);
        self.inner()?.add_document(document)?;
        Ok(())
    }

    fn delete(&mut self, id: &ProductId) -> Result<(), IndexError> {
        let id = Term::from_field_text(self.fields.id, id.as_str());
        self.inner()?.delete_term(id);
        Ok(())
    }

    /// Makes everything applied visible at `position`, from which a restart continues.
    pub(crate) fn commit(&mut self, position: Position) -> Result<(), IndexError> {
        self.applied = self.applied.max(position);
        let payload = checkpoint::encode(self.applied);
        let mut commit = self.inner()?.prepare_commit()?;
        commit.set_payload(&payload);
        commit.commit()?;
        self.reader.reload()?;
        let before = self.published.snapshot();
        let snapshot = before.next(self.reader.searcher(), self.applied);
        self.published.publish(snapshot);
        Ok(())
    }

    /// Leaves all segments as they are: merges would make room in memory.
    #[cfg(test)]
    pub(crate) fn without_merges(&mut self) {
        let inner = self.inner().expect("open");
        inner.set_merge_policy(Box::new(NoMergePolicy));
    }

    fn inner(&mut self) -> Result<&mut tantivy::IndexWriter, IndexError> {
        self.inner.as_mut().ok_or(IndexError::Closed)
    }
}

/// Waits for merges under way: one that ended later would overwrite the commits of the next writer,
/// and remove its files.
impl Drop for IndexWriter {
    fn drop(&mut self) {
        if let Some(inner) = self.inner.take() {
            inner.set_merge_policy(Box::new(NoMergePolicy));
            // The error has been logged, and what was committed stays.
            let _ = inner.wait_merging_threads();
        }
    }
}
