//! The stems of words: one form for all forms of a word.

use std::borrow::Cow;

use crate::index::text::language::Language;

/// English plurals, and possessives without their sign, that no rule makes singular.
const IRREGULAR: &[(&str, &str)] = &[
    ("buses", "bus"),
    ("calves", "calf"),
    ("children", "child"),
    ("childrens", "child"),
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
    "atlas",
    "bias",
    "bonus",
    "bus",
    "campus",
    "canvas",
    "chorus",
    "christmas",
    "circus",
    "crocus",
    "gas",
    "ibis",
    "iris",
    "lens",
    "mantis",
    "metropolis",
    "pancreas",
    "plus",
    "rhinoceros",
    "sinus",
    "status",
    "summons",
    "thermos",
    "trellis",
    "virus",
    "walrus",
];

/// Plurals of a language that its stemmer leaves apart from the singular, all without accents.
struct Plurals {
    language: Language,
    /// Words by themselves, in order, each with its singular; what is its own singular stays as it is.
    words: &'static [(&'static str, &'static str)],
    /// How others end, each with the ending of the singular and the fewest letters before it: "glas" is no
    /// plural of "gla".
    endings: &'static [(&'static str, &'static str, usize)],
}

const PLURALS: &[Plurals] = &[
    Plurals {
        language: Language::French,
        words: &[
            ("bijoux", "bijou"),
            ("cailloux", "caillou"),
            ("cheveux", "cheveu"),
            ("choux", "chou"),
            ("feux", "feu"),
            ("genoux", "genou"),
            ("hiboux", "hibou"),
            ("jeux", "jeu"),
            ("lieux", "lieu"),
            ("neveux", "neveu"),
            ("travaux", "travail"),
            ("vitraux", "vitrail"),
        ],
        // The singular of "-aux" is "-al" or "-au": both become one.
        endings: &[
            ("eaux", "eau", 0),
            ("eau", "eau", 0),
            ("aux", "al", 3),
            ("au", "al", 3),
        ],
    },
    Plurals {
        language: Language::German,
        words: &[
            ("chaos", "chaos"),
            ("kosmos", "kosmos"),
            ("lotos", "lotos"),
            ("madras", "madras"),
            ("thermos", "thermos"),
        ],
        endings: &[("as", "a", 3), ("os", "o", 3), ("ys", "y", 3)],
    },
    Plurals {
        language: Language::Portuguese,
        words: &[
            ("alemaes", "alemao"),
            ("aneis", "anel"),
            ("caes", "cao"),
            ("capitaes", "capitao"),
            ("dificeis", "dificil"),
            ("faceis", "facil"),
            ("fosseis", "fossil"),
            ("herois", "heroi"),
            ("paes", "pao"),
            ("repteis", "reptil"),
            ("texteis", "textil"),
            ("uteis", "util"),
        ],
        endings: &[
            ("oes", "ao", 1),
            ("aos", "ao", 1),
            ("eis", "el", 3),
            ("ois", "ol", 3),
            ("ais", "al", 3),
            ("uis", "ul", 2),
            ("ens", "em", 2),
            ("ons", "om", 1),
            ("uns", "um", 1),
        ],
    },
    Plurals {
        language: Language::Spanish,
        words: &[],
        // The singular of "-ces" is "-z" or "-ce": both become one.
        endings: &[("ces", "z", 1), ("ce", "z", 2)],
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
        plurals.map_or(Cow::Borrowed(word), |plurals| plurals.singular(word))
    }
}

impl Plurals {
    fn singular<'a>(&self, word: &'a str) -> Cow<'a, str> {
        if let Ok(at) = self.words.binary_search_by_key(&word, |(plural, _)| plural) {
            return Cow::Borrowed(self.words[at].1);
        }
        let mut endings = self.endings.iter();
        let ending = endings.find_map(|(plural, singular, least)| {
            let before = word.strip_suffix(plural)?;
            Some((before, singular, least))
        });
        match ending {
            Some((before, singular, least)) if before.chars().count() >= *least => {
                Cow::Owned(format!("{before}{singular}"))
            }
            _ => Cow::Borrowed(word),
        }
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
            (Language::French, "eaux", "eau"),
            (Language::French, "tuyaux", "tuyau"),
            (Language::French, "delicieux", "delicieuse"),
            (Language::German, "sofas", "sofa"),
            (Language::German, "autos", "auto"),
            (Language::German, "babys", "baby"),
            (Language::Portuguese, "limoes", "limao"),
            (Language::Portuguese, "papeis", "papel"),
            (Language::Portuguese, "lencois", "lencol"),
            (Language::Portuguese, "jornais", "jornal"),
            (Language::Portuguese, "nuvens", "nuvem"),
            (Language::Portuguese, "herois", "heroi"),
            (Language::Portuguese, "uteis", "util"),
            (Language::Spanish, "luces", "luz"),
            (Language::Spanish, "altavoces", "altavoz"),
            (Language::Spanish, "dulces", "dulce"),
            (Language::Spanish, "indices", "indice"),
        ] {
            let stems = Stems::of(language);
            assert_eq!(stems.stem(plural), stems.stem(singular), "{plural}");
        }
    }

    #[test]
    fn other_words_stay_apart() {
        assert!(PLURALS.iter().all(|one| one.words.is_sorted()));
        for (language, one, other) in [
            (Language::French, "chaux", "chale"),
            (Language::German, "thermos", "thermo"),
            (Language::Portuguese, "maes", "maos"),
            (Language::Portuguese, "pais", "pal"),
        ] {
            let stems = Stems::of(language);
            assert_ne!(stems.stem(one), stems.stem(other), "{one}");
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
