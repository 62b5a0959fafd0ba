//! Groups the rows of a feed into batches on a thread of its own, a few batches ahead of the
//! service. Invariant: a batch names no product twice, and rows keep their order.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use catalog_proto::v1::ImportRow;
use prost::Message as _;
use tokio::sync::mpsc;

use crate::feed::{FeedError, Mistake, Original, Row, Rows};
use crate::import::outcome::Rejection;

const AHEAD_BATCHES_MAX: usize = 4;
/// The most bytes in a batch: below the 4 MiB that a gRPC server accepts unless configured
/// otherwise.
const BATCH_BYTES_MAX: usize = 3 << 20;

/// The rows of one transaction of the write service, and what was told while it was gathered.
#[derive(Debug, Default)]
pub struct Batch {
    pub rows: Vec<ImportRow>,
    /// The attributes that every row states.
    pub columns: Arc<[String]>,
    /// Counts the batches of the feed.
    pub number: u64,
    /// The line in the feed of each row, and the row as it stands there.
    pub places: Vec<Place>,
    pub rejected: Vec<Rejection>,
    /// The line of the last row.
    pub last_line: u64,
    /// How many rows have nothing that a product holds.
    pub left_out: u64,
    pub warnings: Vec<Rejection>,
    bytes: usize,
}

/// Where a row comes from.
#[derive(Debug, Default)]
pub struct Place {
    pub line: u64,
    pub original: Option<Original>,
}

/// Groups rows into batches, in order; an error is the last item. The thread ends when the receiver
/// is closed.
pub fn batches(rows: Rows, rows_max: usize) -> mpsc::Receiver<Result<Batch, FeedError>> {
    let (sender, receiver) = mpsc::channel(AHEAD_BATCHES_MAX);
    let batches = Batches::new(rows, rows_max);
    tokio::task::spawn_blocking(move || {
        for batch in batches {
            if sender.blocking_send(batch).is_err() {
                return;
            }
        }
    });
    receiver
}

struct Batches {
    rows: Rows,
    rows_max: usize,
    /// The last line of each product and the number of its batch, by the hash of the id: ids would fill the
    /// memory.
    seen: HashMap<u64, (u64, u64)>,
    hasher: RandomState,
    /// A row that did not fit into the previous batch.
    next: Option<(Row, ImportRow)>,
    number: u64,
    failed: Option<FeedError>,
}

impl Batches {
    fn new(rows: Rows, rows_max: usize) -> Self {
        Self {
            rows,
            rows_max,
            seen: HashMap::new(),
            hasher: RandomState::new(),
            next: None,
            number: 0,
            failed: None,
        }
    }

    /// Adds a row, or keeps it for the next batch.
    fn add(&mut self, batch: &mut Batch, mut row: Row, import: ImportRow) -> bool {
        let id = import.product.as_ref().map_or("", |product| &product.id);
        let bytes = import.encoded_len() + original_bytes(row.original.as_ref());
        let hash = self.hasher.hash_one(id);
        let before = self.seen.get(&hash).copied();
        let is_in_batch = before.is_some_and(|(_, number)| number == batch.number);
        let is_other = !batch.rows.is_empty() && batch.columns != row.columns;
        let is_full = !batch.rows.is_empty() && batch.bytes + bytes > BATCH_BYTES_MAX;
        if is_other || is_full || is_in_batch {
            self.next = Some((row, import));
            return false;
        }
        if let Some((line, _)) = before {
            row.warnings.push(repeated(id, line));
        }
        self.seen.insert(hash, (row.line, batch.number));
        if batch.rows.is_empty() {
            batch.bytes += row.columns.iter().map(|name| name.len() + 4).sum::<usize>();
            batch.columns = Arc::clone(&row.columns);
        }
        batch.take_warnings(&mut row);
        batch.bytes += bytes;
        batch.last_line = row.line;
        batch.rows.push(import);
        batch.places.push(Place {
            line: row.line,
            original: row.original,
        });
        true
    }
}

impl Iterator for Batches {
    type Item = Result<Batch, FeedError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(err) = self.failed.take() {
            return Some(Err(err));
        }
        self.number += 1;
        let mut batch = Batch {
            number: self.number,
            ..Batch::default()
        };
        if let Some((row, import)) = self.next.take() {
            self.add(&mut batch, row, import);
        }
        while batch.rows.len() + batch.rejected.len() < self.rows_max
            && batch.bytes <= BATCH_BYTES_MAX
        {
            match self.rows.next() {
                Some(Ok(mut row)) => {
                    let unread = Err(Mistake::default());
                    match std::mem::replace(&mut row.parsed, unread) {
                        Ok(None) => {
                            batch.left_out += 1;
                            batch.last_line = row.line;
                        }
                        Ok(Some(import)) => {
                            if !self.add(&mut batch, row, import) {
                                break;
                            }
                        }
                        Err(mistake) => {
                            batch.take_warnings(&mut row);
                            batch.bytes += original_bytes(row.original.as_ref());
                            batch.last_line = row.line;
                            batch.rejected.push(Rejection {
                                line: row.line,
                                mistake,
                                original: row.original,
                            });
                        }
                    }
                }
                Some(Err(err)) => {
                    self.failed = Some(err);
                    break;
                }
                None => break,
            }
        }
        let is_empty = batch.rows.is_empty() && batch.rejected.is_empty() && batch.left_out == 0;
        match self.failed.take_if(|_| is_empty) {
            Some(err) => Some(Err(err)),
            None => (!is_empty).then_some(Ok(batch)),
        }
    }
}

