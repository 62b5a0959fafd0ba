//! Reads numbers as people write them: `1,000`, `1.000` and `1'000` are 1000, `1½` is `1-1/2`, and
//! `4.10` is not `4.1`, because it may be a version.

use crate::index::text::signs::Sign;
use crate::index::text::units::is_name;

/// The denominators of fractions that people measure in. Other pairs, as in "24/7", are no
/// fractions.
const DENOMINATORS: &[&str] = &["2", "3", "4", "5", "6", "8", "10", "16", "32", "64"];

/// Marks the term of a number that an attribute has without its unit.
const BARE: char = '#';
/// What such a number is below, and by how many decimals it is written at most.
const BARE_END: f64 = 1e6;
const BARE_DECIMALS_MAX: usize = 3;

/// The term of the number of an attribute whose name states no unit; None for one that nobody types.
pub(crate) fn bare(number: f64) -> Option<String> {
    let text = number.to_string();
    let decimals = text
        .split_once('.')
        .map_or(0, |(_, decimals)| decimals.len());
    let is_typed = (0.0..BARE_END).contains(&number) && decimals <= BARE_DECIMALS_MAX;
    is_typed.then(|| format!("{BARE}{text}"))
}

/// The term of the number of an attribute by a word of its name, of the term of the number alone.
pub(crate) fn by_name(stem: &str, bare: &str) -> String {
    format!("{bare}={stem}")
}

/// The term of [`bare`] that a number of a query may mean, with the unit that is behind it.
pub(crate) fn bare_of_word(surface: &str) -> Option<String> {
    let is_fraction = surface.contains('/');
    let decimal = is_fraction.then(|| in_other_form(surface)).flatten();
    let surface = decimal.as_deref().unwrap_or(surface);
    let end = surface.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, unit) = surface.split_at(end.unwrap_or(surface.len()));
    let number = number.parse().ok()?;
    (unit.is_empty() || is_name(unit))
        .then(|| bare(number))
        .flatten()
}

/// The decimals of the finest fraction, 1/16.
const FRACTION_DECIMALS: usize = 4;
const FRACTION_UNIT: u32 = 10_000;
/// The denominators of fractions that are decimals too.
const EXACT_DENOMINATORS: [u32; 4] = [2, 4, 8, 16];

/// The same number, perhaps with its unit, as a decimal where it is a fraction, and the other way round: "1-1/2inch"
/// is "1.5inch". None where it has only one form, as 1/3 has.
pub(super) fn in_other_form(measure: &str) -> Option<String> {
    let end = measure.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '/' | '-'));
    let (number, unit) = measure.split_at(end.unwrap_or(measure.len()));
    let other = if number.contains('/') {
        decimal_of(number)
    } else {
        fraction_of(number)
    };
    Some(other? + unit)
}

fn decimal_of(fraction: &str) -> Option<String> {
    let (whole, part) = fraction.split_once('-').unwrap_or(("0", fraction));
    let (numerator, denominator) = part.split_once('/')?;
    let units = numerator.parse::<u32>().ok()?.checked_mul(FRACTION_UNIT)?;
    let denominator = denominator.parse::<u32>().ok()?;
    let decimals = units.checked_div(denominator)?;
    let is_exact = decimals * denominator == units && decimals < FRACTION_UNIT;
    let decimals = format!("{decimals:0FRACTION_DECIMALS$}");
    is_exact.then(|| format!("{whole}.{}", decimals.trim_end_matches('0')))
}

fn fraction_of(decimal: &str) -> Option<String> {
    let (whole, decimals) = decimal.split_once('.')?;
    if decimals.len() > FRACTION_DECIMALS {
        return None;
    }
    let units: u32 = format!("{decimals:0<FRACTION_DECIMALS$}").parse().ok()?;
    let is_exact = |denominator: &u32| (units * denominator).is_multiple_of(FRACTION_UNIT);
    let denominator = EXACT_DENOMINATORS.into_iter().find(is_exact)?;
    match (units * denominator / FRACTION_UNIT, whole) {
        (0, _) => None,
        (numerator, "0") => Some(format!("{numerator}/{denominator}")),
        (numerator, whole) => Some(format!("{whole}-{numerator}/{denominator}")),
    }
}

