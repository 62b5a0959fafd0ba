//! Tests of what half typed and mistyped words are taken to mean.

use super::*;
use crate::index::tests::support::{index_of, product};

const CATALOG: &[&str] = &[
    "Laser printer",
    "Laser printer, duplex",
    "Colour laser printer",
    "Laser print cartridge",
    "Laptop stand",
    "Laptop stand, foldable",
    "Stapler",
    "Stapler, blue",
    "Stapler, red",
    "Microwave oven",
    "Micro cable",
    "Micro cable 2 m",
    "Micro adapter",
    "Micro hub",
    "Micro plug",
    "USB stick 8 GB",
    "USB stick 16 GB",
    "Tick repellent",
    "Tick repellent, kids",
    "Tick tongs",
    "Radio",
    "Radio, portable",
    "Audio cable",
    "Audio cable 5 m",
    "Audio adapter",
    "Audio plug",
    "Gaming mouse",
    "Gaming keyboard",
    "Gaming chair",
    "Gaming desk",
    "Gaming pad",
    "AGM battery",
    "Cat toy",
    "Cat litter",
    "Category 6 cable",
    "Headset",
    "Headset, wireless",
    "Head light",
    "Drive bay",
    "Drive bay, black",
    "Drive U lock",
    "Garden hoselamp",
    "Desk lamp",
    "Hard drive",
    "Hard drive, portable",
    "Harddrive",
];

/// What each query becomes: its corrected text, and the text that is embedded.
fn check(cases: &[(&str, Option<&str>, &str)]) {
    let products: Vec<_> = (0..)
        .zip(CATALOG)
        .map(|(number, title)| product(&format!("p{number}"), title))
        .collect();
    let (_folder, index) = index_of(&products);
    let snapshot = index.snapshot();
    let vocabulary = snapshot.vocabulary();
    for (typed, corrected, meant) in cases {
        let query = ParsedQuery {
            is_open: true,
            ..ParsedQuery::parse(typed, Language::English).expect("query")
        };
        let understood = understand(
            &query,
            &vocabulary,
            &Dictionary::default(),
            &Synonyms::default(),
            &KeywordWeights::default(),
        )
        .expect("understood");
        assert_eq!(
            (understood.corrected.as_deref(), understood.text.as_str()),
            (*corrected, *meant),
            "{typed:?}"
        );
    }
}

#[test]
fn a_beginning_is_embedded_as_what_it_begins() {
    check(&[
        ("micropl", None, "micropl"),
        ("microw", None, "microwave"),
        ("headse", None, "headset"),
        ("laptop sta", None, "laptop stand"),
        ("sta", None, "stapler"),
        // It is a word itself, that names have often enough.
        ("cat", None, "cat"),
        ("laser print", None, "laser printer"),
        ("laser printe", None, "laser printer"),
        // A product that writes it as one word does not hide those that write two.
        ("hard driv", None, "hard drive"),
    ]);
}

#[test]
fn of_what_may_be_meant_the_likeliest_is_taken() {
    check(&[
        // Of words that are equally near, letters swapped or left out are the likelier mistakes.
        ("ardio", Some("radio"), "radio"),
        ("rado", Some("radio"), "radio"),
        // The words around tell more than the number of products.
        ("usb tick", None, "usb tick"),
        ("usb stik", Some("usb stick"), "usb stick"),
        ("usb ttick", Some("usb stick"), "usb stick"),
        // "agm" with an ending is no word.
        ("agming mouse", Some("gaming mouse"), "gaming mouse"),
        // One letter too many is likelier than a lock that nobody asks for.
        ("driveu bay", Some("drive bay"), "drive bay"),
        ("lpa", None, "lpa"),
    ]);
}

#[test]
fn a_short_number_behind_a_word_is_a_part_of_its_name() {
    let texts = [
        ("a", "DDR4 memory 8 GB"),
        ("b", "DDR4 memory 16 GB"),
        ("c", "Memory DDR 4"),
        ("d", "DDR2 memory, kit of 4"),
        ("e", "Monitor 24 inch"),
        ("f", "Monitor arm, 24 parts"),
    ];
    let (_folder, index) = index_of(&texts.map(|(id, title)| product(id, title)));
    let snapshot = index.snapshot();
    let weights = KeywordWeights::default();
    for (typed, ids) in [
        ("ddr 4", &["c", "a", "b"][..]),
        ("ddr 4 memory", &["c", "a", "b"]),
        ("memory ddr 4", &["c", "a", "b"]),
        ("ddr 2 memory", &["d"]),
        // Too few products have these in a row.
        ("monitor 24", &["e", "f"]),
    ] {
        let query = ParsedQuery::parse(typed, Language::English).expect("query");
        let vocabulary = snapshot.vocabulary();
        let understood = understand(
            &query,
            &vocabulary,
            &Dictionary::default(),
            &Synonyms::default(),
            &weights,
        );
        let terms = understood.expect("understood").terms;
        let found = snapshot.search(&terms, &weights, 9, None).expect("search");
        let hits = found.hits.iter();
        let found: Vec<&str> = hits.map(|hit| hit.product_id.as_str()).collect();
        assert_eq!(found, ids, "{typed:?}");
    }
}
