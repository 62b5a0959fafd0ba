//! Finds pairs of words that the catalog seems to use for the same thing: they are near in meaning,
//! have the same neighbours, and are more often in one product than by chance. A person decides
//! about them.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::embedding::{EmbedError, Embedder};
use crate::index::LiveIndex;
use crate::index::{ContextWord, IndexError, IndexSnapshot};
use crate::search::rules::rule_set::{RuleSet, RulesHandle};

/// The most words that are compared: each costs the model some milliseconds.
const WORDS_MAX: usize = 3_000;
const WORDS_PER_STEP: usize = 32;
/// The least cosine similarity of a pair.
const SIMILARITY_MIN: f32 = 0.4;
/// The most pairs, of the nearest, that are looked up in the catalog.
const PAIRS_MAX: usize = 4_000;
/// Words with a common prefix of this length are forms of one word.
const PREFIX_CHARS_MIN: usize = 4;
/// A lift above this one adds nothing: the pair is so many times as often together as by chance.
const LIFT_ENOUGH: f64 = 4.0;
/// A share of common neighbours above this one adds nothing.
const SHARED_ENOUGH: f64 = 0.5;

/// Suggests synonyms from the words of the live index.
#[derive(Clone)]
pub(crate) struct SynonymMiner {
    pub(crate) index: Arc<LiveIndex>,
    /// None without a model.
    pub(crate) embedder: Option<Arc<dyn Embedder>>,
    /// What people have decided is suggested no more.
    pub(crate) rules: RulesHandle,
}

