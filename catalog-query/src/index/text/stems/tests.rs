//! Holds the forms of words together, and other words apart.

use super::*;
use crate::index::text::signs::folded;
use crate::index::text::stems::forms::FORMS;

/// Lines of the form `LANGUAGE: forms of one word | forms of another`, with accents.
const WORDS: &str = include_str!("words.txt");

#[test]
fn forms_of_a_word_have_one_stem() {
    let mut apart = Vec::new();
    for line in WORDS.lines() {
        let (language, words) = line.split_once(": ").unwrap();
        let stems = Stems::of(language.parse().unwrap());
        for forms in words.split(" | ") {
            let found: Vec<String> = forms
                .split(' ')
                .map(|form| stems.stem(&folded(form)))
                .collect();
            if found.iter().any(|stem| *stem != found[0]) {
                apart.push(format!("{language} {forms}: {}", found.join(" ")));
            }
        }
    }
    assert!(apart.is_empty(), "{}", apart.join("\n"));
}

#[test]
fn other_words_stay_apart() {
    for (language, one, other) in [
        (Language::Dutch, "rok", "rook"),
        (Language::Dutch, "boom", "bom"),
        (Language::Dutch, "roos", "roze"),
        (Language::French, "chaux", "chale"),
        (Language::French, "tasse", "tas"),
        (Language::French, "lange", "longue"),
        (Language::German, "thermos", "thermo"),
        (Language::German, "bett", "beet"),
        (Language::Portuguese, "maes", "maos"),
        (Language::Portuguese, "pais", "pal"),
        (Language::Russian, "стол", "стул"),
        (Language::Russian, "кот", "кит"),
        (Language::Spanish, "papel", "papa"),
        (Language::Swedish, "stol", "stal"),
        (Language::Turkish, "masa", "masaj"),
    ] {
        let stems = Stems::of(language);
        assert_ne!(stems.stem(one), stems.stem(other), "{one}");
    }
}

#[test]
fn words_of_other_scripts_have_the_stem_of_their_language() {
    let stems = Stems::of(Language::English);
    for (one, other) in [
        ("чашки", "чашка"),
        ("παπουτσια", "παπουτσι"),
        ("الساعة", "ساعات"),
    ] {
        assert_eq!(stems.stem(one), stems.stem(other), "{one}");
        let verbatim = Stems::of(Language::None);
        assert_ne!(verbatim.stem(one), verbatim.stem(other));
    }
}

#[test]
fn irregular_plurals_have_the_stem_of_their_singular() {
    let stems = Stems::of(Language::English);
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

#[test]
fn words_are_in_order_to_be_found() {
    assert!(IRREGULAR.is_sorted() && ENDING_IN_S.is_sorted());
    for forms in FORMS {
        assert!(forms.words.is_sorted(), "{:?}", forms.language);
    }
}
