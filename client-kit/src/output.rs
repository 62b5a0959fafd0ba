//! Writes the results of commands to standard output: JSON for programs, lines for people.
//! Invariant: product text reaches a terminal without its control characters.

use std::io::{self, Write as _};

use serde::Serialize;

/// Writes a line. A closed pipe is an error, which ends the command quietly.
pub fn line(text: &str) -> io::Result<()> {
    self::text(&format!("{text}\n"))
}

pub fn text(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    Ok(line(&serde_json::to_string(value)?)?)
}

pub fn shorten(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    let kept = text.chars().take(chars_max.saturating_sub(1));
    kept.chain(['…']).collect()
}

/// Removes control characters and those that reverse the direction of writing.
pub fn plain(text: &str) -> String {
    let is_harmless = |char: &char| {
        !char.is_control()
            && !matches!(char, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().filter(is_harmless).collect()
}
