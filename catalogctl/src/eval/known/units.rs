//! Numbers with their units, and the other ways to write them.

/// Units that are written after a number, with a space or without.
const UNITS: [&str; 31] = [
    "kb", "mb", "gb", "tb", "hz", "khz", "mhz", "ghz", "mbps", "gbps", "w", "kw", "v", "va", "kva",
    "mah", "ah", "wh", "mm", "cm", "m", "km", "ft", "inch", "g", "kg", "ml", "dpi", "ppm", "rpm",
    "db",
];
/// What is counted rather than measured: `2000pages` is not a way to write it.
const COUNTED: [&str; 4] = ["pages", "sheets", "pcs", "labels"];
const TIMES: [&str; 3] = ["x", "X", "×"];
/// Multiplication within a word. Not `X`: `40X5372` is a part number.
const BY: [char; 2] = ['x', '×'];

/// Joins numbers with the unit or the multiplication that follows them: `4` and `GB` become
/// `4 GB`; `10`, `x` and `15` become `10 x 15`.
pub(super) fn joined(tokens: Vec<String>) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for token in tokens {
        match words.last_mut() {
            Some(last) if belongs(last, &token) => {
                last.push(' ');
                last.push_str(&token);
            }
            _ => words.push(token),
        }
    }
    // A multiplication that nothing follows is a word of its own.
    words
        .into_iter()
        .flat_map(|word| match word.rsplit_once(' ') {
            Some((before, times)) if TIMES.contains(&times) => {
                vec![before.to_owned(), times.to_owned()]
            }
            _ => vec![word],
        })
        .collect()
}

/// Whether a token goes on with the measure that the last word is.
fn belongs(last: &str, token: &str) -> bool {
    let tail = last.rsplit(' ').next().unwrap_or(last);
    if TIMES.contains(&tail) && tail.len() < last.len() {
        return token.starts_with(|char: char| char.is_ascii_digit());
    }
    if TIMES.contains(&token) {
        return measure(last).is_some() || is_number(last) || last.contains(' ');
    }
    let last_side = tail.rsplit(BY).next().unwrap_or(tail);
    is_number(last_side) && is_unit(token)
}

fn is_unit(token: &str) -> bool {
    let lower = token.to_lowercase();
    UNITS.contains(&&*lower) || COUNTED.contains(&&*lower)
}

/// Digits with dots and commas between them.
fn is_number(text: &str) -> bool {
    let digit = |char: char| char.is_ascii_digit();
    text.starts_with(digit)
        && text.ends_with(digit)
        && text.chars().all(|char| digit(char) || ".,".contains(char))
}

/// The number, what stands between, and the unit of `4GB`, `4 GB` or `17"`.
fn measure(word: &str) -> Option<(&str, &str, &str)> {
    let unit_at = word.find(|char: char| !(char.is_ascii_digit() || ".,".contains(char)))?;
    let (number, rest) = word.split_at(unit_at);
    let unit = rest.trim_start();
    let between = &rest[..rest.len() - unit.len()];
    let known = unit == "\"" || is_unit(unit);
    (is_number(number) && known).then_some((number, between, unit))
}

/// The other ways in which people write a measure; none for any other word.
pub(super) fn rewritten(word: &str) -> Vec<String> {
    let sides: Vec<&str> = word
        .split(|char| char == ' ' || BY.contains(&char))
        .collect();
    let digits = |text: &&str| text.starts_with(|char: char| char.is_ascii_digit());
    let product = sides.len() > 1 && sides.iter().all(|side| side.is_empty() || digits(side));
    if product && word.contains(' ') {
        return vec![word.replace(' ', "")];
    }
    if product && sides.iter().all(digits) {
        return vec![sides.join(" x ")];
    }
    let Some((number, between, unit)) = measure(word) else {
        return Vec::new();
    };
    let lower = unit.to_lowercase();
    let mut ways = match &*lower {
        "\"" => vec![format!("{number} inch")],
        "inch" => vec![format!("{number}\"")],
        counted if COUNTED.contains(&counted) => Vec::new(),
        _ if between.is_empty() => vec![format!("{number} {unit}")],
        _ => vec![format!("{number}{unit}")],
    };
    ways.extend(thousands(number).map(|number| format!("{number}{between}{unit}")));
    ways
}

/// The number with or without commas between its thousands, whichever it is not.
fn thousands(number: &str) -> Option<String> {
    let groups: Vec<&str> = number.split(',').collect();
    if let [first, rest @ ..] = groups.as_slice()
        && !rest.is_empty()
    {
        let is_group = |group: &&str| group.len() == 3 && !group.contains('.');
        let grouped = first.len() <= 3 && !first.contains('.') && rest.iter().all(is_group);
        return grouped.then(|| groups.concat());
    }
    let plain = number.len() > 3 && !number.contains('.') && !number.starts_with('0');
    plain.then(|| {
        let mut text = String::new();
        for (at, digit) in number.char_indices() {
            if at > 0 && (number.len() - at).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_have_other_ways_to_be_written_and_words_have_none() {
        for (word, ways) in [
            ("17\"", &["17 inch"][..]),
            ("17 inch", &["17\""]),
            ("1 TB", &["1TB"]),
            ("1TB", &["1 TB"]),
            ("2.5 GHz", &["2.5GHz"]),
            ("10050mAh", &["10050 mAh", "10,050mAh"]),
            ("2,000 Pages", &["2000 Pages"]),
            ("1500000 pages", &["1,500,000 pages"]),
            ("1440 x 900", &["1440x900"]),
            ("10x15", &["10 x 15"]),
            ("1.00M", &["1.00 M"]),
            ("2,5 m", &["2,5m"]),
            ("2x", &[]),
            ("4520", &[]),
            ("Designjet", &[]),
            ("X264A21G", &[]),
            ("27A", &[]),
            ("40X5372", &[]),
            ("x", &[]),
            ("dv7-1211ea", &[]),
        ] {
            assert_eq!(rewritten(word), ways, "{word}");
        }
    }

    #[test]
    fn numbers_keep_their_units_and_stray_signs_stay_alone() {
        let check = |text: &str, words: &[&str]| {
            let tokens = text.split(' ').map(str::to_owned).collect();
            assert_eq!(joined(tokens), words);
        };
        check("a 4 GB b", &["a", "4 GB", "b"]);
        check("610 mm x 15.2 m", &["610 mm x 15.2 m"]);
        check("Type x 4", &["Type", "x", "4"]);
        check("4 x Type", &["4", "x", "Type"]);
        check("5 x", &["5", "x"]);
        check("10x15cm x 2", &["10x15cm", "x", "2"]);
        check("25x40 mm white", &["25x40 mm", "white"]);
    }
}
