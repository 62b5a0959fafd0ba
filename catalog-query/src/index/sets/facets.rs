//! Counts the values that the documents of a set have in a field. Counts are exact.

use std::collections::{BTreeMap, HashMap};

use catalog_events::Currency;
use tantivy::columnar::{Column, DynamicColumn, StrColumn};
use tantivy::{DocId, Searcher};

use crate::index::document::columns::{FieldName, each_number};
use crate::index::document::values::folded;
use crate::index::sets::doc_sets::{DocBits, DocSets};
use crate::index::sets::facet_values::{Key, Units, each_text, ordinal_counts};
use crate::index::sets::price::CurrencyCodes;

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

/// The numbers that the documents of a set have in a field, in the unit of the field. A document with
/// a list has several.
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
    let units = Units::of(&request.field, request.interval, currency);
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
        let columns = tally.add(&units, request.field.columns(segment)?, &bits)?;
        segments.push((columns, bits));
    }
    let listed = tally.list(request, &units);
    let mut is_listed = vec![false; tally.values.len()];
    for (place, _) in &listed {
        is_listed[*place] = true;
    }
    let (mut with, mut with_listed) = (0, 0);
    let mut places = Vec::new();
    for (columns, bits) in &segments {
        for doc in bits.iter() {
            if !columns.iter().any(|column| column.has_value(doc)) {
                continue;
            }
            tally.places(&units, columns, doc, &mut places);
            with += 1;
            with_listed += u64::from(places.iter().any(|place| is_listed[*place]));
        }
    }
    Ok(FacetCounts {
        field: request.field.clone(),
        values: listed.into_iter().map(|(_, count)| count).collect(),
        other: with - with_listed,
        missing: among.len() - with,
        numbers: tally.numbers.summary(&units),
    })
}

/// What was counted so far. A value is known by its place in the order in which values were met.
#[derive(Default)]
struct Tally {
    places: HashMap<Key, usize>,
    values: Vec<Counted>,
    numbers: Numbers,
}

/// The documents with a value, and how often each spelling of it occurs.
struct Counted {
    key: Key,
    docs: u64,
    spellings: BTreeMap<String, u64>,
}

/// A column of a segment whose values have their places.
enum PlacedColumn {
    /// A column of texts, with the place of each ordinal that occurs.
    Texts(StrColumn, HashMap<u64, usize>),
    Flags(Column<bool>),
    Numbers(DynamicColumn),
    /// A column of values that are in no bucket.
    Unlisted(DynamicColumn),
}

impl PlacedColumn {
    fn has_value(&self, doc: DocId) -> bool {
        match self {
            Self::Texts(column, _) => column.ords().index.has_value(doc),
            Self::Flags(column) => column.index.has_value(doc),
            Self::Numbers(column) | Self::Unlisted(column) => column.column_index().has_value(doc),
        }
    }
}

impl Tally {
    /// Counts the values that documents have in the columns of a segment.
    fn add(
        &mut self,
        units: &Units<'_>,
        columns: Vec<DynamicColumn>,
        among: &DocBits,
    ) -> tantivy::Result<Vec<PlacedColumn>> {
        // Then a document is counted with its value, and need not be looked at again.
        let is_single = match columns.as_slice() {
            [column] => !column.column_index().get_cardinality().is_multivalue(),
            _ => false,
        };
        let mut placed = Vec::with_capacity(columns.len());
        for column in columns {
            placed.push(match column {
                DynamicColumn::Str(column) if units.interval.is_none() => {
                    self.add_texts(units, column, among, is_single)?
                }
                DynamicColumn::Bool(column) if units.interval.is_none() => {
                    self.add_flags(units, column, among, is_single)
                }
                DynamicColumn::Str(_) | DynamicColumn::Bool(_) => PlacedColumn::Unlisted(column),
                column => self.add_numbers(units, column, among, is_single),
            });
        }
        if !is_single {
            let mut places = Vec::new();
            for doc in among.iter() {
                self.places(units, &placed, doc, &mut places);
                for place in &places {
                    self.values[*place].docs += 1;
                }
            }
        }
        Ok(placed)
    }

    fn add_texts(
        &mut self,
        units: &Units<'_>,
        column: StrColumn,
        among: &DocBits,
        is_single: bool,
    ) -> tantivy::Result<PlacedColumn> {
        let counts = ordinal_counts(&column, among);
        let mut places = HashMap::with_capacity(counts.len());
        each_text(&column, &counts, |ordinal, count, text| {
            let docs = if is_single { count } else { 0 };
            let place = self.meet(units.text(&text), text, count, docs);
            places.insert(ordinal, place);
        })?;
        Ok(PlacedColumn::Texts(column, places))
    }

