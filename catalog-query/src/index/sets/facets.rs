//! Counts the values that the documents of a set have in a field. Counts are exact.

use std::collections::{BTreeMap, HashMap, HashSet};

use catalog_events::Currency;
use tantivy::Searcher;
use tantivy::columnar::{Column, DynamicColumn, StrColumn};

use crate::index::document::columns::FieldName;
use crate::index::document::values::{folded, read_flag, snapped, written_number};
use crate::index::sets::doc_sets::{DocBits, DocSets};
use crate::index::sets::price::{CurrencyCodes, minor_units, written};

/// A set with fewer documents than one for so many terms of a column is counted without a place for each
/// term.
const SPARSE: u64 = 16;

/// The field to count. Invariant: `interval` is positive and finite.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FacetRequest {
    pub(crate) field: FieldName,
    pub(crate) size: usize,
    /// The width of a bucket, in the unit of the field. Without it, single values are counted.
    pub(crate) interval: Option<f64>,
    /// The folded text that a listed value contains; empty lists all.
    pub(crate) containing: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FacetCounts {
    pub(crate) field: FieldName,
    pub(crate) values: Vec<ValueCount>,
    /// The documents that have only values that are not listed.
    pub(crate) other: u64,
    /// The documents without the field; for a price, those in another currency too.
    pub(crate) missing: u64,
    /// None where no document has a number in the field.
    pub(crate) numbers: Option<NumberSummary>,
}

/// The numbers that the documents of a set have in a field, in the unit of the field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct NumberSummary {
    pub(crate) count: u64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) mean: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ValueCount {
    pub(crate) value: String,
    pub(crate) count: u64,
    /// The bounds of a bucket; the upper one is excluded. None for a single value.
    pub(crate) bounds: Option<(f64, f64)>,
}

/// Counts a field. Prices are counted where they are in `currency`.
pub(crate) fn count(
    searcher: &Searcher,
    request: &FacetRequest,
    among: &DocSets,
    currency: Currency,
) -> tantivy::Result<FacetCounts> {
    let units = Units::of(request, currency);
    let mut tally = Tally::default();
    let mut segments = Vec::new();
    for (segment, place) in searcher.segment_readers().iter().zip(0..) {
        let Some(bits) = among.segment(place) else {
            continue;
        };
        let mut bits = bits.clone();
        if request.field.is_price() {
            let codes = CurrencyCodes::of(segment)?;
            bits.retain(|doc| codes.get(doc) == Some(currency.code()));
        }
        let columns = request.field.columns(segment)?;
        for column in &columns {
            tally.add(&units, column, &bits)?;
        }
        segments.push((columns, bits));
    }
    let numbers = tally.numbers.summary(&units);
    let listed = tally.list(request, &units);
    let (mut with, mut with_listed) = (0, 0);
    for (columns, bits) in &segments {
        let (any, any_listed) = covered(&units, columns, bits, &listed)?;
        with += any;
        with_listed += any_listed;
    }
    Ok(FacetCounts {
        field: request.field.clone(),
        values: listed.into_iter().map(|(_, count)| count).collect(),
        other: with - with_listed,
        missing: among.len() - with,
        numbers,
    })
}

/// How stored numbers become those that callers see, and buckets of them.
struct Units<'a> {
    field: &'a FieldName,
    currency: Currency,
    /// Stored numbers are divided by it.
    scale: f64,
    /// The width of a bucket in stored numbers.
    interval: Option<f64>,
}

impl<'a> Units<'a> {
    fn of(request: &'a FacetRequest, currency: Currency) -> Self {
        let field = &request.field;
        let scale = match field {
            FieldName::PriceMajor => minor_units(currency),
            field => field.scale(),
        };
        let interval = request.interval.map(|interval| match scale {
            1.0 => interval,
            scale => snapped(interval * scale),
        });
        Self {
            field,
            currency,
            scale,
            interval,
        }
    }

    /// The key of a stored number. None if it is too large for a bucket.
    fn number(&self, stored: f64) -> Option<Key> {
        let Some(interval) = self.interval else {
            return Some(Key::Number(ordered(stored)));
        };
        let mut bucket = (stored / interval).floor();
        if bucket.abs() >= 1e15 {
            return None;
        }
        // Division may have rounded across the bound that is stated.
        if stored < bucket * interval {
            bucket -= 1.0;
        } else if stored >= (bucket + 1.0) * interval {
            bucket += 1.0;
        }
        Some(Key::Number(bucket as i128))
    }

    /// The key of a text. In an attribute the text of a number is that number.
    fn text(&self, text: &str) -> Key {
        let folded = self.field.fold(text);
        let is_attribute = self.field.has_flags();
        match (written_number(&folded), read_flag(&folded)) {
            (Some(number), _) if is_attribute => Key::Number(ordered(number)),
            (_, Some(flag)) if is_attribute => Key::Flag(flag),
            _ => Key::Text(folded),
        }
    }

