//! The currency in which a search compares prices: the one that its filter asks for, else that of the
//! catalog. Amounts in different currencies are never compared.

use std::collections::BTreeMap;

use catalog_events::Currency;
use tantivy::columnar::DynamicColumn;
use tantivy::{Searcher, SegmentReader};

use crate::index::document::columns::FieldName;
use crate::index::once::Once;

/// The currency of the catalog, found at the first use in each snapshot.
#[derive(Clone, Debug, Default)]
pub(crate) struct CatalogCurrency(Once<Currency>);

impl CatalogCurrency {
    /// The currency that was configured, else that of most products; of equally common ones the first by
    /// code, and USD where there is no product.
    pub(crate) fn get(
        &self,
        searcher: &Searcher,
        configured: Option<Currency>,
    ) -> tantivy::Result<Currency> {
        match configured {
            Some(currency) => Ok(currency),
            None => self.0.get(|| most_common(searcher)).copied(),
        }
    }
}

fn most_common(searcher: &Searcher) -> tantivy::Result<Currency> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for segment in searcher.segment_readers() {
        let codes = CurrencyCodes::of(segment)?;
        for doc in segment.doc_ids_alive() {
            if let Some(code) = codes.get(doc) {
                *counts.entry(code.to_owned()).or_default() += 1;
            }
        }
    }
    // The first of equally common ones is the last of the reversed order.
    let common = counts.into_iter().rev().max_by_key(|(_, count)| *count);
    Ok(common
        .and_then(|(code, _)| code.parse().ok())
        .unwrap_or(Currency::USD))
}

/// The currencies of the products in a segment.
pub(crate) struct CurrencyCodes {
    column: Option<tantivy::columnar::StrColumn>,
    codes: Vec<String>,
}

impl CurrencyCodes {
    pub(crate) fn of(segment: &SegmentReader) -> tantivy::Result<Self> {
        let columns = FieldName::Currency.columns(segment)?;
        let column = columns.into_iter().find_map(|column| match column {
            DynamicColumn::Str(column) => Some(column),
            _ => None,
        });
        let mut codes = Vec::new();
        if let Some(column) = &column {
            for ordinal in 0..column.num_terms() as u64 {
                let mut code = String::new();
                column.ord_to_str(ordinal, &mut code)?;
                codes.push(code);
            }
        }
        Ok(Self { column, codes })
    }

    /// The ISO 4217 code of a document.
    pub(crate) fn get(&self, doc: u32) -> Option<&str> {
        let ordinal = self.column.as_ref()?.term_ords(doc).next()?;
        self.codes.get(ordinal as usize).map(String::as_str)
    }
}

/// How many minor units are a major one.
pub(crate) fn minor_units(currency: Currency) -> f64 {
    10_f64.powi(currency.decimals() as i32)
}

/// A price as people write it, without zeros at its end: 1950 US cents are `19.5`.
pub(crate) fn written(minor: u64, currency: Currency) -> String {
    let unit = 10_u64.pow(currency.decimals());
    let width = currency.decimals() as usize;
    let fraction = format!("{:0width$}", minor % unit);
    match fraction.trim_end_matches('0') {
        "" => (minor / unit).to_string(),
        fraction => format!("{}.{fraction}", minor / unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_written_in_major_units() {
        for (minor, code, expected) in [
            (1_950, "USD", "19.5"),
            (500, "USD", "5"),
            (7, "USD", "0.07"),
            (1_200, "JPY", "1200"),
            (9_500, "KWD", "9.5"),
            (1 << 53, "USD", "90071992547409.92"),
        ] {
            let currency = code.parse().expect("currency");
            assert_eq!(written(minor, currency), expected);
            let parsed = catalog_events::Money::parse(expected, currency).expect("price");
            assert_eq!(parsed.minor() as u64, minor);
        }
    }
}
