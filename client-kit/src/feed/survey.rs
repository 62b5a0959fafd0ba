//! What a look through a whole table shows, before its rows are read: how prices are written, and which
//! columns have codes and not numbers.

use crate::feed::columns::Columns;
use crate::feed::mapping::{Field, Mapping};
use crate::feed::prices::{DecimalSign, shown_sign};
use crate::feed::values;

/// From how many values on a fixed number of decimals is a way to write numbers.
const FIXED_VALUES_MIN: u64 = 20;
/// The fewest different last digits of such numbers.
const LAST_DIGITS_MIN: u32 = 4;

/// A place in the feed and what is written there.
#[derive(Clone, Debug)]
struct Example {
    line: u64,
    text: String,
}

/// What the cells of a table have shown so far.
pub(super) struct Survey {
    columns: Vec<Seen>,
    /// The columns of prices.
    prices: Vec<usize>,
    point: Option<Example>,
    comma: Option<Example>,
}

/// What the cells of a column have shown.
#[derive(Clone, Debug, Default)]
struct Seen {
    is_open: bool,
    numbers: u64,
    /// The number of decimals of all numbers; None where it differs.
    decimals: Option<usize>,
    differs: bool,
    /// A number that ends in 0 behind its point.
    ends_in_zero: Option<Example>,
    /// Digits with a 0 before them, or too many for a number.
    code: Option<Example>,
    last_digits: u16,
}

impl Survey {
    pub(super) fn new(columns: &Columns) -> Self {
        let mapping = columns.mapping();
        let is_told = |name: &String| {
            mapping.keep_text
                || mapping.texts.contains(name)
                || mapping.numbers.contains(name)
                || mapping.flags.contains(name)
        };
        let is_unknown = mapping.decimal_sign == DecimalSign::Unknown && !mapping.price_is_minor;
        let price = mapping.source(Field::Price);
        let names = columns.names().iter();
        let prices = (0..)
            .zip(names.clone())
            .filter(|(_, name)| is_unknown && *name == price);
        Self {
            prices: prices.map(|(place, _)| place).collect(),
            columns: names
                .enumerate()
                .map(|(place, name)| Seen {
                    is_open: columns.is_attribute(place) && !is_told(name),
                    ..Seen::default()
                })
                .collect(),
            point: None,
            comma: None,
        }
    }

    /// Whether anything is left to find out.
    pub(super) fn is_needed(&self) -> bool {
        !self.prices.is_empty() || self.columns.iter().any(|column| column.is_open)
    }

    pub(super) fn add<'c>(&mut self, line: u64, cells: impl Iterator<Item = &'c str>) {
        for (place, text) in cells.enumerate() {
            let text = text.trim();
            if self.prices.contains(&place) {
                self.add_price(line, text);
            }
            if let Some(seen) = self.columns.get_mut(place).filter(|seen| seen.is_open) {
                seen.add(line, text);
            }
        }
    }

    fn add_price(&mut self, line: u64, text: &str) {
        let shown = match shown_sign(text) {
            DecimalSign::Unknown => return,
            DecimalSign::Point => &mut self.point,
            DecimalSign::Comma => &mut self.comma,
        };
        shown.get_or_insert_with(|| example(line, text));
    }

    /// Settles in the mapping what was shown, and says so.
    pub(super) fn settle(self, columns: &Columns, mapping: &mut Mapping) -> Vec<String> {
        let mut notes = Vec::new();
        match (&self.comma, &self.point) {
            (Some(Example { line, text }), None) => {
                mapping.decimal_sign = DecimalSign::Comma;
                notes.push(format!(
                    "prices are read with a decimal comma, as {text:?} in line {line} shows: \
                     --decimal-point reads them otherwise"
                ));
            }
            (None, Some(_)) => mapping.decimal_sign = DecimalSign::Point,
            _ => {}
        }
        for (name, seen) in columns.names().iter().zip(&self.columns) {
            if let Some(Example { line, text }) = seen.code() {
                mapping.texts.insert(name.clone());
                notes.push(format!(
                    "column {name:?} stays text, as {text:?} in line {line} is a code: \
                     --number {name} makes numbers of it"
                ));
            } else if seen.ends_in_zero.is_some() {
                mapping.numbers.insert(name.clone());
            }
        }
        notes
    }
}

impl Seen {
    fn add(&mut self, line: u64, text: &str) {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if !digits.starts_with(|c: char| c.is_ascii_digit()) {
            return;
        }
        if !values::is_plain_number(text) {
            let is_code = digits.bytes().all(|byte| byte.is_ascii_digit());
            if is_code && self.code.is_none() {
                self.code = Some(example(line, text));
            }
            return;
        }
        let decimals = digits
            .split_once('.')
            .map_or(0, |(_, decimals)| decimals.len());
        self.differs |= self.decimals.is_some_and(|before| before != decimals);
        self.decimals = Some(decimals);
        self.numbers += 1;
        if let Some(last) = digits.bytes().last() {
            self.last_digits |= 1 << (last - b'0');
        }
        if decimals > 0 && digits.ends_with('0') && self.ends_in_zero.is_none() {
            self.ends_in_zero = Some(example(line, text));
        }
    }

    /// What shows that the numbers of the column are codes. Many numbers with the same number of decimals are
    /// no versions.
    fn code(&self) -> Option<&Example> {
        let is_fixed = !self.differs
            && self.numbers >= FIXED_VALUES_MIN
            && self.last_digits.count_ones() >= LAST_DIGITS_MIN;
        let of_zero = self.ends_in_zero.as_ref().filter(|_| !is_fixed);
        let of_code = self.code.as_ref().filter(|_| self.numbers > 0);
        of_code.or(of_zero)
    }
}

fn example(line: u64, text: &str) -> Example {
    Example {
        line,
        text: values::shorten(text),
    }
}
