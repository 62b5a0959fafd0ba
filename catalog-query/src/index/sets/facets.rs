//! Counts the values that the documents of a set have in a field. Counts are exact.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use catalog_events::Currency;
use rustc_hash::FxHashMap;
use tantivy::columnar::{Column, DynamicColumn, StrColumn};
use tantivy::{DocId, Searcher, SegmentReader};

use crate::index::document::columns::{FieldName, each_number};
use crate::index::document::values::folded;
use crate::index::sets::doc_sets::{DocBits, DocSets};
use crate::index::sets::facet_values::{Key, Units};
use crate::index::sets::open_columns::{OpenColumn, OpenColumns};

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
    open: &OpenColumns,
    request: &FacetRequest,
    among: &DocSets,
    currency: Currency,
) -> tantivy::Result<FacetCounts> {
    let mut segments = Vec::new();
    for (segment, place) in searcher.segment_readers().iter().zip(0..) {
        let Some(bits) = among.segment(place).filter(|bits| !bits.is_empty()) else {
            continue;
        };
        let bits = if request.field.is_price() {
            Cow::Owned(priced_in(currency, open, segment, bits)?)
        } else {
            Cow::Borrowed(bits)
        };
        segments.push((open.values(segment, &request.field)?, bits));
    }
    let units = Units::of(&request.field, request.interval, currency);
    let mut tally = Tally::new(&units);
    let mut with_several = Vec::new();
    for (columns, bits) in &segments {
        with_several.extend(tally.add(columns, bits)?.map(|columns| (columns, bits)));
    }
    let listed = tally.list(request);
    let mut is_listed = vec![false; tally.values.len()];
    for (place, _) in &listed {
        is_listed[*place] = true;
    }
    let (mut with, mut with_listed) = (tally.single, 0);
    for (place, _) in &listed {
        with_listed += tally.values[*place].single;
    }
    let mut places = Vec::new();
    for (columns, bits) in &with_several {
        for doc in bits.iter() {
            if columns.iter().any(|column| column.has_value(doc)) {
                tally.places(columns, doc, &mut places);
                with += 1;
                with_listed += u64::from(places.iter().any(|place| is_listed[*place]));
            }
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

/// The documents of a set whose price is in this currency.
fn priced_in(
    currency: Currency,
    open: &OpenColumns,
    segment: &SegmentReader,
    among: &DocBits,
) -> tantivy::Result<DocBits> {
    for column in open.values(segment, &FieldName::Currency)?.iter() {
        let (DynamicColumn::Str(codes), Some(wanted)) =
            (&column.column, column.ordinal(currency.code()))
        else {
            continue;
        };
        let mut priced = among.clone();
        let is_only = codes.num_terms() == 1 && codes.ords().index.get_cardinality().is_full();
        if !is_only {
            priced.retain(|doc| codes.term_ords(doc).next() == Some(wanted));
        }
        return Ok(priced);
    }
    Ok(DocBits::default())
}

/// What was counted so far. A value is known by its place in the order in which values were met.
struct Tally<'a> {
    units: &'a Units<'a>,
    places: HashMap<Key<'a>, usize>,
    values: Vec<Counted<'a>>,
    numbers: Numbers,
    /// The documents with a value in segments where each has one at most.
    single: u64,
}

/// The documents with a value, and how often each spelling of it occurs.
struct Counted<'a> {
    key: Key<'a>,
    docs: u64,
    /// Those of them that are in segments where each document has one value at most.
    single: u64,
    /// As each segment tells them; None is how numbers and flags are spelled.
    spellings: Vec<(Option<Cow<'a, str>>, u64)>,
}

/// A column of a segment whose values have their places.
enum PlacedColumn<'a> {
    /// A column of texts, with the place of each ordinal that occurs, where documents have several.
    Texts(&'a StrColumn, FxHashMap<u64, usize>),
    Flags(&'a Column<bool>),
    Numbers(&'a DynamicColumn),
    /// A column of values that are in no bucket.
    Unlisted(&'a DynamicColumn),
}

impl PlacedColumn<'_> {
    fn has_value(&self, doc: DocId) -> bool {
        match self {
            Self::Texts(column, _) => column.ords().index.has_value(doc),
            Self::Flags(column) => column.index.has_value(doc),
            Self::Numbers(column) | Self::Unlisted(column) => column.column_index().has_value(doc),
        }
    }
}

impl<'a> Tally<'a> {
    fn new(units: &'a Units<'a>) -> Self {
        Self {
            units,
            places: HashMap::new(),
            values: Vec::new(),
            numbers: Numbers::default(),
            single: 0,
        }
    }

    /// Counts the values that documents have in the columns of a segment. Returns the columns where
    /// documents may have several values; else all is counted.
    fn add(
        &mut self,
        columns: &'a [OpenColumn],
        among: &DocBits,
    ) -> tantivy::Result<Option<Vec<PlacedColumn<'a>>>> {
        let is_single = match columns {
            [] => return Ok(None),
            [one] => !one.column.column_index().get_cardinality().is_multivalue(),
            _ => false,
        };
        let mut placed = Vec::with_capacity(columns.len());
        for open in columns {
            placed.push(match &open.column {
                DynamicColumn::Str(texts) if self.units.interval.is_none() => {
                    self.add_texts(open, texts, among, is_single)?
                }
                DynamicColumn::Bool(flags) if self.units.interval.is_none() => {
                    self.add_flags(flags, among, is_single)
                }
                unlisted @ (DynamicColumn::Str(_) | DynamicColumn::Bool(_)) => {
                    if is_single {
                        let index = unlisted.column_index();
                        let with = among.iter().filter(|doc| index.has_value(*doc));
                        self.single += with.count() as u64;
                    }
                    PlacedColumn::Unlisted(unlisted)
                }
                numbers => self.add_numbers(numbers, among, is_single),
            });
        }
        if is_single {
            return Ok(None);
        }
        let mut places = Vec::new();
        for doc in among.iter() {
            self.places(&placed, doc, &mut places);
            for place in &places {
                self.values[*place].docs += 1;
            }
        }
        Ok(Some(placed))
    }

    fn add_texts(
        &mut self,
        open: &'a OpenColumn,
        texts: &'a StrColumn,
        among: &DocBits,
        is_single: bool,
    ) -> tantivy::Result<PlacedColumn<'a>> {
        let mut places = FxHashMap::default();
        open.each_term(among, |term, count| {
            let place = self.meet(term.key, Some(term.text), count, is_single);
            if !is_single {
                places.insert(term.ordinal, place);
            }
        })?;
        Ok(PlacedColumn::Texts(texts, places))
    }

    fn add_flags(
        &mut self,
        flags: &'a Column<bool>,
        among: &DocBits,
        is_single: bool,
    ) -> PlacedColumn<'a> {
        let mut counts = [0; 2];
        for flag in among.iter().flat_map(|doc| flags.values_for_doc(doc)) {
            counts[usize::from(flag)] += 1;
        }
        for (flag, count) in [false, true].into_iter().zip(counts) {
            if count > 0 {
                self.meet(Key::Flag(flag), None, count, is_single);
            }
        }
        PlacedColumn::Flags(flags)
    }

    fn add_numbers(
        &mut self,
        column: &'a DynamicColumn,
        among: &DocBits,
        is_single: bool,
    ) -> PlacedColumn<'a> {
        let mut counts: FxHashMap<Option<Key<'_>>, u64> = FxHashMap::default();
        for doc in among.iter() {
            each_number(column, doc, |number| {
                self.numbers.add(number);
                *counts.entry(self.units.number(number)).or_default() += 1;
            });
        }
        for (key, count) in counts {
            match key {
                Some(key) => drop(self.meet(key, None, count, is_single)),
                // It is in no bucket.
                None if is_single => self.single += count,
                None => {}
            }
        }
        PlacedColumn::Numbers(column)
    }

    /// Counts a value that occurs `count` times in this spelling: in as many documents where each has
    /// one value at most.
    fn meet(
        &mut self,
        key: Key<'a>,
        spelling: Option<Cow<'a, str>>,
        count: u64,
        is_single: bool,
    ) -> usize {
        let place = *self.places.entry(key).or_insert_with_key(|key| {
            self.values.push(Counted {
                key: key.clone(),
                docs: 0,
                single: 0,
                spellings: Vec::new(),
            });
            self.values.len() - 1
        });
        let value = &mut self.values[place];
        if is_single {
            self.single += count;
            value.single += count;
            value.docs += count;
        }
        value.spellings.push((spelling, count));
        place
    }

    /// The places of the values that a document has, each once, however often and however it has it.
    fn places(&self, columns: &[PlacedColumn<'_>], doc: DocId, places: &mut Vec<usize>) {
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
                    let key = self.units.number(number);
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
    fn list(&self, request: &FacetRequest) -> Vec<(usize, ValueCount)> {
        let by_key = |a: &usize, b: &usize| self.values[*a].key.cmp(&self.values[*b].key);
        let by_count = |a: &usize, b: &usize| {
            let (of_a, of_b) = (self.values[*a].docs, self.values[*b].docs);
            of_b.cmp(&of_a).then_with(|| by_key(a, b))
        };
        let is_wanted = |place: &usize| {
            request.containing.is_empty()
                || folded(&self.spelling(&self.values[*place])).contains(&request.containing)
        };
        let places = 0..self.values.len();
        let mut places: Vec<usize> = places.filter(is_wanted).collect();
        if places.len() > request.size {
            places.select_nth_unstable_by(request.size, by_count);
            places.truncate(request.size);
        }
        if request.interval.is_some() {
            places.sort_unstable_by(by_key);
        } else {
            places.sort_unstable_by(by_count);
        }
        let listed = places.into_iter().map(|place| {
            let counted = &self.values[place];
            let value = ValueCount {
                value: self.spelling(counted),
                count: counted.docs,
                bounds: self.units.bounds(&counted.key),
            };
            (place, value)
        });
        listed.collect()
    }

    /// The most frequent spelling of a value, and the first of equally frequent ones.
    fn spelling(&self, counted: &Counted<'_>) -> String {
        if let [(spelling, _)] = &counted.spellings[..] {
            return match spelling {
                Some(text) => text.clone().into_owned(),
                None => self.units.spelling(&counted.key),
            };
        }
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for (spelling, count) in &counted.spellings {
            let spelling = match spelling {
                Some(text) => text.clone().into_owned(),
                None => self.units.spelling(&counted.key),
            };
            *counts.entry(spelling).or_default() += count;
        }
        let best = counts.into_iter().rev().max_by_key(|(_, count)| *count);
        best.map_or_else(String::new, |(spelling, _)| spelling)
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
