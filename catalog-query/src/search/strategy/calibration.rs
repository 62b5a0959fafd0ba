//! Finds the similarity from which a product counts as near in meaning. Every text is somewhat like
//! every product; the catalog itself tells how much that means: it is asked for words without meaning,
//! made of the letters of its own words, and what is no nearer than the nearest products of these is
//! not near. Invariant: replicas that hold the same products come to the same floors.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::index::{KeywordIndex, Script};
use crate::read_model::{Coverage, VectorIndexError};
use crate::search::deadline::{ANSWER_MAX, Deadline};
use crate::search::strategy::scope::Scope;
use crate::search::strategy::similarity_floor::Floors;
use crate::search::strategy::vector::{VectorError, VectorSearch};

/// The words without meaning that are asked for in each script.
const PROBES: usize = 64;
/// The share of them that are no nearer to any product than what counts as near to a text with a word
/// of the catalog.
const SHARE_BELOW: f64 = 0.9;
/// The fewest letters of a script that words are made of, and the most scripts that are probed.
const LETTERS_MIN: usize = 16;
const SCRIPTS_MAX: usize = 4;
/// How often the catalog is looked at; the change of its vectors after which it is asked anew at once,
/// and how many looks later after a smaller one.
const LOOK_EVERY: Duration = Duration::from_secs(5);
const CHANGE_MIN: f64 = 0.1;
const LOOKS_MAX: u32 = 12;

/// Asks the catalog whenever the number of its vectors has changed much, until `stop`.
pub(crate) async fn keep_calibrated(
    vector: &VectorSearch,
    coverage: &Coverage,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let (mut known, mut looks) = (0.0, 0);
    loop {
        let documents = vector.executor.snapshot().0.documents();
        let vectors = documents as f64 * coverage.share(documents);
        let change = f64::abs(vectors - known);
        looks += 1;
        if change > CHANGE_MIN * vectors.max(known) || change > 0.0 && looks >= LOOKS_MAX {
            match calibrate(vector).await {
                Ok(floors) => {
                    vector.floors.replace(floors);
                    (known, looks) = (vectors, 0);
                }
                // It is asked again in a moment, and until then the floor of the profile counts.
                Err(err) => vector.log(&err),
            }
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = stop.cancelled() => return Ok(()),
        }
    }
}

async fn calibrate(vector: &VectorSearch) -> Result<BTreeMap<Script, Floors>, VectorError> {
    let embedder = vector.embedder.as_ref().ok_or(VectorError::NoModel)?;
    let letters = |index: &KeywordIndex| Ok(index.snapshot().vocabulary().letters()?);
    let letters = vector.executor.run(letters).await;
    let letters = letters.map_err(|err| VectorIndexError(err.into()))?;
    let mut scripts: Vec<(Script, Vec<char>)> = letters.into_iter().collect();
    scripts.retain(|(_, letters)| letters.len() >= LETTERS_MIN);
    scripts.sort_by_key(|(_, letters)| std::cmp::Reverse(letters.len()));
    scripts.truncate(SCRIPTS_MAX);
    let everything = Scope::of(&vector.executor, None, Deadline::after(ANSWER_MAX)).await;
    let everything = everything.map_err(|err| VectorIndexError(err.into()))?;
    let mut floors = BTreeMap::new();
    for (script, letters) in scripts {
        let mut nearest_of = Vec::with_capacity(PROBES);
        for probe in probes(&letters, script) {
            let embedded = embedder.embed(&probe).await?;
            let nearest = vector.nearest(&embedded, 1, &everything).await?;
            nearest_of.push(nearest.hits.first().map_or(0.0, |hit| hit.score));
        }
        floors.insert(script, floors_above(nearest_of));
    }
    tracing::debug!(?floors, "similarity floors");
    Ok(floors)
}

/// The floors above most similarities of words without meaning, and above all of them.
fn floors_above(mut similarities: Vec<f32>) -> Floors {
    similarities.sort_by(f32::total_cmp);
    let most = similarities.len() as f64 * SHARE_BELOW;
    let at = |place: usize| similarities.get(place).copied().unwrap_or(0.0);
    Floors {
        of_known: at(most as usize),
        of_unknown: at(similarities.len().saturating_sub(1)),
    }
}

/// Returns words without meaning, always the same ones for the same letters.
fn probes(letters: &[char], script: Script) -> impl Iterator<Item = String> {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    let length_min = if script.is_unspaced() { 2 } else { 4 };
    (0..PROBES).map(move |at| {
        let length = length_min + at % 8;
        (0..length)
            .map(|_| letters[random(letters.len())])
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hardly_any_word_without_meaning_is_as_near_to_is_near() {
        let floors = |similarities: &[f32]| floors_above(similarities.to_vec());
        let of = |of_known, of_unknown| Floors {
            of_known,
            of_unknown,
        };
        let hundred: Vec<f32> = (0..100).rev().map(|number| number as f32 / 100.0).collect();
        assert_eq!(floors(&hundred), of(0.9, 0.99));
        assert_eq!(floors(&[0.4, 0.3]), of(0.4, 0.4));
        assert_eq!(floors(&[]), of(0.0, 0.0));
    }

    #[test]
    fn probes_are_words_of_the_letters_and_always_the_same() {
        let letters: Vec<char> = "etaoinshrdlu".chars().collect();
        let words: Vec<String> = probes(&letters, Script::Latin).collect();
        assert_eq!(words, probes(&letters, Script::Latin).collect::<Vec<_>>());
        assert_eq!(words.len(), PROBES);
        assert!(words.iter().all(|word| (4..=11).contains(&word.len())));
        assert!(
            words
                .iter()
                .flat_map(|word| word.chars())
                .all(|c| letters.contains(&c))
        );
        assert_ne!(words[0][..4], words[8][..4]);
    }
}
