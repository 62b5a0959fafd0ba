//! The letters that a catalog is written in, taken from a sample of its words. Invariant: replicas that
//! have the same words draw the same ones, however their segments came about.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use tantivy::Searcher;
use tantivy::schema::Field;

use crate::index::text::scripts::Script;

/// The most words of a script that its letters are taken from.
const WORDS_MAX: usize = 2_000;

/// Words by their place in the order of chance; those that come first are drawn.
type Drawn = BTreeMap<u64, String>;

/// Returns the letters of each script, each as often as it comes in words drawn from a field.
pub(crate) fn sampled(
    searcher: &Searcher,
    field: Field,
) -> tantivy::Result<BTreeMap<Script, Vec<char>>> {
    let mut drawn: BTreeMap<Script, Drawn> = BTreeMap::new();
    for segment in searcher.segment_readers() {
        let index = segment.inverted_index(field)?;
        let mut terms = index.terms().stream()?;
        while terms.advance() {
            let word = str::from_utf8(terms.key()).unwrap_or_default();
            if let Some(script) = Script::of_most(word) {
                draw(drawn.entry(script).or_default(), word);
            }
        }
    }
    let letters = |(script, words): (Script, Drawn)| {
        let of_words = words.values().flat_map(|word| word.chars());
        let of_script = of_words.filter(|c| Script::of(*c) == Some(script));
        (script, of_script.collect())
    };
    Ok(drawn.into_iter().map(letters).collect())
}

fn draw(drawn: &mut Drawn, word: &str) {
    let place = BuildHasherDefault::<DefaultHasher>::default().hash_one(word);
    let last = drawn.last_key_value().map(|(last, _)| *last);
    if drawn.len() < WORDS_MAX || last.is_some_and(|last| place < last) {
        drawn.entry(place).or_insert_with(|| word.to_owned());
    }
    if drawn.len() > WORDS_MAX {
        drawn.pop_last();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::tests::support::{index_in_one_go, index_of, product};

    #[test]
    fn the_same_letters_whatever_the_segments() {
        let mut words = (0..3_000_u32).map(|number| {
            let letter = |place: u32| char::from(b'a' + ((number >> (place * 3)) % 26) as u8);
            (0..4).map(letter).collect::<String>()
        });
        let mut titles = vec!["\u{7535}\u{89c6} 40 inch".to_owned()];
        while let Some(first) = words.next() {
            let rest: Vec<String> = words.by_ref().take(9).collect();
            titles.push(format!("{first} {}", rest.join(" ")));
        }
        let numbered = titles.iter().zip(0..);
        let products: Vec<_> = numbered
            .map(|(title, number)| product(&format!("p{number}"), title))
            .collect();
        let mut backwards = products.clone();
        backwards.reverse();
        let (_one, one) = index_of(&products);
        let (_two, two) = index_in_one_go(&backwards);
        let letters = one.snapshot().vocabulary().letters().expect("index");
        assert_eq!(
            letters,
            two.snapshot().vocabulary().letters().expect("index")
        );
        assert!(letters[&Script::Latin].len() > 1_000);
        assert!(letters[&Script::Han].contains(&'\u{7535}'));
    }
}
