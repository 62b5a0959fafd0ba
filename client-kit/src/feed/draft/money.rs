//! The price of a row and its currency, while they are put together from its columns.

use catalog_events::Currency;
use catalog_proto::v1::ProductInput;

use crate::feed::mapping::{Field, Mapping};
use crate::feed::prices::{self, DecimalSign};
use crate::feed::values;

/// The longest text that may be a currency, in bytes.
const CURRENCY_BYTES_MAX: usize = 24;

#[derive(Debug, Default)]
pub(super) struct Money {
    /// The price, and how its decimals are written.
    price: Option<(String, DecimalSign)>,
    beside: Vec<Beside>,
}

/// A currency that a column beside the price names.
#[derive(Debug)]
pub(super) struct Beside {
    column: String,
    /// The attribute that the column is in a row without a price.
    pub(super) attribute: String,
    pub(super) text: String,
}

impl Money {
    pub(super) fn set_price(&mut self, text: String, sign: DecimalSign) {
        self.price = Some((text, sign));
    }

    pub(super) fn has_price(&self) -> bool {
        self.price.is_some()
    }

    /// Takes what a column has that names the currency of the price, if it is one: a number is a key of the
    /// shop's own.
    pub(super) fn take_currency(
        &mut self,
        column: &str,
        attribute: impl FnOnce() -> String,
        text: &str,
    ) -> bool {
        let text = text.trim();
        let is_short = !text.is_empty() && text.len() <= CURRENCY_BYTES_MAX;
        let is_currency = is_short && !text.contains(char::is_numeric);
        if is_currency {
            self.beside.push(Beside {
                column: column.to_owned(),
                attribute: attribute(),
                text: text.to_owned(),
            });
        }
        is_currency
    }

    /// The currencies of no price, which are attributes.
    pub(super) fn take_idle_currencies(&mut self) -> Vec<Beside> {
        match self.price {
            Some(_) => Vec::new(),
            None => std::mem::take(&mut self.beside),
        }
    }

    /// The currency that the row states, else that of the feed.
    pub(super) fn currency(
        &self,
        mapping: &Mapping,
        product: &mut ProductInput,
    ) -> Result<Option<Currency>, String> {
        let own = match &*product.currency {
            "" => None,
            text => Some(prices::currency_named(text, mapping.currency)?),
        };
        product.currency = own.map_or(String::new(), |currency| currency.to_string());
        let mut named = own.map(|own| (mapping.source(Field::Currency), own));
        for Beside { column, text, .. } in &self.beside {
            let known = named.map(|(_, currency)| currency);
            let currency = prices::currency_named(text, known.or(mapping.currency))
                .map_err(|reason| format!("column {column:?}: {reason}, or --ignore {column}"))?;
            match named {
                Some((other, before)) if before != currency => {
                    return Err(format!(
                        "column {other:?} names {before} and column {column:?} {currency}: --ignore one of them"
                    ));
                }
                _ => named = named.or(Some((column, currency))),
            }
        }
        Ok(named.map(|(_, currency)| currency).or(mapping.currency))
    }

    /// States the price in its currency. Where neither the row nor an option names one, a product keeps its
    /// own, and a new one has the default of the service.
    pub(super) fn state(
        &mut self,
        mapping: &Mapping,
        stated: Option<Currency>,
        product: &mut ProductInput,
    ) -> Result<(), String> {
        let Some((text, sign)) = self.price.take() else {
            return Ok(());
        };
        let mut currency = stated;
        if mapping.price_is_minor {
            let minor = values::minor_units(&text, currency.unwrap_or(Currency::USD))?.minor();
            // Nothing is no price: 0 is stated as a text.
            match minor {
                0 => product.price = "0".to_owned(),
                minor => product.price_minor = minor,
            }
        } else {
            let price = prices::parse(&text, sign, stated)?;
            currency = currency.or(price.currency);
            if let Some(currency) = currency {
                catalog_events::Money::parse(&price.decimal, currency)
                    .map_err(|err| err.to_string())?;
            }
            product.price = price.decimal;
        }
        product.currency = currency.map_or(String::new(), |currency| currency.to_string());
        Ok(())
    }
}
