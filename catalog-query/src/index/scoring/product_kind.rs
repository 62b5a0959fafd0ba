//! Learns what kind of product a query names, so that a search for a printer does not list its
//! cables first. Products of one kind have attributes of the same names, which other products lack.
//! The kinds come from the products alone, without lists of words.

use std::sync::Arc;

use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet as _, Searcher, SegmentReader, TERMINATED, Term};

use crate::index::document::kind_signature::{
    BITS, KindFields, NAMES_MIN, Signature, Signatures, WORDS, each_bit,
};
use crate::index::once::{Memo, Once};
use crate::index::sample::{self, Lots};
use crate::index::scoring::terms::{AlternativeKind, QueryTerms};
use crate::index::scoring::weights::KeywordWeights;

const BYTES: usize = BITS / 8;

/// The number of products from which a kind is learned.
const EXAMPLES_MIN: usize = 3;
const EXAMPLES_MAX: usize = 1_000;
/// The most kinds that are kept of a snapshot, 32 KB each.
const LEARNED_MAX: usize = 128;
/// About how many products tell what all have in common.
pub(crate) const SAMPLE: u64 = 4_096;
/// A name that a larger share of all products has tells no kind.
const BACKGROUND_SHARE_MAX: f32 = 0.5;
/// Added to both shares of a name, so that a name that few products have says little.
const SMOOTHING: f32 = 0.03;
/// The number of examples that gives half the confidence of any greater number.
const EXAMPLES_FOR_HALF_CONFIDENCE: f32 = 10.0;
/// The least share of its score that a product of another kind keeps.
const KEPT_MIN: f32 = 0.05;
/// The similarity of a product without a signature.
const SIMILARITY_UNKNOWN: f32 = 0.5;

/// Returns the share of the signatures that has each bit, from 0 to 1.
fn shares(signatures: &[Signature]) -> [f32; BITS] {
    let mut counts = [0_u32; BITS];
    for signature in signatures {
        each_bit(signature, |at| counts[at] += 1);
    }
    counts.map(|count| count as f32 / signatures.len().max(1) as f32)
}

/// The share of all products that has each bit, estimated from a sample.
struct Background([f32; BITS]);

impl Background {
    fn of(segments: &[SegmentReader], signatures: &[Signatures]) -> tantivy::Result<Self> {
        let sample = sample::drawn(segments, SAMPLE)?.into_iter();
        let signatures = sample.filter_map(|(segment, doc)| signatures[segment].of(doc));
        Ok(Self(shares(&signatures.collect::<Vec<_>>())))
    }

    /// Returns the bits that are rare enough to tell a kind.
    fn distinctive(&self) -> Signature {
        let mut distinctive = [0; WORDS];
        for (at, share) in self.0.iter().enumerate() {
            if *share <= BACKGROUND_SHARE_MAX {
                distinctive[at / 64] |= 1 << (at % 64);
            }
        }
        distinctive
    }

    /// Returns how much two examples have in common, on average, of what tells products apart, from
    /// 0 to 1.
    fn cohesion(&self, examples: &[Signature]) -> f32 {
        let count = examples.len() as f32;
        let (mut common, mut own) = (0.0, 0.0);
        for (share, background) in shares(examples).iter().zip(&self.0) {
            common += (share - background).powi(2);
            own += share * (1.0 - background).powi(2) + (1.0 - share) * background.powi(2);
        }
        // The share that each example has in common with itself is taken out.
        ((count * common / own - 1.0) / (count - 1.0)).clamp(0.0, 1.0)
    }
}

/// The signatures of a snapshot, from which kinds are learned.
struct KindStatistics {
    background: Background,
    /// The signatures of all products, by segment.
    signatures: Vec<Signatures>,
}

/// The kind statistics, computed by the first search that needs them: opening the columns by name
/// costs more than scoring a short list of matches.
#[derive(Clone, Default)]
pub(crate) struct LazyKinds {
    statistics: Once<KindStatistics>,
    learned: Memo<Named, Option<Arc<LearnedKind>>, LEARNED_MAX>,
}

