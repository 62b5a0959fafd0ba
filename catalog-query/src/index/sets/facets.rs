//! Counts the values that the documents of a set have in a field. Counts are exact.

use std::collections::{BTreeMap, HashMap, HashSet};

use tantivy::Searcher;
use tantivy::columnar::{Column, DynamicColumn, StrColumn};

use crate::index::document::columns::{FieldName, folded};
use crate::index::sets::doc_sets::{DocBits, DocSets};

/// The field to count. Invariant: `interval` is positive and finite.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FacetRequest {
    pub(crate) field: FieldName,
    pub(crate) size: usize,
    /// The width of a bucket. Without it, single values are counted.
    pub(crate) interval: Option<f64>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FacetCounts {
    pub(crate) values: Vec<ValueCount>,
    /// The documents that have only values that are not listed.
    pub(crate) other: u64,
    /// The documents without the field.
    pub(crate) missing: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ValueCount {
    pub(crate) value: String,
    pub(crate) count: u64,
    /// The bounds of a bucket; the upper one is excluded. None for a single value.
    pub(crate) bounds: Option<(f64, f64)>,
}

pub(crate) fn count(
    searcher: &Searcher,
    request: &FacetRequest,
    among: &DocSets,
) -> tantivy::Result<FacetCounts> {
    let mut tally = Tally::default();
    let mut segments = Vec::new();
    for (segment, place) in searcher.segment_readers().iter().zip(0..) {
        let Some(bits) = among.segment(place) else {
            continue;
        };
        let columns = request.field.columns(segment)?;
        for column in &columns {
            tally.add(request, column, bits)?;
        }
        segments.push((columns, bits));
    }
    let listed = tally.list(request);
    let (mut with, mut with_listed) = (0, 0);
    for (columns, bits) in &segments {
        let (any, any_listed) = covered(request, columns, bits, &listed)?;
        with += any;
        with_listed += any_listed;
    }
    Ok(FacetCounts {
        values: listed.into_iter().map(|(_, count)| count).collect(),
        other: with - with_listed,
        missing: among.len() - with,
    })
}

/// The identity of a value. Texts that differ only in letter case are one, and so are the numbers
/// of one bucket.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Key {
    /// A folded text.
    Text(String),
    Flag(bool),
    /// A number, or a bucket, that orders as the numbers do.
    Number(i128),
}

#[derive(Default)]
struct Tally {
    /// The counts by key, and for texts by spelling.
    counts: HashMap<Key, BTreeMap<String, u64>>,
}

impl Tally {
    fn add(
        &mut self,
        request: &FacetRequest,
        column: &DynamicColumn,
        among: &DocBits,
    ) -> tantivy::Result<()> {
        if let (DynamicColumn::Str(column), None) = (column, request.interval) {
            return self.add_texts(column, among);
        }
        let mut counts: HashMap<Key, u64> = HashMap::new();
        each_key(request, column, among, |key| {
            *counts.entry(key).or_default() += 1;
        });
        for (key, count) in counts {
            let spelling = key.spelling(request);
            *self
                .counts
                .entry(key)
                .or_default()
                .entry(spelling)
                .or_default() += count;
        }
        Ok(())
    }

    fn add_texts(&mut self, column: &StrColumn, among: &DocBits) -> tantivy::Result<()> {
        let counts = ordinal_counts(column, among);
        each_text(column, &counts, |ord, text| {
            let spellings = self.counts.entry(Key::Text(folded(&text))).or_default();
            *spellings.entry(text).or_default() += counts[ord];
        })
    }

    /// Lists the most frequent values, equally frequent ones ordered by value. Buckets are listed
    /// in the order of their bounds.
    fn list(self, request: &FacetRequest) -> Vec<(Key, ValueCount)> {
        let counted = |(key, spellings): (Key, BTreeMap<String, u64>)| {
            let count = spellings.values().sum();
            // The most frequent spelling is shown, and the first of equally frequent ones.
            let spelling = spellings.into_iter().rev().max_by_key(|(_, count)| *count);
            let value = ValueCount {
                value: spelling.map(|(text, _)| text).unwrap_or_default(),
                count,
                bounds: key.bounds(request),
            };
            (key, value)
        };
        let mut values: Vec<(Key, ValueCount)> = self.counts.into_iter().map(counted).collect();
        values.sort_by(|(a, of_a), (b, of_b)| of_b.count.cmp(&of_a.count).then(a.cmp(b)));
        values.truncate(request.size);
        if request.interval.is_some() {
            values.sort_by(|(a, _), (b, _)| a.cmp(b));
        }
        values
    }
}

impl Key {
    /// The key of a stored number. None if it is too large for a bucket.
    fn number(request: &FacetRequest, stored: f64) -> Option<Self> {
        let value = stored / request.field.scale();
        match request.interval {
            None => Some(Self::Number(ordered(value))),
            Some(interval) => {
                let bucket = (value / interval).floor();
                (bucket.abs() < 1e15).then_some(Self::Number(bucket as i128))
            }
        }
    }

