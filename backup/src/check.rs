//! Checks a backup without a database.

use std::path::Path;

use crate::Progress;
use crate::error::BackupError;
use crate::folder::Folder;
use crate::manifest::Manifest;
use crate::piece::PieceReader;

/// Reads all of the backup in a folder, and compares its files with what was written.
pub fn check(
    folder: &Path,
    mut progress: impl FnMut(Progress<'_>),
) -> Result<Manifest, BackupError> {
    if !folder.is_dir() {
        let folder = folder.to_owned();
        return Err(BackupError::NoBackup { folder });
    }
    let folder = Folder::claim(folder)?;
    let manifest = folder.backup()?;
    let (mut done, all) = (0, manifest.rows());
    for piece in manifest.pieces() {
        let mut reader = PieceReader::open(&folder.file(&piece.file))?;
        while reader.next()?.is_some() {
            progress(Progress {
                what: &piece.file,
                done: done + reader.rows(),
                total: Some(all),
            });
        }
        reader.check(piece)?;
        done += piece.rows;
    }
    Ok(manifest)
}
