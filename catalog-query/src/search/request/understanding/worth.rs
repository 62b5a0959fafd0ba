//! What each word of a query is worth, told by the catalog and the language alone.

use crate::index::{Language, Vocabulary, Worth, is_counter, is_function_word, is_unspaced};
use crate::search::request::understanding::word::UnderstoodWord;

/// States for each word what it is worth. `is_open` says that the last word may go on.
pub(super) fn weigh(
    words: &mut [UnderstoodWord],
    is_open: bool,
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<()> {
    let last = words.len().saturating_sub(1);
    for at in 0..words.len() {
        let is_begun = is_open && at == last && is_one_letter(&words[at].surface);
        let before = at.checked_sub(1).map(|before| &words[before]);
        let worth = if is_begun {
            Worth::Begun
        } else {
            worth(&words[at], before, at == last, vocabulary)?
        };
        words[at].word.worth = worth;
    }
    Ok(())
}

/// What a word is worth behind the one before it.
fn worth(
    word: &UnderstoodWord,
    before: Option<&UnderstoodWord>,
    is_last: bool,
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<Worth> {
    // A letter stands for something unless it is an article: "vitamin A", "with a dimmer". So does the last word.
    let may_be_function = !is_last
        && (!is_one_letter(&word.surface)
            || before.is_none_or(|before| before.word.worth == Worth::Function));
    Ok(
        if may_be_function && is_function(word, vocabulary.language()) {
            Worth::Function
        } else if is_counter(&word.surface) {
            Worth::Number
        } else if word.is_number() {
            if is_part_of_a_name(word, before, vocabulary)? {
                Worth::Naming
            } else {
                Worth::Number
            }
        } else if vocabulary.names_kind(&word.stem)? {
            Worth::Naming
        } else {
            Worth::Describing
        },
    )
}

/// Whether titles have a bare number right behind the word before it: "iphone 15", "windows 10".
fn is_part_of_a_name(
    word: &UnderstoodWord,
    before: Option<&UnderstoodWord>,
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<bool> {
    let Some(before) = before.filter(|before| before.is_plain && !is_counter(&before.surface))
    else {
        return Ok(false);
    };
    let is_bare = word.surface.bytes().all(|byte| byte.is_ascii_digit());
    let row = [before.surface.as_str(), word.surface.as_str()];
    Ok(is_bare && vocabulary.in_a_row_in_titles(&row)? > 0)
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
