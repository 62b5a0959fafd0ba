//! Prices in the forms that people and the HTTP API read them in.

use catalog_events::Currency;

/// An amount such as `19.99 USD`, computed from integers alone.
pub fn amount(minor: i64, currency: &str) -> String {
    format!("{} {currency}", decimal(minor, currency))
}

/// An amount of major units such as `19.99`, computed from integers alone.
pub(crate) fn decimal(minor: i64, currency: &str) -> String {
    known(currency).in_major_units(minor)
}

fn known(currency: &str) -> Currency {
    currency.parse().unwrap_or(Currency::USD)
}

pub(crate) fn major(minor: i64, currency: &str) -> f64 {
    minor as f64 / 10_f64.powi(known(currency).decimals() as i32)
}
