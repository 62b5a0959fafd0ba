//! The stems of words: one form for all forms of a word.

use std::borrow::Cow;

use crate::index::text::language::Language;

/// English plurals, and possessives without their sign, that no rule makes singular.
const IRREGULAR: &[(&str, &str)] = &[
    ("buses", "bus"),
    ("calves", "calf"),
    ("children", "child"),
    ("childrens", "child"),
    ("dice", "die"),
    ("dwarves", "dwarf"),
    ("elves", "elf"),
    ("feet", "foot"),
    ("geese", "goose"),
    ("halves", "half"),
    ("hooves", "hoof"),
    ("knives", "knife"),
    ("leaves", "leaf"),
    ("lice", "louse"),
    ("loaves", "loaf"),
    ("men", "man"),
    ("mens", "man"),
    ("mice", "mouse"),
    ("oxen", "ox"),
    ("quizzes", "quiz"),
    ("scarves", "scarf"),
    ("shelves", "shelf"),
    ("teeth", "tooth"),
    ("thieves", "thief"),
    ("wives", "wife"),
    ("wolves", "wolf"),
    ("women", "woman"),
    ("womens", "woman"),
];
/// English words in "s" whose plural in "ses" has no "e" of theirs, as "lenses" and "cases" differ.
const ENDING_IN_S: &[&str] = &[
    "atlas", "bias", "bonus", "bus", "campus", "canvas", "chorus", "circus", "crocus", "gas",
    "iris", "lens", "plus", "sinus", "status", "summons", "virus", "walrus",
];

/// How plurals of a language end where its stemmer leaves them apart from the singular.
struct Plurals {
    language: Language,
    /// The fewest letters before such an ending: "glas" is no plural of "gla".
    before_min: usize,
    /// The endings without accents, the longest first, each with that of the singular.
    endings: &'static [(&'static str, &'static str)],
}

const PLURALS: &[Plurals] = &[
    Plurals {
        language: Language::French,
        before_min: 1,
        endings: &[("eaux", "eau"), ("eux", "eu"), ("oux", "ou"), ("aux", "al")],
    },
    Plurals {
        language: Language::German,
        before_min: 3,
        endings: &[("as", "a"), ("os", "o"), ("ys", "y")],
    },
    Plurals {
        language: Language::Portuguese,
        before_min: 1,
        endings: &[
            ("oes", "ao"),
            ("aes", "ao"),
            ("aos", "ao"),
            ("eis", "el"),
            ("ois", "ol"),
            ("ais", "al"),
            ("uis", "ul"),
            ("ens", "em"),
            ("ons", "om"),
            ("uns", "um"),
        ],
    },
    Plurals {
        language: Language::Spanish,
        before_min: 1,
        endings: &[("ces", "z")],
    },
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
        stemmer.stem(&self.singular(word)).into_owned()
    }

    /// The singular of a plural that the stemmer does not know, and any other word as it is.
    fn singular<'a>(&self, word: &'a str) -> Cow<'a, str> {
        if self.language == Language::English {
            let known = IRREGULAR.binary_search_by_key(&word, |(plural, _)| plural);
            let lens = || {
                word.strip_suffix("es")
                    .filter(|lens| ENDING_IN_S.binary_search(lens).is_ok())
            };
            let singular = known.ok().map(|at| IRREGULAR[at].1).or_else(lens);
            return Cow::Borrowed(singular.unwrap_or(word));
        }
        let plurals = PLURALS.iter().find(|it| it.language == self.language);
        let changed = plurals.and_then(|plurals| {
            let mut endings = plurals.endings.iter();
            endings.find_map(|(plural, singular)| {
                let before = word.strip_suffix(plural)?;
                let is_long = before.chars().count() >= plurals.before_min;
                is_long.then(|| Cow::Owned(format!("{before}{singular}")))
            })
        });
        changed.unwrap_or(Cow::Borrowed(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plurals_of_other_languages_have_the_stem_of_their_singular() {
        for (language, plural, singular) in [
            (Language::French, "jeux", "jeu"),
            (Language::French, "gateaux", "gateau"),
            (Language::French, "journaux", "journal"),
            (Language::French, "bijoux", "bijou"),
            (Language::German, "sofas", "sofa"),
            (Language::German, "autos", "auto"),
            (Language::German, "babys", "baby"),
            (Language::Portuguese, "limoes", "limao"),
            (Language::Portuguese, "papeis", "papel"),
            (Language::Portuguese, "lencois", "lencol"),
            (Language::Portuguese, "jornais", "jornal"),
            (Language::Portuguese, "nuvens", "nuvem"),
            (Language::Spanish, "luces", "luz"),
            (Language::Spanish, "altavoces", "altavoz"),
        ] {
            let stems = Stems::of(language);
            assert_eq!(stems.stem(plural), stems.stem(singular), "{plural}");
        }
    }

    #[test]
    fn irregular_plurals_have_the_stem_of_their_singular() {
        let stems = Stems::of(Language::English);
        assert!(IRREGULAR.is_sorted() && ENDING_IN_S.is_sorted());
        for (plural, singular) in IRREGULAR {
            assert_eq!(stems.stem(plural), stems.stem(singular), "{plural}");
        }
        for (plural, singular) in [
            ("lenses", "lens"),
            ("cables", "cable"),
            ("batteries", "battery"),
            ("horses", "horse"),
            ("suitcases", "suitcase"),
            ("purses", "purse"),
            ("cheeses", "cheese"),
            ("licenses", "license"),
            ("glasses", "glass"),
            ("canvases", "canvas"),
            ("mens", "men"),
        ] {
            assert_eq!(stems.stem(plural), stems.stem(singular), "{plural}");
        }
        assert_ne!(stems.stem("mouse"), stems.stem("mouth"));
        assert_eq!(Stems::of(Language::None).stem("mice"), "mice");
    }
}
