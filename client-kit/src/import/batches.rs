//! Groups the rows of a feed into batches on a thread of its own, a few batches ahead of the
//! service. Invariant: a batch names no product twice, and rows keep their order.

use std::collections::HashSet;

use catalog_proto::v1::ProductInput;
use prost::Message as _;
use tokio::sync::mpsc;

use crate::feed::{FeedError, Row, Rows};
use crate::import::outcome::Rejection;

const AHEAD_BATCHES_MAX: usize = 4;
/// The most bytes in a batch: below the 4 MiB that a gRPC server accepts unless configured
/// otherwise.
const BATCH_BYTES_MAX: usize = 3 << 20;

/// The products of one transaction of the write service, and the rows that were rejected while it
/// was gathered.
#[derive(Debug, Default)]
pub struct Batch {
    pub products: Vec<ProductInput>,
    /// The line in the feed of each product.
    pub lines: Vec<u64>,
    pub rejected: Vec<Rejection>,
    bytes: usize,
}

/// Groups rows into batches, in order; an error is the last item. The thread ends when the receiver
/// is closed.
pub fn batches(rows: Rows, rows_max: usize) -> mpsc::Receiver<Result<Batch, FeedError>> {
    let (sender, receiver) = mpsc::channel(AHEAD_BATCHES_MAX);
    let batches = Batches {
        rows,
        rows_max,
        ids: HashSet::new(),
        next: None,
        failed: None,
    };
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
    /// The product ids in the batch that is being gathered.
    ids: HashSet<String>,
    /// A row that did not fit into the previous batch.
    next: Option<(u64, ProductInput)>,
    failed: Option<FeedError>,
}

impl Iterator for Batches {
    type Item = Result<Batch, FeedError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(err) = self.failed.take() {
            return Some(Err(err));
        }
        let mut batch = Batch::default();
        self.ids.clear();
        if let Some((line, product)) = self.next.take() {
            self.ids.insert(product.id.clone());
            batch.push(line, product);
        }
        while batch.products.len() + batch.rejected.len() < self.rows_max {
            match self.rows.next() {
                Some(Ok(Row {
                    line,
                    parsed: Ok(product),
                })) => {
                    let full = batch.bytes + product.encoded_len() > BATCH_BYTES_MAX;
                    if full || !self.ids.insert(product.id.clone()) {
                        self.next = Some((line, product));
                        break;
                    }
                    batch.push(line, product);
                }
                Some(Ok(Row {
                    line,
                    parsed: Err(mistake),
                })) => {
                    batch.rejected.push(Rejection { line, mistake });
                }
                Some(Err(err)) => {
                    self.failed = Some(err);
                    break;
                }
                None => break,
            }
        }
        let is_empty = batch.products.is_empty() && batch.rejected.is_empty();
        match self.failed.take_if(|_| is_empty) {
            Some(err) => Some(Err(err)),
            None => (!is_empty).then_some(Ok(batch)),
        }
    }
}

impl Batch {
    fn push(&mut self, line: u64, product: ProductInput) {
        self.bytes += product.encoded_len();
        self.lines.push(line);
        self.products.push(product);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::Mistake;

    fn row(line: u64, id: &str) -> Result<Row, FeedError> {
        let parsed = match id {
            "" => Err(Mistake {
                id: String::new(),
                field: "id".to_owned(),
                reason: "none".to_owned(),
            }),
            id => Ok(ProductInput {
                id: id.to_owned(),
                description: "x".repeat(if id == "big" { BATCH_BYTES_MAX } else { 0 }),
                ..ProductInput::default()
            }),
        };
        Ok(Row { line, parsed })
    }

    /// Compares batches, written as `id@line`, with rejected rows as `!line`.
    fn check(ids: &[&'static str], rows_max: usize, expected: &[&str]) {
        let rows: Vec<_> = ids
            .iter()
            .zip(1..)
            .map(|(id, line)| row(line, id))
            .collect();
        let batches = Batches {
            rows: Box::new(rows.into_iter()),
            rows_max,
            ids: HashSet::new(),
            next: None,
            failed: None,
        };
        let found: Vec<_> = batches
            .map(|batch| {
                let batch = batch.unwrap();
                let products = batch.products.iter().zip(&batch.lines);
                let accepted = products.map(|(product, line)| format!("{}@{line}", product.id));
                let rejected = batch.rejected.iter().map(|one| format!("!{}", one.line));
                accepted.chain(rejected).collect::<Vec<_>>().join(" ")
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
        check(&["a", "b", "a", "b", "c"], 10, &["a@1 b@2", "a@3 b@4 c@5"]);
        check(&["a", "a", "a"], 10, &["a@1", "a@2", "a@3"]);
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
        let mut batches = Batches {
            rows: Box::new(rows.into_iter()),
            rows_max: 10,
            ids: HashSet::new(),
            next: None,
            failed: None,
        };
        assert_eq!(batches.next().unwrap().unwrap().lines, [1]);
        assert!(batches.next().unwrap().is_err());
        assert!(batches.next().is_none());
    }
}
