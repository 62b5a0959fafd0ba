//! Learns the kind of product that a query means from the products nearest to it in meaning, and
//! tells how much any other product is of that kind. Catalogs that call a thing by another word
//! than the query ("notebook" for "laptop") are understood all the same.

use std::collections::{BTreeMap, HashSet};

use rustc_hash::FxHashMap;
use tantivy::schema::Field;
use tantivy::{DocAddress, Searcher};

use crate::index::document::kind_features::{FEATURES, Features, is_head};
use crate::index::once::Once;
use crate::index::sample;
use crate::index::scoring::collection_statistics::idf;
use crate::index::scoring::postings::Postings;
use crate::index::scoring::product_kind::SAMPLE;
use crate::index::scoring::terms::QueryTerms;

/// The fewest products from which a kind is learned.
const EXAMPLES_MIN: usize = 3;
/// The weight of a head word of the title beside that of an attribute's name.
const HEAD_WEIGHT: f32 = 0.5;
/// The similarity of a product that has no features.
const SIMILARITY_UNKNOWN: f32 = 0.5;
/// The most alternatives of a word that are looked for in titles.
const ALTERNATIVES_MAX: usize = 16;

/// How common each feature is in a snapshot, estimated from a sample.
struct FeatureStatistics {
    /// The features of all products, by segment.
    features: Vec<Features>,
    /// How many products of the sample have each feature.
    counts: Vec<u16>,
    /// The inverse document frequency of a feature, by its count.
    idf: Vec<f32>,
}

impl FeatureStatistics {
    fn of(searcher: &Searcher) -> tantivy::Result<Self> {
        let segments = searcher.segment_readers();
        let features: Vec<Features> = segments
            .iter()
            .map(Features::open)
            .collect::<tantivy::Result<_>>()?;
        let mut counts = vec![0_u16; FEATURES];
        let sample = sample::drawn(segments, SAMPLE)?;
        for (segment, doc) in &sample {
            for feature in features[*segment].of(*doc) {
                counts[usize::from(feature)] += 1;
            }
        }
        let size = sample.len() as u64;
        Ok(Self {
            features,
            counts,
            idf: (0..=size).map(|with| idf(with, size)).collect(),
        })
    }

    /// Returns the features of a product as a vector of length 1; empty for a product without any.
    fn vector(&self, at: DocAddress) -> Vec<(u16, f32)> {
        let features = self.features[at.segment_ord as usize].of(at.doc_id);
        let mut vector: Vec<(u16, f32)> = features
            .map(|feature| (feature, self.weight(feature)))
            .collect();
        let squares: f32 = vector.iter().map(|(_, weight)| weight * weight).sum();
        for (_, weight) in &mut vector {
            *weight /= squares.sqrt().max(f32::MIN_POSITIVE);
        }
        vector
    }

    fn weight(&self, feature: u16) -> f32 {
        let idf = self.idf[usize::from(self.counts[usize::from(feature)])];
        if is_head(feature) {
            HEAD_WEIGHT * idf
        } else {
            idf
        }
    }
}

/// The statistics of the features, computed by the first search that needs them.
#[derive(Clone, Default)]
pub(crate) struct LazyFeatures(Once<FeatureStatistics>);

impl LazyFeatures {
    fn open(&self, searcher: &Searcher) -> tantivy::Result<&FeatureStatistics> {
        self.0.get(|| FeatureStatistics::of(searcher))
    }
}

/// A sum of vectors, of length 1.
type Centroid = FxHashMap<u16, f32>;

/// The kind of the products nearest to a query: the centroid of their features.
pub(crate) struct NearestKind<'a> {
    statistics: &'a FeatureStatistics,
    centroid: Centroid,
    /// The median cosine of the nearest products to the centroid.
    typical: f32,
    /// How much two of the nearest products have in common, on average, from 0 to 1. It says how
    /// sure the kind is.
    pub(crate) cohesion: f32,
}

impl<'a> NearestKind<'a> {
    /// Learns the kind of these products. None if their features do not tell one.
    pub(crate) fn of(
        searcher: &Searcher,
        features: &'a LazyFeatures,
        nearest: &[DocAddress],
    ) -> tantivy::Result<Option<Self>> {
        Ok(Self::learned(features.open(searcher)?, nearest))
    }

    fn learned(statistics: &'a FeatureStatistics, nearest: &[DocAddress]) -> Option<Self> {
        let vectors: Vec<Vec<(u16, f32)>> = nearest
            .iter()
            .map(|at| statistics.vector(*at))
            .filter(|vector| !vector.is_empty())
            .collect();
        if vectors.len() < EXAMPLES_MIN {
            return None;
        }
        let mut sums: BTreeMap<u16, f32> = BTreeMap::new();
        for (feature, weight) in vectors.iter().flatten() {
            *sums.entry(*feature).or_default() += weight;
        }
        // In the order of the features, so that all replicas round alike.
        let squares: f32 = sums.values().map(|weight| weight * weight).sum();
        let count = vectors.len() as f32;
        let weights = sums.into_iter();
        let centroid = weights.map(|(feature, weight)| (feature, weight / squares.sqrt()));
        let centroid: Centroid = centroid.collect();
        let mut cosines: Vec<f32> = vectors
            .iter()
            .map(|vector| cosine(vector, &centroid))
            .collect();
        let middle = cosines.len() / 2;
        let (_, typical, _) = cosines.select_nth_unstable_by(middle, f32::total_cmp);
        Some(Self {
            statistics,
            typical: *typical,
            // The product of each vector with itself, which is 1, is taken out.
            cohesion: ((squares - count) / (count * (count - 1.0))).clamp(0.0, 1.0),
            centroid,
        })
    }

