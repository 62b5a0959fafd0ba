//! Draws the products that are looked for.

use std::fmt;

use super::catalog::Catalog;
use super::remembered::{Remembered, remember};
use super::words::normalised;

/// How often a query is made anew when other products have all its words too.
const DRAWS_MAX: u64 = 8;

/// A product that is looked for.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) title: String,
    pub(super) normalised: String,
    pub(super) query: Remembered,
}

/// How many products that were drawn are not looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(super) struct LeftOut {
    /// Their titles have fewer than three words.
    pub(super) few_words: usize,
    /// Other products have all the words too, whichever are remembered.
    pub(super) ambiguous: usize,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            few_words,
            ambiguous,
        } = self;
        write!(
            f,
            "{few_words} have fewer than three words, {ambiguous} share theirs with other products"
        )
    }
}

/// Draws up to `count` products, and tells how many of those drawn were left out.
pub(super) fn draw(catalog: &Catalog, count: usize, seed: u64) -> (Vec<Item>, LeftOut) {
    let mut titles: Vec<&String> = catalog.titles().collect();
    fastrand::Rng::with_seed(seed).shuffle(&mut titles);
    let (mut items, mut left_out) = (Vec::new(), LeftOut::default());
    for title in titles {
        if items.len() == count {
            break;
        }
        if remember(title, seed).is_none() {
            left_out.few_words += 1;
            continue;
        }
        let mut queries = (0..DRAWS_MAX).filter_map(|draw| remember(title, seed ^ (draw << 32)));
        match queries.find(|query| catalog.identify(&query.kept)) {
            Some(query) => items.push(Item {
                title: title.clone(),
                normalised: normalised(title),
                query,
            }),
            None => left_out.ambiguous += 1,
        }
    }
    (items, left_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_identify_is_left_out_and_counted() {
        let titles = [
            ("1", "Fjell walnut standing desk"),
            ("2", "Fjell oak standing desk"),
            ("3", "Lens case"),
            ("4", "Akaru travel mouse red"),
            ("5", "Akaru travel mouse"),
        ];
        let titles = titles.map(|(id, title)| (id.to_owned(), title.to_owned()));
        let catalog = Catalog::of(titles.into_iter().collect());
        let (items, left_out) = draw(&catalog, 10, 1);
        let expected = LeftOut {
            few_words: 1,
            ambiguous: 1,
        };
        assert_eq!(left_out, expected, "the last is within the one before");
        let mut found: Vec<&str> = items.iter().map(|item| item.title.as_str()).collect();
        found.sort_unstable();
        assert_eq!(
            found,
            [
                "Akaru travel mouse red",
                "Fjell oak standing desk",
                "Fjell walnut standing desk"
            ]
        );
        for item in &items {
            assert!(catalog.identify(&item.query.kept), "{item:?}");
        }
        let again = draw(&catalog, 10, 1).0;
        let texts = |items: &[Item]| {
            items
                .iter()
                .map(|one| one.query.text.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(texts(&items), texts(&again));
        assert_eq!(draw(&catalog, 2, 1).0.len(), 2);
    }
}
