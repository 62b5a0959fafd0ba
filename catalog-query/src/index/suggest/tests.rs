//! Suggestions of small catalogs, with and without the table of large ones.

use catalog_events::{Position, Product};

use crate::index::keyword_index::KeywordIndex;
use crate::index::popularity::Popularity;
use crate::index::suggest::tally::Counts;
use crate::index::tests::support::{changed, deleted, index_of, open, product};

/// Checks suggestions without a table, and with the table of a large catalog.
fn check_viewed(
    index: &KeywordIndex,
    views: &[(&str, u64)],
    typed: &str,
    expected: &[(&str, u64, u64)],
) {
    let views_of = |(id, views): &(&str, u64)| (id.parse().expect("id"), *views);
    let popularity = Popularity::new(views.iter().map(views_of).collect());
    let snapshot = index.snapshot();
    let table = snapshot.suggestion_table(&popularity).expect("table");
    for table in [None, Some(&table)] {
        let suggestions = snapshot
            .complete(typed, 3, table, &popularity)
            .expect("complete");
        let found: Vec<_> = suggestions
            .iter()
            .map(|one| (one.text.as_str(), one.documents, one.views))
            .collect();
        assert_eq!(found, expected, "{typed:?}, table: {}", table.is_some());
    }
}

fn check(index: &KeywordIndex, typed: &str, expected: &[(&str, u64)]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|(text, documents)| (*text, *documents, 0))
        .collect();
    check_viewed(index, &[], typed, &expected);
}

fn products() -> Vec<Product> {
    let titles = [
        "Wireless Mouse",
        "Wireless mouse, black",
        "Wireless Keyboard",
        "Wired mouse",
        "Öko Mouse-Pad",
    ];
    let product = |(number, title): (usize, &str)| Product {
        brand: (number == 3).then(|| "Western Digital".to_owned()),
        ..product(&format!("p{number}"), title)
    };
    titles.into_iter().enumerate().map(product).collect()
}

#[test]
fn ends_words_and_pairs_the_most_common_first() {
    let (_folder, index) = index_of(&products());
    check(
        &index,
        "wi",
        &[("wireless", 3), ("wireless mouse", 2), ("wired", 1)],
    );
    check(
        &index,
        "WIRELESS ",
        &[("wireless mouse", 2), ("wireless keyboard", 1)],
    );
    check(
        &index,
        "wireless m",
        &[("wireless mouse", 2), ("wireless mouse black", 1)],
    );
    check(&index, "western", &[("western digital", 1)]);
    check(&index, "ök", &[("öko", 1), ("öko mouse", 1)]);
    // No pair has both words, so the words before restrict the products.
    check(&index, "black mo", &[("black mouse", 1)]);
    // No product has both words, but one has a similar word.
    check(&index, "keyboard wired", &[("keyboard wireless", 1)]);
}

#[test]
fn forgives_typos_after_a_few_letters() {
    let (_folder, index) = index_of(&products());
    check(
        &index,
        "wirelss",
        &[
            ("wireless", 3),
            ("wireless mouse", 2),
            ("wireless keyboard", 1),
        ],
    );
    check(&index, "keyborad", &[("keyboard", 1)]);
    check(&index, "wrl", &[]);
}

#[test]
fn counts_what_is_there_and_takes_anything() {
    let folder = tempfile::tempdir().expect("folder");
    let (index, mut writer) = open(folder.path());
    let events: Vec<_> = products()
        .into_iter()
        .zip(1..)
        .map(|(one, at)| changed(at, 1, one))
        .collect();
    writer.apply(&events).expect("apply");
    writer.commit(Position(5)).expect("commit");
    writer.apply(&[deleted(6, 2, "p2")]).expect("apply");
    writer.commit(Position(6)).expect("commit");
    check(&index, "wireless k", &[]);
    check(
        &index,
        "wireless",
        &[("wireless", 2), ("wireless mouse", 2)],
    );
    for odd in ["", " ", "(*", "\u{0}", &"x".repeat(100), &"a ".repeat(50)] {
        check(&index, odd, &[]);
    }
}

#[test]
fn what_is_viewed_comes_first() {
    let (_folder, index) = index_of(&products());
    let views = [("p2", 5), ("p3", 2), ("p4", 0), ("gone", 9)];
    check_viewed(
        &index,
        &views,
        "wi",
        &[
            ("wireless", 3, 5),
            ("wireless keyboard", 1, 5),
            ("wired", 1, 2),
        ],
    );
    check_viewed(&index, &views, "western", &[("western digital", 1, 2)]);
    check_viewed(
        &index,
        &views,
        "mouse",
        &[("mouse", 4, 2), ("mouse black", 1, 0), ("mouse pad", 1, 0)],
    );
    // Only products that have the words before as well are counted.
    check_viewed(
        &index,
        &views,
        "mouse wire",
        &[("mouse wired", 1, 2), ("mouse wireless", 2, 0)],
    );
    let viewed = [("p0", 1), ("p2", 7)];
    check_viewed(
        &index,
        &viewed,
        "wirelss",
        &[
            ("wireless", 3, 8),
            ("wireless keyboard", 1, 7),
            ("wireless mouse", 2, 1),
        ],
    );
}

/// There are more words than are counted. The most viewed and the most common are counted all the
/// same.
#[test]
fn the_table_knows_the_few_of_many() {
    let mut products = Vec::new();
    for number in 0..200 {
        let times = 1 + usize::from(number == 150);
        for copy in 0..times {
            let id = format!("p{number}-{copy}");
            let word: String = format!("{number:03}")
                .bytes()
                .map(|digit| char::from(digit + 49))
                .collect();
            products.push(product(&id, &format!("w{word}")));
        }
    }
    let (_folder, index) = index_of(&products);
    check_viewed(
        &index,
        &[("p160-0", 3)],
        "w",
        &[("wbga", 1, 3), ("wbfa", 2, 0), ("waaa", 1, 0)],
    );
}

#[test]
fn model_numbers_make_no_pairs() {
    let (_folder, index) = index_of(&[product("p", "Acme AX5400QR Router 16GB 4K")]);
    check(&index, "acme", &[("acme", 1)]);
    check(&index, "ax54", &[("ax5400qr", 1)]);
    check(&index, "acme ax5", &[("acme ax5400qr", 1)]);
    check(&index, "router ", &[("router 16gb", 1)]);
    check(&index, "16gb ", &[("16gb 4k", 1)]);
}

#[test]
fn what_is_not_looked_at_is_estimated() {
    let counts = Counts {
        documents: 10,
        views: 3,
    };
    let scaled = counts.scaled(100, 1_000);
    assert_eq!((scaled.documents, scaled.views), (100, 30));
    let all = counts.scaled(100, 100);
    assert_eq!((all.documents, all.views), (10, 3));
    assert_eq!(Counts::default().scaled(0, 0).documents, 0);
}
