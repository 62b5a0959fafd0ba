//! What an import reports: events on the way, a summary, and the error that ended it early.

use std::time::Instant;

use catalog_proto::v1::ImportPreview;
use serde::Serialize;

use crate::feed::{FeedError, Mistake, Original};

/// Counts of what happened to the rows. A batch that was applied before its answer was lost counts
/// as unchanged when it is sent again.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    pub rows: u64,
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
    pub rejected: u64,
    /// Rows that belong to the product of another one and have nothing that a product holds.
    pub left_out: u64,
    /// What was left out of rows that were imported all the same.
    pub warnings: u64,
    pub seconds: f64,
    pub rows_per_second: f64,
    /// Makes a read wait for the last batch that changed something; empty before there is one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub consistency_token: String,
}

/// A row that was not imported, or a part of one, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The line where the row starts, counted from 1.
    pub line: u64,
    pub mistake: Mistake,
    /// The row as it stands in the feed, where that was asked for.
    pub original: Option<Original>,
}

/// An event during an import.
#[derive(Debug)]
pub enum Notice<'a> {
    Progress(&'a Summary),
    Rejected(&'a Rejection),
    Warning(&'a Rejection),
    /// What a row of this line would change.
    Preview(u64, &'a ImportPreview),
    /// Every row up to this line was answered.
    Answered(u64),
    Retrying {
        why: &'a str,
        attempt: u32,
    },
}

/// An error that ends an import before its feed ends.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("interrupted")]
    Interrupted,
    #[error(transparent)]
    Feed(FeedError),
    #[error("{0}")]
    Target(anyhow::Error),
    #[error(
        "the write service is older than this program and did not read the rows: update it first"
    )]
    OldService,
    #[error("the batch from line {line} on is not imported: {why}")]
    Refused { line: u64, why: String },
    #[error(
        "no answer for {seconds} s; everything before line {line} is imported, run the same again \
         to go on: {why}"
    )]
    GaveUp {
        line: u64,
        seconds: u64,
        why: String,
    },
}

impl Summary {
    /// Fills in the time since `started` and the rate of rows over it.
    pub fn stop_clock(&mut self, started: Instant) {
        let seconds = started.elapsed().as_secs_f64();
        self.seconds = (seconds * 1000.0).round() / 1000.0;
        self.rows_per_second = (self.rows as f64 / seconds.max(0.001)).round();
    }
}
