//! Filters of products, and their evaluation against a snapshot.

use tantivy::columnar::{Column, ColumnIndex, DynamicColumn};
use tantivy::query::Query;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocSet as _, Searcher, SegmentReader, TERMINATED, Term};

use crate::index::document::columns::{
    ColumnFields, FieldName, category_fact, flag_fact, text_fact,
};
use crate::index::sets::doc_sets::{DocBits, DocSets};

/// A condition on products. Its size is bounded where it is built.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Filter {
    /// Everything if empty.
    All(Vec<Filter>),
    /// Nothing if empty.
    Any(Vec<Filter>),
    Not(Box<Filter>),
    /// The field has one of these texts, which are folded.
    Terms {
        field: FieldName,
        folded: Vec<String>,
    },
    /// The field is within the bounds, both included.
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
}

impl Filter {
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
            part => (!part.is_on(field)).then(|| part.clone()),
        }
    }

    fn is_on(&self, field: &FieldName) -> bool {
        let mut fields = Vec::new();
        self.add_fields(&mut fields);
        !fields.is_empty() && fields.iter().all(|on| *on == field)
    }

    fn add_fields<'a>(&'a self, fields: &mut Vec<&'a FieldName>) {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.add_fields(fields));
            }
            Self::Not(part) => part.add_fields(fields),
            Self::Terms { field, .. }
            | Self::Range { field, .. }
            | Self::Flag { field, .. }
            | Self::Exists(field) => fields.push(field),
            Self::Category(_) => fields.push(&FieldName::Category),
        }
    }

    /// Returns the live documents that pass.
    pub(crate) fn evaluate(
        &self,
        searcher: &Searcher,
        fields: &ColumnFields,
    ) -> tantivy::Result<DocSets> {
        DocSets::of(searcher, |segment| Evaluation { segment, fields }.of(self))
    }
}

struct Evaluation<'a> {
    segment: &'a SegmentReader,
    fields: &'a ColumnFields,
}

impl Evaluation<'_> {
    /// Returns the documents that pass, perhaps with deleted ones.
    fn of(&self, filter: &Filter) -> tantivy::Result<DocBits> {
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
            Filter::Not(part) => {
                let mut bits = self.of(part)?;
                bits.complement();
                Ok(bits)
            }
            Filter::Terms { field, folded } => {
                self.facts(folded.iter().map(|value| text_fact(field, value)))
            }
            Filter::Flag { field, value } => self.facts([flag_fact(field, *value)]),
            Filter::Category(path) => self.facts([category_fact(path)]),
            Filter::Range { field, min, max } => self.range(field, *min, *max),
            Filter::Exists(field) => self.exists(field),
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

    fn range(&self, field: &FieldName, min: f64, max: f64) -> tantivy::Result<DocBits> {
        let mut bits = DocBits::none(self.docs());
        let (min, max) = (min * field.scale(), max * field.scale());
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
