//! Asks what shoppers type, over small catalogs. Each file of `tests/queries` holds the catalogs and
//! the queries of one kind; a test fails with every query of its kind that is answered wrongly.

mod adapter;
mod judge;
mod meaning;
mod shop;
mod table;

use self::judge::faults;
use self::shop::Shop;

/// The fewest queries of all kinds together.
const QUERIES_MIN: usize = 150;

macro_rules! kinds {
    ($($kind:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $kind() {
                check(stringify!($kind)).await;
            }
        )+

        const KINDS: &[&str] = &[$(stringify!($kind)),+];
    };
}

kinds![
    accents,
    apostrophes,
    as_you_type,
    attributes,
    compounds,
    decimals,
    dimensions,
    exclusions,
    fractions,
    joined,
    letters_and_digits,
    match_modes,
    meanings,
    nonsense,
    part_numbers,
    phrases,
    plurals,
    scripts,
    symbols,
    synonyms,
    things_and_accessories,
    thousands,
    typos,
    units,
    without_spaces,
    worth,
];

/// Fails with all queries of a kind that are answered wrongly.
async fn check(kind: &str) {
    let (mut asked, mut wrong) = (0, Vec::new());
    for catalog in table::read(kind) {
        let shop = Shop::open(&catalog).await;
        for query in &catalog.queries {
            asked += 1;
            let answer = shop.ask(query).await;
            let faults = faults(&catalog, query, &answer);
            if !faults.is_empty() {
                wrong.push(format!("{query}, {}: {}", catalog.name, faults.join("; ")));
            }
        }
    }
    let right = asked - wrong.len();
    println!("{kind}: {right} of {asked} queries are answered rightly");
    assert!(
        wrong.is_empty(),
        "{kind}: {} of {asked} queries are answered wrongly\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_file_of_queries_is_asked() {
    assert_eq!(table::kinds(), KINDS);
    let catalogs = KINDS.iter().flat_map(|kind| table::read(kind));
    let queries: usize = catalogs.map(|catalog| catalog.queries.len()).sum();
    println!("{queries} queries");
    assert!(queries >= QUERIES_MIN, "{queries} queries");
}
