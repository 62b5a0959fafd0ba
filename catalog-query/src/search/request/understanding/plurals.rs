//! Plurals that no rule of a language knows: "cpus" and "ssds" are those of names, which a stemmer takes
//! for words that end so.

use crate::index::{AlternativeKind, Vocabulary};
use crate::search::request::understanding::word::UnderstoodWord;

/// The fewest and the most letters of such a name.
const NAME_CHARS_MIN: usize = 2;
const NAME_CHARS_MAX: usize = 4;

/// Lets a word with an "s" count as the name before it, where at least as many products have that.
pub(super) fn add_singular(
    word: &mut UnderstoodWord,
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<()> {
    let is_stemmed = word.stem != word.surface;
    let Some(name) = word.surface.strip_suffix('s').filter(|_| !is_stemmed) else {
        return Ok(());
    };
    let length = name.chars().count();
    let is_eligible = word.is_plain
        && vocabulary.language().has_plurals_in_s()
        && (NAME_CHARS_MIN..=NAME_CHARS_MAX).contains(&length)
        && !name.ends_with('s');
    if !is_eligible {
        return Ok(());
    }
    let of_name = vocabulary.documents(name)?;
    if of_name > 0 && of_name >= vocabulary.documents(&word.surface)? {
        let row = vec![vocabulary.language().stem(name)];
        word.synonyms.push(name.to_owned());
        word.word.add(row, 1.0, AlternativeKind::Spelling);
        word.is_known = true;
    }
    Ok(())
}