/// The memory that a row takes as it stands in the feed.
fn original_bytes(original: Option<&Original>) -> usize {
    match original {
        Some(Original::Cells(cells)) => cells
            .iter()
            .map(|cell| cell.len() + size_of::<String>())
            .sum(),
        Some(Original::Object(text) | Original::Text(text)) => text.len(),
        None => 0,
    }
}

/// Tells of a product that the feed has had before: the later row wins.
fn repeated(id: &str, before: u64) -> Mistake {
    Mistake {
        id: id.to_owned(),
        field: "id".to_owned(),
        reason: format!("is repeated: this row comes after that of line {before}, and wins"),
    }
}

impl Batch {
    /// Takes the place of the row that an answer names.
    pub(super) fn place(&mut self, index: i32) -> Place {
        let index = usize::try_from(index).ok();
        let place = index.and_then(|index| self.places.get_mut(index));
        place.map_or_else(Place::default, |place| Place {
            line: place.line,
            original: place.original.take(),
        })
    }

    fn take_warnings(&mut self, row: &mut Row) {
        let line = row.line;
        let warnings = std::mem::take(&mut row.warnings);
        self.warnings
            .extend(warnings.into_iter().map(|mistake| Rejection {
                line,
                mistake,
                original: None,
            }));
    }
}

#[cfg(test)]
mod tests {
    use catalog_proto::v1::ProductInput;

    use super::*;

    fn row(line: u64, id: &str) -> Result<Row, FeedError> {
        let parsed = match id {
            "" => Err(Mistake {
                id: String::new(),
                field: "id".to_owned(),
                reason: "none".to_owned(),
            }),
            id => Ok(Some(ImportRow {
                product: Some(ProductInput {
                    id: id.to_owned(),
                    description: "x".repeat(if id == "big" { BATCH_BYTES_MAX } else { 0 }),
                    ..ProductInput::default()
                }),
                ..ImportRow::default()
            })),
        };
        Ok(Row {
            line,
            parsed,
            warnings: Vec::new(),
            columns: Arc::default(),
            original: None,
        })
    }

    /// Compares batches, written as `id@line`, with rejected rows as `!line`.
    fn check(ids: &[&'static str], rows_max: usize, expected: &[&str]) {
        let rows: Vec<_> = ids
            .iter()
            .zip(1..)
            .map(|(id, line)| row(line, id))
            .collect();
        let batches = Batches::new(Box::new(rows.into_iter()), rows_max);
        let found: Vec<_> = batches
            .map(|batch| {
                let batch = batch.unwrap();
                let rows = batch.rows.iter().zip(&batch.places);
                let accepted = rows.map(|(row, place)| {
                    let id = row.product.as_ref().map_or("", |product| &product.id);
                    format!("{id}@{}", place.line)
                });
                let rejected = batch.rejected.iter().map(|one| format!("!{}", one.line));
                let repeated = batch.warnings.iter().map(|one| format!("~{}", one.line));
                let all = accepted.chain(rejected).chain(repeated);
                all.collect::<Vec<_>>().join(" ")
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_batch_is_full_or_ends_before_a_repeated_id() {
        check(
            &["a", "b", "c", "d", "e"],
            2,
            &["a@1 b@2", "c@3 d@4", "e@5"],
        );
        check(
            &["a", "b", "a", "b", "c"],
            10,
            &["a@1 b@2", "a@3 b@4 c@5 ~3 ~4"],
        );
        check(&["a", "a", "a"], 10, &["a@1", "a@2 ~2", "a@3 ~3"]);
        check(&["a", "", "b", "", ""], 3, &["a@1 b@3 !2", "!4 !5"]);
        check(&["a", "big", "b"], 10, &["a@1", "big@2", "b@3"]);
        check(&[], 10, &[]);
    }

    #[test]
    fn what_was_read_before_an_error_is_kept() {
        let failure = || {
            let source = std::io::Error::other("gone");
            Err(FeedError::Read { line: 2, source })
        };
        let rows = [row(1, "a"), failure()];
        let mut batches = Batches::new(Box::new(rows.into_iter()), 5);
        assert_eq!(batches.next().unwrap().unwrap().places[0].line, 1);
        assert!(batches.next().unwrap().is_err());
        assert!(batches.next().is_none());
    }
}