    /// Returns how much a product is of the kind, from 0 to 1, where the nearest ones are about 1.
    pub(crate) fn similarity(&self, at: DocAddress) -> f32 {
        let features = self.statistics.features[at.segment_ord as usize].of(at.doc_id);
        let (mut product, mut squares) = (0.0, 0.0);
        for feature in features {
            let weight = self.statistics.weight(feature);
            squares += weight * weight;
            if let Some(of_centroid) = self.centroid.get(&feature) {
                product += weight * of_centroid;
            }
        }
        if squares <= 0.0 {
            return SIMILARITY_UNKNOWN;
        }
        let cosine: f32 = product / f32::sqrt(squares);
        (cosine / self.typical.max(f32::MIN_POSITIVE)).clamp(0.0, 1.0)
    }
}

fn cosine(vector: &[(u16, f32)], centroid: &Centroid) -> f32 {
    let products = vector
        .iter()
        .filter_map(|(feature, weight)| Some(weight * centroid.get(feature)?));
    products.sum()
}

/// Returns the share of these products whose title has the last word of the query, from 0 to 1.
pub(crate) fn share_called(
    searcher: &Searcher,
    title: Field,
    products: &[DocAddress],
    terms: &QueryTerms,
) -> tantivy::Result<f32> {
    let Some(last) = terms.words.last() else {
        return Ok(0.0);
    };
    let mut in_order = products.to_vec();
    in_order.sort_unstable();
    let mut called: HashSet<&DocAddress> = HashSet::new();
    for of_segment in in_order.chunk_by(|a, b| a.segment_ord == b.segment_ord) {
        let segment = searcher.segment_reader(of_segment[0].segment_ord);
        for alternative in last.alternatives.iter().take(ALTERNATIVES_MAX) {
            if let Some(mut titles) = Postings::open(segment, title, &alternative.stems)? {
                let has = of_segment
                    .iter()
                    .filter(|at| titles.seek(at.doc_id) == at.doc_id);
                called.extend(has);
            }
        }
    }
    Ok(called.len() as f32 / products.len().max(1) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::snapshot::IndexSnapshot;
    use crate::index::tests::support::{
        index_in_one_go, index_of, printers_and_cables, product, with_attributes,
    };
    use crate::index::text::language::Language;

    fn places(snapshot: &IndexSnapshot, ids: &[&str]) -> Vec<DocAddress> {
        let place = |id: &&str| snapshot.locate(&id.parse().expect("id"));
        let places = ids.iter().map(place);
        places
            .map(|at| at.expect("index").expect("known"))
            .collect()
    }

    #[test]
    fn the_nearest_tell_a_kind_by_their_attributes() {
        let mut products = printers_and_cables();
        products.push(with_attributes("x", "", &[]));
        let (_folder, index) = index_of(&products);
        let snapshot = index.snapshot();
        let nearest = places(&snapshot, &["p00", "p01", "p02", "p03"]);
        let kind = snapshot.nearest_kind(&nearest).expect("index");
        let kind = kind.expect("enough examples");
        assert!(kind.cohesion > 0.9, "{}", kind.cohesion);
        let similarity = |id| kind.similarity(places(&snapshot, &[id])[0]);
        assert!(similarity("p19") > 0.95, "{}", similarity("p19"));
        assert!(similarity("c07") < 0.2, "{}", similarity("c07"));
        assert_eq!(similarity("x"), SIMILARITY_UNKNOWN);
        assert!(
            snapshot
                .nearest_kind(&nearest[..2])
                .expect("index")
                .is_none()
        );
    }

    #[test]
    fn the_nearest_tell_a_kind_by_their_titles_where_there_are_no_attributes() {
        let things = (0..30).map(|number| {
            let title = ["notebook 15 inch", "laptop sleeve 15 inch"][number % 2];
            product(&format!("{number:02}"), title)
        });
        let (_folder, index) = index_in_one_go(&things.collect::<Vec<_>>());
        let snapshot = index.snapshot();
        let nearest = places(&snapshot, &["00", "02", "04"]);
        let kind = snapshot.nearest_kind(&nearest).expect("index");
        let kind = kind.expect("enough examples");
        let similarity = |id| kind.similarity(places(&snapshot, &[id])[0]);
        assert!(similarity("06") > 0.95, "{}", similarity("06"));
        assert!(similarity("07") < 0.8, "{}", similarity("07"));
    }

    #[test]
    fn titles_tell_whether_a_word_names_the_nearest() {
        let (_folder, index) = index_of(&printers_and_cables());
        let snapshot = index.snapshot();
        let nearest = places(&snapshot, &["p00", "c01", "c02", "c03"]);
        let share = |query: &str| {
            let terms = QueryTerms::of(query, Language::English);
            snapshot.share_called(&nearest, &terms).expect("index")
        };
        assert_eq!(share("printer cables"), 0.75);
        assert_eq!(share("cable printer"), 1.0);
        assert_eq!(share("laptop"), 0.0);
        assert_eq!(share(""), 0.0);
    }
}
