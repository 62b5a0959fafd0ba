//! Finds the similarity from which a product counts as near in meaning. Every text is somewhat like
//! every product; the catalog itself tells how much that means: it is asked for words without meaning,
//! made of the letters of its own words, and what is no nearer than the nearest product of these is
//! not near.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::index::{KeywordIndex, Script};
use crate::read_model::{Coverage, VectorIndexError};
use crate::search::strategy::vector::{VectorError, VectorSearch};

/// The words without meaning that are asked for in each script.
const PROBES: usize = 24;
/// The fewest letters of a script that words are made of, and the most scripts that are probed.
const LETTERS_MIN: usize = 16;
const SCRIPTS_MAX: usize = 4;
/// How often the catalog is looked at, and the change of its vectors after which it is asked anew.
const LOOK_EVERY: Duration = Duration::from_secs(5);
const CHANGE_MIN: f64 = 0.1;

/// Asks the catalog whenever the number of its vectors has changed much, until `stop`.
pub(crate) async fn keep_calibrated(
    vector: &VectorSearch,
    coverage: &Coverage,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut known = 0.0;
    loop {
        let documents = vector.executor.snapshot().0.documents();
        let vectors = documents as f64 * coverage.share(documents);
        if (vectors - known).abs() > CHANGE_MIN * vectors.max(known) {
            match calibrate(vector).await {
                Ok(floors) => {
                    vector.floors.replace(floors);
                    known = vectors;
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

async fn calibrate(vector: &VectorSearch) -> Result<BTreeMap<Script, f32>, VectorError> {
    let embedder = vector.embedder.as_ref().ok_or(VectorError::NoModel)?;
    let letters = |index: &KeywordIndex| Ok(index.snapshot().vocabulary().letters()?);
    let letters = vector.executor.run(letters).await;
    let letters = letters.map_err(|err| VectorIndexError(err.into()))?;
    let mut scripts: Vec<(Script, Vec<char>)> = letters.into_iter().collect();
    scripts.retain(|(_, letters)| letters.len() >= LETTERS_MIN);
    scripts.sort_by_key(|(_, letters)| std::cmp::Reverse(letters.len()));
    scripts.truncate(SCRIPTS_MAX);
    let mut floors = BTreeMap::new();
    for (script, letters) in scripts {
        let mut floor: f32 = 0.0;
        for probe in probes(&letters, script) {
            let embedded = embedder.embed(&probe).await?;
            let nearest = vector.vectors.nearest(&embedded, 1).await?;
            floor = floor.max(nearest.first().map_or(0.0, |hit| hit.score));
        }
        floors.insert(script, floor);
    }
    tracing::debug!(?floors, "similarity floors");
    Ok(floors)
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
