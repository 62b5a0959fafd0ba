//! Chooses the facets that divide a set of documents best, by what a sample of the set has. Invariant:
//! the cost is bounded by the size of the sample and the number of candidates, whatever the number of
//! products and of attribute names.

use std::collections::HashMap;

use catalog_events::Currency;
use tantivy::Searcher;

use crate::index::document::columns::FieldName;
use crate::index::sample::{Lots, last_lot};
use crate::index::sets::doc_sets::DocSets;
use crate::index::sets::facets::{self, FacetCounts, FacetRequest};
use crate::index::sets::open_columns::OpenColumns;

/// How many documents of the set are looked at.
const SAMPLE_SIZE: u64 = 500;
/// How many attributes are looked at: those that most documents of the sample have.
const CANDIDATES_MAX: usize = 64;
/// How many values of a facet are listed.
const SIZE: usize = 10;
/// How many buckets the range of many numbers is cut into, more or less.
const BUCKETS: f64 = 8.0;
/// Facets of fewer values may have equal counts by chance.
const ALIKE_VALUES_MIN: usize = 4;
/// The least that a facet tells about a product, in bits.
const BITS_MIN: f64 = 0.25;

/// Fields that buyers expect first, where they divide the set at all.
const EXPECTED: [FieldName; 3] = [FieldName::Category, FieldName::Brand, FieldName::PriceMajor];

/// Returns at most `limit` facets, without those that are `known`.
pub(super) fn choose(
    searcher: &Searcher,
    open: &OpenColumns,
    among: &DocSets,
    known: &[FacetRequest],
    currency: Currency,
    limit: usize,
) -> tantivy::Result<Vec<FacetRequest>> {
    let sample = sample(searcher, among)?;
    let is_known = |field: &FieldName| {
        let mut known = known.iter().map(|facet| facet.field.stored());
        known.any(|other| other == field.stored())
    };
    let candidate = |field: FieldName| Candidate::of(searcher, open, &sample, field, currency);
    let mut chosen = Vec::new();
    for field in EXPECTED.into_iter().filter(|field| !is_known(field)) {
        chosen.extend(Some(candidate(field)?).filter(Candidate::divides));
    }
    let mut others = Vec::new();
    for field in names(searcher, open, &sample)? {
        if !is_known(&field) {
            others.push(candidate(field)?);
        }
    }
    // The sort is stable: of equally good ones, the one that more products have comes first.
    others.sort_by(|a, b| b.bits.total_cmp(&a.bits));
    for other in others {
        if other.bits >= BITS_MIN && !chosen.iter().any(|one: &Candidate| one.is_like(&other)) {
            chosen.push(other);
        }
    }
    chosen.truncate(limit);
    Ok(chosen.into_iter().map(|one| one.request).collect())
}

/// Draws about [`SAMPLE_SIZE`] documents of a set.
fn sample(searcher: &Searcher, among: &DocSets) -> tantivy::Result<DocSets> {
    let last = last_lot(SAMPLE_SIZE, among.len());
    let mut sample = among.clone();
    for (number, segment) in searcher.segment_readers().iter().enumerate() {
        let lots = Lots::open(segment)?;
        sample.retain(number, |doc| lots.of(doc) <= last);
    }
    Ok(sample)
}

/// The attributes that most documents have, and the status.
fn names(
    searcher: &Searcher,
    open: &OpenColumns,
    sample: &DocSets,
) -> tantivy::Result<Vec<FieldName>> {
    let mut counts: HashMap<String, u64> = HashMap::new();
    for (segment, place) in searcher.segment_readers().iter().zip(0..) {
        let Some(bits) = sample.segment(place).filter(|bits| !bits.is_empty()) else {
            continue;
        };
        for names in open.names(segment)?.iter() {
            names.each_term(bits, |name, count| match counts.get_mut(&*name.text) {
                Some(known) => *known += count,
                None => drop(counts.insert(name.text.into_owned(), count)),
            })?;
        }
    }
    let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
    counts.sort_by(|(a, of_a), (b, of_b)| of_b.cmp(of_a).then_with(|| a.cmp(b)));
    counts.truncate(CANDIDATES_MAX);
    let attributes = counts
        .into_iter()
        .map(|(name, _)| FieldName::Attribute(name));
    Ok(attributes.chain([FieldName::Status]).collect())
}

/// A facet, and how it divides the sample.
struct Candidate {
    request: FacetRequest,
    counts: Vec<u64>,
    documents: u64,
    /// What the facet tells about a document of the sample, in bits: the entropy of its values, with
    /// the unlisted ones as one, times the share of documents that have a listed one.
    bits: f64,
}

impl Candidate {
    fn of(
        searcher: &Searcher,
        open: &OpenColumns,
        sample: &DocSets,
        field: FieldName,
        currency: Currency,
    ) -> tantivy::Result<Self> {
        let mut request = FacetRequest {
            field,
            size: SIZE,
            interval: None,
            containing: String::new(),
        };
        let mut found = facets::count(searcher, open, &request, sample, currency)?;
        if let Some(interval) = interval(&found, sample.len()) {
            request.interval = Some(interval);
            found = facets::count(searcher, open, &request, sample, currency)?;
        }
        let counts: Vec<u64> = found.values.iter().map(|value| value.count).collect();
        let with = sample.len() - found.missing;
        let shares = counts
            .iter()
            .chain([&found.other])
            .map(|count| *count as f64);
        let entropy: f64 = shares
            .map(|count| count / with.max(1) as f64)
            .filter(|share| *share > 0.0)
            .map(|share| -share * share.log2())
            .sum();
        Ok(Self {
            request,
            counts,
            documents: sample.len(),
            bits: entropy * (with - found.other) as f64 / sample.len().max(1) as f64,
        })
    }

    /// Whether choosing a value leaves out any document.
    fn divides(&self) -> bool {
        self.counts.iter().any(|count| *count < self.documents)
    }

    /// Whether both divide the sample into the same parts, as the inches and the centimeters of a
    /// display do.
    fn is_like(&self, other: &Self) -> bool {
        self.counts.len() >= ALIKE_VALUES_MIN && self.counts == other.counts
    }
}

/// The width of buckets for numbers that are too many to be listed: 1, 2 or 5 times a power of ten.
fn interval(found: &FacetCounts, documents: u64) -> Option<f64> {
    let numbers = found.numbers?;
    let are_most = numbers.count * 2 > documents - found.missing;
    if found.other == 0 || !are_most {
        return None;
    }
    let width = (numbers.max - numbers.min) / BUCKETS;
    let power = 10_f64.powf(width.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|step| step * power >= width)?;
    Some(step * power).filter(|interval| interval.is_normal())
}
