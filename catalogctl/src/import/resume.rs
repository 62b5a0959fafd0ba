//! How far an import has come, kept in a file. Invariant: every row up to the line that is written there was
//! answered, so that an import that was killed goes on behind it.

use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context as _, bail};
use client_kit::feed::Rows;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An import that goes on where it stopped.
pub(super) struct Resume {
    path: PathBuf,
    state: State,
    /// Whether it was told that the file cannot be written.
    is_failure_told: bool,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct State {
    feed: Feed,
    /// The line up to which all rows were answered; 0 before the first answer.
    line: u64,
    /// The name of the import, under which the write service knows the batches that it has applied without
    /// being heard.
    #[serde(default = "Uuid::now_v7")]
    run: Uuid,
}

/// What tells that a feed is the one that was begun with. A pipe and an address tell their name alone.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Feed {
    name: PathBuf,
    bytes: Option<u64>,
    modified_ms: Option<u128>,
}

impl Feed {
    fn of(file: &Path) -> Self {
        let found = fs::metadata(file).ok().filter(Metadata::is_file);
        let modified = found.as_ref().and_then(|found| found.modified().ok());
        let since = modified.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        Self {
            name: file.to_owned(),
            bytes: found.as_ref().map(Metadata::len),
            modified_ms: since.map(|since| since.as_millis()),
        }
    }
}

impl Resume {
    /// Reads how far an earlier import has come; without the file, it has not begun.
    pub(super) fn open(path: &Path, feed: &Path) -> anyhow::Result<Self> {
        let feed = Feed::of(feed);
        let failed = || format!("cannot read {}", path.display());
        let state = match fs::read(path) {
            Err(err) if err.kind() == ErrorKind::NotFound => State {
                feed,
                line: 0,
                run: Uuid::now_v7(),
            },
            Err(err) => return Err(err).with_context(failed),
            Ok(bytes) => {
                let kept: State = serde_json::from_slice(&bytes).with_context(failed)?;
                if kept.feed != feed {
                    bail!(
                        "{} is of another feed, or this one was changed: remove it to begin at the first row",
                        path.display()
                    );
                }
                kept
            }
        };
        let mut resume = Self {
            path: path.to_owned(),
            state,
            is_failure_told: false,
        };
        // The name must outlive an import that is killed before the first answer.
        resume.keep();
        Ok(resume)
    }

    /// The name of the import.
    pub(super) fn run(&self) -> Uuid {
        self.state.run
    }

    /// The line behind which the import goes on; none where it begins.
    pub(super) fn line(&self) -> Option<u64> {
        Some(self.state.line).filter(|line| *line > 0)
    }

    /// Keeps that all rows up to a line were answered.
    pub(super) fn answered(&mut self, line: u64) {
        self.state.line = line;
        self.keep();
    }

    /// Writes the file, which is never half written.
    fn keep(&mut self) {
        let mut beside = self.path.clone().into_os_string();
        beside.push(".new");
        let written = serde_json::to_vec(&self.state)
            .map_err(anyhow::Error::new)
            .and_then(|bytes| Ok(fs::write(&beside, bytes)?))
            .and_then(|()| Ok(fs::rename(&beside, &self.path)?));
        if let Err(err) = written
            && !std::mem::replace(&mut self.is_failure_told, true)
        {
            eprintln!(
                "cannot write {}: {err:#}; an import that is killed begins anew",
                self.path.display()
            );
        }
    }

    /// Removes the file: all of the feed was answered.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        match fs::remove_file(&self.path) {
            Err(err) if err.kind() != ErrorKind::NotFound => {
                Err(err).with_context(|| format!("cannot remove {}", self.path.display()))
            }
            _ => Ok(()),
        }
    }
}

/// Leaves out the rows up to a line. They are read all the same: later ones may need them.
pub(super) fn behind(line: u64, rows: Rows) -> Rows {
    Box::new(rows.filter(move |row| row.as_ref().map_or(true, |row| row.line > line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_with_the_same_feed_alone() {
        let folder = tempfile::tempdir().expect("folder");
        let (kept, feed) = (folder.path().join("kept"), folder.path().join("feed"));
        fs::write(&feed, "a").expect("a feed");
        let mut resume = Resume::open(&kept, &feed).expect("none yet");
        assert_eq!(resume.line(), None);
        // Killed before the first answer, and behind it: its batches have the same names.
        let run = resume.run();
        let begun = Resume::open(&kept, &feed).expect("the same");
        assert_eq!((begun.line(), begun.run()), (None, run));
        resume.answered(7);
        let again = Resume::open(&kept, &feed).expect("the same");
        assert_eq!((again.line(), again.run()), (Some(7), run));
        fs::write(&feed, "ab").expect("another feed");
        let Err(err) = Resume::open(&kept, &feed) else {
            panic!("another feed is refused");
        };
        assert!(err.to_string().contains("remove it"), "{err}");
        fs::write(&kept, "{").expect("half a file");
        assert!(Resume::open(&kept, &feed).is_err());
        again.finish().expect("removed");
        assert!(!kept.exists());
    }
}
