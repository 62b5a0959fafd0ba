//! How an index is built.

use crate::Language;

#[derive(Clone, Debug)]
pub(crate) struct IndexOptions {
    /// An index of another one is built anew.
    pub(crate) language: Language,
    /// How much the writer buffers before it begins another segment. Little makes for quick small
    /// commits, more for a quick rebuild.
    pub(crate) writer_bytes: usize,
    /// How much memory may hold that the disk does not have yet. Commits wait when it is full.
    pub(crate) memory_bytes_max: usize,
}

impl IndexOptions {
    /// What tantivy needs at least.
    pub(crate) const WRITER_BYTES_MIN: usize = 15_000_000;
}

impl Default for IndexOptions {
    fn default() -> Self {
        Self {
            language: Language::default(),
            writer_bytes: Self::WRITER_BYTES_MIN,
            memory_bytes_max: 64 << 20,
        }
    }
}
