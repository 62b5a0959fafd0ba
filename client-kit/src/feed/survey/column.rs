//! What the cells of one column show: in which notation its numbers are written, and whether they are numbers
//! or codes.

use crate::feed::prices::DecimalSign;
use crate::feed::values::{plain_number, shorten};

/// From how many values on a fixed number of decimals is a way to write numbers.
const FIXED_VALUES_MIN: u64 = 20;
/// The fewest different last digits of such numbers.
const LAST_DIGITS_MIN: u32 = 4;

/// A place in the feed and what is written there.
#[derive(Clone, Debug)]
pub(super) struct Example {
    pub(super) line: u64,
    pub(super) text: String,
}

impl Example {
    pub(super) fn new(line: u64, text: &str) -> Self {
        Self {
            line,
            text: shorten(text),
        }
    }
}

/// The numbers of a column in the notation that the options tell, and in the other one that it may have.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) usual: Reading,
    pub(super) other: Option<Reading>,
    /// A number that is one in both, and not the same.
    pub(super) two_ways: Option<Example>,
}

impl Seen {
    pub(super) fn new(told: DecimalSign) -> Self {
        let other = match told {
            DecimalSign::Unknown => Some(DecimalSign::Comma),
            // Programs write numbers with a point, whatever the prices beside them have.
            DecimalSign::Comma => Some(DecimalSign::Unknown),
            DecimalSign::Point => None,
        };
        Self {
            usual: Reading::new(told),
            other: other.map(Reading::new),
            two_ways: None,
        }
    }

    pub(super) fn add(&mut self, line: u64, text: &str) {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if !digits.starts_with(|c: char| c.is_ascii_digit()) {
            return;
        }
        let usual = plain_number(text, self.usual.sign);
        let Some(reading) = &mut self.other else {
            return self.usual.add(line, text, usual.as_deref());
        };
        let has_sign = text.contains(['.', ',']);
        let other = if has_sign {
            plain_number(text, reading.sign)
        } else {
            usual.clone()
        };
        match (&usual, &other) {
            (Some(_), None) => self.usual.shows(line, text),
            (None, Some(_)) => reading.shows(line, text),
            (Some(one), Some(another)) if one != another && self.two_ways.is_none() => {
                self.two_ways = Some(Example::new(line, text));
            }
            _ => {}
        }
        reading.add(line, text, other.as_deref());
        self.usual.add(line, text, usual.as_deref());
    }

    /// The other notation, where every number of the column is one in it and some are in no other.
    pub(super) fn otherwise(&self) -> Option<(&Reading, &Example)> {
        let other = self.other.as_ref()?;
        let is_so = self.usual.shown.is_none() && !other.is_broken;
        other
            .shown
            .as_ref()
            .filter(|_| is_so)
            .map(|shown| (other, shown))
    }

    /// A number that has another value in the other notation, where nothing shows which one the column has.
    pub(super) fn in_two_ways(&self) -> Option<&Example> {
        let is_open = self.usual.shown.is_none() && !self.usual.is_broken;
        self.two_ways.as_ref().filter(|_| is_open)
    }
}

/// What the cells of a column are in one notation.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) sign: DecimalSign,
    numbers: u64,
    /// The number of decimals of all numbers; None where it differs.
    decimals: Option<usize>,
    differs: bool,
    /// A number that ends in 0 behind its decimal sign.
    pub(super) ends_in_zero: Option<Example>,
    /// Digits with a 0 before them, or too many for a number.
    code: Option<Example>,
    last_digits: u16,
    /// A number that is none in the other notation.
    shown: Option<Example>,
    /// Whether a text begins as a number does and is none.
    is_broken: bool,
}

impl Reading {
    fn new(sign: DecimalSign) -> Self {
        Self {
            sign,
            numbers: 0,
            decimals: None,
            differs: false,
            ends_in_zero: None,
            code: None,
            last_digits: 0,
            shown: None,
            is_broken: false,
        }
    }

    fn shows(&mut self, line: u64, text: &str) {
        self.shown.get_or_insert_with(|| Example::new(line, text));
    }

    /// Adds a text with its plain form, where it is a number.
    fn add(&mut self, line: u64, text: &str, plain: Option<&str>) {
        let Some(plain) = plain else {
            let digits = text.strip_prefix('-').unwrap_or(text);
            if digits.bytes().all(|byte| byte.is_ascii_digit()) {
                self.code.get_or_insert_with(|| Example::new(line, text));
            } else {
                self.is_broken = true;
            }
            return;
        };
        let decimals = plain
            .split_once('.')
            .map_or(0, |(_, decimals)| decimals.len());
        self.differs |= self.decimals.is_some_and(|before| before != decimals);
        self.decimals = Some(decimals);
        self.numbers += 1;
        if let Some(last) = plain.bytes().last() {
            self.last_digits |= 1 << (last - b'0');
        }
        if decimals > 0 && plain.ends_with('0') && self.ends_in_zero.is_none() {
            self.ends_in_zero = Some(Example::new(line, text));
        }
    }

    /// What shows that the numbers of the column are codes. Many numbers with the same number of decimals are
    /// no versions.
    pub(super) fn code(&self) -> Option<&Example> {
        let is_fixed = !self.differs
            && self.numbers >= FIXED_VALUES_MIN
            && self.last_digits.count_ones() >= LAST_DIGITS_MIN;
        let of_zero = self.ends_in_zero.as_ref().filter(|_| !is_fixed);
        let of_code = self.code.as_ref().filter(|_| self.numbers > 0);
        of_code.or(of_zero)
    }
}
