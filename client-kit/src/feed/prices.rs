//! Prices as feeds write them: with a currency before or behind them, grouped by thousands, with a decimal
//! point or a decimal comma. What can be read in two ways is not guessed.

use catalog_events::Currency;

/// How a feed writes decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum DecimalSign {
    /// Nothing is known: `1.299` may be either.
    #[default]
    Unknown,
    Point,
    Comma,
}

/// A price as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Price {
    /// Digits, with a point before the decimals.
    pub(super) decimal: String,
    /// The currency that stands beside the number.
    pub(super) currency: Option<Currency>,
}

/// Signs of money, each with the currencies that it may stand for: the first unless another of them is
/// stated.
const SIGNS: [(&str, &[&str]); 32] = [
    ("US$", &["USD"]),
    ("CA$", &["CAD"]),
    ("C$", &["CAD"]),
    ("AU$", &["AUD"]),
    ("A$", &["AUD"]),
    ("NZ$", &["NZD"]),
    ("HK$", &["HKD"]),
    ("S$", &["SGD"]),
    ("R$", &["BRL"]),
    ("MX$", &["MXN"]),
    ("NT$", &["TWD"]),
    (
        "$",
        &[
            "USD", "CAD", "AUD", "NZD", "HKD", "SGD", "MXN", "TWD", "ARS", "CLP", "COP",
        ],
    ),
    ("€", &["EUR"]),
    ("£", &["GBP", "EGP", "LBP", "GIP", "FKP", "SHP"]),
    ("¥", &["JPY", "CNY"]),
    ("￥", &["JPY", "CNY"]),
    ("円", &["JPY"]),
    ("元", &["CNY", "TWD"]),
    ("₩", &["KRW"]),
    ("₹", &["INR"]),
    ("₽", &["RUB"]),
    ("₺", &["TRY"]),
    ("₴", &["UAH"]),
    ("₪", &["ILS"]),
    ("₫", &["VND"]),
    ("฿", &["THB"]),
    ("zł", &["PLN"]),
    ("Kč", &["CZK"]),
    ("Ft", &["HUF"]),
    ("lei", &["RON", "MDL"]),
    ("SFr.", &["CHF"]),
    ("Fr.", &["CHF"]),
];
/// Signs that need a stated currency.
const VAGUE_SIGNS: [(&str, &[&str]); 2] = [
    ("kr.", &["SEK", "NOK", "DKK", "ISK"]),
    ("kr", &["SEK", "NOK", "DKK", "ISK"]),
];

/// Reads a price. `stated` is the currency of the row or of the feed where one is told.
pub(super) fn parse(
    text: &str,
    sign: DecimalSign,
    stated: Option<Currency>,
) -> Result<Price, String> {
    let no_price = || format!("{text:?} is not a price such as 19.99");
    let (number, currency) = without_currency(text.trim(), stated)?;
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
    let number = whole_amount(&number).unwrap_or(number);
    let decimals = currency
        .or(stated)
        .map(|currency| currency.decimals() as usize);
    let has_point = number.contains('.');
    let decimal = match (decimal(&number, sign), decimals) {
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
    let Ok((number, _)) = without_currency(text.trim(), None) else {
        return DecimalSign::Unknown;
    };
    let Some(last) = number.rfind(['.', ',']) else {
        return DecimalSign::Unknown;
    };
    let is_read = matches!(decimal(&number, DecimalSign::Unknown), Read::Decimal(_));
    let separator = number.as_bytes()[last];
    // More than one of a kind are thousands.
    let is_decimal = number.bytes().filter(|byte| *byte == separator).count() == 1;
    match separator {
        b',' if is_read && is_decimal => DecimalSign::Comma,
        b'.' if is_read && is_decimal => DecimalSign::Point,
        b',' if is_read => DecimalSign::Point,
        _ if is_read => DecimalSign::Comma,
        _ => DecimalSign::Unknown,
    }
}

/// What a number was read as.
enum Read {
    Decimal(String),
    /// One sign with three digits behind it.
    Ambiguous {
        grouped: String,
        decimal: String,
    },
    Nothing,
}

fn decimal(number: &str, sign: DecimalSign) -> Read {
    // Blanks and apostrophes only ever group: `1 299,00`, `1'299.00`.
    let is_blank = |c: char| matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\'' | '’');
    let parts: Vec<&str> = number.split(is_blank).collect();
    let has_groups = parts.len() > 1;
    if has_groups && !are_groups(&parts) {
        return Read::Nothing;
    }
    let number = parts.concat();
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (points, commas) = (number.matches('.').count(), number.matches(',').count());
    let separator = match (points, commas) {
        (0, 0) if is_digits(&number) => return Read::Decimal(number),
        (0, 0) => return Read::Nothing,
        (_, 0) => '.',
        (0, _) => ',',
        _ if number.rfind('.') > number.rfind(',') => '.',
        _ => ',',
    };
    let expected = match sign {
        DecimalSign::Unknown => None,
        DecimalSign::Point => Some('.'),
        DecimalSign::Comma => Some(','),
    };
    let count = number.matches(separator).count();
    if points > 0 && commas > 0 {
        // The last kind of sign is the decimal one, and comes once; the other one groups.
        let is_as_told = expected.is_none_or(|expected| expected == separator);
        let Some((whole, fraction)) = number.rsplit_once(separator).filter(|_| count == 1) else {
            return Read::Nothing;
        };
        let groups: Vec<&str> = whole.split(['.', ',']).collect();
        return if is_as_told && are_groups(&groups) && is_digits(fraction) {
            Read::Decimal(format!("{}.{fraction}", groups.concat()))
        } else {
            Read::Nothing
        };
    }
    let groups: Vec<&str> = number.split(separator).collect();
    let grouped = || groups.concat();
    if count > 1 {
        let groups_only = !has_groups && are_groups(&groups) && expected != Some(separator);
        return if groups_only {
            Read::Decimal(grouped())
        } else {
            Read::Nothing
        };
    }
    let (whole, fraction) = (groups[0], groups[1]);
    if !is_digits(fraction) || !(is_digits(whole) || whole.is_empty()) {
        return Read::Nothing;
    }
    let decimal = || format!("{}.{fraction}", if whole.is_empty() { "0" } else { whole });
    let may_group = are_groups(&groups) && !has_groups && whole != "0";
    match expected {
        Some(expected) if expected == separator => Read::Decimal(decimal()),
        Some(_) if may_group => Read::Decimal(grouped()),
        Some(_) => Read::Nothing,
        None if may_group => Read::Ambiguous {
            grouped: grouped(),
            decimal: decimal(),
        },
        None => Read::Decimal(decimal()),
    }
}

