//! The report of an evaluation by known items.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::drawn::{Item, LeftOut};
use crate::eval::estimate::{Estimate, estimate};
use crate::search::Strategy;

const MISSED_SHOWN: usize = 10;
const HITS_PLACES: usize = 10;

/// What was looked for, and where it was found.
pub(super) struct Looked {
    pub(super) products: usize,
    pub(super) items: Vec<Item>,
    pub(super) left_out: LeftOut,
    /// The place of every item, from 1, by strategy.
    pub(super) places: BTreeMap<String, Vec<Option<usize>>>,
}

#[derive(Debug, Serialize)]
pub(in crate::eval) struct Report {
    /// The products of the catalog.
    products: usize,
    items: usize,
    left_out: LeftOut,
    strategies: BTreeMap<String, Summary>,
    /// What hybrid search has more than search by words, item by item, where both are measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    hybrid_minus_keyword: Option<Figures>,
}

#[derive(Debug, Serialize)]
struct Summary {
    all: Figures,
    /// The figures of the queries with a kind of change; a query may have several.
    by_change: BTreeMap<&'static str, Figures>,
    /// What was not found in the first place, the worst first.
    missed: Vec<Missed>,
}

#[derive(Debug, Serialize)]
struct Figures {
    queries: usize,
    hits_at_1: Option<Estimate>,
    hits_at_10: Option<Estimate>,
    /// The mean of one over the place; 0 for what is not among the first 50.
    mrr: Option<Estimate>,
}

#[derive(Debug, Serialize)]
struct Missed {
    query: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<usize>,
    changes: Vec<&'static str>,
}

impl Report {
    pub(super) fn of(looked: &Looked) -> Self {
        let strategies = looked.places.iter().map(|(strategy, places)| {
            let found: Vec<(&Item, Option<usize>)> =
                looked.items.iter().zip(places.iter().copied()).collect();
            (strategy.clone(), summary(&found))
        });
        let places = |strategy: Strategy| looked.places.get(strategy.name());
        let both = places(Strategy::Hybrid).zip(places(Strategy::Keyword));
        Self {
            hybrid_minus_keyword: both
                .map(|(hybrid, keyword)| Figures::difference(hybrid, keyword)),
            products: looked.products,
            items: looked.items.len(),
            left_out: looked.left_out,
            strategies: strategies.collect(),
        }
    }

    pub(in crate::eval) fn text(&self) -> String {
        let Self {
            products,
            items,
            left_out,
            strategies,
            hybrid_minus_keyword,
        } = self;
        let mut text =
            format!("{items} known items of {products} products; left out: {left_out}\n");
        for (strategy, summary) in strategies {
            let _ = writeln!(text, "{strategy}");
            let kinds = summary.by_change.iter().map(|(kind, of)| (*kind, of));
            for (kind, figures) in [("all", &summary.all)].into_iter().chain(kinds) {
                text += &figures.line(kind);
            }
            let not_found = |missed: &&Missed| missed.place.is_none_or(|at| at > HITS_PLACES);
            let missed = summary.missed.iter().filter(not_found);
            for missed in missed.take(MISSED_SHOWN) {
                let Missed { query, title, .. } = missed;
                let place = missed.place.map_or("-".to_owned(), |at| at.to_string());
                let _ = writeln!(text, "    {place:>3}  {query}  ({title})");
            }
        }
        if let Some(difference) = hybrid_minus_keyword {
            text += "hybrid - keyword\n";
            text += &difference.line("all");
        }
        text
    }
}

impl Figures {
    fn of(places: &[Option<usize>]) -> Self {
        Self::estimated(places.iter().map(|place| worth(*place)).collect())
    }

    fn difference(places: &[Option<usize>], others: &[Option<usize>]) -> Self {
        let pairs = places.iter().zip(others).map(|(place, other)| {
            let (this, that) = (worth(*place), worth(*other));
            [0, 1, 2].map(|measure| this[measure] - that[measure])
        });
        Self::estimated(pairs.collect())
    }

    fn estimated(worths: Vec<[f64; 3]>) -> Self {
        let measure =
            |at: usize| estimate(&worths.iter().map(|worth| worth[at]).collect::<Vec<_>>());
        Self {
            queries: worths.len(),
            hits_at_1: measure(0),
            hits_at_10: measure(1),
            mrr: measure(2),
        }
    }

