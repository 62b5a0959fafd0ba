//! Short numbers and letters that make a name with the word before them: "ddr 4", "usb c" and
//! "windows 10" mean products that have both in a row, and no kit of 4 with DDR2.

use crate::index::{AlternativeKind, QueryWord, Vocabulary};
use crate::search::request::understanding::word::UnderstoodWord;

/// The most digits of such a number: 1,000 is an amount.
const DIGITS_MAX: usize = 2;
/// The fewest places where products have the two in a row, and the least share of the products that
/// have both anywhere.
const ROWS_MIN: u64 = 3;
const ROW_SHARE_MIN: f64 = 0.15;

/// Lets each word that makes a name with the one before it match only behind that.
pub(super) fn bind(
    words: &mut [UnderstoodWord],
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<()> {
    for at in 1..words.len() {
        let (left, right) = (&words[at - 1], &words[at]);
        if may_be_a_name(left, right) && is_a_name(left, right, vocabulary)? {
            let bound = behind(left, right);
            words[at].word = bound;
        }
    }
    Ok(())
}

fn may_be_a_name(left: &UnderstoodWord, right: &UnderstoodWord) -> bool {
    let digits = right.surface.split('.').next().unwrap_or_default();
    let is_number = digits.len() <= DIGITS_MAX
        && right
            .surface
            .chars()
            .all(|c| c.is_ascii_digit() || c == '.');
    let is_letter = right.is_plain && right.surface.chars().count() == 1;
    left.is_plain
        && right.completed.is_none()
        && (is_number || is_letter)
        && !left.is_quoted
        && !right.is_quoted
        && left.place.1 + 1 == right.place.0
}

/// Whether the catalog often has the two in a row, where it has both.
fn is_a_name(
    left: &UnderstoodWord,
    right: &UnderstoodWord,
    vocabulary: &Vocabulary<'_>,
) -> tantivy::Result<bool> {
    let row = [left.surface.as_str(), right.surface.as_str()];
    let in_a_row = vocabulary.in_a_row(&row)?;
    if in_a_row < ROWS_MIN {
        return Ok(false);
    }
    let together = vocabulary.together(&row)? as f64;
    Ok(in_a_row as f64 >= ROW_SHARE_MIN * together)
}

/// The right word, right behind the left one.
fn behind(left: &UnderstoodWord, right: &UnderstoodWord) -> QueryWord {
    let mut bound = QueryWord {
        alternatives: Vec::new(),
        worth: right.word.worth,
    };
    let spellings = right.word.alternatives.iter();
    for spelling in spellings.filter(|one| one.kind == AlternativeKind::Spelling) {
        let mut row = vec![left.stem.clone()];
        row.extend(spelling.stems.iter().cloned());
        bound.add(row, spelling.weight, AlternativeKind::Spelling);
    }
    bound
}
