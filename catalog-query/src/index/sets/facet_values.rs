//! The values of a field as facets tell them apart: what is one value, and in which bucket a number is.

use std::collections::BTreeMap;

use catalog_events::Currency;
use tantivy::columnar::StrColumn;

use crate::index::document::columns::FieldName;
use crate::index::document::values::{read_flag, snapped, written_number};
use crate::index::sets::doc_sets::DocBits;
use crate::index::sets::price::{minor_units, written};

/// A set with fewer documents than one for so many terms of a column is counted without a place for each
/// term.
const SPARSE: u64 = 16;

/// How stored numbers become those that callers see, and buckets of them.
pub(super) struct Units<'a> {
    field: &'a FieldName,
    currency: Currency,
    /// Stored numbers are divided by it.
    pub(super) scale: f64,
    /// The width of a bucket in stored numbers.
    pub(super) interval: Option<f64>,
}

impl<'a> Units<'a> {
    pub(super) fn of(field: &'a FieldName, interval: Option<f64>, currency: Currency) -> Self {
        let scale = match field {
            FieldName::PriceMajor => minor_units(currency),
            field => field.scale(),
        };
        let interval = interval.map(|interval| match scale {
            1.0 => interval,
            scale => snapped(interval * scale),
        });
        Self {
            field,
            currency,
            scale,
            interval,
        }
    }

    /// The key of a stored number. None if it is too large for a bucket.
    pub(super) fn number(&self, stored: f64) -> Option<Key> {
        let Some(interval) = self.interval else {
            return Some(Key::Number(ordered(stored)));
        };
        let mut bucket = (stored / interval).floor();
        if bucket.abs() >= 1e15 {
            return None;
        }
        // Division may have rounded across the bound that is stated.
        if stored < bucket * interval {
            bucket -= 1.0;
        } else if stored >= (bucket + 1.0) * interval {
            bucket += 1.0;
        }
        Some(Key::Number(bucket as i128))
    }

    /// The key of a text. In an attribute the text of a number is that number.
    pub(super) fn text(&self, text: &str) -> Key {
        let folded = self.field.fold(text);
        let is_attribute = self.field.has_flags();
        match (written_number(&folded), read_flag(&folded)) {
            (Some(number), _) if is_attribute => Key::Number(ordered(number)),
            (_, Some(flag)) if is_attribute => Key::Flag(flag),
            _ => Key::Text(folded),
        }
    }

    pub(super) fn spelling(&self, key: &Key) -> String {
        match (key, self.bounds(key)) {
            (_, Some((from, _))) => from.to_string(),
            (Key::Text(text), None) => text.clone(),
            (Key::Flag(value), None) => value.to_string(),
            (Key::Number(number), None) if *self.field == FieldName::PriceMajor => {
                written(unordered(*number) as u64, self.currency)
            }
            (Key::Number(number), None) => (unordered(*number) / self.scale).to_string(),
        }
    }

    pub(super) fn bounds(&self, key: &Key) -> Option<(f64, f64)> {
        match (key, self.interval) {
            (Key::Number(bucket), Some(interval)) => {
                let bound = |bucket: f64| bucket * interval / self.scale + 0.0;
                Some((bound(*bucket as f64), bound(*bucket as f64 + 1.0)))
            }
            _ => None,
        }
    }
}

/// The identity of a value. Texts that differ only in how they are written are one, and so are the
/// numbers of one bucket.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Key {
    /// A folded text.
    Text(String),
    Flag(bool),
    /// A stored number, or a bucket, that orders as the numbers do.
    Number(i128),
}

/// Maps a number to an integer that sorts the same; [`unordered`] maps it back.
fn ordered(number: f64) -> i128 {
    i128::from(tantivy::f64_to_u64(number + 0.0))
}

fn unordered(number: i128) -> f64 {
    tantivy::u64_to_f64(number as u64)
}

/// Counts the documents of each term ordinal that occurs, in the order of the ordinals.
pub(super) fn ordinal_counts(column: &StrColumn, among: &DocBits) -> Vec<(u64, u64)> {
    let ordinals = among.iter().flat_map(|doc| column.term_ords(doc));
    if among.len() * SPARSE < column.num_terms() as u64 {
        let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
        ordinals.for_each(|ordinal| *counts.entry(ordinal).or_default() += 1);
        return counts.into_iter().collect();
    }
    let mut counts = vec![0; column.num_terms()];
    ordinals.for_each(|ordinal| counts[ordinal as usize] += 1);
    let counts = (0..).zip(counts);
    counts.filter(|(_, count)| *count > 0).collect()
}

/// Calls `each` with the ordinal, the count and the text of every term that was counted.
pub(super) fn each_text(
    column: &StrColumn,
    counts: &[(u64, u64)],
    mut each: impl FnMut(u64, u64, String),
) -> tantivy::Result<()> {
    let ordinals: Vec<u64> = counts.iter().map(|(ordinal, _)| *ordinal).collect();
    let mut next = counts.iter();
    column
        .dictionary()
        .sorted_ords_to_term_cb(&ordinals, |text| {
            if let Some((ordinal, count)) = next.next() {
                let text = String::from_utf8_lossy(text).into_owned();
                each(*ordinal, *count, text);
            }
        })?;
    Ok(())
}
