//! What each word of a query is worth, told by the catalog and the language alone.

use crate::index::{Language, Vocabulary, Worth, is_function_word, is_unspaced};
use crate::search::request::understanding::word::UnderstoodWord;

/// States for each word what it is worth. `is_open` says that the last word may go on.
pub(super) fn weigh(
    words: &mut [UnderstoodWord],
    is_open: bool,
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<()> {
    let last = words.len().saturating_sub(1);
    for (at, word) in words.iter_mut().enumerate() {
        let is_begun = is_open && at == last && is_one_letter(&word.surface);
        word.word.worth = if is_begun {
            Worth::Begun
        } else if at < last && is_function(word, vocabulary.language()) {
            // The last word stands for something: "vitamin A".
            Worth::Function
        } else if word.is_number() {
            Worth::Number
        } else if vocabulary.names_kind(&word.stem)? {
            Worth::Naming
        } else {
            Worth::Describing
        };
    }
    Ok(())
}

/// Whether it is a function word as it was typed, with its accents, or as it is understood.
fn is_function(word: &UnderstoodWord, language: Language) -> bool {
    is_function_word(&word.typed.to_lowercase(), language)
        || is_function_word(&word.surface, language)
}

fn is_one_letter(surface: &str) -> bool {
    let mut letters = surface.chars();
    letters.next().is_some_and(|letter| !is_unspaced(letter)) && letters.next().is_none()
}
