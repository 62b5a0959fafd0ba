//! What kind of thing a product is, so that whoever asks for a printer does not get its cables first:
//! products of one kind have attributes of the same names, which others do not have. Told from the
//! products alone, without lists of words.

use std::sync::{Arc, OnceLock};

use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet as _, Searcher, SegmentReader, TERMINATED, Term};

use crate::index::document::kind_signature::{
    BITS, KindFields, NAMES_MIN, Signature, Signatures, WORDS, each_bit,
};
use crate::index::scoring::terms::QueryTerms;
use crate::index::scoring::weights::KeywordWeights;

const BYTES: usize = BITS / 8;

/// Products that a kind is learned from.
const EXAMPLES_MIN: usize = 3;
const EXAMPLES_MAX: usize = 1_000;
/// Products that tell how usual a name is, in runs: neighbours are read together.
const SAMPLE: u32 = 512;
const SAMPLE_RUN: u32 = 16;
/// A name that more products have tells no kind.
const BACKGROUND_SHARE_MAX: f32 = 0.5;
/// A name that fewer products have says little, whether a product has it or not.
const SMOOTHING: f32 = 0.03;
/// With so many examples a kind is half as sure as with any number.
const EXAMPLES_FOR_HALF_CONFIDENCE: f32 = 10.0;
/// A product of another kind keeps this much of its score at least.
const KEPT_MIN: f32 = 0.05;
/// How near one without attributes is.
const SIMILARITY_UNKNOWN: f32 = 0.5;

/// How many of the products have each bit, from 0 to 1.
fn shares(signatures: &[Signature]) -> [f32; BITS] {
    let mut counts = [0_u32; BITS];
    for signature in signatures {
        each_bit(signature, |at| counts[at] += 1);
    }
    counts.map(|count| count as f32 / signatures.len().max(1) as f32)
}

/// How many of the products of a catalogue have each bit.
struct Background([f32; BITS]);

impl Background {
    fn of(segments: &[SegmentReader], signatures: &[Signatures]) -> Self {
        let all: u32 = segments.iter().map(SegmentReader::max_doc).sum();
        let step = (all / SAMPLE).max(1) * SAMPLE_RUN;
        let mut sample = Vec::with_capacity(SAMPLE as usize * 2);
        for (segment, signatures) in segments.iter().zip(signatures) {
            for from in (0..segment.max_doc()).step_by(step as usize) {
                let run = from..(from + SAMPLE_RUN).min(segment.max_doc());
                sample.extend(run.filter_map(|doc| signatures.of(doc)));
            }
        }
        Self(shares(&sample))
    }

    /// The bits that tell a kind.
    fn distinctive(&self) -> Signature {
        let mut distinctive = [0; WORDS];
        for (at, share) in self.0.iter().enumerate() {
            if *share <= BACKGROUND_SHARE_MAX {
                distinctive[at / 64] |= 1 << (at % 64);
            }
        }
        distinctive
    }

    /// How much of what tells products apart two of the examples have in common, from 0 to 1.
    fn cohesion(&self, examples: &[Signature]) -> f32 {
        let count = examples.len() as f32;
        let (mut common, mut own) = (0.0, 0.0);
        for (share, background) in shares(examples).iter().zip(&self.0) {
            common += (share - background).powi(2);
            own += share * (1.0 - background).powi(2) + (1.0 - share) * background.powi(2);
        }
        // Without what each has in common with itself.
        ((count * common / own - 1.0) / (count - 1.0)).clamp(0.0, 1.0)
    }
}

/// What of a snapshot tells kinds.
struct KindStatistics {
    background: Background,
    /// By segment.
    signatures: Vec<Signatures>,
}

/// Opened by the first search that asks for it: the columns are found by their names, which costs more
/// than a short list of matches does.
#[derive(Clone, Default)]
pub(crate) struct LazyKinds(Arc<OnceLock<KindStatistics>>);

impl LazyKinds {
    fn open(&self, searcher: &Searcher) -> tantivy::Result<&KindStatistics> {
        if let Some(known) = self.0.get() {
            return Ok(known);
        }
        let segments = searcher.segment_readers();
        let signatures: Vec<Signatures> = segments
            .iter()
            .map(Signatures::open)
            .collect::<tantivy::Result<_>>()?;
        let background = Background::of(segments, &signatures);
        Ok(self.0.get_or_init(|| KindStatistics {
            background,
            signatures,
        }))
    }
}

