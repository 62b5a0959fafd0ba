//! Measures how good a list of products is, by the judgments of people.

use std::collections::HashMap;

/// The ratings by product id, from 0 (irrelevant) to 3 (perfect).
pub(super) type Ratings = HashMap<String, i32>;

const NDCG_PLACES: usize = 10;
const RECALL_PLACES: usize = 50;

/// The measures of one list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Measures {
    /// NDCG@10 with gain `2^rating - 1`, discount `log2(place + 1)` and 0 for unjudged products;
    /// none without a positive rating.
    pub(super) ndcg: Option<f64>,
    /// NDCG@10 of the judged products of the list, as if there were no others (the condensed list
    /// of Sakai, SIGIR 2007). Judgments that were collected with another search do not punish this
    /// one for what nobody looked at.
    pub(super) condensed_ndcg: Option<f64>,
    /// The share of the products with a positive rating that are among the first 50.
    pub(super) recall: Option<f64>,
    /// One over the place of the first product with a positive rating, 0 without.
    pub(super) reciprocal_rank: Option<f64>,
    /// The share of the first ten products that were judged.
    pub(super) judged: f64,
}

impl Measures {
    pub(super) fn of(ids: &[String], ratings: &Ratings) -> Self {
        let relevant = ratings.values().filter(|rating| **rating > 0).count();
        let is_relevant = |id: &&String| ratings.get(*id).is_some_and(|rating| *rating > 0);
        let first = ids.iter().position(|id| is_relevant(&id));
        let found = ids.iter().take(RECALL_PLACES).filter(is_relevant).count();
        let shown = ids.iter().take(NDCG_PLACES);
        let judged = shown.clone().filter(|id| ratings.contains_key(*id)).count();
        let judgeable = (relevant > 0).then_some(());
        let condensed = || ids.iter().filter(|id| ratings.contains_key(*id));
        Self {
            ndcg: judgeable.map(|()| ndcg(ids.iter(), ratings)),
            condensed_ndcg: judgeable.map(|()| ndcg(condensed(), ratings)),
            recall: judgeable.map(|()| found as f64 / relevant as f64),
            reciprocal_rank: judgeable.map(|()| first.map_or(0.0, |at| 1.0 / (at + 1) as f64)),
            judged: judged as f64 / shown.len().max(1) as f64,
        }
    }
}

fn ndcg<'a>(ids: impl Iterator<Item = &'a String>, ratings: &Ratings) -> f64 {
    let gained = ids.map(|id| ratings.get(id).copied().unwrap_or(0));
    let mut best: Vec<i32> = ratings.values().copied().collect();
    best.sort_unstable_by(|a, b| b.cmp(a));
    discounted(gained) / discounted(best.into_iter())
}

fn discounted(ratings: impl Iterator<Item = i32>) -> f64 {
    let gains = ratings.take(NDCG_PLACES).zip(2..);
    // Not `sum`, which makes -0.0 of nothing.
    gains.fold(0.0, |sum, (rating, place)| {
        sum + (2_f64.powi(rating) - 1.0) / f64::from(place).log2()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn ratings(pairs: &[(&str, i32)]) -> Ratings {
        let pair = |(id, rating): &(&str, i32)| ((*id).to_owned(), *rating);
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn a_perfect_list_measures_one_and_an_empty_one_nothing() {
        let judged = ratings(&[("a", 3), ("b", 1), ("c", 0)]);
        let best = Measures::of(&ids("a b c"), &judged);
        assert_eq!((best.ndcg, best.recall), (Some(1.0), Some(1.0)));
        assert_eq!((best.reciprocal_rank, best.judged), (Some(1.0), 1.0));
        let none = Measures::of(&[], &judged);
        assert_eq!((none.ndcg, none.recall), (Some(0.0), Some(0.0)));
        let nothing_to_find = Measures::of(&ids("c"), &ratings(&[("c", 0)]));
        assert_eq!((nothing_to_find.ndcg, nothing_to_find.judged), (None, 1.0));
    }

    /// The expected values were worked out by hand: gains 7, 0, 1 at places 2, 1, 3.
    #[test]
    fn places_and_ratings_count_as_defined() {
        let judged = ratings(&[("a", 3), ("b", 1)]);
        let found = Measures::of(&ids("x a b"), &judged);
        let gained = 7.0 / 3_f64.log2() + 1.0 / 4_f64.log2();
        let ideal = 7.0 / 2_f64.log2() + 1.0 / 3_f64.log2();
        assert!((found.ndcg.unwrap() - gained / ideal).abs() < 1e-12);
        assert_eq!(found.condensed_ndcg, Some(1.0), "without the unjudged x");
        assert_eq!(found.reciprocal_rank, Some(0.5));
        assert!((found.judged - 2.0 / 3.0).abs() < 1e-12);
        let far_down: Vec<String> = (0..10).map(|n| format!("x{n}")).chain(ids("a b")).collect();
        let late = Measures::of(&far_down, &judged);
        assert_eq!((late.ndcg, late.recall), (Some(0.0), Some(1.0)));
        assert_eq!(late.condensed_ndcg, Some(1.0));
    }

    /// Judged are b (1), c (0) and a (3), in this order: gains 1, 0, 7 at places 1, 2, 3.
    #[test]
    fn unjudged_products_leave_the_condensed_list_and_irrelevant_ones_stay() {
        let judged = ratings(&[("a", 3), ("b", 1), ("c", 0)]);
        let found = Measures::of(&ids("x b y c z a"), &judged);
        let ideal = 7.0 + 1.0 / 3_f64.log2();
        let condensed = (1.0 + 7.0 / 4_f64.log2()) / ideal;
        assert!((found.condensed_ndcg.unwrap() - condensed).abs() < 1e-12);
        let raw = (1.0 / 3_f64.log2() + 7.0 / 7_f64.log2()) / ideal;
        assert!((found.ndcg.unwrap() - raw).abs() < 1e-12);
        assert_eq!(found.judged, 0.5);
        let nothing_to_find = Measures::of(&ids("c"), &ratings(&[("c", 0)]));
        assert_eq!(nothing_to_find.condensed_ndcg, None);
    }
}
