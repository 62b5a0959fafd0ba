//! Why a feed cannot be read.

use std::io;

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
    #[error("{0}")]
    Mapping(String),
}
