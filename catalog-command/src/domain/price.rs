//! Prices as clients state them: in minor units, or as the decimal text of major units, which the
//! currency turns into minor units.

use catalog_events::{Currency, Decimal, Money, MoneyError};

use crate::domain::Violation;

/// What the BFF sends as minor units beside a decimal text: a write service of an older release, which
/// does not know the text, refuses it instead of taking 0 for the price.
const REFUSED_BY_OLDER_SERVICES: i64 = -1;

/// The number of a price whose currency is not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Amount {
    Minor(i64),
    Major(Decimal),
}

impl Amount {
    /// `major` is the decimal text where a client stated one. It excludes `minor`.
    pub(crate) fn parse(minor: i64, major: Option<&str>) -> Result<Self, Violation> {
        let Some(major) = major else {
            return Ok(Self::Minor(minor));
        };
        if !(REFUSED_BY_OLDER_SERVICES..=0).contains(&minor) {
            let reason = "excludes `price`: state one of them";
            return Err(Violation::new("price_minor", reason));
        }
        match major.parse() {
            Ok(decimal) => Ok(Self::Major(decimal)),
            Err(err) => Err(violation("price", err)),
        }
    }

    pub(crate) fn in_currency(&self, currency: Currency) -> Result<Money, Violation> {
        match self {
            Self::Minor(minor) => {
                Money::from_minor(*minor, currency).map_err(|err| violation("price_minor", err))
            }
            Self::Major(decimal) => decimal
                .in_currency(currency)
                .map_err(|err| violation("price", err)),
        }
    }
}

fn violation(field: &str, err: MoneyError) -> Violation {
    Violation::new(field, err.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(minor: i64, major: Option<&str>, currency: &str, expected: Result<i64, &str>) {
        let currency = currency.parse().expect("currency");
        let found = Amount::parse(minor, major)
            .and_then(|amount| amount.in_currency(currency))
            .map(|money| money.minor())
            .map_err(|violation| format!("{}: {}", violation.field, violation.reason));
        let case = format!("{minor} {major:?} {currency}");
        assert_eq!(found, expected.map_err(str::to_owned), "{case}");
    }

    #[test]
    fn a_decimal_text_depends_on_the_currency_and_minor_units_do_not() {
        check(5, None, "JPY", Ok(5));
        check(5, None, "USD", Ok(5));
        check(0, Some("5"), "JPY", Ok(5));
        check(0, Some("5"), "USD", Ok(500));
        check(-1, Some("19.99"), "USD", Ok(1999));
        check(0, Some("1.234"), "KWD", Ok(1234));
    }

    #[test]
    fn the_field_at_fault_is_the_one_that_was_stated() {
        check(-1, None, "USD", Err("price_minor: a price is not negative"));
        check(0, Some("-1"), "USD", Err("price: a price is not negative"));
        let too_precise = "price: a price in USD has at most 2 decimals";
        check(0, Some("19.999"), "USD", Err(too_precise));
        let no_number = "price: \"\" is not a decimal number such as 19.99";
        check(0, Some(""), "USD", Err(no_number));
        for minor in [1, -2] {
            let both = "price_minor: excludes `price`: state one of them";
            check(minor, Some("5"), "USD", Err(both));
        }
    }
}