    fn spelling(&self, key: &Key) -> String {
        match (key, self.bounds(key)) {
            (_, Some((from, _))) => from.to_string(),
            (Key::Text(text), None) => text.clone(),
            (Key::Flag(value), None) => value.to_string(),
            (Key::Number(number), None) if *self.field == FieldName::PriceMajor => {
                written(unordered(*number) as u64, self.currency)
            }
            (Key::Number(number), None) => (unordered(*number) / self.scale).to_string(),
        }
    }

    fn bounds(&self, key: &Key) -> Option<(f64, f64)> {
        match (key, self.interval) {
            (Key::Number(bucket), Some(interval)) => {
                let bound = |bucket: f64| bucket * interval / self.scale + 0.0;
                Some((bound(*bucket as f64), bound(*bucket as f64 + 1.0)))
            }
            _ => None,
        }
    }
}

/// The identity of a value. Texts that differ only in how they are written are one, and so are the
/// numbers of one bucket.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Key {
    /// A folded text.
    Text(String),
    Flag(bool),
    /// A stored number, or a bucket, that orders as the numbers do.
    Number(i128),
}

#[derive(Default)]
struct Tally {
    counts: HashMap<Key, Counted>,
    numbers: Numbers,
}

/// The documents with a value, and how often each spelling of it occurs.
#[derive(Default)]
struct Counted {
    docs: u64,
    spellings: BTreeMap<String, u64>,
}

impl Tally {
    fn add(
        &mut self,
        units: &Units<'_>,
        column: &DynamicColumn,
        among: &DocBits,
    ) -> tantivy::Result<()> {
        if let (DynamicColumn::Str(column), None) = (column, units.interval) {
            return self.add_texts(units, column, among);
        }
        each_number(column, among, |number| self.numbers.add(number));
        let mut counts: HashMap<Key, u64> = HashMap::new();
        each_key(units, column, among, |key| {
            *counts.entry(key).or_default() += 1;
        });
        for (key, count) in counts {
            let spelling = units.spelling(&key);
            let counted = self.counts.entry(key).or_default();
            counted.docs += count;
            *counted.spellings.entry(spelling).or_default() += count;
        }
        Ok(())
    }

    fn add_texts(
        &mut self,
        units: &Units<'_>,
        column: &StrColumn,
        among: &DocBits,
    ) -> tantivy::Result<()> {
        let counts = ordinal_counts(column, among);
        let mut keys: HashMap<u64, Key> = HashMap::new();
        each_text(column, &counts, |ordinal, count, text| {
            let key = units.text(&text);
            let counted = self.counts.entry(key.clone()).or_default();
            *counted.spellings.entry(text).or_default() += count;
            keys.insert(ordinal, key);
        })?;
        if column.ords().get_cardinality().is_multivalue() {
            for doc in among.iter() {
                // A document counts once for a value, however often and however it has it.
                let of_doc: HashSet<&Key> = column
                    .term_ords(doc)
                    .filter_map(|ord| keys.get(&ord))
                    .collect();
                self.count_one_each(of_doc);
            }
        } else {
            for (ordinal, count) in &counts {
                let key = keys.get(ordinal);
                if let Some(counted) = key.and_then(|key| self.counts.get_mut(key)) {
                    counted.docs += count;
                }
            }
        }
        Ok(())
    }

    fn count_one_each(&mut self, keys: HashSet<&Key>) {
        for key in keys {
            if let Some(counted) = self.counts.get_mut(key) {
                counted.docs += 1;
            }
        }
    }

    /// Lists the most frequent values, equally frequent ones ordered by value. Buckets are listed
    /// in the order of their bounds.
    fn list(self, request: &FacetRequest, units: &Units<'_>) -> Vec<(Key, ValueCount)> {
        let counted = |(key, counted): (Key, Counted)| {
            // The most frequent spelling is shown, and the first of equally frequent ones.
            let spellings = counted.spellings.into_iter().rev();
            let spelling = spellings.max_by_key(|(_, count)| *count);
            let value = ValueCount {
                value: spelling.map(|(text, _)| text).unwrap_or_default(),
                count: counted.docs,
                bounds: units.bounds(&key),
            };
            (key, value)
        };
        let is_wanted = |(_, value): &(Key, ValueCount)| {
            request.containing.is_empty() || folded(&value.value).contains(&request.containing)
        };
        let values = self.counts.into_iter().map(counted);
        let mut values: Vec<(Key, ValueCount)> = values.filter(is_wanted).collect();
        values.sort_by(|(a, of_a), (b, of_b)| of_b.count.cmp(&of_a.count).then(a.cmp(b)));
        values.truncate(request.size);
        if request.interval.is_some() {
            values.sort_by(|(a, _), (b, _)| a.cmp(b));
        }
        values
    }
}

