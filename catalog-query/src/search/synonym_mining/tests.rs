//! Words of one meaning are found among words in similar places, in a real feed and in a made-up
//! one.

use std::path::PathBuf;

use catalog_events::Product;

use super::*;
use crate::embedding::LocalEmbedder;
use crate::index::Language;
use crate::index::tests::support::{index_in_one_go, product};
use crate::search::rules::synonyms::{SynonymRule, Synonyms};
use crate::search::tests::judged::feed;

/// Runs on the real feed in the folder that `CATALOG_JUDGMENTS_DIR` names, or on a made-up one.
#[tokio::test(flavor = "multi_thread")]
async fn words_that_are_used_for_the_same_are_among_the_first() {
    let folder = std::env::var_os("CATALOG_JUDGMENTS_DIR").map(PathBuf::from);
    let products = folder.map_or_else(made_up, |folder| feed(&folder));
    let found = mined(&products, RuleSet::default(), 30).await;
    let place = found.iter().position(|pair| {
        let mut words = [pair.term.as_str(), pair.synonym.as_str()];
        words.sort_unstable();
        words == ["laptop", "notebook"]
    });
    assert!(place.is_some_and(|place| place < 20), "{found:#?}");
    for pair in &found {
        assert!((0.0..=1.0).contains(&pair.confidence), "{pair:?}");
    }
}

#[test]
fn forms_of_a_word_are_no_pair() {
    for (one, other) in [
        ("cabling", "cables"),
        ("phone", "smartphone"),
        ("usb", "usbc"),
    ] {
        assert!(
            is_form_of(one, other) && is_form_of(other, one),
            "{one} {other}"
        );
    }
    for (one, other) in [
        ("laptop", "notebook"),
        ("tv", "television"),
        ("lock", "loch"),
    ] {
        assert!(!is_form_of(one, other), "{one} {other}");
    }
}

/// Products whose titles say "laptop" and "notebook" for the same bags, with colours and makes that
/// only stand in the same places.
fn made_up() -> Vec<Product> {
    let titles = (0..240).map(|number| {
        let make = ["Acme", "Volta", "Inka"][number % 3];
        let colour = ["red", "blue", "green", "black"][number % 4];
        let thing = match number % 6 {
            0 => "laptop sleeve, notebook case",
            1 => "notebook bag",
            2 => "laptop bag",
            3 => "printer cable",
            4 => "camera tripod",
            _ => "desk lamp",
        };
        format!("{make} {colour} {thing} {number}")
    });
    titles
        .zip(0..)
        .map(|(title, number)| product(&format!("p{number}"), &title))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_has_decided_is_suggested_no_more() {
    let products = made_up();
    let found = mined(&products, RuleSet::default(), 2).await;
    let [first, second] = found.as_slice() else {
        panic!("two pairs: {found:?}");
    };
    let terms = |pair: &SynonymPair| vec![pair.synonym.clone(), pair.term.clone()];
    let mut rules = RuleSet::default();
    rules.synonyms = Synonyms::new(
        Language::default(),
        [
            SynonymRule::Distinct(terms(first)),
            SynonymRule::TwoWay(terms(second)),
        ],
    );
    let left = mined(&products, rules, 2).await;
    // As many as were asked for: the next ones move up.
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(!left.contains(first) && !left.contains(second), "{left:?}");
}

async fn mined(products: &[Product], rules: RuleSet, limit: usize) -> Vec<SynonymPair> {
    let (_folder, index) = index_in_one_go(products);
    let model = devkit::embedding_model().await.expect("model");
    let embedder = LocalEmbedder::load(&model.folder, 2).expect("embedder");
    let (steps, mut taken) = mpsc::channel(1);
    let (found, ()) = tokio::join!(
        suggest(index.snapshot(), &embedder, Arc::new(rules), limit, steps),
        async {
            let mut done = 0;
            while let Some((words, of)) = taken.recv().await {
                assert!(done < words && words <= of);
                done = words;
            }
        }
    );
    found.expect("suggestions")
}