    fn line(&self, kind: &str) -> String {
        let shown = |estimate: Option<Estimate>| match estimate {
            Some(Estimate { mean, low, high }) => format!("{mean:.3} ({low:.3} to {high:.3})"),
            None => "-".to_owned(),
        };
        format!(
            "  {kind:<10} {:>6} queries  hits@1 {}  hits@10 {}  MRR {}\n",
            self.queries,
            shown(self.hits_at_1),
            shown(self.hits_at_10),
            shown(self.mrr)
        )
    }
}

/// What a place adds to hits@1, hits@10 and the sum of reciprocal ranks.
fn worth(place: Option<usize>) -> [f64; 3] {
    let within = |places: usize| f64::from(u8::from(place.is_some_and(|at| at <= places)));
    let reciprocal = place.map_or(0.0, |at| 1.0 / at as f64);
    [within(1), within(HITS_PLACES), reciprocal]
}

fn summary(found: &[(&Item, Option<usize>)]) -> Summary {
    let mut by_change: BTreeMap<&'static str, Vec<Option<usize>>> = BTreeMap::new();
    let mut missed = Vec::new();
    for (item, place) in found {
        let changes = item.query.changes.named();
        let made: Vec<&'static str> = changes
            .into_iter()
            .filter_map(|(kind, is)| is.then_some(kind))
            .collect();
        for kind in &made {
            by_change.entry(kind).or_default().push(*place);
        }
        if *place != Some(1) {
            missed.push(Missed {
                query: item.query.text.clone(),
                title: item.title.clone(),
                place: *place,
                changes: made,
            });
        }
    }
    missed.sort_by_key(|missed| std::cmp::Reverse(missed.place.unwrap_or(usize::MAX)));
    let places: Vec<Option<usize>> = found.iter().map(|(_, place)| *place).collect();
    Summary {
        all: Figures::of(&places),
        by_change: by_change
            .into_iter()
            .map(|(kind, places)| (kind, Figures::of(&places)))
            .collect(),
        missed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::known::remembered::{Changes, Remembered};

    fn item(title: &str, misspelt: bool) -> Item {
        let changes = Changes {
            dropped: true,
            misspelt,
            ..Changes::default()
        };
        Item {
            title: title.to_owned(),
            normalised: title.to_owned(),
            query: Remembered {
                text: format!("{title} typed"),
                kept: Vec::new(),
                changes,
            },
        }
    }

    #[test]
    fn places_become_hits_and_reciprocal_ranks_by_kind_of_change() {
        let looked = Looked {
            products: 9,
            items: vec![
                item("a", false),
                item("b", false),
                item("c", true),
                item("d", true),
            ],
            left_out: LeftOut {
                few_words: 2,
                ambiguous: 3,
            },
            places: [
                ("keyword".to_owned(), vec![Some(1), Some(4), None, Some(20)]),
                (
                    "hybrid".to_owned(),
                    vec![Some(2), Some(4), Some(1), Some(10)],
                ),
            ]
            .into(),
        };
        let report = Report::of(&looked);
        let summary = &report.strategies["keyword"];
        let means = |figures: &Figures| {
            let mean = |estimate: Option<Estimate>| estimate.expect("some").mean;
            (
                figures.queries,
                mean(figures.hits_at_1),
                mean(figures.hits_at_10),
                mean(figures.mrr),
            )
        };
        assert_eq!(
            means(&summary.all),
            (4, 0.25, 0.5, (1.0 + 0.25 + 0.05) / 4.0)
        );
        assert_eq!(means(&summary.by_change["dropped"]), means(&summary.all));
        assert_eq!(means(&summary.by_change["misspelt"]), (2, 0.0, 0.0, 0.025));
        assert!(!summary.by_change.contains_key("units"));
        let difference = report.hybrid_minus_keyword.as_ref().expect("both");
        let mrr = (-0.5 + 0.0 + 1.0 + 0.05) / 4.0;
        assert_eq!(means(difference), (4, 0.0, 0.5, mrr));
        let missed: Vec<(&str, Option<usize>)> = summary
            .missed
            .iter()
            .map(|missed| (missed.title.as_str(), missed.place))
            .collect();
        assert_eq!(missed, [("c", None), ("d", Some(20)), ("b", Some(4))]);
        let text = report.text();
        assert!(text.contains("hybrid - keyword\n  all "), "{text}");
        assert!(
            text.contains("2 have fewer than three words, 3 share"),
            "{text}"
        );
        assert!(text.contains("      -  c typed  (c)"), "{text}");
        assert!(
            !text.contains("b typed"),
            "it is among the first ten: {text}"
        );
    }
}
