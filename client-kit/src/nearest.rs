//! Finds the known name that a wrong one was meant to be.

/// The known name that is nearest to a wrong one, where any is near: it has the same words in another
/// order, or at most a third of its signs are wrong, missing, added or swapped with their neighbours.
pub fn nearest<'a>(wrong: &str, known: &[&'a str]) -> Option<&'a str> {
    let meant = words(wrong);
    if let Some(same) = known.iter().find(|name| words(name) == meant) {
        return Some(*same);
    }
    let distances = known.iter().map(|name| (distance(wrong, name), *name));
    let (distance, name) = distances.min_by_key(|(distance, _)| *distance)?;
    let allowed = (wrong.chars().count().max(name.len()) / 3).max(1);
    (distance <= allowed).then_some(name)
}

/// The words of a name, sorted: "maxPrice" and "price_max" have the same.
fn words(name: &str) -> Vec<String> {
    let mut apart = String::new();
    for sign in name.chars().take(100) {
        if sign.is_uppercase() || !sign.is_alphanumeric() {
            apart.push(' ');
        }
        apart.extend(sign.to_lowercase().filter(|sign| sign.is_alphanumeric()));
    }
    let mut words: Vec<String> = apart.split_whitespace().map(str::to_owned).collect();
    words.sort_unstable();
    words
}

/// Appends the nearest known name to a text about an unknown one, where one is near.
pub fn with_nearest(detail: &str, name: &str, known: &[&str]) -> String {
    match nearest(name, known) {
        Some(meant) => format!("{detail}; did you mean {meant}?"),
        None => detail.to_owned(),
    }
}

/// The number of signs to insert, remove, replace or swap (the optimal string alignment distance).
fn distance(from: &str, to: &str) -> usize {
    let from: Vec<char> = from
        .chars()
        .flat_map(char::to_lowercase)
        .take(100)
        .collect();
    let to: Vec<char> = to.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, sign) in from.iter().enumerate() {
        let mut next = vec![at + 1];
        for (other_at, other) in to.iter().enumerate() {
            let replaced = row[other_at] + usize::from(sign != other);
            let mut least = replaced.min(row[other_at + 1] + 1).min(next[other_at] + 1);
            let is_swapped =
                at > 0 && other_at > 0 && from[at - 1] == *other && to[other_at - 1] == *sign;
            if is_swapped {
                least = least.min(before[other_at - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_that_was_meant_is_found() {
        let known = [
            "q",
            "limit",
            "sort",
            "price_min",
            "price_max",
            "brand",
            "facets",
        ];
        for (wrong, expected) in [
            ("price-min", Some("price_min")),
            ("priceMin", Some("price_min")),
            ("max_price", Some("price_max")),
            ("MinPrice", Some("price_min")),
            ("brnad", Some("brand")),
            ("Brands", Some("brand")),
            ("facet", Some("facets")),
            ("query", None),
            ("utm_source", None),
            ("", Some("q")),
        ] {
            assert_eq!(nearest(wrong, &known), expected, "{wrong}");
        }
    }
}
