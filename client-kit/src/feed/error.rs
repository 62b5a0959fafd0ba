//! Why a feed cannot be read.

use std::io;

/// The most characters of a message.
pub(super) const REASON_CHARS_MAX: usize = 1_000;

/// An error that ends the reading of a feed.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    #[error("cannot open {name}")]
    Open {
        name: String,
        #[source]
        source: io::Error,
    },
    #[error("cannot read on after line {line}")]
    Read {
        line: u64,
        #[source]
        source: io::Error,
    },
    #[error("{name} is {form}: {cure}")]
    UnknownForm {
        name: String,
        form: &'static str,
        cure: &'static str,
    },
    #[error("{name}: {reason}")]
    Refused { name: String, reason: String },
    #[error("line {line}: {reason}")]
    Syntax { line: u64, reason: String },
    #[error("the feed is empty{0}")]
    Empty(&'static str),
    #[error("{0}")]
    Mapping(String),
}

impl FeedError {
    /// A feed without anything to read in its lines.
    pub(super) fn blank() -> Self {
        Self::Empty(": it has nothing but blank lines")
    }

    /// The error with a message of a length that people read: it shows names and values of the feed.
    pub(super) fn shortened(mut self) -> Self {
        match &mut self {
            Self::Refused { reason, .. } | Self::Syntax { reason, .. } | Self::Mapping(reason) => {
                cut(reason, REASON_CHARS_MAX);
            }
            Self::Open { .. } | Self::Read { .. } | Self::UnknownForm { .. } | Self::Empty(_) => {}
        }
        self
    }
}

/// A reason with what to do about it.
pub(super) fn with_hint(reason: String, hint: Option<String>) -> String {
    match hint {
        Some(hint) => format!("{reason}; {hint}"),
        None => reason,
    }
}

/// Cuts a text behind so many characters.
pub(super) fn cut(text: &mut String, chars_max: usize) {
    if let Some((end, _)) = text.char_indices().nth(chars_max) {
        text.truncate(end);
        text.push('…');
    }
}
