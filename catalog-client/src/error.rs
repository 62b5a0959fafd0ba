//! What goes wrong: a problem that the catalog told, or an answer that never came.

use std::fmt;

use serde::Deserialize;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The catalog refused the request, and says why.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// No answer came, in all tries. A write may have been done.
    #[error("no answer of the catalog")]
    NoAnswer(#[source] reqwest::Error),
    /// What came was no answer of a catalog, or of a newer one.
    #[error("not an answer of this API: {0}")]
    Unreadable(String),
    /// The address cannot be used.
    #[error("no address of a catalog, such as http://127.0.0.1:8000: {0}")]
    Address(String),
}

/// A problem document (RFC 9457).
#[derive(Clone, Debug, Deserialize)]
pub struct Problem {
    /// The address of the kind of problem, such as `/api/problems/product-not-found`.
    #[serde(rename = "type")]
    pub kind: String,
    pub status: u16,
    #[serde(default)]
    pub detail: String,
    /// The members that are at fault.
    #[serde(default)]
    pub errors: Vec<FieldError>,
    /// What the logs of the catalog name the request by.
    #[serde(default)]
    pub trace_id: String,
}

/// A member of a request that is at fault.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct FieldError {
    /// The JSON pointer of the member.
    pub pointer: String,
    pub detail: String,
}

impl Problem {
    /// The name of the kind of problem, such as `product-not-found`. Names never change.
    pub fn name(&self) -> &str {
        self.kind.rsplit('/').next().unwrap_or_default()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.detail)?;
        for FieldError { pointer, detail } in &self.errors {
            write!(f, "; {pointer}: {detail}")?;
        }
        Ok(())
    }
}

impl Error {
    /// The problem that the catalog told; None where it told none.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            _ => None,
        }
    }

    /// Whether there is no such product.
    pub fn is_not_found(&self) -> bool {
        self.problem().is_some_and(|problem| problem.status == 404)
    }
}
