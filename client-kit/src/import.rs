//! Imports rows into the write service in batches. Several batches are sent ahead of the answers,
//! and those without an answer are sent again when a connection is lost. Importing the same rows
//! twice changes nothing.

mod outcome;
mod batches;
mod delivery;

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::feed::{Row, Rows};
use crate::import::delivery::Delivery;
use crate::target::Target;

pub use crate::import::batches::{Batch, batches};
pub use crate::import::outcome::{ImportError, Notice, Rejection, Summary};

#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// The most rows in a batch, from 1 to 1,000.
    pub batch_rows: usize,
    /// How long to keep trying without an answer.
    pub retry: Duration,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            batch_rows: 500,
            retry: Duration::from_secs(60),
        }
    }
}

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
    let delivery = Delivery::new(target, batches, options.retry, stop, notice);
    let (mut summary, result) = delivery.run().await;
    summary.stop_clock(started);
    (summary, result)
}

/// Turns products that a program made into rows.
pub fn rows(
    products: impl Iterator<Item = catalog_proto::v1::ProductInput> + Send + 'static,
) -> Rows {
    let rows = products.zip(1..).map(|(product, line)| {
        let parsed = Ok(product);
        Ok(Row { line, parsed })
    });
    Box::new(rows)
}
