//! The options with which an index is opened.

use catalog_events::Currency;

use crate::Language;

#[derive(Clone, Debug)]
pub(crate) struct IndexOptions {
    /// The language of the words. An index in another language is built anew.
    pub(crate) language: Language,
    /// The currency in which prices are compared where a search asks for none; None takes that of most
    /// products.
    pub(crate) currency: Option<Currency>,
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
            currency: None,
            writer_bytes: Self::WRITER_BYTES_MIN,
            memory_bytes_max: 64 << 20,
        }
    }
}

impl From<Language> for IndexOptions {
    fn from(language: Language) -> Self {
        Self {
            language,
            ..Self::default()
        }
    }
}
