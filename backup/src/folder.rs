//! The folder of a backup: who may use it, what it holds, and which of its files count. It holds hashes of keys and secrets of
//! webhooks, so that nobody but its owner may look into it.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::error::{AtPath as _, BackupError};
use crate::manifest::{FORMAT, Manifest};

const MANIFEST: &str = "backup.json";
const LOCK: &str = "lock";
/// How the files of rows end: nothing else in the folder is ever removed.
pub(crate) const PIECE_ENDING: &str = ".copy.gz";
const OWNER_FOLDER: u32 = 0o700;
const OWNER_FILE: u32 = 0o600;

/// A folder that is used by nobody else.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Takes the folder, which is made where it is missing.
    pub(crate) fn claim(path: &Path) -> Result<Self, BackupError> {
        let mut made = DirBuilder::new();
        made.recursive(true).mode(OWNER_FOLDER);
        made.create(path).at(path)?;
        let lock = create(&path.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(BackupError::Busy {
                folder: path.to_owned(),
            }),
            Err(TryLockError::Error(err)) => Err(err).at(path),
        }
    }

    /// The backup in the folder; None where there is none.
    pub(crate) fn manifest(&self) -> Result<Option<Manifest>, BackupError> {
        let path = self.path.join(MANIFEST);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(err) => return Err(err).at(&path),
        };
        let unreadable = |reason: String| BackupError::Unreadable {
            path: path.clone(),
            reason,
        };
        let manifest: Manifest =
            serde_json::from_slice(&text).map_err(|err| unreadable(err.to_string()))?;
        if manifest.format != FORMAT {
            let reason = format!("its format is {}, not {FORMAT}", manifest.format);
            return Err(unreadable(reason));
        }
        // A name is one of a file in the folder, whoever wrote the manifest.
        if let Some(piece) = manifest.pieces().find(|piece| !is_piece(&piece.file)) {
            return Err(unreadable(format!("{:?} is no file of rows", piece.file)));
        }
        Ok(Some(manifest))
    }

    /// The backup in the folder.
    pub(crate) fn backup(&self) -> Result<Manifest, BackupError> {
        self.manifest()?.ok_or_else(|| BackupError::NoBackup {
            folder: self.path.clone(),
        })
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Makes what was written the backup of this folder, and removes the files of the one before that it does
    /// not need.
    pub(crate) fn complete(&self, manifest: &Manifest) -> Result<(), BackupError> {
        let path = self.path.join(MANIFEST);
        let next = self.path.join("backup.json.next");
        let text = serde_json::to_vec_pretty(manifest).map_err(|err| BackupError::Unreadable {
            path: path.clone(),
            reason: err.to_string(),
        })?;
        let mut file = create(&next)?;
        file.write_all(&text).at(&next)?;
        file.sync_all().at(&next)?;
        // The files themselves were synced when they were written; their names are now.
        self.sync()?;
        fs::rename(&next, &path).at(&path)?;
        self.sync()?;
        self.sweep(manifest)
    }

    fn sync(&self) -> Result<(), BackupError> {
        let folder = File::open(&self.path).at(&self.path)?;
        folder.sync_all().at(&self.path)
    }

    fn sweep(&self, manifest: &Manifest) -> Result<(), BackupError> {
        let needed: HashSet<&str> = manifest.pieces().map(|piece| piece.file.as_str()).collect();
        for entry in fs::read_dir(&self.path).at(&self.path)? {
            let entry = entry.at(&self.path)?;
            let name = entry.file_name();
            if let Some(name) = name.to_str()
                && is_piece(name)
                && !needed.contains(name)
            {
                fs::remove_file(entry.path()).at(&entry.path())?;
            }
        }
        Ok(())
    }
}

fn is_piece(name: &str) -> bool {
    name.ends_with(PIECE_ENDING) && !name.contains(['/', '\\'])
}

/// An empty file that only its owner may read.
pub(crate) fn create(path: &Path) -> Result<File, BackupError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    options.mode(OWNER_FILE).open(path).at(path)
}
