//! The counts of one snapshot by which BM25 weighs words. They include deleted documents until
//! their segment is merged; those by which words are dropped do not.

use tantivy::fieldnorm::FieldNormReader;
use tantivy::schema::Field;

use crate::index::document::schema::FIELDS;
use crate::index::scoring::postings::StemPlaces;
use crate::index::scoring::terms::Alternative;
use crate::index::scoring::weights::FieldWeight;
use crate::index::text::vocabulary::Vocabulary;

/// BM25's `k1 * (1 - b + b * length / average length)` for each of the 256 codes of a field length.
pub(crate) type LengthNorms = [f32; 256];

/// Stems in a row, in one field.
pub(crate) struct Row {
    /// An upper bound of the number of documents with all of them: the count of the rarest stem, or what
    /// is known of the row.
    pub(crate) documents: u64,
    pub(crate) stems: Vec<StemPlaces>,
}

pub(crate) struct CollectionStatistics<'a> {
    vocabulary: &'a Vocabulary<'a>,
    fields: [Field; FIELDS],
    documents: u64,
}

impl<'a> CollectionStatistics<'a> {
    /// Counts the documents of a snapshot. The other methods name a field by its place among those that
    /// are searched.
    pub(crate) fn of(vocabulary: &'a Vocabulary<'a>) -> Self {
        let segments = vocabulary.searcher.segment_readers().iter();
        Self {
            vocabulary,
            fields: vocabulary.fields.searched(),
            documents: segments.map(|segment| u64::from(segment.max_doc())).sum(),
        }
    }

    /// Computes the length norms of each field.
    pub(crate) fn length_norms(
        &self,
        weights: &[FieldWeight; FIELDS],
    ) -> tantivy::Result<[LengthNorms; FIELDS]> {
        let mut norms = [[0.0; 256]; FIELDS];
        for (place, field) in self.fields.into_iter().enumerate() {
            norms[place] = length_norms(&weights[place], self.average_length(field)?);
        }
        Ok(norms)
    }

    fn average_length(&self, field: Field) -> tantivy::Result<f32> {
        let words = self.vocabulary.words_in(field)?;
        Ok(words as f32 / self.documents.max(1) as f32)
    }

    /// Looks the stems of an alternative up in a field.
    pub(crate) fn find(&self, field: usize, alternative: &Alternative) -> tantivy::Result<Row> {
        let mut documents = alternative.documents_max.unwrap_or(u64::MAX);
        let mut stems = Vec::with_capacity(alternative.stems.len());
        for stem in &alternative.stems {
            let places = self.vocabulary.places(self.fields[field], stem)?;
            let with = places.iter().flatten().map(|it| u64::from(it.doc_freq));
            documents = documents.min(with.sum());
            stems.push(places);
        }
        Ok(Row { documents, stems })
    }

    /// About how many documents have the alternative that `row` was found for, without deleted ones: none only
    /// if no document has it.
    pub(crate) fn living(
        &self,
        field: usize,
        alternative: &Alternative,
        row: &Row,
    ) -> tantivy::Result<u64> {
        match &alternative.stems[..] {
            _ if row.documents == 0 => Ok(0),
            [stem] if self.vocabulary.has_deleted() => {
                self.vocabulary.frequency(self.fields[field], stem)
            }
            [_] => Ok(row.documents),
            stems => self.vocabulary.in_a_row_of(self.fields[field], stems),
        }
    }

    /// The inverse document frequency of a word that `with` documents have.
    pub(crate) fn idf(&self, with: u64) -> f32 {
        idf(with, self.documents)
    }
}

/// The inverse document frequency of Robertson and Spärck Jones, kept positive, of what `with` of `all`
/// documents have. `with` may exceed `all`, as a sum over alternatives can.
pub(crate) fn idf(with: u64, all: u64) -> f32 {
    let with = with.min(all);
    let without = (all - with) as f32;
    (1.0 + (without + 0.5) / (with as f32 + 0.5)).ln()
}

fn length_norms(weight: &FieldWeight, average: f32) -> LengthNorms {
    let average = average.max(f32::MIN_POSITIVE);
    std::array::from_fn(|code| {
        let length = FieldNormReader::id_to_fieldnorm(code as u8) as f32;
        weight.k1 * (1.0 - weight.b + weight.b * length / average)
    })
}
