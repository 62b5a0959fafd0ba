//! Filters of products, and their evaluation against a snapshot.

use std::collections::HashSet;

use catalog_events::Currency;
use tantivy::columnar::{Column, ColumnIndex, DynamicColumn};
use tantivy::query::Query;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet as _, Searcher, SegmentReader, TERMINATED, Term};

use crate::index::document::columns::{
    ColumnFields, DISCONTINUED, FieldName, PRICE, category_fact, each_number, flag_fact, text_fact,
};
use crate::index::document::values::snapped;
use crate::index::sets::doc_sets::{DocBits, DocSets};

/// More ranges of prices than these are single prices, which a filter lists, and are looked up together.
const RANGES_MAX: usize = 1;

/// A condition on products. Its size is bounded where it is built.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Filter {
    /// Everything if empty.
    All(Vec<Filter>),
    /// Nothing if empty.
    Any(Vec<Filter>),
    Not(Box<Filter>),
    /// The field has one of these values, which are folded and may be texts, numbers or flags.
    Terms {
        field: FieldName,
        folded: Vec<String>,
    },
    /// The price is within the bounds, in the currency that the filter asks for or that of the catalog.
    Price(PriceBounds),
    /// The attribute has one of these folded values. Where no product has an attribute of that name and
    /// the name ends in `.min`, `.max` or `.below`, the value is a bound for the attribute before.
    ByName {
        attribute: String,
        folded: Vec<String>,
    },
    /// The field has one of these values: what [`Filter::Terms`] means in a snapshot.
    Values {
        field: FieldName,
        texts: Vec<String>,
        numbers: Vec<f64>,
        flags: Vec<bool>,
    },
    /// The price is in this currency and within one of the ranges of minor units, both ends included.
    Priced {
        currency: Currency,
        ranges: Vec<(u64, u64)>,
    },
    /// One of the values of the field is within the bounds, both included.
    Range {
        field: FieldName,
        min: f64,
        max: f64,
    },
    Flag {
        field: FieldName,
        value: bool,
    },
    /// The product is in this category or below it.
    Category(Vec<String>),
    Exists(FieldName),
    /// The product is sold. It is no condition on the status that a facet of it leaves out.
    Sold,
    /// A filter that the caller cannot see past: no facet leaves any of it out.
    Forced(Box<Self>),
}

/// The bounds of a price, in minor or in major units; infinite where there is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PriceBounds {
    pub(crate) is_major: bool,
    /// Included.
    pub(crate) min: f64,
    /// Included.
    pub(crate) max: f64,
    /// Not included.
    pub(crate) below: f64,
}

impl Filter {
    /// The one currency that every product that passes has, where the filter says so by itself.
    pub(crate) fn currency(&self) -> Option<Currency> {
        match self {
            Self::All(parts) => parts.iter().find_map(Self::currency),
            Self::Forced(part) => part.currency(),
            Self::Any(parts) => match parts.as_slice() {
                [only] => only.currency(),
                _ => None,
            },
            Self::Terms { field, folded } if *field == FieldName::Currency => only_code(folded),
            Self::Values { field, texts, .. } if *field == FieldName::Currency => only_code(texts),
            _ => None,
        }
    }

