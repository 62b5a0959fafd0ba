//! The stems of words: one form for all forms of a word.

mod english;
mod folds;
mod forms;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::index::text::language::Language;
use crate::index::text::stems::english::{ENDING_IN_S, IRREGULAR};
use crate::index::text::stems::forms::{Endings, Forms};

/// Finds the stems of a language.
pub(crate) struct Stems {
    language: Language,
    stemmer: Option<frostem::Stemmer>,
}

impl Stems {
    pub(crate) fn of(language: Language) -> Self {
        Self {
            language,
            stemmer: language.stemmer(),
        }
    }

    /// Returns the stem of a word in lower case and without accents. A word of another script has the stem of the language that
    /// is mostly written in that.
    pub(crate) fn stem(&self, word: &str) -> String {
        let Some(stemmer) = &self.stemmer else {
            return word.to_owned();
        };
        match foreign(word).filter(|foreign| *foreign != self.language) {
            Some(foreign) => match foreign.stemmer() {
                Some(stemmer) => stem(word, foreign, &stemmer),
                None => word.to_owned(),
            },
            None => stem(word, self.language, stemmer),
        }
    }
}

/// The language of a word that is not written in Latin letters.
fn foreign(word: &str) -> Option<Language> {
    if word.is_ascii() {
        return None;
    }
    Some(match word.chars().next()? {
        '\u{370}'..='\u{3ff}' => Language::Greek,
        '\u{400}'..='\u{4ff}' => Language::Russian,
        '\u{600}'..='\u{6ff}' => Language::Arabic,
        '\u{b80}'..='\u{bff}' => Language::Tamil,
        _ => return None,
    })
}

fn stem(word: &str, language: Language, stemmer: &frostem::Stemmer) -> String {
    if language == Language::English {
        return stemmer.stem(english(word)).into_owned();
    }
    let forms = Forms::of(language);
    let base = base(word, forms);
    let stem = stemmer.stem(&base);
    (forms.fold)(replaced(&stem, forms.stems).into_owned())
}

/// The singular of an English plural that the stemmer does not know, and any other word as it is.
fn english(word: &str) -> &str {
    let known = IRREGULAR.binary_search_by_key(&word, |(plural, _)| plural);
    let lens = || {
        word.strip_suffix("es")
            .filter(|lens| ENDING_IN_S.binary_search(lens).is_ok())
    };
    let singular = known.ok().map(|at| IRREGULAR[at].1).or_else(lens);
    singular.unwrap_or(word)
}

/// The word that a form is one of, for the stemmer.
fn base<'a>(word: &'a str, forms: &Forms) -> Cow<'a, str> {
    if let Ok(at) = forms.words.binary_search_by_key(&word, |(form, _)| form) {
        return Cow::Borrowed(forms.words[at].1);
    }
    if let Some(base) = (forms.base)(word) {
        return Cow::Owned(base);
    }
    let mut base = replaced(word, forms.endings);
    if forms.is_repeated {
        while let Cow::Owned(next) = replaced(&base, forms.endings) {
            base = Cow::Owned(next);
        }
    }
    base
}

/// The word with the first ending that fits replaced; borrowed where none does.
fn replaced<'a>(word: &'a str, endings: Endings) -> Cow<'a, str> {
    let mut endings = endings.iter();
    let found = endings.find_map(|(ending, other, least)| {
        let before = word.strip_suffix(ending)?;
        (before.chars().count() >= *least).then(|| format!("{before}{other}"))
    });
    found.map_or(Cow::Borrowed(word), Cow::Owned)
}
