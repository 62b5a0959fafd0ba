//! Why a search has no answer.

use std::error::Error;
use std::time::Duration;

use crate::search::request::cursor::InvalidPageToken;

/// The most bytes that a query may have.
pub(crate) const QUERY_BYTES_MAX: usize = 1_000;

#[derive(Debug, thiserror::Error)]
pub(crate) enum SearchError {
    #[error("the query is empty")]
    EmptyQuery,
    #[error("the query has {bytes} bytes, more than {QUERY_BYTES_MAX}")]
    QueryTooLong { bytes: usize },
    #[error("there is no ranking profile of that name")]
    UnknownProfile,
    #[error("the search took longer than {0:?}")]
    Late(Duration),
    #[error(transparent)]
    PageToken(#[from] InvalidPageToken),
    #[error("search is not available")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}
