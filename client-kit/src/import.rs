//! Imports rows into the write service in batches. Several batches are sent ahead of the answers,
//! and those without an answer are sent again when a connection is lost. Importing the same rows
//! twice changes nothing.

pub mod missing;
mod changes;
mod outcome;
mod batches;
mod delivery;
mod options;

use std::sync::Arc;
use std::time::Instant;

use catalog_proto::v1::{ImportRow, ProductInput};
use tokio_util::sync::CancellationToken;

use crate::feed::{Row, Rows};
use crate::import::delivery::Delivery;
use crate::target::Target;

pub use crate::import::batches::{Batch, Place, batches};
pub use crate::import::changes::Changed;
pub use crate::import::options::ImportOptions;
pub use crate::import::outcome::{ImportError, Notice, Rejection, Summary};

/// Imports rows into the write service. `stop` ends it early, after the answers to what was sent.
pub async fn run(
    rows: Rows,
    target: &Target,
    options: &ImportOptions,
    stop: CancellationToken,
    notice: &mut (dyn FnMut(Notice<'_>) + Send),
) -> (Summary, Result<(), ImportError>) {
    let started = Instant::now();
    let batches = batches(rows, options.batch_rows);
    let delivery = Delivery::new(target, batches, options, stop, notice);
    let (mut summary, result) = delivery.run().await;
    summary.stop_clock(started);
    (summary, result)
}

/// Turns products that a program made into rows, which replace what there is.
pub fn rows(products: impl Iterator<Item = ProductInput> + Send + 'static) -> Rows {
    let rows = products.zip(1..).map(|(product, line)| {
        let row = ImportRow {
            product: Some(product),
            replace: true,
            ..ImportRow::default()
        };
        Ok(Row {
            line,
            parsed: Ok(Some(row)),
            warnings: Vec::new(),
            columns: Arc::default(),
            original: None,
        })
    });
    Box::new(rows)
}