/// What names a kind: stems, and the bits of the weight that kinds have.
type Named = (Vec<String>, u32);

impl LazyKinds {
    fn open(&self, searcher: &Searcher) -> tantivy::Result<&KindStatistics> {
        self.statistics.get(|| {
            let segments = searcher.segment_readers();
            let signatures: Vec<Signatures> = segments
                .iter()
                .map(Signatures::open)
                .collect::<tantivy::Result<_>>()?;
            Ok(KindStatistics {
                background: Background::of(segments, &signatures)?,
                signatures,
            })
        })
    }
}

/// The kind of product that the last word of a query names: "laptop bag" is a bag.
pub(crate) struct ProductKind<'a> {
    /// The signatures of all products, by segment.
    signatures: &'a [Signatures],
    learned: Arc<LearnedKind>,
}

/// What a snapshot tells of a kind.
struct LearnedKind {
    /// The stem of the word that names it.
    word: String,
    /// The bits that tell a kind.
    distinctive: Signature,
    /// The log odds that each value of each byte of a signature adds to its naive Bayes score.
    score_table: Box<[[f32; 256]; BYTES]>,
    /// The median score of the examples.
    typical_score: f32,
    /// The share of its score that a product of a wholly different kind loses, from 0 to 1.
    penalty: f32,
}

impl<'a> ProductKind<'a> {
    /// Learns the kind that a query names. None if the catalog does not tell it.
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
        let of_kind = |kind| {
            let alternatives = last.alternatives.iter();
            alternatives.filter(move |alternative| alternative.kind == kind)
        };
        let completed = of_kind(AlternativeKind::Completion).next();
        let Some(typed) = completed.or(last.alternatives.first()) else {
            return Ok(None);
        };
        let synonyms = of_kind(AlternativeKind::Synonym);
        let stems: Vec<String> = std::iter::once(typed)
            .chain(synonyms)
            .filter_map(|alternative| match &alternative.stems[..] {
                [stem] => Some(stem.clone()),
                _ => None,
            })
            .collect();
        let weight = if stems.len() > 1 {
            weights.kind_of_synonyms
        } else {
            weights.kind
        };
        if stems.is_empty() || weight <= 0.0 {
            return Ok(None);
        }
        let statistics = kinds.open(searcher)?;
        let named = (stems.clone(), weight.to_bits());
        let learned = kinds.learned.get(named, || {
            let examples = examples(searcher, &statistics.signatures, fields, &stems)?;
            let learned = LearnedKind::of(stems[0].clone(), examples, statistics, weight);
            Ok(learned.map(Arc::new))
        })?;
        Ok(learned.map(|learned| Self {
            signatures: &statistics.signatures,
            learned,
        }))
    }

    /// The stem of the word that names the kind.
    pub(crate) fn word(&self) -> &str {
        &self.learned.word
    }

    /// Returns the factor for the score of a document.
    pub(crate) fn factor(&self, segment: usize, doc: DocId) -> f32 {
        let signature = self.signatures[segment].of(doc);
        self.learned.factor(signature.as_ref())
    }
}

