//! Prices as feeds write them: with a currency before or behind them, grouped by thousands, with a decimal
//! point or a decimal comma. What can be read in two ways is not guessed.

mod currency;
mod decimal;
mod unnamed;

use catalog_events::Currency;

pub(crate) use crate::feed::prices::currency::currency_named;
pub(crate) use crate::feed::prices::decimal::DecimalSign;
pub use crate::feed::prices::unnamed::telling_of_currencies;

use crate::feed::prices::currency::taken_off;
use crate::feed::prices::decimal::{Read, read, shown};

/// A price as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Price {
    /// Digits, with a point before the decimals.
    pub(super) decimal: String,
    /// The currency that stands beside the number.
    pub(super) currency: Option<Currency>,
}

/// Reads a price. `stated` is the currency of the row or of the feed where one is told.
pub(super) fn parse(
    text: &str,
    sign: DecimalSign,
    stated: Option<Currency>,
) -> Result<Price, String> {
    let no_price = || format!("{text:?} is not a price such as 19.99");
    let (number, currency) = taken_off(text.trim(), stated)?;
    if let Some(amount) = number
        .strip_prefix('-')
        .or_else(|| number.strip_prefix('−'))
    {
        let is_number = amount
            .trim_start()
            .starts_with(|c: char| c.is_ascii_digit());
        return Err(if is_number {
            format!("{text:?}: a price is not negative")
        } else {
            no_price()
        });
    }
    let decimals = currency
        .or(stated)
        .map(|currency| currency.decimals() as usize);
    let has_point = number.contains('.');
    let decimal = match (read(&number, sign), decimals) {
        (Read::Decimal(decimal), _) => decimal,
        // A currency without small units has only thousands, and one of a thousand has three decimals.
        (Read::Ambiguous { grouped, .. }, Some(0)) => grouped,
        (Read::Ambiguous { decimal, .. }, Some(3)) if has_point => decimal,
        (Read::Ambiguous { grouped, decimal }, _) => {
            return Err(format!(
                "{text:?} may be {grouped} or {decimal}: --decimal-comma or --decimal-point tells which"
            ));
        }
        (Read::Nothing, _) => return Err(no_price()),
    };
    Ok(Price { decimal, currency })
}

/// Whether a text is a price, in whatever way its decimals are written.
pub(crate) fn is_price(text: &str) -> bool {
    let signs = [DecimalSign::Point, DecimalSign::Comma];
    signs.iter().any(|sign| parse(text, *sign, None).is_ok())
}

/// The currency that a price tells.
pub(crate) fn currency_of(text: &str) -> Option<Currency> {
    let signs = [DecimalSign::Point, DecimalSign::Comma];
    let mut prices = signs
        .iter()
        .filter_map(|sign| parse(text, *sign, None).ok());
    prices.find_map(|price| price.currency)
}

