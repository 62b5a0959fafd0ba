//! What becomes of the columns that fill no field.

use crate::feed::{Kind, attribute_name};
use crate::suggest::column::{Column, is_code, is_number, is_yes_or_no};
use crate::suggest::names;

/// What separates the values of a list.
const SEPARATORS: [&str; 3] = ["|", ";", ","];
/// The longest value of a list, in characters.
const VALUE_CHARS_MAX: usize = 40;

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
pub(super) fn treat(column: &Column, kind: Kind, is_looked_through: bool) -> Treatment {
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
    if let Some(separator) = separator(column) {
        return Treatment::List(separator);
    }
    let is_word = |text: &str| matches!(text.to_lowercase().as_str(), "true" | "false");
    let is_x_alone =
        column.distinct() * (column.texts.len() as f64) < 1.5 && column.texts.len() < 2;
    if column.share(is_yes_or_no) > 0.999
        && !is_x_alone
        && (kind == Kind::Json || column.share(is_word) < 1.0)
    {
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

/// What separates short values that come again in other rows.
fn separator(column: &Column) -> Option<&'static str> {
    SEPARATORS.into_iter().find(|separator| {
        let parts = |text: &str| {
            let parts: Vec<String> = text
                .split(separator)
                .map(|part| part.trim().to_owned())
                .collect();
            parts
        };
        let is_list = |text: &str| {
            let parts = parts(text);
            parts.len() > 1
                && parts
                    .iter()
                    .all(|part| (1..=VALUE_CHARS_MAX).contains(&part.chars().count()))
        };
        let with = column.share(|text| text.contains(separator));
        if with == 0.0 || column.share(|text| text.contains(separator) && !is_list(text)) > 0.0 {
            return false;
        }
        // Commas are in numbers and sentences too.
        let is_number_list = column.share(|text| text.contains(separator) && is_number(text)) > 0.0;
        let all: Vec<String> = column.texts.iter().flat_map(|text| parts(text)).collect();
        let mut different = all.clone();
        different.sort_unstable();
        different.dedup();
        let come_again = different.len() < all.len();
        match *separator {
            "," => {
                !is_number_list
                    && with >= 0.3
                    && come_again
                    && column
                        .share(|text| parts(text).iter().all(|part| part.split(' ').count() <= 3))
                        > 0.9
            }
            _ => with >= 0.2 || come_again,
        }
    })
}
