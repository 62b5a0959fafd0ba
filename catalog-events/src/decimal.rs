//! Amounts that were stated without their currency: `19.99` is 1999 minor units only in a currency
//! with cents.

use std::fmt;
use std::str::FromStr;

use crate::money::{Currency, Money, MoneyError};

/// An amount in major units, such as `19.99`, that was not held against a currency yet.
///
/// Invariant: the text is that of a decimal number. Whether the currency has that many decimals and
/// a price can be that large is checked by [`Decimal::in_currency`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal(String);

impl Decimal {
    /// Converts to minor units exactly: no amount passes through a float.
    pub fn in_currency(&self, currency: Currency) -> Result<Money, MoneyError> {
        Money::parse(&self.0, currency)
    }
}

impl FromStr for Decimal {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        // Any currency tells whether it is a number; only the right one whether it fits.
        match Money::parse(text, Currency::USD) {
            Err(err @ (MoneyError::NotANumber(_) | MoneyError::Negative)) => Err(err),
            Err(
                MoneyError::TooPrecise { .. }
                | MoneyError::TooLarge
                | MoneyError::UnknownCurrency(_),
            )
            | Ok(_) => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, currency: &str, expected: Result<i64, &str>) {
        let currency = currency.parse().expect("currency");
        let found = text
            .parse()
            .and_then(|decimal: Decimal| decimal.in_currency(currency))
            .map(|money| money.minor())
            .map_err(|err| err.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{text} {currency}");
    }

    #[test]
    fn an_amount_waits_for_its_currency() {
        check("5", "JPY", Ok(5));
        check("5", "USD", Ok(500));
        check("19.99", "USD", Ok(1999));
        check("1.234", "KWD", Ok(1234));
        check(
            "90071992547409920",
            "USD",
            Err("a price is at most 9007199254740992 minor units"),
        );
        check(
            "19.999",
            "USD",
            Err("a price in USD has at most 2 decimals"),
        );
        check("0.5", "JPY", Err("a price in JPY has at most 0 decimals"));
    }

    #[test]
    fn what_is_no_number_is_refused_without_a_currency() {
        for bad in ["", "x", "1e3", "NaN", "+1", "5.", ".5", "1,5", "-1"] {
            assert!(bad.parse::<Decimal>().is_err(), "{bad}");
        }
    }
}
