//! Tests of what a search by words and meaning answers where there are few vectors, and where the
//! catalog has another name for a thing.

use catalog_events::Product;

use crate::index::tests::support::{index_of, printers_and_cables, product, with_attributes};
use crate::read_model::Coverage;
use crate::search::ranking::profile::RankingProfile;
use crate::search::strategy::kind::StrategyKind;
use crate::search::strategy::search_strategy::SearchOutcome;
use crate::search::tests::strategies::{Model, setup_with};

fn first_ten(outcome: &SearchOutcome) -> Vec<String> {
    let ids = outcome.hits.iter().map(|hit| hit.product_id.to_string());
    ids.take(10).collect()
}

#[tokio::test]
async fn without_vectors_an_answer_is_that_of_the_words() {
    for (model, embedded) in [
        (None, u64::MAX),
        (Some(Model::Fails), u64::MAX),
        (Some(Model::Hangs), u64::MAX),
        (Some(Model::Answers), 0),
    ] {
        let index = index_of(&printers_and_cables());
        let setup = setup_with(index, model, &[], Coverage::new(embedded));
        for query in ["printer", "inka printer cable", "printer 600 dots"] {
            let by_words = setup.search(StrategyKind::Keyword, query).await;
            let hybrid = setup.search(StrategyKind::Hybrid, query).await;
            let (by_words, hybrid) = (by_words.expect("search"), hybrid.expect("search"));
            assert_eq!(first_ten(&hybrid), first_ten(&by_words), "{query}");
            assert_eq!(hybrid.words, by_words.words, "{query}");
        }
    }
}

#[tokio::test]
async fn a_thing_comes_first_by_whatever_name_the_catalog_has_for_it() {
    let attributes = |names: [&'static str; 3]| names.map(|name| (name, "x"));
    let notebooks = (0..12).map(|number| {
        let names = attributes(["processor", "memory", "display"]);
        with_attributes(&format!("n{number:02}"), "Nobo notebook 15 inch", &names)
    });
    let sleeves = (0..12).map(|number| {
        let names = attributes(["material", "strap", "pockets"]);
        with_attributes(&format!("s{number:02}"), "Nobo laptop sleeve", &names)
    });
    let named = Product {
        brand: Some("Laptop".to_owned()),
        ..product("z", "adapter")
    };
    let near: Vec<String> = (0..12).map(|number| format!("n{number:02}")).collect();
    let near: Vec<&str> = near.iter().map(String::as_str).collect();
    let mut products: Vec<Product> = notebooks.chain(sleeves).collect();
    let check = async |products: &[Product], first: char, vector_weight: f64| {
        let (index, all) = (index_of(products), Coverage::new(u64::MAX));
        let setup = setup_with(index, Some(Model::Answers), &near, all);
        let found = setup.search(StrategyKind::Hybrid, "laptop").await;
        let found = found.expect("search");
        let ids = first_ten(&found);
        assert!(ids.iter().all(|id| id.starts_with(first)), "{ids:?}");
        assert_eq!(found.vector_weight, vector_weight);
    };
    check(&products, 'n', 1.0).await;
    // A brand means products of all kinds.
    products.push(named);
    check(&products, 's', RankingProfile::default().vector_weight).await;
}
