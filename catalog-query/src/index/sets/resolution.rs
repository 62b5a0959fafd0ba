//! Decides what a filter means in one snapshot: which currency its prices are in, whether `NAME.min` is
//! the name of an attribute or a bound, and whether `42.0` is a text or the number 42. What the catalog
//! has as it was written wins.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use catalog_events::{Currency, Money};
use tantivy::Searcher;

use crate::index::document::columns::{ColumnFields, FieldName};
use crate::index::document::values::{read_flag, read_number, snapped, written_number};
use crate::index::error::IndexError;
use crate::index::sets::filter::{Filter, PriceBounds};
use crate::index::sets::price::minor_units;

/// The ends of names that make a bound of the attribute before them.
const BOUNDS: [&str; 3] = [".min", ".max", ".below"];

/// A snapshot that gives filters their meaning.
pub(crate) struct Resolution<'a> {
    pub(crate) searcher: &'a Searcher,
    pub(crate) fields: &'a ColumnFields,
}

impl Resolution<'_> {
    /// The filter with its meaning in this snapshot. `currency` is that of prices where the filter asks
    /// for none. A filter that has its meaning stays as it is.
    pub(crate) fn resolved(
        &self,
        filter: &Filter,
        currency: Currency,
    ) -> Result<Filter, IndexError> {
        let currency = filter.currency().unwrap_or(currency);
        let all = |parts: &[Filter]| -> Result<Vec<Filter>, IndexError> {
            let parts = parts.iter().map(|part| self.resolved(part, currency));
            parts.collect()
        };
        Ok(match filter {
            Filter::All(parts) => Filter::All(self.conjunction(parts, currency)?),
            Filter::Any(parts) => Filter::Any(all(parts)?),
            Filter::Not(part) => Filter::Not(Box::new(self.resolved(part, currency)?)),
            Filter::Forced(part) => Filter::Forced(Box::new(self.resolved(part, currency)?)),
            Filter::Terms { field, folded } if field.is_price() => Filter::Priced {
                currency,
                ranges: folded
                    .iter()
                    .filter_map(|value| amount(field, value, currency))
                    .map(|minor| (minor, minor))
                    .collect(),
            },
            Filter::Terms { field, folded } => self.values(field, folded)?,
            Filter::Price(bounds) => Filter::Priced {
                currency,
                ranges: bounds.range(currency).into_iter().collect(),
            },
            Filter::ByName { attribute, folded } => self.by_name(attribute, folded)?,
            Filter::Values { .. }
            | Filter::Priced { .. }
            | Filter::Range { .. }
            | Filter::Flag { .. }
            | Filter::Category(_)
            | Filter::Exists(_)
            | Filter::Sold => filter.clone(),
        })
    }

    /// The parts with their meaning. Bounds of one attribute become one range, so that of a product with
    /// several values a single one has to be within them.
    fn conjunction(&self, parts: &[Filter], currency: Currency) -> Result<Vec<Filter>, IndexError> {
        let mut whole: Vec<Filter> = Vec::with_capacity(parts.len());
        let mut ranges: HashMap<FieldName, usize> = HashMap::new();
        for part in parts {
            let resolved = self.resolved(part, currency)?;
            if let (Filter::ByName { .. }, Filter::Range { field, min, max }) = (part, &resolved) {
                match ranges.entry(field.clone()) {
                    Entry::Occupied(known) => {
                        whole[*known.get()].narrow(*min, *max);
                        continue;
                    }
                    Entry::Vacant(new) => {
                        new.insert(whole.len());
                    }
                }
            }
            whole.push(resolved);
        }
        Ok(whole)
    }

    /// The values of a field that these texts mean.
    fn values(&self, field: &FieldName, folded: &[String]) -> Result<Filter, IndexError> {
        let (mut texts, mut numbers, mut flags) = (Vec::new(), Vec::new(), Vec::new());
        for value in folded {
            let text = field.fold(value);
            if let Some(flag) = read_flag(&text).filter(|_| field.has_flags()) {
                flags.push(flag);
            }
            if field.has_numbers() {
                match (written_number(&text), read_number(&text)) {
                    (Some(number), _) => numbers.push(number),
                    (None, Some(number)) if !self.has_text(field, &text)? => {
                        numbers.push(number);
                        texts.push(number.to_string());
                    }
                    _ => {}
                }
            }
            texts.push(text);
        }
        Ok(Filter::Values {
            field: field.clone(),
            texts,
            numbers,
            flags,
        })
    }

    fn has_text(&self, field: &FieldName, text: &str) -> Result<bool, IndexError> {
        let texts = Filter::Values {
            field: field.clone(),
            texts: vec![text.to_owned()],
            numbers: Vec::new(),
            flags: Vec::new(),
        };
        self.is_met(&texts)
    }

    fn is_met(&self, filter: &Filter) -> Result<bool, IndexError> {
        let met = filter.evaluate(self.searcher, self.fields)?;
        Ok(met.len() > 0)
    }

    /// The attribute of exactly this name where any product has it; else a bound where the name ends like
    /// one.
    fn by_name(&self, attribute: &str, folded: &[String]) -> Result<Filter, IndexError> {
        let field = FieldName::Attribute(attribute.to_owned());
        let Some((name, bound)) = bound_of(attribute) else {
            return self.values(&field, folded);
        };
        let numbers: Vec<f64> = folded.iter().filter_map(|text| read_number(text)).collect();
        let is_bound = numbers.len() == folded.len();
        if self.is_met(&Filter::Exists(field.clone()))? {
            return self.values(&field, folded);
        }
        if !is_bound {
            return Err(IndexError::NoBound(attribute.to_owned()));
        }
        let field = FieldName::Attribute(name.to_owned());
        let mut ranges = numbers.into_iter().map(|number| {
            let (min, max) = match bound {
                ".min" => (number, f64::INFINITY),
                ".max" => (f64::NEG_INFINITY, number),
                _ => (f64::NEG_INFINITY, number.next_down()),
            };
            let field = field.clone();
            Filter::Range { field, min, max }
        });
        match (ranges.next(), ranges.len()) {
            (Some(only), 0) => Ok(only),
            (first, _) => Ok(Filter::Any(first.into_iter().chain(ranges).collect())),
        }
    }
}

/// The attribute and the kind of bound that a name such as `width.min` may mean.
pub(crate) fn bound_of(name: &str) -> Option<(&str, &'static str)> {
    BOUNDS.into_iter().find_map(|bound| {
        let attribute = name.strip_suffix(bound)?;
        (!attribute.is_empty()).then_some((attribute, bound))
    })
}

/// The minor units that a price means.
fn amount(field: &FieldName, text: &str, currency: Currency) -> Option<u64> {
    let minor = match field {
        FieldName::PriceMajor => Money::parse(text, currency).ok()?.minor(),
        _ => text.parse().ok()?,
    };
    u64::try_from(minor).ok()
}

impl Filter {
    /// Adds bounds to a range.
    fn narrow(&mut self, from: f64, to: f64) {
        if let Self::Range { min, max, .. } = self {
            (*min, *max) = (min.max(from), max.min(to));
        }
    }
}

impl PriceBounds {
    /// The least and the greatest price within the bounds, in minor units of a currency.
    fn range(&self, currency: Currency) -> Option<(u64, u64)> {
        let unit = if self.is_major {
            minor_units(currency)
        } else {
            1.0
        };
        let min = snapped(self.min * unit).ceil().max(0.0);
        let below = snapped(self.below * unit).ceil() - 1.0;
        let max = snapped(self.max * unit).floor().min(below);
        (min <= max).then_some((min as u64, max as u64))
    }
}
