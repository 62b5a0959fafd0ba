//! A row of a feed: a product, or what is wrong with the row.

use catalog_proto::v1::ProductInput;

use crate::feed::error::FeedError;

/// The most bytes of a row. A feed with an unclosed quote would otherwise fill the memory.
pub const ROW_BYTES_MAX: usize = 1 << 20;

/// A row of a feed as a product, or as the mistake that keeps it from being one.
#[derive(Debug)]
pub struct Row {
    /// The line where the row starts, counted from 1.
    pub line: u64,
    pub parsed: Result<ProductInput, Mistake>,
}

/// Why a row is not a valid product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The product id; empty when it is not known.
    pub id: String,
    /// The field that is wrong; empty when the row as a whole is.
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
