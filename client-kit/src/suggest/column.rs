//! A column of a sample: its name, its values, and what they look like.

use std::collections::HashSet;

use crate::feed::DecimalSign;
use crate::feed::{Role, flag, gtin_digits, is_plain_number, is_price, shown_sign};
use crate::gtin;
use catalog_events::ProductId;

/// How many characters of a value are shown.
const SHOWN_CHARS_MAX: usize = 32;
const EXAMPLES_MAX: usize = 3;

/// A column, with what a sample has in it.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    /// What it is for where no option says so.
    pub(super) role: Role,
    /// Its texts, without empty ones; those of the elements for lists.
    pub(super) texts: Vec<String>,
    /// How many rows have something in it.
    pub(super) filled: usize,
    /// Whether it has arrays.
    pub(super) is_list: bool,
    /// Whether it has arrays of objects or of arrays.
    pub(super) has_objects: bool,
    /// Whether it has objects, whose members are columns too.
    pub(super) is_object: bool,
    /// Whether it has numbers, true or false, as only JSON has them.
    pub(super) is_typed: bool,
}

impl Column {
    pub(super) fn new(name: String, role: Role) -> Self {
        Self {
            name,
            role,
            texts: Vec::new(),
            filled: 0,
            is_list: false,
            has_objects: false,
            is_object: false,
            is_typed: false,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// The share of the texts that pass a test.
    pub(super) fn share(&self, test: impl Fn(&str) -> bool) -> f64 {
        let passed = self.texts.iter().filter(|text| test(text)).count();
        passed as f64 / self.texts.len().max(1) as f64
    }

    /// The share of texts that no other one equals.
    pub(super) fn distinct(&self) -> f64 {
        let different: HashSet<&String> = self.texts.iter().collect();
        different.len() as f64 / self.texts.len().max(1) as f64
    }

    /// The characters of a text, on average.
    pub(super) fn length(&self) -> f64 {
        let chars: usize = self.texts.iter().map(|text| text.chars().count()).sum();
        chars as f64 / self.texts.len().max(1) as f64
    }

    /// A few different values, shortened.
    pub(super) fn examples(&self) -> Vec<String> {
        let mut seen = HashSet::new();
        let different = self.texts.iter().filter(|text| seen.insert(text.as_str()));
        let shown = different.map(|text| {
            let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
            crate::output::shorten(&crate::output::plain(&line), SHOWN_CHARS_MAX)
        });
        shown.take(EXAMPLES_MAX).collect()
    }
}

pub(super) fn is_number(text: &str) -> bool {
    is_plain_number(text) || is_decimal_comma(text)
}

/// A number with a decimal comma.
pub(super) fn is_decimal_comma(text: &str) -> bool {
    let is_digit = |c: char| c.is_ascii_digit() || matches!(c, ',' | '.' | '-');
    text.chars().all(is_digit) && text.contains(',') && shown_sign(text) == DecimalSign::Comma
}

/// Digits that are a code and no number: zeros before it.
pub(super) fn is_code(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && !is_plain_number(text)
}

pub(super) fn is_id(text: &str) -> bool {
    text.parse::<ProductId>().is_ok()
}

/// Whether a text is a GTIN with the right check digit.
pub(super) fn is_gtin(text: &str) -> bool {
    gtin::is_valid(&gtin_digits(text))
}

/// Whether a text has a sign of money or exactly two decimals.
pub(super) fn is_money(text: &str) -> bool {
    let has_sign = text.contains(|c: char| !c.is_numeric() && !matches!(c, '.' | ',' | '-' | ' '));
    let decimals = text.rsplit(['.', ',']).next().map_or(0, str::len);
    let has_cents = text.contains(['.', ',']) && decimals == 2;
    is_price(text) && (has_sign || has_cents)
}

pub(super) fn is_url(text: &str) -> bool {
    let is_web = text.starts_with("http://") || text.starts_with("https://");
    is_web && !text.contains(char::is_whitespace)
}

/// Whether a text is the address of one image.
pub(super) fn is_image(text: &str) -> bool {
    const ENDS: [&str; 8] = [
        ".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif", ".tif", ".svg",
    ];
    let lower = text.to_lowercase();
    let path = lower.split(['?', '#']).next().unwrap_or_default();
    is_url(text) && !has_several_urls(text) && ENDS.iter().any(|end| path.ends_with(end))
}

pub(super) fn has_several_urls(text: &str) -> bool {
    text.matches("://").count() > 1
}

pub(super) fn is_markup(text: &str) -> bool {
    ["</", "<br", "<p>", "<li>", "/>"]
        .iter()
        .any(|tag| text.contains(tag))
}

/// Whether a text is a word for yes or no and no number.
pub(super) fn is_yes_or_no(text: &str) -> bool {
    flag(text).is_ok() && text.chars().any(char::is_alphabetic)
}
