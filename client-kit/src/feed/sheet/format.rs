//! The currency that a number format shows beside the number: `#,##0.00 [$€-407]`.

use catalog_events::Currency;

use crate::feed::prices::currency_named;

/// What a sign that several currencies have means in a locale, by the number that Windows gives it.
const LOCALES: [(u32, &str); 24] = [
    (0x0409, "USD"),
    (0x1009, "CAD"),
    (0x0c0c, "CAD"),
    (0x0c09, "AUD"),
    (0x1409, "NZD"),
    (0x0c04, "HKD"),
    (0x4809, "SGD"),
    (0x1004, "SGD"),
    (0x080a, "MXN"),
    (0x0404, "TWD"),
    (0x2c0a, "ARS"),
    (0x340a, "CLP"),
    (0x240a, "COP"),
    (0x041d, "SEK"),
    (0x081d, "SEK"),
    (0x0406, "DKK"),
    (0x0414, "NOK"),
    (0x0814, "NOK"),
    (0x040f, "ISK"),
    (0x0411, "JPY"),
    (0x0804, "CNY"),
    (0x0809, "GBP"),
    (0x0418, "RON"),
    (0x0419, "RUB"),
];
/// Signs that stand in a format without quotes.
const SIGNS: [char; 9] = ['€', '£', '¥', '₹', '₽', '₩', '₺', '₴', '฿'];
/// Signs that other currencies have too, so that their locale must be known.
const SHARED_SIGNS: [&str; 4] = ["$", "¥", "kr", "kr."];

/// The currency of a format; none where it shows none, or one that is not known for sure.
pub(super) fn currency_of(format: &str) -> Option<Currency> {
    // A format has a part each for positive numbers, negative ones, zero and texts.
    let part = format.split(';').next()?;
    if let Some((_, rest)) = part.split_once("[$") {
        let (inside, _) = rest.split_once(']')?;
        let (sign, locale) = match inside.rsplit_once('-') {
            Some((sign, locale)) => (sign, u32::from_str_radix(locale, 16).ok()),
            None => (inside, None),
        };
        return in_locale(sign.trim(), locale);
    }
    let quoted = part.split('"').skip(1).step_by(2).map(str::trim);
    let mut named = quoted.filter_map(|text| currency_named(text, None).ok());
    let bare = || part.chars().find(|c| SIGNS.contains(c));
    named.next().or_else(|| {
        let sign = bare()?;
        currency_named(&sign.to_string(), None).ok()
    })
}

fn in_locale(sign: &str, locale: Option<u32>) -> Option<Currency> {
    // Only the lower half names the locale; above it are calendars and shapes of digits.
    let locale = locale
        .map(|number| number & 0xffff)
        .filter(|number| *number != 0);
    let Some(locale) = locale else {
        return currency_named(sign, None).ok();
    };
    let known = LOCALES.iter().find(|(number, _)| *number == locale);
    let of_locale = known.and_then(|(_, code)| code.parse().ok());
    let named = currency_named(sign, of_locale).ok();
    if SHARED_SIGNS.contains(&sign) {
        named.filter(|currency| of_locale == Some(*currency))
    } else {
        named
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_shows_a_currency() {
        for (format, expected) in [
            ("#,##0.00 [$€-407]", "EUR"),
            (
                "_-* #,##0.00\\ [$€-407]_-;\\-* #,##0.00\\ [$€-407]_-",
                "EUR",
            ),
            ("[$$-409]#,##0.00", "USD"),
            ("[$$-1009]#,##0.00", "CAD"),
            ("[$$-C09]#,##0.00", "AUD"),
            ("[$£-809]#,##0.00", "GBP"),
            ("#,##0.00\\ [$kr-41D]", "SEK"),
            ("#,##0.00\\ [$zł-415]", "PLN"),
            ("[$¥-411]#,##0", "JPY"),
            ("[$¥-804]#,##0", "CNY"),
            ("[$USD] #,##0.00", "USD"),
            ("[$CHF-807]\\ #,##0.00", "CHF"),
            ("#,##0.00\\ \"€\"", "EUR"),
            ("_(\"$\"* #,##0.00_)", "USD"),
            ("#,##0.00 €", "EUR"),
            ("0.00 \"EUR\"", "EUR"),
            ("General", ""),
            ("0.00", ""),
            ("0.00%", ""),
            ("0.00 \"kg\"", ""),
            ("[Red]-0.00", ""),
            ("[$-407]dd.mm.yyyy", ""),
            ("[$kr] 0.00", ""),
            ("[$$-3409]0.00", ""),
            ("[$", ""),
        ] {
            let found = currency_of(format).map_or(String::new(), |code| code.to_string());
            assert_eq!(found, expected, "{format}");
        }
    }
}
