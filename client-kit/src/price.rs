//! Prices in the forms that people and the HTTP API read them in.

use catalog_events::Currency;

/// An amount such as `19.99 USD`, computed from integers alone.
pub fn amount(minor: i64, currency: &str) -> String {
    format!("{} {currency}", decimal(minor, currency))
}

/// An amount of major units such as `19.99`, computed from integers alone.
pub(crate) fn decimal(minor: i64, currency: &str) -> String {
    let decimals = decimals(currency);
    let unit = 10_i64.pow(decimals as u32);
    let (whole, fraction) = (minor / unit, minor % unit);
    match decimals {
        0 => whole.to_string(),
        _ => format!("{whole}.{fraction:0decimals$}"),
    }
}

fn decimals(currency: &str) -> usize {
    currency.parse().unwrap_or(Currency::USD).decimals() as usize
}

pub(crate) fn major(minor: i64, currency: &str) -> f64 {
    minor as f64 / 10_f64.powi(decimals(currency) as i32)
}
