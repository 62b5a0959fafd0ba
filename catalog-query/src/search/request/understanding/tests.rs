//! Tests of what queries are taken to mean, by the words of a small catalog.

use catalog_events::Product;
use tempfile::TempDir;

use super::*;
use crate::index::KeywordIndex;
use crate::index::tests::support::{index_of, product, text};
use crate::search::rules::synonyms::SynonymRule;

fn catalog() -> (TempDir, KeywordIndex) {
    let described = |id: &str, title: &str, description: &str| Product {
        description: description.to_owned(),
        ..product(id, title)
    };
    let monitor = Product {
        sku: Some("LG-27UP850".to_owned()),
        attributes: [("panel".to_owned(), text("Matte IPS"))].into(),
        ..product("monitor", "LG monitor 27\"")
    };
    index_of(&[
        described("bank", "Anker power bank", "charges phones"),
        product("bank2", "Power bank 10000 mAh"),
        product("notebook", "HP notebook 15.6 inch"),
        product("sleeve", "Laptop sleeve 15.6\""),
        product("sleeve2", "Laptop sleeves, 2 pcs"),
        product("watch", "Garmin smart watch"),
        product("watch2", "Garmin Smartwatch"),
        product("disk", "Hard disk 1TB"),
        product("fan", "Case fans"),
        monitor,
    ])
}

struct Setup {
    _folder: TempDir,
    index: KeywordIndex,
    synonyms: Synonyms,
}

fn setup() -> Setup {
    let (_folder, index) = catalog();
    let synonyms = Synonyms::new(
        Language::English,
        [
            SynonymRule::TwoWay(vec!["laptop".to_owned(), "notebook".to_owned()]),
            SynonymRule::OneWay {
                from: "battery pack".to_owned(),
                to: vec!["power bank".to_owned()],
            },
        ],
    );
    Setup {
        _folder,
        index,
        synonyms,
    }
}

impl Setup {
    fn understand(&self, typed: &str, is_verbatim: bool) -> UnderstoodQuery {
        let query = ParsedQuery::parse(typed, Language::English).expect(typed);
        let snapshot = self.index.snapshot();
        let vocabulary = snapshot.vocabulary();
        let weights = KeywordWeights::default();
        if is_verbatim {
            verbatim(&query, &vocabulary)
        } else {
            understand(
                &query,
                &vocabulary,
                &Dictionary::default(),
                &self.synonyms,
                &weights,
            )
        }
        .expect(typed)
    }

    fn found(&self, understood: &UnderstoodQuery) -> Vec<String> {
        let weights = KeywordWeights::default();
        let snapshot = self.index.snapshot();
        let found = snapshot.search(&understood.terms, &weights, 10, None);
        let hits = found.expect("search").hits.into_iter();
        hits.map(|hit| hit.product_id.to_string()).collect()
    }

    /// Checks what a query is corrected to, and that it finds these products.
    fn check(&self, typed: &str, corrected: Option<&str>, found: &[&str]) {
        let understood = self.understand(typed, false);
        assert_eq!(understood.corrected.as_deref(), corrected, "{typed:?}");
        let hits = self.found(&understood);
        let has = |id: &&str| hits.iter().any(|hit| hit == id);
        assert!(found.iter().all(has), "{typed:?}: {hits:?}");
    }
}

#[test]
fn a_word_that_no_product_has_is_corrected() {
    let setup = setup();
    for typo in ["mnoitor", "monitr", "moniitor", "monytor", "Monitur"] {
        setup.check(typo, Some("monitor"), &["monitor"]);
    }
    setup.check("garmin smartwotsh", Some("garmin smartwatch"), &["watch2"]);
    setup.check(
        "Matte mnoitor -sleeve",
        Some("Matte monitor -sleeve"),
        &["monitor"],
    );
    // Of the words that are near, products have this one together with the other word.
    setup.check("laptop sleve", Some("laptop sleeve"), &["sleeve"]);
    // Forms of known words, short words, quoted ones and those with digits are left alone.
    for (fine, first) in [
        ("monitors", "monitor"),
        ("fan", "fan"),
        ("sleeves", "sleeve2"),
    ] {
        let understood = setup.understand(fine, false);
        assert_eq!(understood.corrected, None, "{fine}");
        assert!(
            setup.found(&understood).contains(&first.to_owned()),
            "{fine}"
        );
    }
    for hopeless in ["fon", "27UP851", "\"mnoitor\"", "xyzzyx", "ノートパソコン"] {
        setup.check(hopeless, None, &[]);
        assert_eq!(
            setup.found(&setup.understand(hopeless, false)),
            [""; 0],
            "{hopeless}"
        );
    }
    let verbatim = setup.understand("mnoitor", true);
    assert_eq!(
        (verbatim.corrected.as_deref(), setup.found(&verbatim).len()),
        (None, 0)
    );
}

#[test]
fn compounds_match_however_they_are_written() {
    let setup = setup();
    setup.check("powerbank", Some("power bank"), &["bank", "bank2"]);
    setup.check("note book", Some("notebook"), &["notebook"]);
    setup.check("smart watch", None, &["watch", "watch2"]);
    setup.check("smartwatch", None, &["watch2", "watch"]);
    let watch = setup.understand("smartwatch", false);
    assert_eq!(watch.words[0].synonyms, ["smart watch"]);
}

#[test]
fn units_match_however_they_are_written() {
    let setup = setup();
    for query in [
        "27\" monitor",
        "27 inch monitor",
        "27-inch monitor",
        "27in monitor",
    ] {
        setup.check(query, None, &["monitor"]);
    }
    for query in ["1 TB", "1tb", "hard disk 1 tb"] {
        setup.check(query, None, &["disk"]);
    }
    setup.check("15.6\"", None, &["notebook", "sleeve"]);
}

#[test]
fn synonyms_of_words_and_phrases_count_as_them() {
    let setup = setup();
    setup.check("laptop 15.6 inch", None, &["sleeve", "notebook"]);
    setup.check("notebook sleeve", None, &["sleeve"]);
    setup.check("battery pack", None, &["bank", "bank2"]);
    let laptop = setup.understand("laptop", false);
    assert_eq!(setup.found(&laptop).len(), 3);
    assert_eq!(setup.found(&setup.understand("laptop", true)).len(), 2);
    assert_eq!(
        setup.found(&setup.understand("laptop -sleeve", false)),
        ["notebook"]
    );
}

#[test]
fn phrases_are_required_and_exclusions_left_out() {
    let setup = setup();
    setup.check("\"power bank\"", None, &["bank", "bank2"]);
    for (query, ids) in [
        ("\"bank power\"", &[][..]),
        ("\"smart watch\" garmin", &["watch"]),
        ("garmin -smartwatch", &[]),
        ("bank -\"anker power\"", &["bank2"]),
        (
            "-bank -garmin -laptop",
            &["disk", "fan", "monitor", "notebook"],
        ),
        ("LG-27UP850", &["monitor"]),
        ("lg27up850 -lg", &[]),
    ] {
        assert_eq!(setup.found(&setup.understand(query, false)), ids, "{query}");
    }
}
