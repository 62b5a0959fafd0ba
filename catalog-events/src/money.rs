//! Money: an integer count of minor units and an ISO 4217 currency. Never a float inside.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Active ISO 4217 codes whose minor unit is a hundredth.
const TWO_DECIMALS: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN \
BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP \
GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL \
MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR \
RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD \
TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG";
const NO_DECIMALS: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF";
const THREE_DECIMALS: &str = "BHD IQD JOD KWD LYD OMR TND";

/// An active ISO 4217 currency code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// Why a text is not an amount of money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The text is no ISO 4217 currency code.
    #[error("{0:?} is not an ISO 4217 currency code such as USD")]
    UnknownCurrency(String),
    /// The text is no decimal number.
    #[error("{0:?} is not a decimal number such as 19.99")]
    NotANumber(String),
    /// The amount has a fraction of a minor unit.
    #[error("a price in {currency} has at most {decimals} decimals")]
    TooPrecise {
        /// The currency of the amount.
        currency: Currency,
        /// The most decimals that it has.
        decimals: u32,
    },
    /// The amount is below zero.
    #[error("a price is not negative")]
    Negative,
    /// The amount is above [`Money::MINOR_MAX`].
    #[error("a price is at most {} minor units", Money::MINOR_MAX)]
    TooLarge,
}

impl Currency {
    /// The US dollar.
    pub const USD: Currency = Currency(*b"USD");

    /// The three letters, for instance `USD`.
    pub fn code(&self) -> &str {
        // Always ASCII: `from_str` takes nothing else.
        str::from_utf8(&self.0).unwrap_or_default()
    }

    /// How many decimals the minor unit is away from the major one: 2 for USD, 0 for JPY.
    pub fn decimals(&self) -> u32 {
        if contains(NO_DECIMALS, self.code()) {
            0
        } else if contains(THREE_DECIMALS, self.code()) {
            3
        } else {
            2
        }
    }

    /// An amount of minor units as a decimal text of major ones, such as `19.99`, without a float.
    pub fn in_major_units(&self, minor: i64) -> String {
        let decimals = self.decimals() as usize;
        let unit = 10_i64.pow(self.decimals());
        let (whole, fraction) = (minor / unit, minor % unit);
        match decimals {
            0 => whole.to_string(),
            _ => format!("{whole}.{fraction:0decimals$}"),
        }
    }
}

fn contains(codes: &str, code: &str) -> bool {
    codes.split_ascii_whitespace().any(|known| known == code)
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(code: &str) -> Result<Self, MoneyError> {
        let known = [TWO_DECIMALS, NO_DECIMALS, THREE_DECIMALS]
            .iter()
            .any(|codes| contains(codes, code));
        match <[u8; 3]>::try_from(code.as_bytes()) {
            Ok(bytes) if known => Ok(Self(bytes)),
            _ => Err(MoneyError::UnknownCurrency(code.chars().take(16).collect())),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;

    fn try_from(code: String) -> Result<Self, MoneyError> {
        code.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.code().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount of money in minor units of a currency: cents for USD, yen for JPY.
///
/// Invariant: the amount is from 0 to [`Money::MINOR_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// The largest amount, 2^53 minor units: every amount is exact as a JSON number and as a double of minor units.
    pub const MINOR_MAX: i64 = 1 << 53;

    /// An amount of minor units. It fails where the amount is negative or too large.
    pub fn from_minor(minor: i64, currency: Currency) -> Result<Self, MoneyError> {
        match minor {
            ..0 => Err(MoneyError::Negative),
            0..=Self::MINOR_MAX => Ok(Self { minor, currency }),
            _ => Err(MoneyError::TooLarge),
        }
    }

    /// Parses a decimal text of major units, such as `19.99`, without a detour over floats.
    pub fn parse(major: &str, currency: Currency) -> Result<Self, MoneyError> {
        let not_a_number = || MoneyError::NotANumber(major.chars().take(32).collect());
        let (negative, digits) = match major.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, major),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return Err(not_a_number());
        }
        if digits.ends_with('.') {
            return Err(not_a_number());
        }
        let decimals = currency.decimals();
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > decimals as usize {
            return Err(MoneyError::TooPrecise { currency, decimals });
        }
        let padded = format!("{whole}{fraction:0<width$}", width = decimals as usize);
        let significant = padded.trim_start_matches('0');
        if negative && !significant.is_empty() {
            return Err(MoneyError::Negative);
        }
        match significant {
            "" => Self::from_minor(0, currency),
            digits => {
                let minor = digits.parse().map_err(|_| MoneyError::TooLarge)?;
                Self::from_minor(minor, currency)
            }
        }
    }

    /// The amount in minor units.
    pub fn minor(&self) -> i64 {
        self.minor
    }

    /// The currency of the amount.
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// The amount in major units as a double, for display and for older clients: exact to the last cent below
    /// 2^53 minor units when rounded to the currency's decimals.
    pub fn major(&self) -> f64 {
        self.minor as f64 / 10_f64.powi(self.currency.decimals() as i32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(major: &str, currency: &str, expected: Result<i64, &str>) {
        let currency = currency.parse().expect("currency");
        let found = Money::parse(major, currency)
            .map(|money| money.minor())
            .map_err(|err| err.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{major} {currency}");
    }

    #[test]
    fn parses_decimal_prices_exactly() {
        check("19.99", "USD", Ok(1999));
        check("19.9", "USD", Ok(1990));
        check("0.29", "USD", Ok(29));
        check("0", "USD", Ok(0));
        check("-0.00", "USD", Ok(0));
        check("1.10000", "USD", Ok(110));
        check("500", "JPY", Ok(500));
        check("1.234", "KWD", Ok(1234));
    }

    #[test]
    fn refuses_what_is_no_price() {
        check("1.999", "USD", Err("a price in USD has at most 2 decimals"));
        check("0.5", "JPY", Err("a price in JPY has at most 0 decimals"));
        check("-1", "USD", Err("a price is not negative"));
        check(
            &"9".repeat(40),
            "USD",
            Err("a price is at most 9007199254740992 minor units"),
        );
        for bad in ["", ".5", "5.", "1e3", "NaN", "1,5", "+1", "0x1", "1.2.3"] {
            check(
                bad,
                "USD",
                Err(&format!("{bad:?} is not a decimal number such as 19.99")),
            );
        }
    }

    #[test]
    fn knows_only_iso_4217_codes() {
        for bad in ["", "usd", "XXX", "US", "USDX", "💶"] {
            assert!(bad.parse::<Currency>().is_err(), "{bad}");
        }
    }
}
