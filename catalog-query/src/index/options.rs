//! The options with which an index is opened.

use crate::Language;

#[derive(Clone, Debug)]
pub(crate) struct IndexOptions {
    /// The language of the words. An index in another language is built anew.
    pub(crate) language: Language,
    /// The bytes that the writer buffers before it begins another segment. Few make small commits
    /// quick, many make a rebuild quick.
    pub(crate) writer_bytes: usize,
    /// The bytes that memory may hold before they are on disk. Commits wait when it is full.
    pub(crate) memory_bytes_max: usize,
}

impl IndexOptions {
    /// The least that tantivy accepts.
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
