//! Steps that are rules of letters rather than lists of endings.

const VOWELS: &str = "aeiouy";
const RUSSIAN_VOWELS: &str = "аеиоуыэюя";
/// The fewest letters of a stem that a step leaves.
const STEM_CHARS_MIN: usize = 3;

pub(super) fn same(stem: String) -> String {
    stem
}

/// The Dutch word without the ending of plurals and adjectives: "grote" is "groot", "dunne" is "dun", "laarzen" are
/// "laars". Dutch doubles letters so that vowels stay long or short.
pub(super) fn dutch(word: &str) -> Option<String> {
    let has_s = word.ends_with("es") || word.ends_with("ens");
    let word = if has_s { &word[..word.len() - 1] } else { word };
    let base = word.strip_suffix("en").or_else(|| word.strip_suffix('e'));
    let base =
        base.filter(|base| !word.ends_with("je") && base.chars().count() >= STEM_CHARS_MIN)?;
    let mut letters: Vec<char> = base.chars().collect();
    let is_vowel = |c: char| VOWELS.contains(c);
    let [.., before, vowel, last] = letters[..] else {
        return None;
    };
    if is_vowel(last) {
        return None;
    }
    let is_open = "aeou".contains(vowel) && !is_vowel(before) && !matches!(last, 'w' | 'x');
    if vowel == last {
        letters.pop();
    } else if is_open {
        letters.insert(letters.len() - 1, vowel);
    }
    let hard = match letters.pop()? {
        'z' => 's',
        'v' => 'f',
        other => other,
    };
    letters.push(hard);
    Some(letters.into_iter().collect())
}

/// The Finnish stem in its strong grade, and without the vowels at its end: "kengät" and "kenkä".
pub(super) fn finnish(stem: String) -> String {
    let mut single = String::with_capacity(stem.len());
    for c in no_final_vowels(stem).chars() {
        if !single.ends_with(c) || VOWELS.contains(c) {
            single.push(c);
        }
    }
    for (weak, strong) in [("ng", "nk"), ("d", "t")] {
        if let Some(before) = single.strip_suffix(weak).filter(|before| before.len() > 1) {
            return format!("{before}{strong}");
        }
    }
    single
}

pub(super) fn no_final_vowels(mut stem: String) -> String {
    while stem.chars().count() > STEM_CHARS_MIN && stem.ends_with(|c| VOWELS.contains(c)) {
        stem.pop();
    }
    stem
}

/// The Russian stem without the vowel that comes and goes before its last consonant: "чашек" and "чашка", "гаек" and
/// "гайка".
pub(super) fn russian(stem: String) -> String {
    let stem = stem.replace('ь', "");
    let letters: Vec<char> = stem.chars().collect();
    let is_vowel = |c: char| RUSSIAN_VOWELS.contains(c);
    let [ref begin @ .., before, vowel, last] = letters[..] else {
        return stem;
    };
    if begin.is_empty() || is_vowel(last) {
        return stem;
    }
    let begin: String = begin.iter().collect();
    match (is_vowel(before), vowel, last) {
        (true, 'е', 'к') => format!("{begin}{before}йк"),
        (false, 'е' | 'о', _) => format!("{begin}{before}{last}"),
        _ => stem,
    }
}
