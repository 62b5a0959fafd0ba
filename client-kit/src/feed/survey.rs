//! What a look through a whole table shows, before its rows are read: how prices and the numbers of each column
//! are written, and which columns have codes and not numbers.

mod column;

use crate::feed::columns::Columns;
use crate::feed::mapping::{Field, Mapping};
use crate::feed::prices::{DecimalSign, shown_sign};
use crate::feed::survey::column::{Example, Seen};
use crate::feed::values;

/// What the cells of a table have shown so far.
pub(super) struct Survey {
    /// None for a column that is no attribute, or whose values an option tells.
    columns: Vec<Option<Seen>>,
    /// The columns of prices.
    prices: Vec<usize>,
    point: Option<Example>,
    comma: Option<Example>,
}

impl Survey {
    pub(super) fn new(columns: &Columns) -> Self {
        let mapping = columns.mapping();
        let is_told = |name: &String| mapping.keep_text || mapping.is_typed(name);
        let is_unknown = mapping.decimal_sign == DecimalSign::Unknown && !mapping.price_is_minor;
        let price = mapping.source(Field::Price);
        let names = columns.names().iter();
        let prices = (0..)
            .zip(names.clone())
            .filter(|(_, name)| is_unknown && *name == price);
        let seen = |(place, name): (usize, &String)| {
            let is_open = columns.is_attribute(place) && !is_told(name);
            is_open.then(|| Seen::new(mapping.told_sign))
        };
        Self {
            prices: prices.map(|(place, _)| place).collect(),
            columns: names.enumerate().map(seen).collect(),
            point: None,
            comma: None,
        }
    }

    /// Whether anything is left to find out.
    pub(super) fn is_needed(&self) -> bool {
        !self.prices.is_empty() || self.columns.iter().any(Option::is_some)
    }

    pub(super) fn add<'c>(&mut self, line: u64, cells: impl Iterator<Item = &'c str>) {
        for (place, text) in cells.enumerate() {
            let text = text.trim();
            if self.prices.contains(&place) {
                self.add_price(line, text);
            }
            if let Some(Some(seen)) = self.columns.get_mut(place) {
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
        shown.get_or_insert_with(|| Example::new(line, text));
    }

    /// Settles in the mapping what was shown, and says so.
    pub(super) fn settle(self, columns: &Columns, mapping: &mut Mapping) -> Vec<String> {
        let mut settled = Settled::default();
        match (&self.comma, &self.point) {
            (Some(Example { line, text }), None) => {
                mapping.decimal_sign = DecimalSign::Comma;
                settled.notes.push(format!(
                    "prices are read with a decimal comma, as {text:?} in line {line} shows: \
                     --decimal-point reads them otherwise"
                ));
            }
            (None, Some(_)) => mapping.decimal_sign = DecimalSign::Point,
            _ => {}
        }
        for (name, seen) in columns.names().iter().zip(&self.columns) {
            if let Some(seen) = seen {
                settled.column(name, seen, mapping);
            }
        }
        let is_open = self.comma.is_none() && self.point.is_none();
        settled.notes(is_open)
    }
}

/// What was found out about columns.
#[derive(Default)]
struct Settled {
    notes: Vec<String>,
    /// The columns whose texts would be numbers with a decimal comma, and the first of these texts.
    like_numbers: Vec<String>,
    first_like: Option<Example>,
}

impl Settled {
    fn column(&mut self, name: &str, seen: &Seen, mapping: &mut Mapping) {
        // A notation that neither an option nor a price has is none of the feed.
        let is_comma = mapping.decimal_sign == DecimalSign::Comma;
        let otherwise = seen.otherwise();
        if let Some((_, example)) = otherwise.filter(|_| !is_comma) {
            self.like_numbers.push(name.to_owned());
            self.first_like.get_or_insert_with(|| example.clone());
        }
        let otherwise = otherwise.filter(|_| is_comma);
        let reading = otherwise.map_or(&seen.usual, |(reading, _)| reading);
        if let Some(Example { line, text }) = reading.code() {
            mapping.texts.insert(name.to_owned());
            self.notes.push(format!(
                "column {name:?} stays text, as {text:?} in line {line} is a code: \
                 --number {name} makes numbers of it"
            ));
            return;
        }
        if let Some((_, example)) = otherwise {
            self.otherwise(name, reading.sign, example);
            mapping.signs.insert(name.to_owned(), reading.sign);
        } else if is_comma && mapping.told_sign == DecimalSign::Unknown {
            self.in_two_ways(name, seen, mapping);
        }
        if reading.ends_in_zero.is_some() && !mapping.texts.contains(name) {
            mapping.numbers.insert(name.to_owned());
        }
    }

    /// Tells of a column that is read in the notation that it shows.
    fn otherwise(&mut self, name: &str, sign: DecimalSign, example: &Example) {
        let sign = match sign {
            DecimalSign::Comma => "comma",
            DecimalSign::Point | DecimalSign::Unknown => "point",
        };
        let Example { line, text } = example;
        self.notes.push(format!(
            "column {name:?} is read with a decimal {sign}, as {text:?} in line {line} shows: \
             --text {name} leaves it as it is"
        ));
    }

    /// Leaves a column as it is whose numbers may have the notation of the prices or that of programs.
    fn in_two_ways(&mut self, name: &str, seen: &Seen, mapping: &mut Mapping) {
        let Some(Example { line, text }) = seen.in_two_ways() else {
            return;
        };
        mapping.texts.insert(name.to_owned());
        self.notes.push(format!(
            "column {name:?} stays text, as {text:?} in line {line} may have a decimal point or, like the prices, \
             none: --decimal-comma reads it as they are, --number {name} takes the point for the decimal one"
        ));
    }

    /// The notes, and one about columns that the feed leaves open.
    fn notes(mut self, is_open: bool) -> Vec<String> {
        if let (true, Some(Example { line, text })) = (is_open, self.first_like) {
            let names = values::listed(&self.like_numbers);
            self.notes.push(format!(
                "texts such as {text:?} in line {line} would be numbers with a decimal comma (columns: {names}): \
                 --decimal-comma makes numbers of them"
            ));
        }
        self.notes
    }
}
