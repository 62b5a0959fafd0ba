//! Mistypes queries as people do.

const WORD_CHARS_MIN: usize = 4;

/// Makes one typing mistake in one word of at least four letters: a letter is inserted, left out or
/// replaced, or two are swapped. The same seed makes the same mistakes. A query without such a word
/// stays as it is.
pub(in crate::eval) fn mistype(query: &str, seed: u64) -> String {
    let mut random = fastrand::Rng::with_seed(seed ^ fingerprint(query));
    let mut words: Vec<String> = query.split(' ').map(str::to_owned).collect();
    let is_long = |word: &String| {
        let chars = word.chars();
        chars.clone().count() >= WORD_CHARS_MIN && chars.clone().all(char::is_alphabetic)
    };
    let long: Vec<usize> = (0..words.len()).filter(|at| is_long(&words[*at])).collect();
    let Some(at) = random.choice(long) else {
        return query.to_owned();
    };
    words[at] = loop {
        let mistyped = edit(&words[at], &mut random);
        if mistyped != words[at] {
            break mistyped;
        }
    };
    words.join(" ")
}

fn edit(word: &str, random: &mut fastrand::Rng) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let letter = random.lowercase();
    match random.u8(..4) {
        0 => letters.insert(random.usize(..=letters.len()), letter),
        1 => {
            letters.remove(random.usize(..letters.len()));
        }
        2 => {
            let at = random.usize(..letters.len());
            letters[at] = letter;
        }
        _ => {
            let at = random.usize(..letters.len() - 1);
            letters.swap(at, at + 1);
        }
    }
    letters.into_iter().collect()
}

/// A hash of a text (FNV-1a), so that what chance does to it does not depend on the other texts.
pub(in crate::eval) fn fingerprint(query: &str) -> u64 {
    query.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mistake_in_one_long_word() {
        for seed in 0..500 {
            let mistyped = mistype("usb hub wireless mouse", seed);
            assert_eq!(mistyped, mistype("usb hub wireless mouse", seed));
            let words: Vec<&str> = mistyped.split(' ').collect();
            assert_eq!(words[..2], ["usb", "hub"]);
            let long_words = [("wireless", words[2]), ("mouse", words[3])];
            let changed: Vec<_> = long_words
                .iter()
                .filter(|(typed, now)| typed != now)
                .collect();
            let [(typed, now)] = changed.as_slice() else {
                panic!("{mistyped}");
            };
            assert!(typed.len().abs_diff(now.len()) <= 1, "{mistyped}");
        }
        for short in ["tv", "ps4 pro", ""] {
            assert_eq!(mistype(short, 1), short);
        }
    }
}