/// The kind that the last word of a query names: "laptop bag" is a bag.
pub(crate) struct ProductKind<'a> {
    /// As the index has it.
    pub(crate) word: String,
    /// Of all products, by segment.
    signatures: &'a [Signatures],
    /// The bits that tell a kind.
    distinctive: Signature,
    /// What the bits of a signature add to its resemblance, byte by byte.
    score_table: Box<[[f32; 256]; BYTES]>,
    /// The resemblance of an example.
    typical_score: f32,
    /// From 0 to 1: what is of another kind loses so much.
    penalty: f32,
}

impl<'a> ProductKind<'a> {
    /// None where the catalogue does not tell.
    pub(crate) fn of(
        searcher: &Searcher,
        fields: &KindFields,
        kinds: &'a LazyKinds,
        terms: &QueryTerms,
        weights: &KeywordWeights,
    ) -> tantivy::Result<Option<Self>> {
        let Some(last) = terms.words.last() else {
            return Ok(None);
        };
        let Some((typed, others)) = last.alternatives.split_first() else {
            return Ok(None);
        };
        let synonyms = others.iter().filter(|other| other.is_synonym);
        let stems: Vec<&String> = std::iter::once(typed)
            .chain(synonyms)
            .filter_map(|alternative| match &alternative.stems[..] {
                [stem] => Some(stem),
                _ => None,
            })
            .collect();
        let weight = if stems.len() > 1 {
            weights.kind_of_synonyms
        } else {
            weights.kind
        };
        let Some(word) = stems.first().filter(|_| weight > 0.0) else {
            return Ok(None);
        };
        let kinds = kinds.open(searcher)?;
        let examples = examples(searcher, &kinds.signatures, fields, &stems)?;
        let word = (*word).clone();
        Ok(Self::learned(word, examples, kinds, weight))
    }

    fn learned(
        word: String,
        mut examples: Vec<Signature>,
        kinds: &'a KindStatistics,
        weight: f32,
    ) -> Option<Self> {
        let background = &kinds.background;
        let distinctive = background.distinctive();
        examples.retain(|example| tells_a_kind(example, &distinctive));
        if examples.len() < EXAMPLES_MIN {
            return None;
        }
        let count = examples.len() as f32;
        let share = shares(&examples);
        // Naive Bayes: how much likelier a bit is with this kind than with any product.
        let log_odds = std::array::from_fn(|at| {
            ((share[at] + SMOOTHING) / (background.0[at] + SMOOTHING)).ln()
        });
        let confidence =
            background.cohesion(&examples) * count / (count + EXAMPLES_FOR_HALF_CONFIDENCE);
        let mut kind = Self {
            word,
            signatures: &kinds.signatures,
            distinctive,
            score_table: score_table(&log_odds),
            typical_score: 0.0,
            penalty: (weight * confidence).min(1.0 - KEPT_MIN),
        };
        let mut scores: Vec<f32> = examples
            .iter()
            .map(|example| kind.bayes_score(example))
            .collect();
        let middle = scores.len() / 2;
        let (_, typical, _) = scores.select_nth_unstable_by(middle, f32::total_cmp);
        kind.typical_score = *typical;
        (kind.typical_score > 0.0 && kind.penalty > 0.0).then_some(kind)
    }

    fn bayes_score(&self, signature: &Signature) -> f32 {
        let mut sum = 0.0;
        for (word, tables) in signature.iter().zip(self.score_table.chunks_exact(8)) {
            for (byte, table) in word.to_le_bytes().into_iter().zip(tables) {
                sum += table[usize::from(byte)];
            }
        }
        sum
    }

    /// From 0 to 1, where 1 is like the examples.
    fn similarity(&self, signature: &Signature) -> f32 {
        if tells_a_kind(signature, &self.distinctive) {
            let near = self.bayes_score(signature) / self.typical_score;
            near.clamp(0.0, 1.0).powi(2)
        } else {
            SIMILARITY_UNKNOWN
        }
    }

    /// What the score of a document is multiplied by.
    pub(crate) fn factor(&self, segment: usize, doc: DocId) -> f32 {
        let signature = self.signatures[segment].of(doc);
        let similarity = signature.map_or(SIMILARITY_UNKNOWN, |known| self.similarity(&known));
        1.0 - self.penalty * (1.0 - similarity)
    }
}

/// Whether a product has enough names that tell a kind.
fn tells_a_kind(signature: &Signature, distinctive: &Signature) -> bool {
    let both = signature.iter().zip(distinctive).map(|(a, b)| a & b);
    both.map(u64::count_ones).sum::<u32>() >= NAMES_MIN
}

