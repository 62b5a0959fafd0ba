//! The language of a catalog. It decides which forms of a word count as one, and documents and
//! queries of one index share it.

use std::str::FromStr;

use frostem::{Algorithm, Stemmer};

/// The language that `CATALOG_QUERY_LANGUAGE` sets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// Words are not stemmed.
    None,
    Arabic,
    Danish,
    Dutch,
    #[default]
    English,
    Finnish,
    French,
    German,
    Greek,
    Hungarian,
    Italian,
    Norwegian,
    Portuguese,
    Romanian,
    Russian,
    Spanish,
    Swedish,
    Tamil,
    Turkish,
}

#[derive(Debug, thiserror::Error)]
#[error("not one of {}", names().join(", "))]
pub struct InvalidLanguage;

/// Each language with its name, its analyzer and its stemmer. The name of an analyzer is part of
/// the schema, and an index with another one is built anew: count up when it changes.
const LANGUAGES: &[(Language, &str, &str, Option<Algorithm>)] = &[
    (Language::None, "none", "catalog_none_7", None),
    (
        Language::Arabic,
        "arabic",
        "catalog_arabic_7",
        Some(Algorithm::Arabic),
    ),
    (
        Language::Danish,
        "danish",
        "catalog_danish_7",
        Some(Algorithm::Danish),
    ),
    (
        Language::Dutch,
        "dutch",
        "catalog_dutch_7",
        Some(Algorithm::Dutch),
    ),
    (
        Language::English,
        "english",
        "catalog_english_7",
        Some(Algorithm::English),
    ),
    (
        Language::Finnish,
        "finnish",
        "catalog_finnish_7",
        Some(Algorithm::Finnish),
    ),
    (
        Language::French,
        "french",
        "catalog_french_7",
        Some(Algorithm::French),
    ),
    (
        Language::German,
        "german",
        "catalog_german_7",
        Some(Algorithm::German),
    ),
    (
        Language::Greek,
        "greek",
        "catalog_greek_7",
        Some(Algorithm::Greek),
    ),
    (
        Language::Hungarian,
        "hungarian",
        "catalog_hungarian_7",
        Some(Algorithm::Hungarian),
    ),
    (
        Language::Italian,
        "italian",
        "catalog_italian_7",
        Some(Algorithm::Italian),
    ),
    (
        Language::Norwegian,
        "norwegian",
        "catalog_norwegian_7",
        Some(Algorithm::Norwegian),
    ),
    (
        Language::Portuguese,
        "portuguese",
        "catalog_portuguese_7",
        Some(Algorithm::Portuguese),
    ),
    (
        Language::Romanian,
        "romanian",
        "catalog_romanian_7",
        Some(Algorithm::Romanian),
    ),
    (
        Language::Russian,
        "russian",
        "catalog_russian_7",
        Some(Algorithm::Russian),
    ),
    (
        Language::Spanish,
        "spanish",
        "catalog_spanish_7",
        Some(Algorithm::Spanish),
    ),
    (
        Language::Swedish,
        "swedish",
        "catalog_swedish_7",
        Some(Algorithm::Swedish),
    ),
    (
        Language::Tamil,
        "tamil",
        "catalog_tamil_7",
        Some(Algorithm::Tamil),
    ),
    (
        Language::Turkish,
        "turkish",
        "catalog_turkish_7",
        Some(Algorithm::Turkish),
    ),
];

impl FromStr for Language {
    type Err = InvalidLanguage;

    fn from_str(name: &str) -> Result<Self, InvalidLanguage> {
        let mut languages = LANGUAGES.iter();
        let found = languages.find(|(_, known, ..)| known.eq_ignore_ascii_case(name.trim()));
        found.map(|(language, ..)| *language).ok_or(InvalidLanguage)
    }
}

impl Language {
    /// The name of the analyzer.
    pub(crate) fn analyzer(self) -> &'static str {
        self.row().2
    }

    /// The stemmer, or None if words are not stemmed.
    pub(crate) fn stemmer(self) -> Option<Stemmer> {
        self.row().3.map(Stemmer::new)
    }

    /// The language as tantivy names it, where it has a list of its function words.
    pub(crate) fn of_tantivy(self) -> Option<tantivy::tokenizer::Language> {
        use tantivy::tokenizer::Language as Known;
        Some(match self {
            Self::Danish => Known::Danish,
            Self::Dutch => Known::Dutch,
            Self::English => Known::English,
            Self::Finnish => Known::Finnish,
            Self::French => Known::French,
            Self::German => Known::German,
            Self::Hungarian => Known::Hungarian,
            Self::Italian => Known::Italian,
            Self::Norwegian => Known::Norwegian,
            Self::Portuguese => Known::Portuguese,
            Self::Russian => Known::Russian,
            Self::Spanish => Known::Spanish,
            Self::Swedish => Known::Swedish,
            Self::None
            | Self::Arabic
            | Self::Greek
            | Self::Romanian
            | Self::Tamil
            | Self::Turkish => return None,
        })
    }

    /// Whether the language makes plurals of names with an "s".
    pub(crate) fn has_plurals_in_s(self) -> bool {
        matches!(
            self,
            Self::English
                | Self::French
                | Self::Spanish
                | Self::Portuguese
                | Self::Dutch
                | Self::German
        )
    }

    /// Whether the language writes "ü" as "ue" where it has to.
    pub(crate) fn spells_umlauts(self) -> bool {
        matches!(
            self,
            Self::Danish | Self::Finnish | Self::German | Self::Norwegian | Self::Swedish
        )
    }

    /// Whether words of the language are put together without a space as a rule.
    pub(crate) fn has_compounds(self) -> bool {
        matches!(
            self,
            Self::Danish
                | Self::Dutch
                | Self::Finnish
                | Self::German
                | Self::Hungarian
                | Self::Norwegian
                | Self::Swedish
        )
    }

    fn row(self) -> &'static (Self, &'static str, &'static str, Option<Algorithm>) {
        &LANGUAGES[self as usize]
    }
}

fn names() -> Vec<&'static str> {
    LANGUAGES.iter().map(|(_, name, ..)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_by_its_name() {
        for (language, name, analyzer, stems) in LANGUAGES {
            assert_eq!(name.parse::<Language>().ok(), Some(*language));
            assert_eq!(
                language.row().1,
                *name,
                "rows are in the order of the names"
            );
            assert_eq!(language.stemmer().is_some(), stems.is_some());
            assert!(analyzer.contains(name), "{analyzer}");
        }
        assert_eq!("German".parse::<Language>().ok(), Some(Language::German));
        let err = "klingon".parse::<Language>().expect_err("no language");
        assert!(err.to_string().contains("english, finnish"), "{err}");
    }

    #[test]
    fn forms_of_a_word_have_one_stem_in_its_language() {
        for (language, one, other) in [
            (Language::English, "cables", "cable"),
            (Language::German, "druckern", "drucker"),
            (Language::French, "imprimantes", "imprimante"),
            (Language::Spanish, "impresoras", "impresora"),
            (Language::Russian, "принтеры", "принтер"),
        ] {
            assert_eq!(language.stem(one), language.stem(other), "{language:?}");
            assert_ne!(Language::None.stem(one), Language::None.stem(other));
        }
    }
}
