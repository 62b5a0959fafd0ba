//! The writer of one index file.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tantivy::directory::{AntiCallToken, OwnedBytes, TerminatingWrite};

use crate::index::storage::file_state::{SharedFiles, Stored};

/// A file that is being written: in memory, or on disk above a certain size.
pub(crate) struct FileWriter {
    files: Arc<SharedFiles>,
    name: PathBuf,
    data: Vec<u8>,
    file: Option<File>,
}

impl FileWriter {
    pub(crate) fn new(files: Arc<SharedFiles>, name: &Path) -> Self {
        Self {
            files,
            name: name.to_owned(),
            data: Vec::new(),
            file: None,
        }
    }
}

impl Write for FileWriter {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.file.is_none() && self.data.len() + data.len() > self.files.file_bytes_max() {
            let mut file = self.files.disk.create(&self.name)?;
            file.write_all(&self.data)?;
            self.data = Vec::new();
            self.file = Some(file);
        }
        match &mut self.file {
            Some(file) => file.write(data),
            None => {
                self.data.extend_from_slice(data);
                Ok(data.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TerminatingWrite for FileWriter {
    fn terminate_ref(&mut self, _: AntiCallToken) -> io::Result<()> {
        let stored = match self.file.take() {
            Some(_) => {
                self.files.disk.written(&self.name);
                Stored::Disk { synced: false }
            }
            None => {
                let mut data = std::mem::take(&mut self.data);
                data.shrink_to_fit();
                Stored::Memory(OwnedBytes::new(data))
            }
        };
        self.files.finished(&self.name, stored);
        Ok(())
    }
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        self.files.ended(&self.name);
        if self.file.is_some() {
            // The file was never finished. What this cannot remove is removed when the index is
            // opened again.
            let _ = self.files.disk.remove(&self.name);
        }
    }
}
