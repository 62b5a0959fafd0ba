//! Currencies as prices name them: by a code or by a sign, before the number, behind it or on both sides.

use catalog_events::Currency;

/// Signs of money, each with the currencies that it may stand for: the first unless another of them is
/// stated.
const SIGNS: [(&str, &[&str]); 33] = [
    ("US$", &["USD"]),
    ("CA$", &["CAD"]),
    ("C$", &["CAD"]),
    ("AU$", &["AUD"]),
    ("A$", &["AUD"]),
    ("NZ$", &["NZD"]),
    ("HK$", &["HKD"]),
    ("S$", &["SGD"]),
    ("R$", &["BRL"]),
    ("MX$", &["MXN"]),
    ("NT$", &["TWD"]),
    (
        "$",
        &[
            "USD", "CAD", "AUD", "NZD", "HKD", "SGD", "MXN", "TWD", "ARS", "CLP", "COP",
        ],
    ),
    ("€", &["EUR"]),
    ("£", &["GBP", "EGP", "LBP", "GIP", "FKP", "SHP"]),
    ("¥", &["JPY", "CNY"]),
    ("￥", &["JPY", "CNY"]),
    ("円", &["JPY"]),
    ("元", &["CNY", "TWD"]),
    ("₩", &["KRW"]),
    ("₹", &["INR"]),
    ("₽", &["RUB"]),
    ("₺", &["TRY"]),
    ("₴", &["UAH"]),
    ("₪", &["ILS"]),
    ("₫", &["VND"]),
    ("฿", &["THB"]),
    ("zł", &["PLN"]),
    ("Kč", &["CZK"]),
    ("Ft", &["HUF"]),
    ("lei", &["RON", "MDL"]),
    ("SFr.", &["CHF"]),
    ("Fr.", &["CHF"]),
    // The code of before 1998, which Russian feeds still write.
    ("RUR", &["RUB"]),
];
/// Signs that need a stated currency.
const VAGUE_SIGNS: [(&str, &[&str]); 2] = [
    ("kr.", &["SEK", "NOK", "DKK", "ISK"]),
    ("kr", &["SEK", "NOK", "DKK", "ISK"]),
];
/// How many letters a code has.
const CODE_LETTERS: usize = 3;

/// The currency that a text names alone, as in a column of currencies. A sign of several means the stated one
/// where that is among them.
pub(crate) fn currency_named(text: &str, stated: Option<Currency>) -> Result<Currency, String> {
    let Some(meant) = marked(text) else {
        let parsed = text.parse::<Currency>();
        return parsed.map_err(|err| err.to_string());
    };
    let fitting = meant.iter().find(|one| stated == Some(**one));
    match fitting.or(meant.first()) {
        Some(_) if fitting.is_none() && is_vague(text) => Err(format!(
            "{text:?} is the sign of several currencies, write a code such as SEK"
        )),
        Some(currency) => Ok(*currency),
        None => Err(format!("{text:?} is no currency, write a code such as USD")),
    }
}

/// The number in a text and the currency beside it, which must be the stated one.
pub(super) fn taken_off(
    text: &str,
    stated: Option<Currency>,
) -> Result<(String, Option<Currency>), String> {
    let is_number = |c: char| c.is_numeric() || matches!(c, '.' | ',' | '-' | '−');
    let plain = |number: &str| number.trim().chars().map(plain_digit).collect::<String>();
    let Some(first) = text.find(is_number) else {
        return Ok((plain(text), None));
    };
    let end = text.rfind(|c: char| is_number(c) || c == '–' || c == '—');
    let end = end.map_or(text.len(), |at| {
        at + text[at..].chars().next().map_or(0, char::len_utf8)
    });
    let (before, number, behind) = (&text[..first], &text[first..end], &text[end..]);
    // The point of "Fr. 12" belongs to the sign.
    let (before, number) = match number
        .strip_prefix('.')
        .filter(|_| !before.trim().is_empty())
    {
        Some(rest) => (&text[..=first], rest),
        None => (before, number),
    };
    let sides = [before.trim(), behind.trim()];
    let currency = beside(text, sides, stated)?;
    Ok((plain(number), currency))
}

/// The currency that the marks on the two sides of a number name.
fn beside(
    text: &str,
    sides: [&str; 2],
    stated: Option<Currency>,
) -> Result<Option<Currency>, String> {
    let mut marks = Vec::new();
    for side in sides.into_iter().filter(|side| !side.is_empty()) {
        let parts = marks_of(side).ok_or_else(|| {
            format!("{text:?}: {side:?} is no currency, write a code such as USD")
        })?;
        marks.extend(parts);
    }
    let Some((first, others)) = marks.split_first() else {
        return Ok(None);
    };
    let mut meant = marked(first).unwrap_or_default();
    for other in others {
        let also = marked(other).unwrap_or_default();
        meant.retain(|currency| also.contains(currency));
        if meant.is_empty() {
            return Err(format!(
                "{text:?}: {first:?} and {other:?} are different currencies"
            ));
        }
    }
    let fitting = |currency: &&Currency| stated.is_none_or(|stated| stated == **currency);
    match (meant.iter().find(fitting), stated) {
        (Some(_), None) if marks.iter().all(|mark| is_vague(mark)) => Err(format!(
            "{text:?}: {first:?} is the sign of several currencies, --currency says which"
        )),
        (None, Some(stated)) => Err(format!(
            "{text:?} is not in {stated}, the currency of the row"
        )),
        (found, _) => Ok(found.copied()),
    }
}

/// The signs and codes on one side of a number, such as `USD $`; None where a part of it is neither.
fn marks_of(side: &str) -> Option<Vec<&str>> {
    if marked(side).is_some() {
        return Some(vec![side]);
    }
    let parts = side.split_whitespace().map(|part| {
        if marked(part).is_some() {
            return Some(vec![part]);
        }
        // A code and a sign without a blank between them: `USD$`, `€EUR`.
        let at_code = [CODE_LETTERS, part.len().saturating_sub(CODE_LETTERS)];
        at_code.into_iter().find_map(|at| {
            let (one, other) = part.split_at_checked(at)?;
            (marked(one).is_some() && marked(other).is_some()).then(|| vec![one, other])
        })
    });
    parts
        .collect::<Option<Vec<_>>>()
        .map(|parts| parts.concat())
}

fn is_vague(mark: &str) -> bool {
    let mut signs = VAGUE_SIGNS.iter();
    signs.any(|(sign, _)| sign.eq_ignore_ascii_case(mark))
}

/// The currencies that a sign or a code may stand for.
fn marked(mark: &str) -> Option<Vec<Currency>> {
    let mut signs = SIGNS.iter().chain(&VAGUE_SIGNS);
    if let Some((_, codes)) = signs.find(|(sign, _)| sign.eq_ignore_ascii_case(mark)) {
        return Some(codes.iter().filter_map(|code| code.parse().ok()).collect());
    }
    let code = mark.to_ascii_uppercase().parse().ok()?;
    Some(vec![code])
}

/// The ASCII digit of digits in other scripts.
fn plain_digit(c: char) -> char {
    const ZEROS: [u32; 5] = [0x660, 0x6f0, 0x966, 0x9e6, 0xff10];
    let value = u32::from(c);
    let zero = ZEROS
        .iter()
        .find(|zero| (**zero..**zero + 10).contains(&value));
    zero.and_then(|zero| char::from_digit(value - zero, 10))
        .unwrap_or(c)
}
