//! The stems of words: one form for all forms of a word.

use crate::index::text::language::Language;

/// English plurals that no rule makes singular.
const IRREGULAR: &[(&str, &str)] = &[
    ("calves", "calf"),
    ("children", "child"),
    ("feet", "foot"),
    ("geese", "goose"),
    ("halves", "half"),
    ("hooves", "hoof"),
    ("knives", "knife"),
    ("leaves", "leaf"),
    ("lice", "louse"),
    ("loaves", "loaf"),
    ("men", "man"),
    ("mice", "mouse"),
    ("scarves", "scarf"),
    ("shelves", "shelf"),
    ("teeth", "tooth"),
    ("thieves", "thief"),
    ("wives", "wife"),
    ("wolves", "wolf"),
    ("women", "woman"),
];

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

    /// Returns the stem of a word in lower case.
    pub(crate) fn stem(&self, word: &str) -> String {
        let Some(stemmer) = &self.stemmer else {
            return word.to_owned();
        };
        let stem = stemmer.stem(self.singular(word));
        if self.language == Language::English && stem.ends_with('s') && stem != word {
            // "lenses" is "lens", and that is the stem "len".
            return stemmer.stem(&stem).into_owned();
        }
        stem.into_owned()
    }

    fn singular<'a>(&self, word: &'a str) -> &'a str {
        if self.language != Language::English {
            return word;
        }
        let known = IRREGULAR.binary_search_by_key(&word, |(plural, _)| plural);
        known.map_or(word, |at| IRREGULAR[at].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn irregular_plurals_have_the_stem_of_their_singular() {
        let stems = Stems::of(Language::English);
        assert!(IRREGULAR.is_sorted());
        for (plural, singular) in IRREGULAR {
            assert_eq!(stems.stem(plural), stems.stem(singular), "{plural}");
        }
        for (plural, singular) in [
            ("lenses", "lens"),
            ("cables", "cable"),
            ("batteries", "battery"),
        ] {
            assert_eq!(stems.stem(plural), stems.stem(singular), "{plural}");
        }
        assert_ne!(stems.stem("mouse"), stems.stem("mouth"));
        assert_eq!(Stems::of(Language::None).stem("mice"), "mice");
    }
}
