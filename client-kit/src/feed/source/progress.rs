//! How much of a feed has been read, counted in bytes as they are stored.

use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// How much of a feed has been read, in bytes of the file.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    read: Arc<AtomicU64>,
    rows: Arc<AtomicU64>,
    total: Option<u64>,
    /// The columns of a table.
    header: Arc<OnceLock<Vec<String>>>,
}

impl Progress {
    pub(super) fn of(total: Option<u64>) -> Self {
        Self {
            total,
            ..Self::default()
        }
    }

    /// The bytes that belong to the first `rows` rows, estimated from all that was read: reading
    /// runs ahead of sending.
    pub fn of_rows(&self, rows: u64) -> u64 {
        let (read, ahead) = (&self.read, &self.rows);
        let (read, ahead) = (read.load(Ordering::Relaxed), ahead.load(Ordering::Relaxed));
        let share = u128::from(read) * u128::from(rows.min(ahead)) / u128::from(ahead.max(1));
        u64::try_from(share).unwrap_or(read)
    }

    /// The size of the file; none for a pipe.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// The columns of a table that was opened; none for a feed of objects.
    pub fn header(&self) -> Option<Vec<String>> {
        self.header.get().cloned()
    }

    pub(in crate::feed) fn tell_header(&self, header: &[String]) {
        self.header.get_or_init(|| header.to_vec());
    }

    pub(in crate::feed) fn count_row(&self) {
        self.rows.fetch_add(1, Ordering::Relaxed);
    }

    /// A reader whose bytes are counted.
    pub(super) fn counted<R>(&self, inner: R) -> Counted<R> {
        let read = self.read.clone();
        Counted { inner, read }
    }
}

pub(super) struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.inner.read(buffer)?;
        self.read.fetch_add(bytes as u64, Ordering::Relaxed);
        Ok(bytes)
    }
}
