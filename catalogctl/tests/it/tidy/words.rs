//! Words that do not belong where they stand.

/// The catalog in the other spelling, which this file must not contain either.
const OTHER_SPELLING: &str = concat!("catalog", "ue");

/// A sentence that begins so has lost its subject.
const BEGINNINGS: [&str; 4] = ["Of ", "As of ", "What there ", "Whoever "];

/// Lines in the other spelling.
pub(super) fn misspelt(place: &str, text: &str) -> Vec<String> {
    let lines = (1..).zip(text.lines());
    lines
        .filter(|(_, line)| line.to_lowercase().contains(OTHER_SPELLING))
        .map(|(number, line)| format!("{place}:{number}: write `catalog`: {}", line.trim()))
        .collect()
}

/// Comments of items and files that begin without a subject.
pub(super) fn riddles(place: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut inside = false;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        let comment = line
            .strip_prefix("///")
            .or_else(|| line.strip_prefix("//!"));
        let words = comment.map(str::trim).unwrap_or_default();
        if !inside
            && BEGINNINGS
                .iter()
                .any(|beginning| words.starts_with(beginning))
        {
            found.push(format!(
                "{place}:{number}: begin with what it is or does, as a sentence with a subject: {line}"
            ));
        }
        // An empty line of a comment begins a new paragraph.
        inside = !words.is_empty();
    }
    found
}

/// Words that must not be in a text, comments included.
pub(super) fn forbidden(place: &str, text: &str, words: &[&str]) -> Vec<String> {
    let found = words.iter().filter(|word| text.contains(**word));
    found
        .map(|word| format!("{place}: pure code has no `{word}`: take it as an argument"))
        .collect()
}

/// Dependencies of a manifest that no code of the crate names.
pub(super) fn unused(place: &str, manifest: &str, code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut inside = false;
    for line in manifest.lines() {
        if let Some(section) = line.strip_prefix('[') {
            inside = section.ends_with("dependencies]");
            continue;
        }
        let end = line.find(['.', ' ', '=']).unwrap_or(line.len());
        let name = line[..end].replace('-', "_");
        if inside && !name.is_empty() && !line.starts_with('#') && !has_word(code, &name) {
            found.push(format!(
                "{place}: no code uses `{}`: remove it",
                &line[..end]
            ));
        }
    }
    found
}

fn has_word(text: &str, word: &str) -> bool {
    let part = |one: char| one.is_alphanumeric() || one == '_';
    text.match_indices(word).any(|(start, _)| {
        let (before, after) = (&text[..start], &text[start + word.len()..]);
        !before.ends_with(part) && !after.starts_with(part)
    })
}