/// A number in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number {
    /// The number in its one form.
    pub(super) text: String,
    /// What else it may mean: `2.500` may be 2.5.
    pub(super) also: Option<String>,
    /// The digits before the decimal point, where there is one.
    pub(super) whole: Option<String>,
    pub(super) is_fraction: bool,
    /// The sign behind the number.
    pub(super) end: usize,
}

impl Number {
    fn new(text: String, end: usize) -> Self {
        Self {
            text,
            also: None,
            whole: None,
            is_fraction: false,
            end,
        }
    }

    /// The number as a quantity, where zeros at its end mean nothing.
    pub(super) fn quantities(&self) -> impl Iterator<Item = String> {
        std::iter::once(&self.text)
            .chain(&self.also)
            .map(|text| trimmed(text))
    }
}

fn trimmed(number: &str) -> String {
    let is_decimal = number.bytes().filter(|byte| *byte == b'.').count() == 1;
    if is_decimal && !number.contains('/') {
        number
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned()
    } else {
        number.to_owned()
    }
}

/// Reads the number that begins at a digit.
pub(super) fn number(signs: &[Sign], at: usize) -> Number {
    let digits = Digits { signs };
    let first = digits.run(at);
    let end = at + first.len();
    digits
        .mixed(at, &first, end)
        .or_else(|| digits.fraction(&first, end))
        .or_else(|| digits.grouped(&first, end))
        .or_else(|| digits.decimal(&first, end))
        .unwrap_or_else(|| Number::new(first, end))
}

struct Digits<'a> {
    signs: &'a [Sign],
}