/// What each value of each byte adds to the sum.
fn score_table(log_odds: &[f32; BITS]) -> Box<[[f32; 256]; BYTES]> {
    let mut table = Box::new([[0.0; 256]; BYTES]);
    for (byte, values) in table.iter_mut().enumerate() {
        for value in 1..values.len() {
            let lowest = value.trailing_zeros() as usize;
            values[value] = values[value & (value - 1)] + log_odds[byte * 8 + lowest];
        }
    }
    table
}

/// Products that are called by one of the words, the first of the index.
fn examples(
    searcher: &Searcher,
    signatures: &[Signatures],
    fields: &KindFields,
    stems: &[&String],
) -> tantivy::Result<Vec<Signature>> {
    let mut examples = Vec::new();
    for stem in stems {
        let most = examples.len() + EXAMPLES_MAX;
        for (segment, signatures) in searcher.segment_readers().iter().zip(signatures) {
            let index = segment.inverted_index(fields.heads)?;
            let term = Term::from_field_text(fields.heads, stem);
            let Some(mut called) = index.read_postings(&term, IndexRecordOption::Basic)? else {
                continue;
            };
            while called.doc() != TERMINATED && examples.len() < most {
                if !segment.is_deleted(called.doc()) {
                    examples.extend(signatures.of(called.doc()));
                }
                called.advance();
            }
        }
    }
    Ok(examples)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::document::kind_signature::WORDS;
    use crate::index::document::kind_signature::heads;
    use crate::index::document::kind_signature::signature;
    use crate::index::scoring::weights::KeywordWeights;
    use crate::index::tests::support::{index_of, printers_and_cables, with_attributes};
    use crate::index::text::language::Language;

    #[test]
    fn a_title_calls_a_product_by_the_words_that_none_follows() {
        let check = |title: &str, expected: &[&str]| {
            let product = with_attributes("a", title, &[("product_colour", "Silver")]);
            let mut found: Vec<String> = heads(&product, Language::English).into_iter().collect();
            found.sort();
            assert_eq!(found, expected, "{title}");
        };
        check("HP 255 G7 Notebook Silver 39.6", &["hp", "notebook"]);
        check(
            "Acme X100 notebook case 15 Briefcase",
            &["acm", "briefcas", "case"],
        );
        check("", &[]);
    }

    #[test]
    fn a_kind_is_what_others_are_not() {
        let product = |names: &[&str]| {
            let common = ["picture", "released", "price_group"];
            let names = names.iter().chain(&common);
            let attributes: Vec<(&str, &str)> = names.map(|name| (*name, "x")).collect();
            signature(&with_attributes("a", "thing", &attributes))
        };
        let notebook = product(&["processor", "memory", "display", "battery", "keyboard"]);
        let other = product(&["processor", "memory", "display", "battery", "wifi"]);
        let case = product(&["material", "strap", "compartments", "case_type"]);
        let none = product(&[]);
        let all = [[notebook; 20], [case; 20], [none; 20]].concat();
        let kinds = KindStatistics {
            background: Background(shares(&all)),
            signatures: Vec::new(),
        };
        let kind = ProductKind::learned("notebook".to_owned(), vec![notebook; 20], &kinds, 0.6)
            .expect("enough examples");
        assert_eq!(kind.similarity(&notebook), 1.0);
        assert!(kind.similarity(&other) > 0.5);
        assert_eq!(kind.similarity(&case), 0.0);
        // What has only the names that all have is of no known kind.
        assert_eq!(kind.similarity(&none), SIMILARITY_UNKNOWN);
        assert!((0.39..0.41).contains(&kind.penalty), "{}", kind.penalty);
        assert!(ProductKind::learned("thing".to_owned(), vec![none; 20], &kinds, 0.6).is_none());
        assert_eq!(
            signature(&with_attributes("a", "b", &[("c", "d")])),
            [0; WORDS]
        );
    }

    #[test]
    fn a_thing_comes_before_what_is_for_it() {
        let (_folder, index) = index_of(&printers_and_cables());
        let first = |query: &str, kind: f32| {
            let weights = KeywordWeights {
                kind,
                ..KeywordWeights::default()
            };
            let terms = QueryTerms::of(query, Language::English);
            let found = index.snapshot().search(&terms, &weights, 20, None);
            let hits = found.expect("search").hits;
            let first = hits[0].product_id.as_str().chars().next();
            assert!(
                hits.iter()
                    .all(|hit| hit.product_id.as_str().chars().next() == first),
                "{query}: {hits:?}"
            );
            first.expect("an id")
        };
        assert_eq!(first("printer", 0.0), 'c');
        assert_eq!(first("printer", KeywordWeights::default().kind), 'p');
        assert_eq!(first("printer cable", KeywordWeights::default().kind), 'c');
    }
}
