//! Groups queries that resemble each other, so that none is tested on what its twin was fitted to.

use std::collections::BTreeSet;

/// Two queries are alike when they share this share of the words of both.
const SHARED_WORDS: f64 = 0.5;

/// The cluster of every query, by its place in the list of queries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clusters {
    /// The clusters are numbered from 0 in the order of their first query.
    of_query: Vec<usize>,
    count: usize,
}

impl Clusters {
    /// Puts queries together that name the same thing (their last word is the same, singular or
    /// plural), that share at least half of all their words, or that differ only in spaces; and
    /// queries that are tied together by others.
    pub(super) fn of(queries: &[&str]) -> Self {
        let traits: Vec<Traits> = queries.iter().map(|query| Traits::of(query)).collect();
        let mut of_query: Vec<usize> = (0..queries.len()).collect();
        for (at, one) in traits.iter().enumerate() {
            for before in 0..at {
                let (this, that) = (of_query[at], of_query[before]);
                if this != that && one.resembles(&traits[before]) {
                    let merged = this.min(that);
                    for cluster in &mut of_query {
                        if *cluster == this || *cluster == that {
                            *cluster = merged;
                        }
                    }
                }
            }
        }
        let used: Vec<usize> = of_query
            .iter()
            .copied()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let numbered = of_query
            .iter()
            .map(|cluster| used.partition_point(|one| one < cluster));
        Self {
            of_query: numbered.collect(),
            count: used.len(),
        }
    }

    /// How many clusters there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// How many queries there are.
    pub(super) fn queries(&self) -> usize {
        self.of_query.len()
    }

    /// How many queries the largest cluster has.
    pub(super) fn largest(&self) -> usize {
        self.sizes().into_iter().max().unwrap_or(0)
    }

    /// The values of some queries, given by their places, together with those of their clusters.
    pub(super) fn grouped(&self, values: impl Iterator<Item = (usize, f64)>) -> Vec<Vec<f64>> {
        let mut groups = vec![Vec::new(); self.count];
        for (query, value) in values {
            groups[self.of_query[query]].push(value);
        }
        groups.retain(|group| !group.is_empty());
        groups
    }

    /// Shares the queries out among `count` folds at most, whole clusters at a time and as evenly
    /// as they allow. The same seed makes the same folds.
    pub(super) fn folds(&self, count: usize, seed: u64) -> Vec<Vec<usize>> {
        let sizes = self.sizes();
        let mut clusters: Vec<usize> = (0..self.count).collect();
        fastrand::Rng::with_seed(seed).shuffle(&mut clusters);
        // The largest first: the small ones then even out.
        clusters.sort_by_key(|cluster| std::cmp::Reverse(sizes[*cluster]));
        let mut folds = vec![Vec::new(); count.min(self.count)];
        for cluster in clusters {
            let smallest = folds.iter_mut().min_by_key(|fold| fold.len());
            let members = (0..self.queries()).filter(|query| self.of_query[*query] == cluster);
            if let Some(fold) = smallest {
                fold.extend(members);
            }
        }
        for fold in &mut folds {
            fold.sort_unstable();
        }
        folds
    }

    fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.count];
        for cluster in &self.of_query {
            sizes[*cluster] += 1;
        }
        sizes
    }
}

/// What two queries are compared by.
struct Traits {
    words: BTreeSet<String>,
    head: Option<String>,
    joined: String,
}

impl Traits {
    fn of(query: &str) -> Self {
        let lower = query.to_lowercase();
        let words = lower.split(|char: char| !char.is_alphanumeric());
        let words: Vec<String> = words
            .filter(|word| !word.is_empty())
            .map(singular)
            .collect();
        let is_name = |word: &&String| word.contains(char::is_alphabetic);
        Self {
            // "windows 10" is about windows.
            head: words.iter().rev().find(is_name).cloned(),
            joined: words.concat(),
            words: words.into_iter().collect(),
        }
    }

    fn resembles(&self, other: &Self) -> bool {
        let shared = self.words.intersection(&other.words).count() as f64;
        let all = self.words.union(&other.words).count() as f64;
        let same_head = self.head.is_some() && self.head == other.head;
        same_head || self.joined == other.joined || (all > 0.0 && shared / all >= SHARED_WORDS)
    }
}

/// A word without the plural ending of English; other words may lose an `s` alike, which does no
/// harm where words are only compared.
fn singular(word: &str) -> String {
    let is_plural = word.ends_with('s') && !word.ends_with("ss") && !word.ends_with("us");
    if !is_plural || word.chars().count() <= 3 {
        return word.to_owned();
    }
    if let Some(stem) = word.strip_suffix("ies") {
        return format!("{stem}y");
    }
    let hissing = ["ses", "xes", "zes", "ches", "shes"];
    let with_e = hissing.iter().any(|end| word.ends_with(end));
    word[..word.len() - if with_e { 2 } else { 1 }].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clusters(queries: &[&str]) -> Vec<usize> {
        Clusters::of(queries).of_query
    }

    #[test]
    fn queries_of_one_head_or_of_mostly_the_same_words_are_together() {
        assert_eq!(clusters(&["laptop bag", "Camera bags", "tv"]), [0, 0, 1]);
        assert_eq!(clusters(&["iphone", "iphone 11", "windows 10"]), [0, 0, 1]);
        assert_eq!(
            clusters(&["smart watch", "smartwatch", "boxes", "box"]),
            [0, 0, 1, 1]
        );
        assert_eq!(clusters(&["usb battery", "rechargeable batteries"]), [0, 0]);
        assert_eq!(clusters(&["ps4 games", "gps", "ps4 pro"]), [0, 1, 2]);
        let tied = [
            "nintendo",
            "ps4 games",
            "switch",
            "nintendo switch games",
            "nintendo switch",
        ];
        assert_eq!(
            clusters(&tied),
            [0, 0, 0, 0, 0],
            "tied together by the last two"
        );
        assert_eq!(clusters(&["10", "11", "glass", "wireless"]), [0, 1, 2, 3]);
        assert!(clusters(&[]).is_empty());
    }

    #[test]
    fn folds_hold_whole_clusters_and_each_query_once() {
        let queries: Vec<String> = (0..40).map(|n| format!("word{n} thing{}", n % 9)).collect();
        let queries: Vec<&str> = queries.iter().map(String::as_str).collect();
        let clusters = Clusters::of(&queries);
        assert_eq!(
            (clusters.count(), clusters.queries(), clusters.largest()),
            (9, 40, 5)
        );
        let folds = clusters.folds(4, 7);
        assert_eq!(folds, clusters.folds(4, 7));
        assert_ne!(folds, clusters.folds(4, 8));
        let mut all: Vec<usize> = folds.concat();
        all.sort_unstable();
        assert_eq!(all, (0..40).collect::<Vec<_>>());
        for cluster in 0..9 {
            let holds = |fold: &&Vec<usize>| {
                fold.iter()
                    .any(|query| clusters.of_query[*query] == cluster)
            };
            assert_eq!(folds.iter().filter(holds).count(), 1, "{cluster}");
        }
        for fold in &folds {
            assert!((8..=13).contains(&fold.len()), "{folds:?}");
        }
        assert_eq!(clusters.folds(20, 7).len(), 9, "no fold is empty");
    }

    #[test]
    fn values_are_grouped_by_cluster() {
        let clusters = Clusters::of(&["laptop bag", "tv", "camera bag", "fan"]);
        let values = [(0, 1.0), (2, 3.0), (3, 4.0)];
        assert_eq!(
            clusters.grouped(values.into_iter()),
            [vec![1.0, 3.0], vec![4.0]]
        );
    }
}