/// Whether texts are the groups of a number: one to three digits, then three each. The last one may have
/// decimals behind it.
fn are_groups(groups: &[&str]) -> bool {
    let digits = |text: &str| {
        let whole = text.split(['.', ',']).next().unwrap_or_default();
        (whole.len(), whole.bytes().all(|byte| byte.is_ascii_digit()))
    };
    groups
        .iter()
        .enumerate()
        .all(|(at, group)| match digits(group) {
            (1..=3, true) if at == 0 => true,
            (3, true) => at + 1 == groups.len() || group.len() == 3,
            _ => false,
        })
}

/// `49` of `49,-` and `49.–`.
fn whole_amount(number: &str) -> Option<String> {
    let whole = number.trim_end_matches(['-', '–', '—']);
    let has_dash = whole.len() < number.len();
    let whole = whole.strip_suffix([',', '.'])?;
    has_dash.then(|| whole.to_owned())
}

/// The number in a text and the currency beside it, which must be the stated one.
fn without_currency(
    text: &str,
    stated: Option<Currency>,
) -> Result<(String, Option<Currency>), String> {
    let is_number = |c: char| c.is_numeric() || matches!(c, '.' | ',' | '-' | '−');
    let plain = |number: &str| number.trim().chars().map(plain_digit).collect::<String>();
    let Some(first) = text.find(is_number) else {
        return Ok((plain(text), None));
    };
    let end = text.rfind(|c: char| is_number(c) || c == '–' || c == '—');
    let end = end.map_or(text.len(), |at| {
        at + text[at..].chars().next().map_or(0, char::len_utf8)
    });
    let (before, number, behind) = (&text[..first], &text[first..end], &text[end..]);
    // The point of "Fr. 12" belongs to the sign.
    let (before, number) = match number
        .strip_prefix('.')
        .filter(|_| !before.trim().is_empty())
    {
        Some(rest) => (&text[..=first], rest),
        None => (before, number),
    };
    let (before, behind) = (before.trim(), behind.trim());
    let mark = match (before.is_empty(), behind.is_empty()) {
        (true, true) => return Ok((plain(number), None)),
        (false, true) => before,
        (true, false) => behind,
        (false, false) if before == behind => before,
        (false, false) => return Err(format!("{text:?} is not a price such as 19.99")),
    };
    let meant = currencies(mark)
        .ok_or_else(|| format!("{text:?}: {mark:?} is no currency, write a code such as USD"))?;
    let fitting = |currency: &Currency| stated.is_none_or(|stated| stated == *currency);
    let is_vague = VAGUE_SIGNS.iter().any(|(sign, _)| *sign == mark);
    let found = meant.iter().copied().find(fitting);
    match (found, stated) {
        (Some(_), None) if is_vague => Err(format!(
            "{text:?}: {mark:?} is the sign of several currencies, --currency says which"
        )),
        (Some(currency), _) => Ok((plain(number), Some(currency))),
        (None, Some(stated)) => Err(format!(
            "{text:?} is not in {stated}, the currency of the row"
        )),
        (None, None) => Ok((plain(number), None)),
    }
}

/// The currencies that a sign or a code may stand for.
fn currencies(mark: &str) -> Option<Vec<Currency>> {
    let mut signs = SIGNS.iter().chain(&VAGUE_SIGNS);
    if let Some((_, codes)) = signs.find(|(sign, _)| sign.eq_ignore_ascii_case(mark)) {
        return Some(codes.iter().filter_map(|code| code.parse().ok()).collect());
    }
    let code = mark.to_ascii_uppercase().parse().ok()?;
    Some(vec![code])
}

/// The ASCII digit of digits in other scripts.
fn plain_digit(c: char) -> char {
    const ZEROS: [u32; 5] = [0x660, 0x6f0, 0x966, 0x9e6, 0xff10];
    let value = u32::from(c);
    let zero = ZEROS
        .iter()
        .find(|zero| (**zero..**zero + 10).contains(&value));
    zero.and_then(|zero| char::from_digit(value - zero, 10))
        .unwrap_or(c)
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
        ] {
            check(text, DecimalSign::Unknown, "", Ok(expected));
        }
        check("1.299", DecimalSign::Comma, "", Ok("1299"));
        check("1.299", DecimalSign::Point, "", Ok("1.299"));
        check("1,299", DecimalSign::Point, "", Ok("1299"));
        check("1,299", DecimalSign::Comma, "", Ok("1.299"));
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
}