    /// Whether the filter compares prices.
    pub(crate) fn has_prices(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::has_prices),
            Self::Not(part) | Self::Forced(part) => part.has_prices(),
            Self::Terms { field, .. } => field.is_price(),
            Self::Price(_) | Self::Priced { .. } => true,
            _ => false,
        }
    }

    /// The filter without its conditions on `field`: the facet of a field counts the documents that pass
    /// all other conditions. None if there are no others.
    pub(crate) fn without(&self, field: &FieldName) -> Option<Self> {
        match self {
            Self::All(parts) => {
                let rest: Vec<Self> = parts
                    .iter()
                    .filter_map(|part| part.without(field))
                    .collect();
                (!rest.is_empty()).then_some(Self::All(rest))
            }
            Self::Forced(_) => Some(self.clone()),
            part => (!part.is_on(field)).then(|| part.clone()),
        }
    }

    fn is_on(&self, field: &FieldName) -> bool {
        let mut fields = Vec::new();
        self.add_fields(&mut fields);
        !fields.is_empty() && fields.iter().all(|on| *on == field.stored())
    }

    fn add_fields<'a>(&'a self, fields: &mut Vec<&'a FieldName>) {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.add_fields(fields));
            }
            Self::Not(part) | Self::Forced(part) => part.add_fields(fields),
            Self::Terms { field, .. }
            | Self::Values { field, .. }
            | Self::Range { field, .. }
            | Self::Flag { field, .. }
            | Self::Exists(field) => fields.push(field.stored()),
            Self::Price(_) | Self::Priced { .. } => fields.push(&FieldName::Price),
            // It is an attribute that is known only once the filter has its meaning.
            Self::ByName { .. } | Self::Sold => {}
            Self::Category(_) => fields.push(&FieldName::Category),
        }
    }

    /// Returns the live documents that pass a filter that has its meaning in the snapshot.
    pub(crate) fn evaluate(
        &self,
        searcher: &Searcher,
        fields: &ColumnFields,
    ) -> tantivy::Result<DocSets> {
        DocSets::of(searcher, |segment| Evaluation { segment, fields }.of(self))
    }
}

fn only_code(folded: &[String]) -> Option<Currency> {
    match folded {
        [code] => code.to_uppercase().parse().ok(),
        _ => None,
    }
}

/// A filter's evaluation in one segment.
pub(super) struct Evaluation<'a> {
    pub(super) segment: &'a SegmentReader,
    pub(super) fields: &'a ColumnFields,
}