/// The decimal sign that a text shows without doubt: `49,90` and `1.299,00` have a comma.
pub(crate) fn shown_sign(text: &str) -> DecimalSign {
    let Ok((number, _)) = taken_off(text.trim(), None) else {
        return DecimalSign::Unknown;
    };
    shown(&number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, sign: DecimalSign, stated: &str, expected: Result<&str, &str>) {
        let stated = (!stated.is_empty()).then(|| stated.parse().expect("currency"));
        let found = parse(text, sign, stated).map(|price| {
            let currency = price
                .currency
                .map_or(String::new(), |code| format!(" {code}"));
            format!("{}{currency}", price.decimal)
        });
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(found, expected, "{text:?} {sign:?}");
    }

    #[test]
    fn prices_are_read_as_they_are_written() {
        for (text, expected) in [
            ("19.99", "19.99"),
            ("5", "5"),
            (".5", "0.5"),
            ("49,90", "49.90"),
            ("1.299,00 €", "1299.00 EUR"),
            ("€ 1.299,00", "1299.00 EUR"),
            ("USD 12.99", "12.99 USD"),
            ("12.99 usd", "12.99 USD"),
            ("$1,299.00", "1299.00 USD"),
            ("1'299.00 CHF", "1299.00 CHF"),
            ("Fr. 49.–", "49 CHF"),
            ("1 299,00", "1299.00"),
            ("1\u{a0}299,5 zł", "1299.5 PLN"),
            ("1,299,000", "1299000"),
            ("1.299.000,50", "1299000.50"),
            ("49,-", "49"),
            ("¥1,500", "1500 JPY"),
            ("1.500 ₩", "1500 KRW"),
            ("0.125", "0.125"),
            ("1299", "1299"),
            ("1234.567", "1234.567"),
            ("١٢", "12"),
            ("１２.５", "12.5"),
            // Whole units: what stands between the digits can only group them.
            ("1.299,- €", "1299 EUR"),
            ("1,299.-", "1299"),
            ("1.299.– CHF", "1299 CHF"),
            ("€ 1.299.000,-", "1299000 EUR"),
            ("1 299,-", "1299"),
            ("1'299.--", "1299"),
            // A code beside its sign.
            ("$1,299.00 USD", "1299.00 USD"),
            ("USD $1,299.00", "1299.00 USD"),
            ("USD$5", "5 USD"),
            ("5 $USD", "5 USD"),
            ("€ 49,90 EUR", "49.90 EUR"),
            ("EUR 1.299,00 €", "1299.00 EUR"),
            ("$5 CAD", "5 CAD"),
            ("5 ¥ CNY", "5 CNY"),
            ("kr 1 299,50 SEK", "1299.50 SEK"),
            ("300 RUR", "300 RUB"),
            // Lakhs and crores.
            ("₹1,29,900.00", "129900.00 INR"),
            ("1,29,900", "129900"),
            ("12,34,56,789.5", "123456789.5"),
            ("INR 1,00,000", "100000 INR"),
        ] {
            check(text, DecimalSign::Unknown, "", Ok(expected));
        }
        check("1.299", DecimalSign::Comma, "", Ok("1299"));
        check("1.299", DecimalSign::Point, "", Ok("1.299"));
        check("1,299", DecimalSign::Point, "", Ok("1299"));
        check("1,299", DecimalSign::Comma, "", Ok("1.299"));
        check("1.299,-", DecimalSign::Point, "", Ok("1299"));
        check("1,29,900.00", DecimalSign::Point, "", Ok("129900.00"));
        check("12 kr", DecimalSign::Unknown, "SEK", Ok("12 SEK"));
        check("$5", DecimalSign::Unknown, "CAD", Ok("5 CAD"));
        check("¥5", DecimalSign::Unknown, "CNY", Ok("5 CNY"));
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_not_guessed() {
        let two = "\"1.299\" may be 1299 or 1.299: --decimal-comma or --decimal-point tells which";
        check("1.299", DecimalSign::Unknown, "", Err(two));
        check("1.299", DecimalSign::Unknown, "USD", Err(two));
        check("1.299", DecimalSign::Unknown, "JPY", Ok("1299"));
        check("1.299", DecimalSign::Unknown, "KWD", Ok("1.299"));
        check(
            "12 kr",
            DecimalSign::Unknown,
            "",
            Err("\"12 kr\": \"kr\" is the sign of several currencies, --currency says which"),
        );
    }

    #[test]
    fn what_is_no_price_is_told() {
        for text in [
            "",
            "free",
            "12.99 - 19.99",
            "1,2,3",
            "1.2.3,4",
            "12.",
            "1,29.00",
            "..",
            "12..5",
            "1'29",
            "$",
            "€",
            "1.29.900",
            "1,29,90",
            "129,00,000",
            "1,2,999",
            "1,29,900,00",
            "5 EUR incl. VAT",
        ] {
            let reason = parse(text, DecimalSign::Unknown, None).expect_err(text);
            assert!(
                reason.contains("price") || reason.contains("currency"),
                "{text:?}: {reason}"
            );
        }
        check(
            "-5",
            DecimalSign::Unknown,
            "",
            Err("\"-5\": a price is not negative"),
        );
        check(
            "5 €",
            DecimalSign::Unknown,
            "USD",
            Err("\"5 €\" is not in USD, the currency of the row"),
        );
        check(
            "5 apples",
            DecimalSign::Unknown,
            "",
            Err("\"5 apples\": \"apples\" is no currency, write a code such as USD"),
        );
        check(
            "$5 EUR",
            DecimalSign::Unknown,
            "",
            Err("\"$5 EUR\": \"$\" and \"EUR\" are different currencies"),
        );
        check(
            "$5 CAD",
            DecimalSign::Unknown,
            "USD",
            Err("\"$5 CAD\" is not in USD, the currency of the row"),
        );
        check(
            "49,90",
            DecimalSign::Point,
            "",
            Err("\"49,90\" is not a price such as 19.99"),
        );
        check(
            "19.99",
            DecimalSign::Comma,
            "",
            Err("\"19.99\" is not a price such as 19.99"),
        );
    }

    #[test]
    fn a_price_shows_how_its_feed_writes_decimals() {
        for (text, sign) in [
            ("49,90", DecimalSign::Comma),
            ("1.299,00 €", DecimalSign::Comma),
            ("1.299.000", DecimalSign::Comma),
            ("$1,299.00", DecimalSign::Point),
            ("19.9", DecimalSign::Point),
            ("1.299", DecimalSign::Unknown),
            ("5", DecimalSign::Unknown),
            ("free", DecimalSign::Unknown),
        ] {
            assert_eq!(shown_sign(text), sign, "{text}");
        }
    }

    #[test]
    fn a_currency_is_named_by_a_code_or_by_a_sign() {
        let check = |text: &str, stated: &str, expected: Result<&str, &str>| {
            let stated = (!stated.is_empty()).then(|| stated.parse().expect("currency"));
            let found = currency_named(text, stated).map(|code| code.to_string());
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(found, expected, "{text:?} {stated:?}");
        };
        check("EUR", "", Ok("EUR"));
        check("eur", "", Ok("EUR"));
        check("€", "USD", Ok("EUR"));
        check("$", "", Ok("USD"));
        check("$", "CAD", Ok("CAD"));
        check("zł", "", Ok("PLN"));
        check("kr", "SEK", Ok("SEK"));
        let several = "\"kr\" is the sign of several currencies, write a code such as SEK";
        check("kr", "", Err(several));
        check("kr", "EUR", Err(several));
        let unknown = "\"EURO\" is not an ISO 4217 currency code such as USD";
        check("EURO", "", Err(unknown));
    }
}
