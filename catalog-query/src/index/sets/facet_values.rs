//! The values of a field as facets tell them apart: what is one value, and in which bucket a number is.

use std::borrow::Cow;

use catalog_events::Currency;

use crate::index::document::columns::FieldName;
use crate::index::document::values::{read_flag, snapped, written_number};
use crate::index::sets::price::{minor_units, written};

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
    pub(super) fn number(&self, stored: f64) -> Option<Key<'static>> {
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

    pub(super) fn spelling(&self, key: &Key<'_>) -> String {
        match (key, self.bounds(key)) {
            (_, Some((from, _))) => from.to_string(),
            (Key::Text(text), None) => text.clone().into_owned(),
            (Key::Flag(value), None) => value.to_string(),
            (Key::Number(number), None) if *self.field == FieldName::PriceMajor => {
                written(unordered(*number) as u64, self.currency)
            }
            (Key::Number(number), None) => (unordered(*number) / self.scale).to_string(),
        }
    }

    pub(super) fn bounds(&self, key: &Key<'_>) -> Option<(f64, f64)> {
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
pub(super) enum Key<'a> {
    /// A folded text.
    Text(Cow<'a, str>),
    Flag(bool),
    /// A stored number, or a bucket, that orders as the numbers do.
    Number(i128),
}

impl Key<'_> {
    pub(super) fn borrowed(&self) -> Key<'_> {
        match self {
            Self::Text(text) => Key::Text(Cow::Borrowed(text)),
            Self::Flag(flag) => Key::Flag(*flag),
            Self::Number(number) => Key::Number(*number),
        }
    }

    /// How many bytes it takes beside its own size.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Flag(_) | Self::Number(_) => 0,
        }
    }
}

/// The key of a text. In an attribute the text of a number is that number.
pub(super) fn text_key(field: &FieldName, text: &str) -> Key<'static> {
    let folded = field.fold(text);
    let is_attribute = field.has_flags();
    match (written_number(&folded), read_flag(&folded)) {
        (Some(number), _) if is_attribute => Key::Number(ordered(number)),
        (_, Some(flag)) if is_attribute => Key::Flag(flag),
        _ => Key::Text(folded.into()),
    }
}

/// Maps a number to an integer that sorts the same; [`unordered`] maps it back.
fn ordered(number: f64) -> i128 {
    i128::from(tantivy::f64_to_u64(number + 0.0))
}

fn unordered(number: i128) -> f64 {
    tantivy::u64_to_f64(number as u64)
}