impl Evaluation<'_> {
    /// Returns the documents that pass, perhaps with deleted ones.
    pub(super) fn of(&self, filter: &Filter) -> tantivy::Result<DocBits> {
        match filter {
            Filter::All(parts) => {
                let mut bits = DocBits::all(self.docs());
                for part in parts {
                    bits.intersect(&self.of(part)?);
                }
                Ok(bits)
            }
            Filter::Any(parts) => {
                let mut bits = DocBits::none(self.docs());
                for part in parts {
                    bits.unite(&self.of(part)?);
                }
                Ok(bits)
            }
            Filter::Forced(part) => self.of(part),
            Filter::Not(part) => {
                let mut bits = self.of(part)?;
                bits.complement();
                Ok(bits)
            }
            Filter::Values {
                field,
                texts,
                numbers,
                flags,
            } => {
                let texts = texts.iter().map(|value| text_fact(field, value));
                let flags = flags.iter().map(|value| flag_fact(field, *value));
                let mut bits = self.facts(texts.chain(flags))?;
                if !numbers.is_empty() {
                    bits.unite(&self.numbers(field, numbers)?);
                }
                Ok(bits)
            }
            Filter::Priced { currency, ranges } => self.priced(*currency, ranges),
            // Without its meaning a filter passes nothing, rather than too much.
            Filter::Terms { .. } | Filter::Price(_) | Filter::ByName { .. } => {
                Ok(DocBits::none(self.docs()))
            }
            Filter::Flag { field, value } => self.facts([flag_fact(field, *value)]),
            Filter::Category(path) => self.facts([category_fact(path)]),
            Filter::Range { field, min, max } => self.range(field, *min, *max),
            Filter::Exists(field) => self.exists(field),
            Filter::Sold => {
                let mut bits = self.facts([text_fact(&FieldName::Status, DISCONTINUED)])?;
                bits.complement();
                Ok(bits)
            }
        }
    }

    fn docs(&self) -> u32 {
        self.segment.max_doc()
    }

    fn facts(&self, facts: impl IntoIterator<Item = String>) -> tantivy::Result<DocBits> {
        let mut bits = DocBits::none(self.docs());
        let index = self.segment.inverted_index(self.fields.facts)?;
        for fact in facts {
            let term = Term::from_field_text(self.fields.facts, &fact);
            let Some(mut found) = index.read_postings(&term, IndexRecordOption::Basic)? else {
                continue;
            };
            let mut doc = found.doc();
            while doc != TERMINATED {
                bits.insert(doc);
                doc = found.advance();
            }
        }
        Ok(bits)
    }

    /// The documents with one of these numbers, each column being read once.
    fn numbers(&self, field: &FieldName, numbers: &[f64]) -> tantivy::Result<DocBits> {
        if let [number] = numbers {
            return self.range(field, *number, *number);
        }
        let stored = |number: &f64| ordered(snapped(number * field.scale()));
        let wanted: HashSet<u64> = numbers.iter().map(stored).collect();
        let mut bits = DocBits::none(self.docs());
        for column in field.columns(self.segment)? {
            for doc in 0..self.docs() {
                each_number(&column, doc, |number| {
                    if wanted.contains(&ordered(number)) {
                        bits.insert(doc);
                    }
                });
            }
        }
        Ok(bits)
    }

    fn priced(&self, currency: Currency, ranges: &[(u64, u64)]) -> tantivy::Result<DocBits> {
        let mut bits = DocBits::none(self.docs());
        let column = self.segment.fast_fields().u64(PRICE)?;
        if ranges.len() > RANGES_MAX {
            let wanted: HashSet<u64> = ranges.iter().map(|(min, _)| *min).collect();
            let is_wanted = |doc: &u32| column.first(*doc).is_some_and(|it| wanted.contains(&it));
            (0..self.docs())
                .filter(is_wanted)
                .for_each(|doc| bits.insert(doc));
        } else {
            let mut docs = Vec::new();
            for (min, max) in ranges {
                self.within(&column, *min, *max, &mut docs);
            }
            docs.into_iter().for_each(|doc| bits.insert(doc));
        }
        let code = FieldName::Currency.fold(currency.code());
        bits.intersect(&self.facts([text_fact(&FieldName::Currency, &code)])?);
        Ok(bits)
    }

    fn range(&self, field: &FieldName, min: f64, max: f64) -> tantivy::Result<DocBits> {
        let mut bits = DocBits::none(self.docs());
        let scale = field.scale();
        let (min, max) = if scale == 1.0 {
            (min, max)
        } else {
            (snapped(min * scale), snapped(max * scale))
        };
        for column in field.columns(self.segment)? {
            let mut docs = Vec::new();
            match column {
                // The bounds are rounded inwards to whole numbers.
                DynamicColumn::I64(column) => {
                    let (min, max) = (min.ceil() as i64, max.floor() as i64);
                    self.within(&column, min, max, &mut docs);
                }
                DynamicColumn::U64(column) if max >= 0.0 => {
                    let (min, max) = (min.ceil() as u64, max.floor() as u64);
                    self.within(&column, min, max, &mut docs);
                }
                DynamicColumn::F64(column) => self.within(&column, min, max, &mut docs),
                _ => {}
            }
            docs.into_iter().for_each(|doc| bits.insert(doc));
        }
        Ok(bits)
    }

    fn within<T>(&self, column: &Column<T>, min: T, max: T, docs: &mut Vec<u32>)
    where
        T: PartialOrd + Copy + std::fmt::Debug + Send + Sync + 'static,
    {
        // The column would raise bounds below its least value to that value.
        if min <= max && max >= column.min_value() && min <= column.max_value() {
            column.get_docids_for_value_range(min..=max, 0..self.docs(), docs);
        }
    }

    fn exists(&self, field: &FieldName) -> tantivy::Result<DocBits> {
        let mut bits = DocBits::none(self.docs());
        for column in field.columns(self.segment)? {
            match column.column_index() {
                ColumnIndex::Empty { .. } => {}
                ColumnIndex::Full => return Ok(DocBits::all(self.docs())),
                ColumnIndex::Optional(docs) => {
                    docs.iter_non_null_docs().for_each(|doc| bits.insert(doc));
                }
                index @ ColumnIndex::Multivalued(_) => (0..self.docs())
                    .filter(|doc| index.has_value(*doc))
                    .for_each(|doc| bits.insert(doc)),
            }
        }
        Ok(bits)
    }
}

/// An integer that is the same for the same number; 0.0 and -0.0 are one.
fn ordered(number: f64) -> u64 {
    tantivy::f64_to_u64(number + 0.0)
}

/// Returns the live documents that `query` finds and `filter` contains.
pub(crate) fn matching(
    searcher: &Searcher,
    query: &dyn Query,
    filter: Option<&DocSets>,
) -> tantivy::Result<DocSets> {
    let mut found = DocSets::matching(searcher, query)?;
    if let Some(filter) = filter {
        found.intersect(filter);
    }
    Ok(found)
}
