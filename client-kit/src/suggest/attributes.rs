//! What becomes of the columns that fill no field.

use std::collections::HashSet;

use serde_json::Value;

use crate::feed::{Kind, attribute_name, flag};
use crate::suggest::column::{Column, is_code, is_number, is_yes_or_no};
use crate::suggest::names;
use crate::suggest::sample::Sample;

/// What separates the values of a list.
const SEPARATORS: [&str; 3] = ["|", ";", ","];
/// The longest value of a list, in characters.
const VALUE_CHARS_MAX: usize = 40;

/// From how many texts on a habit shows.
const FEW: usize = 5;

/// What an attribute is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// It needs no option.
    Plain,
    List(&'static str),
    Flag,
    Number,
    Text,
    /// It has nothing in the sample.
    Empty,
    /// It is left out, as it would reject its rows.
    LeftOut(&'static str),
}

/// Decides what a column is read as. `is_looked_through` says that an import finds columns of codes by itself.
pub(super) fn treat(column: &Column, sample: &Sample, is_looked_through: bool) -> Treatment {
    let kind = sample.kind;
    if column.has_objects {
        return Treatment::LeftOut("lists of objects are no attributes");
    }
    if attribute_name(&column.name, &[]).is_empty() {
        return if column.is_empty() {
            Treatment::Empty
        } else {
            Treatment::LeftOut("its name has no letter or digit")
        };
    }
    if column.is_empty() {
        return Treatment::Empty;
    }
    if names::is_cost(&column.name) && column.share(is_number) > 0.8 {
        return Treatment::LeftOut("what the shop pays, and everybody reads a catalog");
    }
    if column.is_list || column.is_typed {
        return Treatment::Plain;
    }
    if let Some(separator) = separator(column, sample.rows) {
        return Treatment::List(separator);
    }
    if is_flag(column, kind) {
        return Treatment::Flag;
    }
    if !matches!(kind, Kind::Csv | Kind::Sheet) {
        return Treatment::Plain;
    }
    let ends_in_zero = |text: &str| text.contains('.') && text.ends_with('0');
    let numbers = column.share(is_number);
    if numbers > 0.999 && names::is_measure(&column.name) && column.share(ends_in_zero) > 0.0 {
        return Treatment::Number;
    }
    // In a pipe each value stands for itself.
    let has_codes = column.share(|text| is_code(text) || ends_in_zero(text)) > 0.0;
    if !is_looked_through && has_codes && numbers > 0.0 && column.share(is_code) < 1.0 {
        return Treatment::Text;
    }
    Treatment::Plain
}

/// What separates short values, where enough of the texts have several.
fn separator(column: &Column, rows: usize) -> Option<&'static str> {
    SEPARATORS.into_iter().find(|separator| {
        let has_several = |text: &str| text.contains(separator);
        let values = |text: &str| {
            let values = text.split(separator).map(|value| value.trim().to_owned());
            values.collect::<Vec<String>>()
        };
        let is_list = |text: &str| {
            let is_value = |value: &String| (1..=VALUE_CHARS_MAX).contains(&value.chars().count());
            values(text).iter().all(is_value)
        };
        let with = column.share(has_several);
        let count = with * column.texts.len() as f64;
        let is_enough = with >= 0.2 && (count >= FEW as f64 || rows < 2 * FEW);
        if !is_enough || column.share(|text| has_several(text) && !is_list(text)) > 0.0 {
            return false;
        }
        *separator != "," || are_listed(column, values)
    })
}

/// Whether commas separate values: they are in numbers and in sentences too, but a list has few words in
/// each of its values, and values come again in other rows.
fn are_listed(column: &Column, values: impl Fn(&str) -> Vec<String>) -> bool {
    let has_few_words = |text: &str| {
        let values = values(text);
        values.iter().all(|value| value.split(' ').count() <= 3)
    };
    let is_decimal = |text: &str| text.contains(",000") || (text.contains(',') && is_number(text));
    let is_year = |text: &str| text.len() == 4 && text.starts_with(['1', '2']) && is_number(text);
    let has_year = |text: &str| values(text).iter().skip(1).any(|value| is_year(value));
    let all: Vec<String> = column.texts.iter().flat_map(|text| values(text)).collect();
    let different: HashSet<&String> = all.iter().collect();
    different.len() * 5 <= all.len() * 4
        && column.share(|text| is_decimal(text) || has_year(text)) == 0.0
        && column.share(has_few_words) > 0.9
}

/// Whether a column has words for yes and no, and more than the words true and false, which need no option.
fn is_flag(column: &Column, kind: Kind) -> bool {
    let is_word = |text: &str| matches!(text.to_lowercase().as_str(), "true" | "false");
    let is_yes = |text: &str| flag(text) == Ok(Value::Bool(true));
    let yes = column.share(is_yes);
    let has_both = yes > 0.0 && yes < 1.0;
    column.share(is_yes_or_no) == 1.0
        && (has_both || column.texts.len() >= FEW)
        && (kind == Kind::Json || column.share(is_word) < 1.0)
}
