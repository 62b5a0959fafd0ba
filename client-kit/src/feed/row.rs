//! A row of a feed: a product, or what is wrong with it.

use catalog_proto::v1::ProductInput;

use crate::feed::error::FeedError;

/// Longer rows are refused; a feed with an unclosed quote would otherwise fill the memory.
pub const ROW_BYTES_MAX: usize = 1 << 20;

/// One product of a feed, or why it is none.
#[derive(Debug)]
pub struct Row {
    /// Where the row starts, from 1.
    pub line: u64,
    pub parsed: Result<ProductInput, Mistake>,
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Empty when it is not known.
    pub id: String,
    /// A field of the product; empty when it is the row as a whole.
    pub field: String,
    pub reason: String,
}

impl Mistake {
    pub(super) fn row(reason: impl Into<String>) -> Self {
        Self {
            id: String::new(),
            field: String::new(),
            reason: reason.into(),
        }
    }

    pub(super) fn too_long() -> Self {
        Self::row(format!("the row is longer than {ROW_BYTES_MAX} bytes"))
    }
}

/// The rows of a feed, in order; an error is the last item.
pub type Rows = Box<dyn Iterator<Item = Result<Row, FeedError>> + Send>;
