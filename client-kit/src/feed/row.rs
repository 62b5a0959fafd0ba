//! A row of a feed: what it says of a product, or what is wrong with the row.

use std::sync::Arc;

use catalog_proto::v1::ImportRow;
use serde_json::{Map, Value};

use crate::feed::error::{FeedError, REASON_CHARS_MAX, cut};

/// The most bytes of a row. A feed with an unclosed quote would otherwise fill the memory.
pub const ROW_BYTES_MAX: usize = 1 << 20;

/// How much is kept of a row that is too long: more than is shown of it.
pub(super) const BEGINNING_BYTES: usize = 8 * REASON_CHARS_MAX;
/// More than a valid id has.
const ID_CHARS_MAX: usize = 100;

/// A row of a feed as what it says of a product, or as the mistake that keeps it from saying anything.
#[derive(Debug)]
pub struct Row {
    /// The line where the row starts, counted from 1.
    pub line: u64,
    /// What the row says; None for one that belongs to the product of another row and has nothing that a
    /// product holds.
    pub parsed: Result<Option<ImportRow>, Mistake>,
    /// What was left out of the row, which is imported all the same.
    pub warnings: Vec<Mistake>,
    /// The attributes that every row of the feed states, as `attributes.NAME`.
    pub columns: Arc<[String]>,
    /// The row as it stands in the feed; None unless the mapping asks for it.
    pub original: Option<Original>,
}

/// A cell of a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell<'c> {
    pub(super) text: &'c str,
    /// Whether the table itself says that it is a number: its text is the plain form, whatever notation the
    /// texts of the feed have.
    pub(super) is_number: bool,
}

impl<'c> Cell<'c> {
    /// A cell that is a text, as all of a CSV are.
    pub(super) fn of_text(text: &'c str) -> Self {
        Self {
            text,
            is_number: false,
        }
    }
}

/// A row with its columns as they are in the feed.
pub(super) struct RawRow {
    pub(super) line: u64,
    pub(super) columns: Result<Map<String, Value>, Unread>,
}

/// A row that could not be taken apart.
pub(super) struct Unread {
    pub(super) mistake: Mistake,
    /// The text of the row; the beginning of one that is too long.
    pub(super) text: String,
}

impl Unread {
    pub(super) fn new(mistake: Mistake, text: &[u8]) -> Self {
        if text.len() > ROW_BYTES_MAX {
            return Self::too_long(text);
        }
        let text = String::from_utf8_lossy(text.trim_ascii_end()).into_owned();
        Self { mistake, text }
    }

    /// A row of which the beginning is enough to find it.
    pub(super) fn too_long(text: &[u8]) -> Self {
        let beginning = &text[..text.len().min(BEGINNING_BYTES)];
        let mut text = String::from_utf8_lossy(beginning).into_owned();
        cut(&mut text, REASON_CHARS_MAX);
        Self {
            mistake: Mistake::too_long(),
            text,
        }
    }
}

/// A row as it stands in the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Original {
    /// The cells of a table, in the order of its columns.
    Cells(Vec<String>),
    /// An object as JSON.
    Object(String),
    /// A text that could not be taken apart.
    Text(String),
}

/// Why a row, or a part of it, is not valid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mistake {
    /// The product id; empty when it is not known.
    pub id: String,
    /// The field that is wrong; empty when the row as a whole is.
    pub field: String,
    pub reason: String,
}

impl Row {
    /// A row that cannot be read.
    pub(super) fn rejected(line: u64, mistake: Mistake) -> Self {
        Self {
            line,
            parsed: Err(mistake),
            warnings: Vec::new(),
            columns: Arc::default(),
            original: None,
        }
    }

    /// The row with messages of a length that people read: they show names and values of the feed.
    pub(super) fn shortened(mut self) -> Self {
        if let Err(mistake) = &mut self.parsed {
            mistake.shorten();
        }
        self.warnings.iter_mut().for_each(Mistake::shorten);
        self
    }

    /// Adds a warning about the row as a whole.
    pub(super) fn warn(&mut self, reason: String) {
        let product = match &self.parsed {
            Ok(Some(import)) => import.product.as_ref(),
            _ => None,
        };
        let id = product.map_or(String::new(), |product| product.id.clone());
        self.warnings.push(Mistake {
            id,
            ..Mistake::row(reason)
        });
    }

    /// A row that belongs to the product of another one, and has nothing that a product holds.
    pub(super) fn left_out(line: u64) -> Self {
        Self {
            parsed: Ok(None),
            ..Self::rejected(line, Mistake::default())
        }
    }
}

impl Mistake {
    pub(super) fn row(reason: impl Into<String>) -> Self {
        Self {
            id: String::new(),
            field: String::new(),
            reason: reason.into(),
        }
    }

    /// The text is not UTF-8 from this offset on.
    pub(super) fn not_utf8(offset: usize) -> Self {
        Self::row(format!(
            "not UTF-8 from byte {} of the row: --encoding LABEL, such as windows-1252, names another",
            offset + 1
        ))
    }

    pub(super) fn too_long() -> Self {
        Self::row(format!("the row is longer than {ROW_BYTES_MAX} bytes"))
    }

    fn shorten(&mut self) {
        cut(&mut self.id, ID_CHARS_MAX);
        cut(&mut self.reason, REASON_CHARS_MAX);
    }
}

/// The rows of a feed, in order; an error is the last item.
pub type Rows = Box<dyn Iterator<Item = Result<Row, FeedError>> + Send>;
