//! Words such as "for" and "with", which say how others belong together. The lists are tantivy's.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use tantivy::tokenizer::{RawTokenizer, StopWordFilter, TextAnalyzer};

use crate::index::text::language::Language;

/// The filters in use. Making one reads its whole list.
static FILTERS: LazyLock<Mutex<HashMap<&'static str, Option<TextAnalyzer>>>> =
    LazyLock::new(Mutex::default);

/// Function words that turn round what follows: without them "without sugar" would be sugar.
const NEGATIONS: &[&str] = &[
    "ei", "ikke", "inte", "kein", "keine", "ne", "nem", "nicht", "niet", "no", "non", "not", "nao",
    "não", "ohne", "pas", "sans", "sem", "senza", "sin", "uden", "utan", "uten", "zonder", "без",
    "не", "нет",
];

/// Function words behind which stands what a thing is for, or what comes with it: a "toner for laser printers" is a toner.
const PURPOSES: &[&str] = &[
    "for", "with", "für", "mit", "pour", "avec", "para", "con", "com", "per", "voor", "met", "för",
    "med", "til", "till", "для", "с",
];
/// Those that are words of no other language that shops use.
const PURPOSES_ANYWHERE: &[&str] = &["for", "with", "für", "pour", "avec", "для"];

/// Whether a word in lower case says what a thing is for or comes with.
pub(crate) fn is_purpose(word: &str, language: Language) -> bool {
    PURPOSES_ANYWHERE.contains(&word)
        || PURPOSES.contains(&word) && is_function_word(word, language)
}

/// Whether a word in lower case is a function word of the language that may be left out. Of some languages none
/// is known.
pub(crate) fn is_function_word(word: &str, language: Language) -> bool {
    if NEGATIONS.contains(&word) {
        return false;
    }
    let mut filters = FILTERS.lock().unwrap_or_else(PoisonError::into_inner);
    let filter = filters
        .entry(language.analyzer())
        .or_insert_with(|| filter(language));
    let Some(filter) = filter else {
        return false;
    };
    !filter.token_stream(word).advance()
}

fn filter(language: Language) -> Option<TextAnalyzer> {
    let filter = StopWordFilter::new(language.of_tantivy()?)?;
    let words = TextAnalyzer::builder(RawTokenizer::default()).filter(filter);
    Some(words.build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_are_those_of_the_language() {
        for (word, language, expected) in [
            ("for", Language::English, true),
            ("for", Language::German, true),
            ("mit", Language::German, true),
            ("till", Language::Swedish, true),
            ("till", Language::English, false),
            ("of", Language::English, false),
            ("für", Language::None, true),
        ] {
            assert_eq!(is_purpose(word, language), expected, "{word}");
        }
    }

    #[test]
    fn each_language_has_its_own() {
        for (word, language, expected) in [
            ("for", Language::English, true),
            ("with", Language::English, true),
            ("lamp", Language::English, false),
            ("für", Language::English, false),
            ("für", Language::German, true),
            ("avec", Language::French, true),
            ("для", Language::Russian, true),
            ("for", Language::None, false),
            ("for", Language::Turkish, false),
            ("no", Language::English, false),
            ("ohne", Language::German, false),
        ] {
            assert_eq!(is_function_word(word, language), expected, "{word}");
        }
    }
}
