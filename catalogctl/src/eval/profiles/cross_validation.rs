//! Nested cross-validation: in turn a part of the queries is held back, a profile is chosen on the
//! others, and the choice is measured on the part.

use super::plateau::{Choice, Distances, Scores};

/// One turn.
#[derive(Clone, Debug)]
pub(super) struct Fold {
    /// The queries that were held back.
    pub(super) queries: Vec<usize>,
    /// What was chosen on the others.
    pub(super) choice: Choice,
}

#[derive(Clone, Debug)]
pub(super) struct Validation {
    pub(super) folds: Vec<Fold>,
    /// What is chosen on all queries. No query is left to test it on: what it is worth is what the
    /// folds tell.
    pub(super) overall: Choice,
}

impl Validation {
    pub(super) fn of(scores: &Scores, folds: &[Vec<usize>], distances: &Distances) -> Self {
        let folds = folds.iter().map(|held_back| {
            let others: Vec<usize> = (0..scores.clusters.queries())
                .filter(|query| !held_back.contains(query))
                .collect();
            Fold {
                queries: held_back.clone(),
                choice: Choice::on(scores, &others, distances),
            }
        });
        let all: Vec<usize> = (0..scores.clusters.queries()).collect();
        Self {
            folds: folds.collect(),
            overall: Choice::on(scores, &all, distances),
        }
    }

    /// For every query, the profile that was chosen without it.
    pub(super) fn outer(&self) -> impl Iterator<Item = (usize, usize)> {
        let folds = self.folds.iter();
        folds.flat_map(|fold| {
            fold.queries
                .iter()
                .map(|query| (*query, fold.choice.centre))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::clusters::Clusters;
    use super::*;

    /// Each profile is right for one query alone: whatever is chosen without a query fails it.
    #[test]
    fn a_choice_is_measured_on_queries_that_it_was_not_made_on() {
        let scores = Scores {
            values: vec![
                vec![1.0, 0.0, 0.0],
                vec![0.0, 1.0, 0.0],
                vec![0.0, 0.0, 1.0],
            ],
            clusters: Clusters::of(&["tv", "fan", "radio"]),
        };
        let distances = Distances::of([&BTreeMap::new(); 3].into_iter());
        let folds = [vec![0], vec![1], vec![2]];
        let validation = Validation::of(&scores, &folds, &distances);
        let outer: Vec<f64> = validation
            .outer()
            .map(|(query, profile)| scores.values[profile][query])
            .collect();
        assert_eq!(outer, [0.0, 0.0, 0.0]);
        assert_eq!(validation.overall.plateau, [0, 1, 2]);
    }
}
