//! What holds for all rows: how decimals are written, what separates the levels of categories, and the
//! currency.

use catalog_events::Currency;

use crate::feed::{DecimalSign, currency_named, currency_of, shown_sign};
use crate::suggest::column::{Column, is_decimal_comma, is_number};
use crate::suggest::names;

/// What may stand between the levels of a category path, the surest first.
const SEPARATORS: [&str; 11] = [
    " > ", ">", "»", "::", "|", "\\", " / ", "/", ";", " - ", "->",
];

pub(super) fn is_currency(text: &str) -> bool {
    currency_named(text, None).is_ok()
}

/// What separates the levels of categories, where enough of the values have it.
pub(super) fn separator_of(column: &Column) -> Option<&'static str> {
    SEPARATORS.into_iter().find(|separator| {
        let least = if separator.contains('>') { 0.1 } else { 0.5 };
        column.share(|text| levels(text, separator) > 1) >= least
    })
}

fn levels(text: &str, separator: &str) -> usize {
    text.split(separator)
        .filter(|level| level.trim().chars().count() > 1)
        .count()
}

/// How the decimals of prices are written, with a value that shows it; None where values show both.
pub(super) fn decimal_sign(price: &Column) -> Option<(DecimalSign, &str)> {
    let with = |sign| price.texts.iter().find(|text| shown_sign(text) == sign);
    match (with(DecimalSign::Comma), with(DecimalSign::Point)) {
        (Some(text), None) => Some((DecimalSign::Comma, text)),
        (None, Some(text)) => Some((DecimalSign::Point, text)),
        (None, None) => Some((DecimalSign::Unknown, "")),
        (Some(_), Some(_)) => None,
    }
}

/// Whether the numbers of an attribute have decimal commas.
pub(super) fn has_commas(column: &Column) -> bool {
    column.texts.len() > 1 && column.share(is_number) > 0.95 && column.share(is_decimal_comma) > 0.3
}

/// What prices say of their currency.
pub(super) enum Told {
    Nothing,
    /// All of them say one.
    All,
    /// Some say this one, and the others nothing.
    Some(Currency),
    /// They do not say the same.
    Several,
}

pub(super) fn currency_of_prices(column: &Column) -> Told {
    let told: Vec<Option<Currency>> = column.texts.iter().map(|text| currency_of(text)).collect();
    let Some(first) = told.iter().flatten().next() else {
        return Told::Nothing;
    };
    if told.iter().all(Option::is_some) {
        Told::All
    } else if told.iter().flatten().all(|one| one == first) {
        Told::Some(*first)
    } else {
        Told::Several
    }
}

/// The currency that the name of a column of prices tells.
pub(super) fn currency_in(name: &str) -> Option<&'static str> {
    let signs = [("€", "EUR"), ("£", "GBP"), ("zł", "PLN"), ("¥", "JPY")];
    if let Some((_, code)) = signs.iter().find(|(sign, _)| name.contains(sign)) {
        return Some(code);
    }
    let words = names::words(name);
    names::CURRENCIES
        .into_iter()
        .find(|code| words.iter().any(|word| word.eq_ignore_ascii_case(code)))
}
