//! Flushes commits to the disk on a thread of its own, until it is dropped. Dropping does not
//! flush: a caller that needs the data on disk flushes by itself.

use std::thread::{Builder, JoinHandle};

use service_kit::Retry;

use crate::index::error::IndexError;
use crate::index::storage::directory::WriteBehindDirectory;

pub(crate) struct Flusher {
    directory: WriteBehindDirectory,
    thread: Option<JoinHandle<()>>,
}

impl Flusher {
    pub(crate) fn start(directory: WriteBehindDirectory) -> Result<Self, IndexError> {
        let flushed = directory.clone();
        let thread = Builder::new()
            .name("index-flush".to_owned())
            .spawn(move || run(&flushed))
            .map_err(IndexError::Folder)?;
        Ok(Self {
            directory,
            thread: Some(thread),
        })
    }
}

fn run(directory: &WriteBehindDirectory) {
    service_kit::work_in_background();
    let mut retry = Retry::new("cannot write the keyword index to disk");
    while directory.wait_until_due() {
        if let Err(err) = directory.flush() {
            directory.pause(retry.failed(err).pause);
        } else {
            retry.succeeded();
        }
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.directory.close();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was already reported.
            let _ = thread.join();
        }
    }
}
