//! Collects the mistakes in what a client states: every one with its field, up to a bound.

use serde::{Deserialize, Serialize};

/// The most mistakes that are reported: more would not fit into the head of an answer.
const VIOLATIONS_MAX: usize = 50;

/// One field at fault, named as in the update mask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Violation {
    pub(crate) field: String,
    pub(crate) reason: String,
}

impl Violation {
    pub(crate) fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            reason: reason.into(),
        }
    }
}

/// The mistakes that were found so far.
#[derive(Default)]
pub(super) struct Check {
    pub(super) violations: Vec<Violation>,
}

impl Check {
    pub(super) fn fail(&mut self, field: impl Into<String>, reason: impl Into<String>) {
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(Violation::new(field, reason));
        }
    }

    pub(super) fn result<T, E: ToString>(
        &mut self,
        field: &str,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|err| self.fail(field, err.to_string())).ok()
    }

    /// The value, or None and a violation.
    pub(super) fn take<T>(&mut self, result: Result<T, Violation>) -> Option<T> {
        result
            .map_err(|violation| self.fail(violation.field, violation.reason))
            .ok()
    }

    /// Checks one line of text, without control or direction-changing characters, and trims it.
    pub(super) fn line(&mut self, field: &str, text: String, chars_max: usize) -> String {
        if text.chars().count() > chars_max {
            self.fail(field, format!("is longer than {chars_max} characters"));
        }
        if text.chars().any(|c| c.is_control() || changes_direction(c)) {
            self.fail(field, "has control characters");
        }
        trimmed(text)
    }

    pub(super) fn required(&mut self, field: &str, text: String, chars_max: usize) -> String {
        let text = self.line(field, text, chars_max);
        if text.is_empty() {
            self.fail(field, "is empty");
        } else if text.chars().all(is_invisible) {
            self.fail(field, "is empty: it has only characters that nobody sees");
        }
        text
    }

    pub(super) fn optional(
        &mut self,
        field: &str,
        text: String,
        chars_max: usize,
    ) -> Option<String> {
        Some(self.line(field, text, chars_max)).filter(|text| !text.is_empty())
    }

    /// Checks text that may have line breaks and tabs, and trims it. Markup is kept: a page that shows it
    /// must escape it.
    pub(super) fn prose(&mut self, field: &str, text: String, chars_max: usize) -> String {
        if text.chars().count() > chars_max {
            self.fail(field, format!("is longer than {chars_max} characters"));
        }
        let allowed = |c: char| matches!(c, '\n' | '\r' | '\t');
        if text.chars().any(|c| c.is_control() && !allowed(c)) {
            self.fail(field, "has control characters");
        }
        trimmed(text)
    }
}

pub(super) fn trimmed(text: String) -> String {
    match text.trim() {
        same if same.len() == text.len() => text,
        shorter => shorter.to_owned(),
    }
}

/// Whether it is an http or https URL with a host, and has nothing that ends or escapes an attribute of
/// HTML. The letter case of a scheme means nothing (RFC 3986, 3.1).
pub(super) fn is_web_url(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else {
        return false;
    };
    let is_web = ["https", "http"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known));
    is_web && !rest.is_empty() && !rest.starts_with('/') && is_clean_url(url)
}

pub(super) fn is_clean_url(url: &str) -> bool {
    let clean = |c: char| !c.is_whitespace() && !c.is_control() && !"<>\"\\^`{|}".contains(c);
    url.chars().all(clean)
}

/// Whether nothing is seen of it: white space, controls, what Unicode calls default ignorable (UAX #44), and the
/// blank pattern of Braille.
fn is_invisible(c: char) -> bool {
    let is_ignorable = matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
        | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}');
    is_ignorable || c.is_whitespace() || c.is_control()
}

/// Whether it is a bidirectional override or isolate, which can make a title read as another one.
fn changes_direction(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}
