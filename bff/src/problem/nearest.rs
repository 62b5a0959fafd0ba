//! Finds the name that somebody may have meant.

/// The most letters that a name may differ from the one that was meant.
const EDITS_MAX: usize = 2;

/// Appends the nearest known name to a text about an unknown one, where one is near.
pub(crate) fn with_nearest(detail: &str, name: &str, known: &[&'static str]) -> String {
    match nearest(name, known) {
        Some(meant) => format!("{detail}; did you mean {meant}?"),
        None => detail.to_owned(),
    }
}

fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let edits = |known: &'static str| (edits(name, known), known);
    let (edits, nearest) = known.iter().map(|known| edits(known)).min()?;
    // Half of a short name is not the same name.
    (edits <= EDITS_MAX && edits * 2 <= nearest.len()).then_some(nearest)
}

/// How many letters have to be put in, taken out or replaced (Levenshtein), upper case aside.
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, letter) in one.chars().enumerate() {
        let mut diagonal = above;
        if let Some(first) = row.first_mut() {
            *first = above + 1;
        }
        let mut left = above + 1;
        for (cell, known) in row.iter_mut().skip(1).zip(&other) {
            let replaced = diagonal + usize::from(!letter.eq_ignore_ascii_case(known));
            diagonal = *cell;
            left = replaced.min(left + 1).min(diagonal + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_near_by_letters() {
        let known = ["search_id", "product_id", "position"];
        for (name, expected) in [
            ("searchId", Some("search_id")),
            ("postion", Some("position")),
            ("productid", Some("product_id")),
            ("user", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, &known), expected, "{name}");
        }
        assert_eq!(nearest("dais", &["days"]), Some("days"));
        assert_eq!(nearest("mice", &["days"]), None);
        assert_eq!(
            with_nearest("is unknown", "day", &["days"]),
            "is unknown; did you mean days?"
        );
    }
}