    fn add_flags(
        &mut self,
        units: &Units<'_>,
        column: Column<bool>,
        among: &DocBits,
        is_single: bool,
    ) -> PlacedColumn {
        let mut counts: HashMap<Key, u64> = HashMap::new();
        for flag in among.iter().flat_map(|doc| column.values_for_doc(doc)) {
            *counts.entry(Key::Flag(flag)).or_default() += 1;
        }
        self.meet_all(units, counts, is_single);
        PlacedColumn::Flags(column)
    }

    fn add_numbers(
        &mut self,
        units: &Units<'_>,
        column: DynamicColumn,
        among: &DocBits,
        is_single: bool,
    ) -> PlacedColumn {
        let mut counts: HashMap<Key, u64> = HashMap::new();
        for doc in among.iter() {
            each_number(&column, doc, |number| {
                self.numbers.add(number);
                if let Some(key) = units.number(number) {
                    *counts.entry(key).or_default() += 1;
                }
            });
        }
        self.meet_all(units, counts, is_single);
        PlacedColumn::Numbers(column)
    }

    fn meet_all(&mut self, units: &Units<'_>, counts: HashMap<Key, u64>, is_single: bool) {
        for (key, count) in counts {
            let spelling = units.spelling(&key);
            self.meet(key, spelling, count, if is_single { count } else { 0 });
        }
    }

    /// Counts a value that occurs `count` times in this spelling, in `docs` more documents.
    fn meet(&mut self, key: Key, spelling: String, count: u64, docs: u64) -> usize {
        let place = *self.places.entry(key).or_insert_with_key(|key| {
            self.values.push(Counted {
                key: key.clone(),
                docs: 0,
                spellings: BTreeMap::new(),
            });
            self.values.len() - 1
        });
        let value = &mut self.values[place];
        value.docs += docs;
        *value.spellings.entry(spelling).or_default() += count;
        place
    }

    /// The places of the values that a document has, each once, however often and however it has it.
    fn places(
        &self,
        units: &Units<'_>,
        columns: &[PlacedColumn],
        doc: DocId,
        places: &mut Vec<usize>,
    ) {
        places.clear();
        for column in columns {
            match column {
                PlacedColumn::Texts(column, known) => {
                    let known = |ordinal| known.get(&ordinal).copied();
                    places.extend(column.term_ords(doc).filter_map(known));
                }
                PlacedColumn::Flags(column) => {
                    let known = |flag| self.places.get(&Key::Flag(flag)).copied();
                    places.extend(column.values_for_doc(doc).filter_map(known));
                }
                PlacedColumn::Numbers(column) => each_number(column, doc, |number| {
                    let key = units.number(number);
                    places.extend(key.and_then(|key| self.places.get(&key)));
                }),
                PlacedColumn::Unlisted(_) => {}
            }
        }
        if places.len() > 1 {
            places.sort_unstable();
            places.dedup();
        }
    }

    /// Lists the most frequent values with their places, equally frequent ones ordered by value. Buckets
    /// are listed in the order of their bounds.
    fn list(&self, request: &FacetRequest, units: &Units<'_>) -> Vec<(usize, ValueCount)> {
        let counted = |(place, counted): (usize, &Counted)| {
            // The most frequent spelling is shown, and the first of equally frequent ones.
            let spellings = counted.spellings.iter().rev();
            let spelling = spellings.max_by_key(|(_, count)| *count);
            let value = ValueCount {
                value: spelling.map_or_else(String::new, |(text, _)| text.clone()),
                count: counted.docs,
                bounds: units.bounds(&counted.key),
            };
            (place, value)
        };
        let is_wanted = |(_, value): &(usize, ValueCount)| {
            request.containing.is_empty() || folded(&value.value).contains(&request.containing)
        };
        let by_key = |a: usize, b: usize| self.values[a].key.cmp(&self.values[b].key);
        let values = self.values.iter().enumerate().map(counted);
        let mut values: Vec<(usize, ValueCount)> = values.filter(is_wanted).collect();
        values.sort_by(|(a, of_a), (b, of_b)| of_b.count.cmp(&of_a.count).then(by_key(*a, *b)));
        values.truncate(request.size);
        if request.interval.is_some() {
            values.sort_by(|(a, _), (b, _)| by_key(*a, *b));
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