/// Two words that may be synonyms, and why.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SynonymPair {
    /// The word that fewer titles have.
    pub(crate) term: String,
    pub(crate) synonym: String,
    /// From 0 to 1.
    pub(crate) confidence: f64,
    /// The cosine similarity of the two words.
    pub(crate) similarity: f64,
    pub(crate) term_documents: u64,
    pub(crate) synonym_documents: u64,
    pub(crate) both_documents: u64,
    /// What the catalog shows, as a sentence for the person who decides.
    pub(crate) evidence: String,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum MiningError {
    #[error("there is no embedding model, and meanings are not known without one")]
    NoModel,
    #[error("nobody waits for the suggestions any more")]
    NotRead,
    #[error(transparent)]
    Embed(#[from] EmbedError),
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error("the search for synonyms was cut short")]
    Panicked(#[from] tokio::task::JoinError),
}

/// Takes how many words have been embedded, and of how many.
pub(crate) type Steps = mpsc::Sender<(usize, usize)>;

impl SynonymMiner {
    /// The best `limit` pairs, best first. Fails early when nobody listens to its steps.
    pub(crate) async fn suggest(
        &self,
        limit: usize,
        steps: Steps,
    ) -> Result<Vec<SynonymPair>, MiningError> {
        let snapshot = self.index.current().load().snapshot();
        let embedder = self.embedder.as_ref().ok_or(MiningError::NoModel)?;
        let rules = self.rules.load_full();
        suggest(snapshot, &**embedder, rules, limit, steps).await
    }
}

async fn suggest(
    snapshot: Arc<IndexSnapshot>,
    embedder: &dyn Embedder,
    rules: Arc<RuleSet>,
    limit: usize,
    steps: Steps,
) -> Result<Vec<SynonymPair>, MiningError> {
    let listed = Arc::clone(&snapshot);
    let words = tokio::task::spawn_blocking(move || listed.context_words(WORDS_MAX)).await??;
    let mut vectors = Vec::with_capacity(words.len());
    for chunk in words.chunks(WORDS_PER_STEP) {
        let texts = chunk.iter().map(|word| word.text.clone()).collect();
        vectors.extend(embedder.embed(texts).await?);
        let step = (vectors.len(), words.len());
        match steps.try_send(step) {
            Err(mpsc::error::TrySendError::Closed(_)) => return Err(MiningError::NotRead),
            Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => {}
        }
    }
    let judged = tokio::task::spawn_blocking(move || judge(&snapshot, &words, &vectors));
    let mut pairs = judged.await??;
    pairs.retain(|pair| !rules.synonyms.is_decided(&pair.term, &pair.synonym));
    pairs.truncate(limit);
    Ok(pairs)
}

/// The pairs of words that are near in meaning, best first; blocks.
fn judge(
    snapshot: &IndexSnapshot,
    words: &[ContextWord],
    vectors: &[Vec<f32>],
) -> Result<Vec<SynonymPair>, IndexError> {
    let idf = neighbour_idf(words);
    let mut pairs = Vec::new();
    for (similarity, one, other) in near(words, vectors) {
        let (term, synonym) = if words[one].documents > words[other].documents {
            (&words[other], &words[one])
        } else {
            (&words[one], &words[other])
        };
        let shared = shared(term, synonym, &idf);
        pairs.push(weigh(snapshot, (term, synonym), similarity, shared)?);
    }
    pairs.sort_by(|a, b| {
        let order = b.confidence.total_cmp(&a.confidence);
        order.then_with(|| (&a.term, &a.synonym).cmp(&(&b.term, &b.synonym)))
    });
    Ok(pairs)
}

/// The pairs that are nearest in meaning, with their similarity, without forms of one word.
fn near(words: &[ContextWord], vectors: &[Vec<f32>]) -> Vec<(f32, usize, usize)> {
    let mut near = Vec::new();
    for (one, vector) in vectors.iter().enumerate() {
        for (other, with) in vectors.iter().enumerate().take(one) {
            let similarity: f32 = vector.iter().zip(with).map(|(a, b)| a * b).sum();
            if similarity >= SIMILARITY_MIN && !is_form_of(&words[one].text, &words[other].text) {
                near.push((similarity, one, other));
            }
        }
    }
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    near.truncate(PAIRS_MAX);
    near
}

/// Whether one word looks like a form of the other, or like a part of it: "cabling" and "cables",
/// "phone" and "smartphone". A search finds those, or tells them apart, without a rule.
fn is_form_of(one: &str, other: &str) -> bool {
    let together = one.chars().zip(other.chars());
    let same = together.take_while(|(a, b)| a == b).count();
    let shorter = one.chars().count().min(other.chars().count());
    same >= PREFIX_CHARS_MIN.min(shorter) || one.ends_with(other) || other.ends_with(one)
}

/// The idf of each neighbour among `words`: low where many of them have it, 0 where it is not made
/// of letters.
fn neighbour_idf(words: &[ContextWord]) -> HashMap<&str, f64> {
    let mut counts: HashMap<&str, f64> = HashMap::new();
    for neighbour in words.iter().flat_map(|word| word.neighbours.keys()) {
        let is_word = neighbour.chars().skip(2).all(char::is_alphabetic);
        *counts.entry(neighbour).or_default() += f64::from(u8::from(is_word));
    }
    let all = words.len() as f64;
    let idf = |count: f64| {
        if count > 0.0 { (all / count).ln() } else { 0.0 }
    };
    counts
        .into_iter()
        .map(|(neighbour, count)| (neighbour, idf(count)))
        .collect()
}

/// The share of the neighbours of `term` that `synonym` has too, weighted by their idf, from 0 to
/// 1.
fn shared(term: &ContextWord, synonym: &ContextWord, idf: &HashMap<&str, f64>) -> f64 {
    let (mut of_both, mut of_term) = (0.0, 0.0);
    for (neighbour, count) in &term.neighbours {
        let weight = (*count as f64).ln_1p() * idf[neighbour.as_str()];
        of_term += weight;
        if synonym.neighbours.contains_key(neighbour) {
            of_both += weight;
        }
    }
    of_both / of_term.max(f64::MIN_POSITIVE)
}

/// Rates a pair by what the catalog shows of it. Colours, sizes and makes have the same neighbours
/// too, but are together no more often than by chance; parts of one expression ("memory card") are
/// together, but next to each other.
fn weigh(
    snapshot: &IndexSnapshot,
    (term, synonym): (&ContextWord, &ContextWord),
    similarity: f32,
    shared: f64,
) -> Result<SynonymPair, IndexError> {
    let vocabulary = snapshot.vocabulary();
    let together = vocabulary.together_in_titles(&[&term.text, &synonym.text])?;
    let all = snapshot.documents().max(1) as f64;
    let by_chance = term.documents as f64 * synonym.documents as f64 / all;
    // One product more or less is chance, and no evidence.
    let lift = together as f64 / (by_chance + 1.0);
    let adjacent = term.next_to(&synonym.text) as f64 / (together as f64).max(1.0);
    let apart = 1.0 - adjacent.min(1.0);
    let more_often = (lift.ln_1p() / LIFT_ENOUGH.ln_1p()).min(1.0);
    let support = (shared / SHARED_ENOUGH).min(1.0) * more_often * apart;
    // The sixth root: the model knows meanings better than a catalog shows them.
    let confidence = f64::from(similarity) * support.powf(1.0 / 6.0);
    let evidence = format!(
        "together in {together} titles, by chance it would be {by_chance:.1}; next to each other in \
         {:.0} %; {:.0} % of the neighbours of the rarer word are the same",
        adjacent.min(1.0) * 100.0,
        shared * 100.0
    );
    Ok(SynonymPair {
        term: term.text.clone(),
        synonym: synonym.text.clone(),
        confidence: confidence.clamp(0.0, 1.0),
        similarity: f64::from(similarity),
        term_documents: term.documents,
        synonym_documents: synonym.documents,
        both_documents: together,
        evidence,
    })
}
