//! The keyword index of one replica: every live product, searchable by its words and identifiers.
//! Invariant: the index and the position of its last event are one commit; both can be rebuilt.

mod analyzer;
mod schema;
mod document;
mod terms;
mod ranking;
mod checkpoint;
mod directory;
mod folder;
mod writer;
mod error;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use catalog_events::{ContentHash, Digest, Position, ProductId};
use tantivy::{IndexReader, ReloadPolicy, SegmentReader};

pub(crate) use self::error::IndexError;
use self::schema::{Fields, HASH_HIGH, HASH_LOW};
pub(crate) use self::terms::QueryTerms;
pub(crate) use self::writer::IndexWriter;

/// A product found. Scores are comparable within one answer of one source, and only there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hit {
    pub(crate) product_id: ProductId,
    pub(crate) score: f32,
}

/// What the words and identifiers of a query find, best first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct KeywordHits {
    pub(crate) hits: Vec<Hit>,
    /// How many of them, from the first, have an identifier of the query.
    exact: usize,
}

impl KeywordHits {
    pub(crate) fn new(hits: Vec<Hit>, exact: usize) -> Self {
        Self { hits, exact }
    }

    /// Those that have an identifier of the query.
    pub(crate) fn exact(&self) -> &[Hit] {
        &self.hits[..self.exact]
    }
}

#[derive(Clone, Debug)]
pub(crate) struct IndexOptions {
    /// How much the writer buffers before it begins another segment. Little makes for quick small
    /// commits, more for a quick rebuild.
    pub(crate) writer_bytes: usize,
}

impl IndexOptions {
    /// What tantivy needs at least.
    pub(crate) const WRITER_BYTES_MIN: usize = 15_000_000;
}

impl Default for IndexOptions {
    fn default() -> Self {
        Self {
            writer_bytes: Self::WRITER_BYTES_MIN,
        }
    }
}

/// Reads an index. Calls block on memory and at times on the disk, so they belong on a thread that
/// may.
pub(crate) struct KeywordIndex {
    index: tantivy::Index,
    fields: Fields,
    reader: IndexReader,
    committed: Arc<AtomicU64>,
    options: IndexOptions,
}

impl KeywordIndex {
    /// Opens the index in `folder`, or begins an empty one at position 0 where there is none, or
    /// one that is damaged or of another format.
    pub(crate) fn open(
        folder: &Path,
        options: IndexOptions,
    ) -> Result<(Self, IndexWriter), IndexError> {
        let (schema, fields) = Fields::new();
        let (index, position) = folder::open(folder, &schema)?;
        index
            .tokenizers()
            .register(analyzer::NAME, analyzer::words());
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()?;
        let opened = Self {
            index,
            fields,
            reader,
            committed: Arc::new(AtomicU64::new(position.0)),
            options,
        };
        let writer = opened.writer()?;
        Ok((opened, writer))
    }

    /// A writer in place of one that failed and was dropped; [`IndexError::Locked`] while another
    /// lives.
    pub(crate) fn writer(&self) -> Result<IndexWriter, IndexError> {
        IndexWriter::open(
            &self.index,
            self.fields,
            self.reader.clone(),
            Arc::clone(&self.committed),
            &self.options,
        )
    }

    /// The position of the last commit, which is what searches see.
    pub(crate) fn position(&self) -> Position {
        Position(self.committed.load(Ordering::Acquire))
    }

    /// The best `limit` products, best first; the same commit answers the same query alike.
    pub(crate) fn search(
        &self,
        terms: &QueryTerms,
        limit: usize,
    ) -> Result<KeywordHits, IndexError> {
        Ok(ranking::search(
            &self.reader.searcher(),
            &self.fields,
            terms,
            limit,
        )?)
    }

    /// How many products the index holds.
    pub(crate) fn documents(&self) -> u64 {
        self.reader.searcher().num_docs()
    }

    /// The digest of the live products: what a read model has without its tombstones.
    pub(crate) fn digest_of_live(&self) -> Result<Digest, IndexError> {
        let mut digest = Digest::default();
        for segment in self.reader.searcher().segment_readers() {
            add_hashes(segment, &mut digest)?;
        }
        Ok(digest)
    }
}

fn add_hashes(segment: &SegmentReader, digest: &mut Digest) -> tantivy::Result<()> {
    let high = segment
        .fast_fields()
        .u64(HASH_HIGH)?
        .first_or_default_col(0);
    let low = segment.fast_fields().u64(HASH_LOW)?.first_or_default_col(0);
    for document in segment.doc_ids_alive() {
        let hash = u128::from(high.get_val(document)) << 64 | u128::from(low.get_val(document));
        digest.insert(ContentHash::from_bytes(hash.to_be_bytes()));
    }
    Ok(())
}
