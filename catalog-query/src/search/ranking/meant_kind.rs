//! The kind of product that a query means, as the products nearest to it in meaning tell it. A
//! product of another kind loses a share of its score, so that a thing comes before what is for it.

use std::collections::HashMap;

use catalog_events::ProductId;

use crate::index::{DocAddress, IndexError, IndexSnapshot, KeywordHits, NearestKind};
use crate::search::ranking::profile::KindWeights;
use crate::search::request::understanding::UnderstoodQuery;
use crate::search::strategy::scope::Near;

/// How many of the nearest products tell the kind, and how many of the first hits by words are
/// compared with it.
const NEAREST: usize = 10;

/// What the kind that a query means is worth to each hit.
#[derive(Clone, Debug, Default)]
pub(crate) struct MeantKind {
    /// How much each hit is of the kind, from 0 to 1.
    similarities: HashMap<ProductId, f32>,
    /// The share of its score that a product of a wholly different kind loses, from 0 to 1.
    pub(crate) penalty: f64,
    /// Whether the catalog calls the kind by another name than the query, so that the words find
    /// other things: the leg by meaning then weighs more.
    pub(crate) has_other_name: bool,
}

impl MeantKind {
    /// The kind that a query means, or None where its nearest products tell none. A brand means
    /// products of all kinds. Blocks on the index.
    pub(crate) fn of(
        snapshot: &IndexSnapshot,
        weights: &KindWeights,
        understood: &UnderstoodQuery,
        by_words: &KeywordHits,
        near: &Near,
    ) -> Result<Option<Self>, IndexError> {
        let nearest = &near.places[..near.places.len().min(NEAREST)];
        if snapshot.has_brand(&understood.text)? {
            return Ok(None);
        }
        let Some(kind) = snapshot.nearest_kind(nearest)? else {
            return Ok(None);
        };
        let first = &by_words.places[..by_words.places.len().min(NEAREST)];
        let has_other_name = is_of_another_kind(&kind, weights, first)
            && !last_word_has_digits(understood)
            && f64::from(snapshot.share_called(&near.places, &understood.terms)?)
                <= weights.other_name.called_max;
        let penalty = if has_other_name {
            weights.other_name.penalty
        } else {
            weights.penalty * f64::from(kind.cohesion)
        };
        let words = by_words.hits.iter().map(|hit| &hit.product_id);
        let meaning = near.hits.iter().map(|hit| &hit.product_id);
        let hits = words.zip(&by_words.places).chain(meaning.zip(&near.places));
        let mut similarities = HashMap::with_capacity(by_words.hits.len() + near.hits.len());
        for (id, at) in hits {
            if !similarities.contains_key(id) {
                similarities.insert(id.clone(), kind.similarity(*at));
            }
        }
        Ok(Some(Self {
            similarities,
            penalty,
            has_other_name,
        }))
    }

    /// The factor for the score of a product. `coverage` is the share of the products that have a
    /// vector: the fewer have one, the less do the nearest of them tell.
    pub(crate) fn factor(&self, id: &ProductId, coverage: f64) -> f64 {
        let similarity = self.similarities.get(id).copied().unwrap_or(1.0);
        1.0 - self.penalty * coverage * (1.0 - f64::from(similarity))
    }
}

/// Whether what the words find first is of another kind than what is meant.
fn is_of_another_kind(kind: &NearestKind<'_>, weights: &KindWeights, first: &[DocAddress]) -> bool {
    if first.is_empty() || f64::from(kind.cohesion) < weights.other_name.cohesion_min {
        return false;
    }
    let similarities = first.iter().map(|at| f64::from(kind.similarity(*at)));
    let mean = similarities.sum::<f64>() / first.len() as f64;
    mean < weights.other_name.similarity_max
}

/// Whether the last word of a query has digits, as "ps4" and "a4" have: such a word is a name, not
/// a kind.
fn last_word_has_digits(understood: &UnderstoodQuery) -> bool {
    let last = understood.words.last();
    last.is_some_and(|word| word.typed.bytes().any(|byte| byte.is_ascii_digit()))
}