impl LearnedKind {
    /// Learns a kind from examples. None if they do not tell one.
    fn of(
        word: String,
        mut examples: Vec<Signature>,
        statistics: &KindStatistics,
        weight: f32,
    ) -> Option<Self> {
        let background = &statistics.background;
        let distinctive = background.distinctive();
        examples.retain(|example| tells_a_kind(example, &distinctive));
        if examples.len() < EXAMPLES_MIN {
            return None;
        }
        let count = examples.len() as f32;
        let share = shares(&examples);
        // Naive Bayes: how much more likely a bit is in this kind than in any product.
        let log_odds = std::array::from_fn(|at| {
            ((share[at] + SMOOTHING) / (background.0[at] + SMOOTHING)).ln()
        });
        let confidence =
            background.cohesion(&examples) * count / (count + EXAMPLES_FOR_HALF_CONFIDENCE);
        let mut kind = Self {
            word,
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

    /// Returns the similarity to the examples, from 0 to 1.
    fn similarity(&self, signature: &Signature) -> f32 {
        if tells_a_kind(signature, &self.distinctive) {
            let near = self.bayes_score(signature) / self.typical_score;
            near.clamp(0.0, 1.0).powi(2)
        } else {
            SIMILARITY_UNKNOWN
        }
    }

    /// Returns the factor for the score of a product with this signature.
    fn factor(&self, signature: Option<&Signature>) -> f32 {
        let similarity = signature.map_or(SIMILARITY_UNKNOWN, |known| self.similarity(known));
        1.0 - self.penalty * (1.0 - similarity)
    }
}

/// Whether a product has enough of the bits that tell a kind.
fn tells_a_kind(signature: &Signature, distinctive: &Signature) -> bool {
    let both = signature.iter().zip(distinctive).map(|(a, b)| a & b);
    both.map(u64::count_ones).sum::<u32>() >= NAMES_MIN
}

/// Sums the log odds of the bits in each value of each byte.
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

/// Returns the signatures of products whose title has one of the stems as a head word: of all, or of
/// [`EXAMPLES_MAX`] that are drawn among those of the first stems.
fn examples(
    searcher: &Searcher,
    signatures: &[Signatures],
    fields: &KindFields,
    stems: &[String],
) -> tantivy::Result<Vec<Signature>> {
    let mut examples = Vec::new();
    for stem in stems {
        let mut called = called(searcher, fields, stem)?;
        let room = EXAMPLES_MAX - examples.len();
        if called.len() > room {
            called = first_drawn(searcher, called, room)?;
        }
        let places = called.into_iter();
        examples.extend(places.filter_map(|(segment, doc)| signatures[segment].of(doc)));
    }
    Ok(examples)
}

/// Returns the live documents whose title has a stem as a head word.
fn called(
    searcher: &Searcher,
    fields: &KindFields,
    stem: &str,
) -> tantivy::Result<Vec<(usize, DocId)>> {
    let term = Term::from_field_text(fields.heads, stem);
    let mut called = Vec::new();
    for (number, segment) in searcher.segment_readers().iter().enumerate() {
        let index = segment.inverted_index(fields.heads)?;
        let Some(mut postings) = index.read_postings(&term, IndexRecordOption::Basic)? else {
            continue;
        };
        while postings.doc() != TERMINATED {
            if !segment.is_deleted(postings.doc()) {
                called.push((number, postings.doc()));
            }
            postings.advance();
        }
    }
    Ok(called)
}

/// Returns those of the documents, which are more than `count`, that are drawn first.
fn first_drawn(
    searcher: &Searcher,
    mut docs: Vec<(usize, DocId)>,
    count: usize,
) -> tantivy::Result<Vec<(usize, DocId)>> {
    let segments = searcher.segment_readers().iter();
    let lots: Vec<Lots> = segments.map(Lots::open).collect::<tantivy::Result<_>>()?;
    docs.select_nth_unstable_by_key(count, |(segment, doc)| lots[*segment].of(*doc));
    docs.truncate(count);
    Ok(docs)
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
        check("Desk stapler, blue", &["blue", "stapler"]);
        check("Wine glass (set of six)", &["glass", "six"]);
        check("Camera battery - replaces NB", &["batteri", "nb"]);
        check("Stand-alone scanner", &["scanner"]);
        check("Toner cartridge for laser printers", &["cartridg"]);
        check("Camera with zoom lens, kit for travel", &["camera", "kit"]);
        check("For Dell notebooks", &["notebook"]);
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
        let kind = LearnedKind::of("notebook".to_owned(), vec![notebook; 20], &kinds, 0.6)
            .expect("enough examples");
        assert_eq!(kind.similarity(&notebook), 1.0);
        assert!(kind.similarity(&other) > 0.5);
        assert_eq!(kind.similarity(&case), 0.0);
        // A product that has only the common names is of no known kind.
        assert_eq!(kind.similarity(&none), SIMILARITY_UNKNOWN);
        assert!((0.39..0.41).contains(&kind.penalty), "{}", kind.penalty);
        assert!(LearnedKind::of("thing".to_owned(), vec![none; 20], &kinds, 0.6).is_none());
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