/// Adds up stored numbers.
#[derive(Default)]
struct Numbers {
    count: u64,
    range: Option<(f64, f64)>,
    sum: f64,
}

impl Numbers {
    fn add(&mut self, number: f64) {
        let (min, max) = self.range.unwrap_or((number, number));
        self.range = Some((min.min(number), max.max(number)));
        self.count += 1;
        self.sum += number;
    }

    fn summary(&self, units: &Units<'_>) -> Option<NumberSummary> {
        let (min, max) = self.range?;
        Some(NumberSummary {
            count: self.count,
            min: min / units.scale + 0.0,
            max: max / units.scale + 0.0,
            mean: self.sum / self.count as f64 / units.scale + 0.0,
        })
    }
}

/// Maps a number to an integer that sorts the same; [`unordered`] maps it back.
fn ordered(number: f64) -> i128 {
    i128::from(tantivy::f64_to_u64(number + 0.0))
}

fn unordered(number: i128) -> f64 {
    tantivy::u64_to_f64(number as u64)
}

/// Counts the documents of each term ordinal that occurs, in the order of the ordinals.
pub(super) fn ordinal_counts(column: &StrColumn, among: &DocBits) -> Vec<(u64, u64)> {
    let ordinals = among.iter().flat_map(|doc| column.term_ords(doc));
    if among.len() * SPARSE < column.num_terms() as u64 {
        let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
        ordinals.for_each(|ordinal| *counts.entry(ordinal).or_default() += 1);
        return counts.into_iter().collect();
    }
    let mut counts = vec![0; column.num_terms()];
    ordinals.for_each(|ordinal| counts[ordinal as usize] += 1);
    let counts = (0..).zip(counts);
    counts.filter(|(_, count)| *count > 0).collect()
}

/// Calls `each` with the ordinal, the count and the text of every term that was counted.
pub(super) fn each_text(
    column: &StrColumn,
    counts: &[(u64, u64)],
    mut each: impl FnMut(u64, u64, String),
) -> tantivy::Result<()> {
    let ordinals: Vec<u64> = counts.iter().map(|(ordinal, _)| *ordinal).collect();
    let mut next = counts.iter();
    column
        .dictionary()
        .sorted_ords_to_term_cb(&ordinals, |text| {
            if let Some((ordinal, count)) = next.next() {
                let text = String::from_utf8_lossy(text).into_owned();
                each(*ordinal, *count, text);
            }
        })?;
    Ok(())
}

/// Calls `each` with the keys in a column that has no texts, and therefore at most one value a
/// document.
fn each_key(units: &Units<'_>, column: &DynamicColumn, among: &DocBits, mut each: impl FnMut(Key)) {
    match column {
        DynamicColumn::Bool(column) if units.interval.is_none() => {
            let flags = among.iter().filter_map(|doc| column.first(doc));
            flags.for_each(|flag| each(Key::Flag(flag)));
        }
        column => each_number(column, among, |number| {
            if let Some(key) = units.number(number) {
                each(key);
            }
        }),
    }
}

/// Calls `each` with the stored numbers in a column.
fn each_number(column: &DynamicColumn, among: &DocBits, mut each: impl FnMut(f64)) {
    match column {
        DynamicColumn::I64(column) => numbers(column, among, |n| n as f64).for_each(&mut each),
        DynamicColumn::U64(column) => numbers(column, among, |n| n as f64).for_each(&mut each),
        DynamicColumn::F64(column) => numbers(column, among, |n| n).for_each(&mut each),
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
    units: &Units<'_>,
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
            DynamicColumn::Str(column) if units.interval.is_none() => {
                with_listed += with_listed_text(units, column, among, &keys)?;
            }
            column => each_key(units, column, among, |key| {
                with_listed += u64::from(keys.contains(&key));
            }),
        }
    }
    Ok((with, with_listed))
}

fn with_listed_text(
    units: &Units<'_>,
    column: &StrColumn,
    among: &DocBits,
    listed: &HashSet<&Key>,
) -> tantivy::Result<u64> {
    let counts = ordinal_counts(column, among);
    let mut ordinals: HashSet<u64> = HashSet::new();
    each_text(column, &counts, |ordinal, _, text| {
        if listed.contains(&units.text(&text)) {
            ordinals.insert(ordinal);
        }
    })?;
    let with_listed = among.iter().filter(|doc| {
        column
            .term_ords(*doc)
            .any(|ordinal| ordinals.contains(&ordinal))
    });
    Ok(with_listed.count() as u64)
}