impl Digits<'_> {
    fn sign(&self, at: usize) -> Option<char> {
        self.signs.get(at).map(|sign| sign.c)
    }

    /// The digits from `at` on.
    fn run(&self, at: usize) -> String {
        let rest = self.signs.get(at..).unwrap_or_default().iter();
        rest.map(|sign| sign.c)
            .take_while(char::is_ascii_digit)
            .collect()
    }

    /// `1 1/2` and `1-1/2`.
    fn mixed(&self, at: usize, whole: &str, end: usize) -> Option<Number> {
        let is_behind_a_number = at > 0 && matches!(self.sign(at - 1), Some('/' | '.' | ','));
        if whole.len() > 2 || is_behind_a_number || !matches!(self.sign(end), Some(' ' | '-')) {
            return None;
        }
        let numerator = self.run(end + 1);
        let part = self.fraction(&numerator, end + 1 + numerator.len())?;
        Some(Number {
            text: format!("{whole}-{}", part.text),
            ..part
        })
    }

    /// `1/2`, but not `24/7` or a date.
    fn fraction(&self, numerator: &str, end: usize) -> Option<Number> {
        if numerator.is_empty() || numerator.len() > 2 || self.sign(end) != Some('/') {
            return None;
        }
        let denominator = self.run(end + 1);
        let behind = end + 1 + denominator.len();
        let is_less = numerator.parse::<u32>().ok()? < denominator.parse::<u32>().ok()?;
        let goes_on = self.sign(behind) == Some('/');
        let is_one = is_less && !goes_on && DENOMINATORS.contains(&denominator.as_str());
        is_one.then(|| Number {
            is_fraction: true,
            ..Number::new(format!("{numerator}/{denominator}"), behind)
        })
    }

    /// `1,000` and `1.234,56`.
    fn grouped(&self, first: &str, end: usize) -> Option<Number> {
        let mark = self.sign(end).filter(|c| [',', '.', '\''].contains(c))?;
        if first.len() > 3 || first.starts_with('0') {
            return None;
        }
        let (mut text, mut at, mut groups) = (first.to_owned(), end, 0);
        while self.sign(at) == Some(mark) {
            let group = self.run(at + 1);
            if group.len() != 3 {
                break;
            }
            text.push_str(&group);
            at += 4;
            groups += 1;
        }
        let goes_on = |at| self.sign(at) == Some(mark) && !self.run(at + 1).is_empty();
        if groups == 0 || goes_on(at) {
            return None;
        }
        let also = (groups == 1 && mark != '\'')
            .then(|| trimmed(&format!("{first}.{}", &text[first.len()..])))
            // "1,000" is never 1.
            .filter(|decimal| decimal.contains('.'));
        let decimals = match self.sign(at) {
            Some(c @ (',' | '.')) if c != mark => self.run(at + 1),
            _ => String::new(),
        };
        if (1..=2).contains(&decimals.len()) {
            let end = at + 1 + decimals.len();
            return Some(Number::new(format!("{text}.{decimals}"), end));
        }
        Some(Number {
            also,
            ..Number::new(text, at)
        })
    }

    /// `2.5`, `2,5` and versions such as `1.2.3`.
    fn decimal(&self, first: &str, end: usize) -> Option<Number> {
        let (mut text, mut at, mut marks) = (first.to_owned(), end, 0);
        let mark = self.sign(end).filter(|c| [',', '.'].contains(c))?;
        while self.sign(at) == Some(mark) {
            let digits = self.run(at + 1);
            if digits.is_empty() {
                break;
            }
            at += 1 + digits.len();
            marks += 1;
            text.push('.');
            text.push_str(&digits);
        }
        let is_list = mark == ',' && marks > 1;
        (marks > 0 && !is_list).then(|| Number {
            whole: Some(first.to_owned()),
            ..Number::new(text, at)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::text::signs::signs;

    #[test]
    fn numbers_of_attributes_are_those_that_people_type() {
        for (number, term) in [
            (43.0, Some("#43")),
            (15.6, Some("#15.6")),
            (0.0, Some("#0")),
            (-5.0, None),
            (0.123_456, None),
            (4_000_000.0, None),
            (f64::NAN, None),
        ] {
            assert_eq!(bare(number).as_deref(), term, "{number}");
        }
        for (surface, term) in [
            ("43", Some("#43")),
            ("15.6inch", Some("#15.6")),
            ("2.0", Some("#2")),
            ("1.2.3", None),
            ("x240", None),
            ("5w30", None),
            ("8-1/2", Some("#8.5")),
            ("3/4inch", Some("#0.75")),
            ("1/3", None),
            ("", None),
        ] {
            assert_eq!(bare_of_word(surface).as_deref(), term, "{surface}");
        }
    }

    #[test]
    fn a_fraction_is_a_decimal_and_a_decimal_a_fraction() {
        for (fraction, decimal) in [
            ("1/2", "0.5"),
            ("3/4inch", "0.75inch"),
            ("8-1/2", "8.5"),
            ("1-3/8inch", "1.375inch"),
            ("1/16inch", "0.0625inch"),
        ] {
            assert_eq!(in_other_form(fraction).as_deref(), Some(decimal));
            assert_eq!(in_other_form(decimal).as_deref(), Some(fraction));
        }
        assert_eq!(in_other_form("6/8").as_deref(), Some("0.75"));
        for alone in [
            "1/3",
            "5/3",
            "1/0",
            "4.10",
            "4.0",
            "1.2.3",
            "2.4ghz",
            "0.00001",
            "12",
            "1920x1080",
            "-",
            "",
        ] {
            assert_eq!(in_other_form(alone), None, "{alone}");
        }
    }

    #[test]
    fn numbers_have_one_form() {
        for (typed, text, also, end) in [
            ("1000", "1000", None, 4),
            ("1,000 x", "1000", None, 5),
            ("1.000", "1000", None, 5),
            ("1'000", "1000", None, 5),
            ("12,000", "12000", None, 6),
            ("2.500", "2500", Some("2.5"), 5),
            ("1,250", "1250", Some("1.25"), 5),
            ("1,234,567", "1234567", None, 9),
            ("1.234,56", "1234.56", None, 8),
            ("0.500", "0.500", None, 5),
            ("1,5", "1.5", None, 3),
            ("4.10", "4.10", None, 4),
            ("1.2.3", "1.2.3", None, 5),
            ("1,2,3", "1", None, 1),
            ("2.", "2", None, 1),
            ("1/2", "1/2", None, 3),
            ("1 1/2\"", "1-1/2", None, 5),
            ("1½", "1-1/2", None, 5),
            ("24/7", "24", None, 2),
            ("3/4/2020", "3", None, 1),
        ] {
            let found = number(&signs(typed), 0);
            let found = (found.text.as_str(), found.also.as_deref(), found.end);
            assert_eq!(found, (text, also, end), "{typed}");
        }
    }
}
