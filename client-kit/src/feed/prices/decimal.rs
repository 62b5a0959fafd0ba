//! Numbers as prices write them: grouped by thousands, with a decimal point or a decimal comma. What can be
//! read in two ways is told as such.

/// How a feed writes decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum DecimalSign {
    /// Nothing is known: `1.299` may be either.
    #[default]
    Unknown,
    Point,
    Comma,
}

/// What a number was read as.
pub(super) enum Read {
    Decimal(String),
    /// One sign with three digits behind it.
    Ambiguous {
        grouped: String,
        decimal: String,
    },
    Nothing,
}

/// Reads a number without a sign and without a currency.
pub(super) fn read(number: &str, sign: DecimalSign) -> Read {
    let Some(whole) = before_dash(number) else {
        return plain(number, sign);
    };
    // The dash stands where decimals would, so that what separates digits before it only groups.
    match whole_units(whole) {
        Some(digits) => Read::Decimal(digits),
        None => plain(whole, sign),
    }
}

/// The decimal sign that a number shows without doubt.
pub(super) fn shown(number: &str) -> DecimalSign {
    let Some(last) = number.rfind(['.', ',']) else {
        return DecimalSign::Unknown;
    };
    let is_read = matches!(plain(number, DecimalSign::Unknown), Read::Decimal(_));
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

/// `49` of `49,-` and `1.299` of `1.299,–`.
fn before_dash(number: &str) -> Option<&str> {
    let whole = number.trim_end_matches(['-', '–', '—']);
    let has_dash = whole.len() < number.len();
    whole.strip_suffix([',', '.']).filter(|_| has_dash)
}

/// The digits of a number that has one kind of sign between its groups, or none.
fn whole_units(number: &str) -> Option<String> {
    let Some(sign) = number.chars().find(|c| !c.is_ascii_digit()) else {
        return (!number.is_empty()).then(|| number.to_owned());
    };
    let groups: Vec<&str> = number.split(sign).collect();
    let is_grouped = (is_blank(sign) || matches!(sign, '.' | ','))
        && groups.iter().all(|group| is_digits(group))
        && are_groups_by(sign, &groups)
        && !number.starts_with('0');
    is_grouped.then(|| groups.concat())
}

fn plain(number: &str, sign: DecimalSign) -> Read {
    let parts: Vec<&str> = number.split(is_blank).collect();
    let has_groups = parts.len() > 1;
    if has_groups && !are_groups(&parts) {
        return Read::Nothing;
    }
    let number = parts.concat();
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
        let other = if separator == '.' { ',' } else { '.' };
        let groups: Vec<&str> = whole.split(other).collect();
        return if is_as_told && are_groups_by(other, &groups) && is_digits(fraction) {
            Read::Decimal(format!("{}.{fraction}", groups.concat()))
        } else {
            Read::Nothing
        };
    }
    let groups: Vec<&str> = number.split(separator).collect();
    if count > 1 {
        let groups_only =
            !has_groups && are_groups_by(separator, &groups) && expected != Some(separator);
        return if groups_only {
            Read::Decimal(groups.concat())
        } else {
            Read::Nothing
        };
    }
    single(&groups, separator, expected, has_groups)
}

/// Reads a number with one sign in it, which may be the decimal one or one between thousands.
fn single(groups: &[&str], separator: char, expected: Option<char>, has_groups: bool) -> Read {
    let (whole, fraction) = (groups[0], groups[1]);
    if !is_digits(fraction) || !(is_digits(whole) || whole.is_empty()) {
        return Read::Nothing;
    }
    let grouped = || groups.concat();
    let decimal = || format!("{}.{fraction}", if whole.is_empty() { "0" } else { whole });
    let may_group = are_groups(groups) && !has_groups && whole != "0";
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

/// Whether a character only ever groups: `1 299,00`, `1'299.00`.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\'' | '’')
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether texts are the groups of a number that a sign separates. Commas may stand as in India.
fn are_groups_by(sign: char, groups: &[&str]) -> bool {
    are_groups(groups) || (sign == ',' && are_indian_groups(groups))
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

/// Whether texts are the groups of lakhs and crores, `12,34,56,789`: two digits each before the last three.
fn are_indian_groups(groups: &[&str]) -> bool {
    let [first, middle @ .., last] = groups else {
        return false;
    };
    let is_of = |group: &str, digits: usize| group.len() == digits && is_digits(group);
    (is_of(first, 1) || is_of(first, 2))
        && !middle.is_empty()
        && middle.iter().all(|group| is_of(group, 2))
        && is_of(last, 3)
}
