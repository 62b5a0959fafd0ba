//! A file that is being exported: it grows beside its target as `FILE.partial` and takes its name when
//! it is complete. `FILE.partial.json` says how far it is sound. Invariant: what is written there as
//! sound was written before, so that an export goes on from there however it ended.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde::{Deserialize, Serialize};

use crate::export::plan::{KeptPlan, Packing};

/// How far an export has come.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) plan: KeptPlan,
    pub(crate) position: i64,
    /// The event at the position.
    pub(crate) event_id: String,
    /// The id up to which products are written.
    pub(crate) after_id: String,
    /// The bytes of the file that are sound.
    pub(crate) bytes: u64,
    pub(crate) products: u64,
    pub(crate) looked_at: u64,
    /// How many products were left out for each reason.
    pub(crate) left_out: BTreeMap<String, u64>,
    /// How many products were written with something else than they have, by what it is.
    #[serde(default)]
    pub(crate) adapted: BTreeMap<String, u64>,
    /// The digest of all products so far.
    pub(crate) digest: String,
    /// The headers of the columns that depend on the products.
    pub(crate) columns: Vec<String>,
}

/// The growing file.
#[derive(Debug)]
pub(crate) struct Partial {
    target: PathBuf,
    path: PathBuf,
    file: File,
    packing: Option<Packing>,
}

fn packed(block: &[u8], packing: Packing) -> io::Result<Vec<u8>> {
    match packing {
        Packing::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(block)?;
            encoder.finish()
        }
        Packing::Zstd => Ok(compress_to_vec(block, CompressionLevel::Fastest)),
    }
}

fn beside(target: &Path, extension: &str) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(extension);
    PathBuf::from(name)
}

fn state_path(target: &Path) -> PathBuf {
    beside(target, ".partial.json")
}

impl Partial {
    /// Opens the file beside its target and keeps others from writing it. It may hold an earlier export.
    pub(crate) fn open(target: &Path, packing: Option<Packing>) -> anyhow::Result<Self> {
        let name = target.display();
        if let Ok(found) = fs::metadata(target) {
            ensure!(
                found.is_file(),
                "{name} is no regular file: `-` writes to standard output"
            );
        }
        let path = beside(target, ".partial");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("another export writes {name} at the moment"),
            Err(TryLockError::Error(err)) => {
                return Err(err).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        Ok(Self {
            target: target.to_owned(),
            path,
            file,
            packing,
        })
    }

    /// How far an earlier export has come; none when there is none.
    pub(crate) fn state(&self) -> anyhow::Result<Option<State>> {
        let path = state_path(&self.target);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(err) if err.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(err) => {
                return Err(err).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        let state = serde_json::from_slice(&text);
        let state = state.with_context(|| {
            let name = path.display();
            format!("{name} is of no export of this release: remove it, or export without --resume")
        });
        state.map(Some)
    }

    /// Goes on behind what is sound.
    pub(crate) fn go_on(&mut self, state: &State) -> anyhow::Result<()> {
        let name = self.path.display();
        let length = self.file.metadata()?.len();
        ensure!(
            length >= state.bytes,
            "{name} is shorter than it was: export without --resume"
        );
        self.cut(state.bytes)
    }

    /// Begins anew.
    pub(crate) fn begin(&mut self) -> anyhow::Result<()> {
        // The state first: it must never tell of what is not there.
        remove(&state_path(&self.target))?;
        self.cut(0)
    }

    fn cut(&mut self, length: u64) -> anyhow::Result<()> {
        let cut = self.file.set_len(length);
        cut.and_then(|()| self.file.seek(SeekFrom::Start(length)))
            .with_context(|| format!("cannot write {}", self.path.display()))?;
        Ok(())
    }

    /// Appends a block and says that it is sound. A compressed block is a gzip member or a frame of zstd of its
    /// own, so that the file can be cut behind it; those in a row are one file.
    pub(crate) fn append(&mut self, block: &[u8], state: &mut State) -> anyhow::Result<()> {
        let failed = || format!("cannot write {}", self.path.display());
        let bytes = match self.packing {
            Some(packing) if !block.is_empty() => Cow::Owned(packed(block, packing)?),
            _ => Cow::Borrowed(block),
        };
        self.file.write_all(&bytes).with_context(failed)?;
        state.bytes += bytes.len() as u64;
        self.keep(state).with_context(failed)
    }

    fn keep(&self, state: &State) -> anyhow::Result<()> {
        let path = state_path(&self.target);
        let new = beside(&path, ".new");
        fs::write(&new, serde_json::to_vec(state)?)?;
        Ok(fs::rename(&new, &path)?)
    }

    /// Gives the file its name. It is on the disk by then.
    pub(crate) fn complete(self) -> anyhow::Result<()> {
        let done = self
            .file
            .sync_all()
            .and_then(|()| fs::rename(&self.path, &self.target));
        done.with_context(|| format!("cannot write {}", self.target.display()))?;
        remove(&state_path(&self.target))
    }

    /// Removes what is beside the target where there is nothing to go on with.
    pub(crate) fn discard(self) -> anyhow::Result<()> {
        remove(&state_path(&self.target))?;
        remove(&self.path)
    }
}

fn remove(path: &Path) -> anyhow::Result<()> {
    match fs::remove_file(path) {
        Err(err) if err.kind() != std::io::ErrorKind::NotFound => {
            Err(err).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
