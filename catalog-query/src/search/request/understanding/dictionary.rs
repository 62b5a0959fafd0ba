//! The words that the embedding model knows as wholes. It has read more than any catalog: what it knows is no
//! misspelling, even where no product has it.

use std::sync::Arc;

use crate::embedding::Embedder;

/// The fewest letters of a word: of two or three letters a model knows nearly all.
const CHARS_MIN: usize = 4;
/// The endings that may follow a word.
const ENDINGS: [&str; 2] = ["s", "es"];

/// A dictionary of words that are written right; empty without a model.
#[derive(Clone, Default)]
pub(crate) struct Dictionary(Option<Arc<dyn Embedder>>);

impl Dictionary {
    pub(crate) fn of(embedder: Option<Arc<dyn Embedder>>) -> Self {
        Self(embedder)
    }

    /// Whether a word in lower case is written right.
    pub(super) fn has(&self, word: &str) -> bool {
        let Some(embedder) = &self.0 else {
            return false;
        };
        let singulars = ENDINGS.iter().filter_map(|end| word.strip_suffix(end));
        // "Jeanss" is no plural.
        let singulars = singulars.filter(|form| !form.ends_with('s'));
        std::iter::once(word)
            .chain(singulars)
            .any(|form| form.chars().count() >= CHARS_MIN && embedder.knows(form))
    }
}
