//! Reads prices as clients state them: `price`, a decimal number or text in major units, or
//! `price_minor`, with or without a `currency`. Invariant: no amount ever passes through a float.

use catalog_events::{Currency, Decimal, Money, MoneyError};
use serde_json::value::RawValue;

use crate::json::{number, raw};
use crate::problem::{FieldErrors, pointer};

/// The price members of one body.
#[derive(Default)]
pub(crate) struct StatedPrice {
    major: Option<Decimal>,
    minor: Option<i64>,
    currency: Option<Currency>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Price {
    /// Without a currency the product keeps its own.
    Minor {
        minor: i64,
        currency: Option<Currency>,
    },
    /// A decimal without a currency, only in changes of a product: the write service turns it into minor
    /// units of the product's currency.
    Major(Decimal),
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum InvalidPrice {
    #[error("must be a decimal number or a text of one, such as 19.99")]
    NoDecimal,
    #[error("must be a whole number of minor units from 0 to {}", Money::MINOR_MAX)]
    NoMinor,
    #[error("must be an ISO 4217 currency code such as USD")]
    NoCurrency,
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl StatedPrice {
    /// Reads the member if it belongs to a price, and tells whether it does.
    pub(crate) fn read(&mut self, name: &str, value: &RawValue, errors: &mut FieldErrors) -> bool {
        let place = pointer(&[name]);
        match name {
            "price" => self.major = errors.take(place, major(value)),
            "price_minor" => self.minor = errors.take(place, minor(value)),
            "currency" => self.currency = errors.take(place, currency(value)).flatten(),
            _ => return false,
        }
        true
    }

    pub(crate) fn currency(&self) -> Option<Currency> {
        self.currency
    }

    /// Combines the members. `unless_stated` is the currency where the body names none; None stands
    /// for the product's own. The answer is None when the body states no price or a wrong one.
    pub(crate) fn resolve(
        self,
        unless_stated: Option<Currency>,
        errors: &mut FieldErrors,
    ) -> Option<Price> {
        let currency = self.currency.or(unless_stated);
        match (self.major, self.minor, currency) {
            (Some(_), Some(_), _) => {
                errors.push(
                    pointer(&["price_minor"]),
                    "excludes `price`: state one of them",
                );
                None
            }
            (Some(major), None, Some(currency)) => {
                let money = errors.take(pointer(&["price"]), major.in_currency(currency))?;
                Some(Price::Minor {
                    minor: money.minor(),
                    currency: Some(currency),
                })
            }
            (Some(major), None, None) => Some(Price::Major(major)),
            (None, Some(minor), currency) => Some(Price::Minor { minor, currency }),
            (None, None, _) => None,
        }
    }
}

fn major(value: &RawValue) -> Result<Decimal, InvalidPrice> {
    let text = match value.get().as_bytes() {
        [b'"', ..] => raw::text(value).map_err(|_| InvalidPrice::NoDecimal)?,
        [b'-' | b'0'..=b'9', ..] => {
            let stated = value.get();
            number::plain(stated).map_or_else(|| stated.to_owned(), Into::into)
        }
        _ => return Err(InvalidPrice::NoDecimal),
    };
    Ok(text.parse()?)
}

fn minor(value: &RawValue) -> Result<i64, InvalidPrice> {
    let minor = number::whole(value).ok_or(InvalidPrice::NoMinor)?;
    match Money::from_minor(minor, Currency::USD) {
        Ok(money) => Ok(money.minor()),
        Err(_) => Err(InvalidPrice::NoMinor),
    }
}

/// Reads a currency code; an empty one states no currency.
fn currency(value: &RawValue) -> Result<Option<Currency>, InvalidPrice> {
    let code = raw::text(value).map_err(|_| InvalidPrice::NoCurrency)?;
    match code.as_str() {
        "" => Ok(None),
        code => Ok(Some(code.parse()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares the price, as "minor currency", or the first error, as "pointer: detail".
    fn check(body: &str, unless_stated: Option<Currency>, expected: &str) {
        let mut errors = FieldErrors::default();
        let body_value = raw::value(body.as_bytes()).expect("JSON");
        let mut stated = StatedPrice::default();
        for (name, value) in raw::members(body_value, &[], &mut errors) {
            assert!(stated.read(&name, value, &mut errors), "{name}");
        }
        let price = stated.resolve(unless_stated, &mut errors);
        let found = match (errors.into_pairs().first(), price) {
            (Some((pointer, detail)), _) => format!("{pointer}: {detail}"),
            (None, Some(Price::Minor { minor, currency })) => format!("{minor} {currency:?}"),
            (None, Some(Price::Major(decimal))) => format!("{decimal:?}"),
            (None, None) => "no price".to_owned(),
        };
        assert_eq!(found, expected, "{body}");
    }

    #[test]
    fn is_exact_to_the_last_digit() {
        let usd = Some(Currency::USD);
        check(r#"{"price":19.99}"#, usd, "1999 Some(USD)");
        check(r#"{"price":"19.99"}"#, usd, "1999 Some(USD)");
        check(r#"{"price":0.29,"currency":""}"#, usd, "29 Some(USD)");
        check(
            r#"{"price":90071992547409.92}"#,
            usd,
            "9007199254740992 Some(USD)",
        );
        check(r#"{"price":500,"currency":"JPY"}"#, usd, "500 Some(JPY)");
        check(
            r#"{"price":1.234,"currency":"KWD"}"#,
            None,
            "1234 Some(KWD)",
        );
        check(r#"{"price_minor":1999}"#, usd, "1999 Some(USD)");
        check(r#"{"price_minor":1999}"#, None, "1999 None");
        check(r#"{"price_minor":1.0}"#, usd, "1 Some(USD)");
        check(r#"{"price_minor":1.5e3}"#, usd, "1500 Some(USD)");
        check(r#"{"price":1e2}"#, usd, "10000 Some(USD)");
        check(r#"{"price":1.999E1}"#, usd, "1999 Some(USD)");
        check(r#"{"price":1.234}"#, None, r#"Decimal("1.234")"#);
        check(r#"{"currency":"EUR"}"#, None, "no price");
    }

    #[test]
    fn refuses_what_is_no_price() {
        let usd = Some(Currency::USD);
        let no_number =
            |text: &str| format!("/price: \"{text}\" is not a decimal number such as 19.99");
        check(r#"{"price":"1e3"}"#, usd, &no_number("1e3"));
        check(r#"{"price":1e400}"#, None, &no_number("1e400"));
        check(r#"{"price":"$5"}"#, None, &no_number("$5"));
        check(r#"{"price":-1}"#, None, "/price: a price is not negative");
        check(
            r#"{"price":1.999}"#,
            usd,
            "/price: a price in USD has at most 2 decimals",
        );
        let too_large = "/price: a price is at most 9007199254740992 minor units";
        check(r#"{"price":9223372036854775808}"#, usd, too_large);
        for kind in ["null", "true", "[1]", "{}", r#""\ud800""#] {
            let body = format!(r#"{{"price":{kind}}}"#);
            let expected = "/price: must be a decimal number or a text of one, such as 19.99";
            check(&body, usd, expected);
        }
        for minor in [
            "1.5",
            "1e-1",
            "1e400",
            "-1",
            "9007199254740993",
            "9223372036854775808",
            "\"1\"",
            "null",
        ] {
            let body = format!(r#"{{"price_minor":{minor}}}"#);
            let expected =
                "/price_minor: must be a whole number of minor units from 0 to 9007199254740992";
            check(&body, usd, expected);
        }
        let both = "/price_minor: excludes `price`: state one of them";
        check(r#"{"price":1,"price_minor":100}"#, usd, both);
        let unknown = "/currency: \"usd\" is not an ISO 4217 currency code such as USD";
        check(r#"{"price":1,"currency":"usd"}"#, usd, unknown);
        let no_code = "/currency: must be an ISO 4217 currency code such as USD";
        check(r#"{"price":1,"currency":null}"#, usd, no_code);
    }
}