    fn spelling(&self, request: &FacetRequest) -> String {
        match (self, self.bounds(request)) {
            (_, Some((from, _))) => from.to_string(),
            (Self::Text(text), None) => text.clone(),
            (Self::Flag(value), None) => value.to_string(),
            (Self::Number(number), None) => unordered(*number).to_string(),
        }
    }

    fn bounds(&self, request: &FacetRequest) -> Option<(f64, f64)> {
        match (self, request.interval) {
            (Self::Number(bucket), Some(interval)) => {
                let bucket = *bucket as f64;
                Some((bucket * interval + 0.0, (bucket + 1.0) * interval + 0.0))
            }
            _ => None,
        }
    }
}

/// Maps a number to an integer that sorts the same; [`unordered`] maps it back.
fn ordered(number: f64) -> i128 {
    i128::from(tantivy::f64_to_u64(number + 0.0))
}

fn unordered(number: i128) -> f64 {
    tantivy::u64_to_f64(number as u64)
}

/// Counts the documents by term ordinal.
fn ordinal_counts(column: &StrColumn, among: &DocBits) -> Vec<u64> {
    let mut counts = vec![0; column.num_terms()];
    for doc in among.iter() {
        for ord in column.term_ords(doc) {
            counts[ord as usize] += 1;
        }
    }
    counts
}

/// Calls `each` with the ordinal and the text of every term that was counted.
fn each_text(
    column: &StrColumn,
    counts: &[u64],
    mut each: impl FnMut(usize, String),
) -> tantivy::Result<()> {
    let counted = (0_u64..).zip(counts).filter(|(_, count)| **count > 0);
    let ordinals: Vec<u64> = counted.map(|(ordinal, _)| ordinal).collect();
    let mut next = ordinals.iter();
    column
        .dictionary()
        .sorted_ords_to_term_cb(&ordinals, |text| {
            if let Some(ordinal) = next.next() {
                each(
                    *ordinal as usize,
                    String::from_utf8_lossy(text).into_owned(),
                );
            }
        })?;
    Ok(())
}

/// Calls `each` with the keys in a column that has no texts, and therefore at most one value a
/// document.
fn each_key(
    request: &FacetRequest,
    column: &DynamicColumn,
    among: &DocBits,
    mut each: impl FnMut(Key),
) {
    match column {
        DynamicColumn::Bool(column) if request.interval.is_none() => {
            let flags = among.iter().filter_map(|doc| column.first(doc));
            flags.for_each(|flag| each(Key::Flag(flag)));
        }
        DynamicColumn::I64(column) => numbers(column, among, |n| n as f64)
            .filter_map(|number| Key::number(request, number))
            .for_each(each),
        DynamicColumn::U64(column) => numbers(column, among, |n| n as f64)
            .filter_map(|number| Key::number(request, number))
            .for_each(each),
        DynamicColumn::F64(column) => numbers(column, among, |n| n)
            .filter_map(|number| Key::number(request, number))
            .for_each(each),
        _ => {}
    }
}

fn numbers<'a, T>(
    column: &'a Column<T>,
    among: &'a DocBits,
    number: impl Fn(T) -> f64 + 'a,
) -> impl Iterator<Item = f64> + 'a
where
    T: PartialOrd + Copy + std::fmt::Debug + Send + Sync + 'static,
{
    let found = among.iter().filter_map(|doc| column.first(doc));
    found.map(number)
}

/// Counts the documents that have the field, and those that have a listed value.
fn covered(
    request: &FacetRequest,
    columns: &[DynamicColumn],
    among: &DocBits,
    listed: &[(Key, ValueCount)],
) -> tantivy::Result<(u64, u64)> {
    let keys: HashSet<&Key> = listed.iter().map(|(key, _)| key).collect();
    let (mut with, mut with_listed) = (0, 0);
    for column in columns {
        let index = column.column_index();
        with += among.iter().filter(|doc| index.has_value(*doc)).count() as u64;
        match column {
            DynamicColumn::Str(column) if request.interval.is_none() => {
                with_listed += with_listed_text(column, among, &keys)?;
            }
            column => each_key(request, column, among, |key| {
                with_listed += u64::from(keys.contains(&key));
            }),
        }
    }
    Ok((with, with_listed))
}

fn with_listed_text(
    column: &StrColumn,
    among: &DocBits,
    listed: &HashSet<&Key>,
) -> tantivy::Result<u64> {
    let counts = ordinal_counts(column, among);
    let mut is_listed = vec![false; counts.len()];
    each_text(column, &counts, |ord, text| {
        is_listed[ord] = listed.contains(&Key::Text(folded(&text)));
    })?;
    let with_listed = among
        .iter()
        .filter(|doc| column.term_ords(*doc).any(|ord| is_listed[ord as usize]));
    Ok(with_listed.count() as u64)
}
