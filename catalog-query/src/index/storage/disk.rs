//! The folder of an index, written so that a power cut leaves either the old state or the new one:
//! files are synced before anything names them.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The number of syncs at once: a file system does several for the price of one.
const SYNCS_AT_ONCE: usize = 8;

#[derive(Debug)]
pub(crate) struct Disk {
    folder: PathBuf,
    #[cfg(test)]
    pub(crate) watched: std::sync::Mutex<Option<Watch>>,
}

impl Disk {
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            #[cfg(test)]
            watched: std::sync::Mutex::default(),
        }
    }

    pub(crate) fn path(&self, name: &Path) -> PathBuf {
        self.folder.join(name)
    }

    /// Lists the names in the folder. Names that are not valid text are none of the index.
    pub(crate) fn names(&self) -> io::Result<Vec<String>> {
        let names =
            fs::read_dir(&self.folder)?.map(|entry| Ok(entry?.file_name().into_string().ok()));
        names.filter_map(Result::transpose).collect()
    }

    pub(crate) fn read(&self, name: &Path) -> io::Result<Vec<u8>> {
        fs::read(self.path(name))
    }

    /// Writes the whole file, in place of any older content.
    pub(crate) fn write(&self, name: &Path, data: &[u8]) -> io::Result<()> {
        self.create(name)?.write_all(data)?;
        self.written(name);
        Ok(())
    }

    /// Creates a file for the caller to fill. The caller reports its end with [`Self::written`].
    pub(crate) fn create(&self, name: &Path) -> io::Result<File> {
        File::create(self.path(name))
    }

    pub(crate) fn written(&self, name: &Path) {
        self.done(Step::Written(name));
    }

    pub(crate) fn sync(&self, name: &Path) -> io::Result<()> {
        File::open(self.path(name))?.sync_all()?;
        self.done(Step::Synced(name));
        Ok(())
    }

    /// Syncs all files. After an error, some of them are synced.
    pub(crate) fn sync_all(&self, names: Vec<&PathBuf>) -> io::Result<()> {
        let part = names.len().div_ceil(SYNCS_AT_ONCE).max(1);
        std::thread::scope(|scope| {
            let sync = |names: &[&PathBuf]| names.iter().try_for_each(|name| self.sync(name));
            let parts = names.chunks(part);
            let threads: Vec<_> = parts
                .map(|names| scope.spawn(move || sync(names)))
                .collect();
            let panicked = |_| Err(io::Error::other("a sync panicked"));
            let synced = threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(panicked));
            synced.fold(Ok(()), Result::and)
        })
    }

    pub(crate) fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()?;
        self.done(Step::FolderSynced);
        Ok(())
    }

    /// Replaces the file with `data`, atomically and durably.
    pub(crate) fn replace(&self, name: &Path, data: &[u8]) -> io::Result<()> {
        let next = name.with_extension("next");
        self.write(&next, data)?;
        self.sync(&next)?;
        fs::rename(self.path(&next), self.path(name))?;
        self.done(Step::Renamed(&next, name));
        self.sync_folder()
    }

    /// Removes a file. Does nothing if it is not there.
    pub(crate) fn remove(&self, name: &Path) -> io::Result<()> {
        match fs::remove_file(self.path(name)) {
            Err(err) if err.kind() != io::ErrorKind::NotFound => return Err(err),
            _ => self.done(Step::Removed(name)),
        }
        Ok(())
    }

    #[cfg(not(test))]
    fn done(&self, _: Step<'_>) {}

    #[cfg(test)]
    fn done(&self, step: Step<'_>) {
        if let Some(watch) = &mut self.watched.lock().expect("lock").as_mut() {
            (watch.0)(step);
        }
    }
}

/// A change to the folder. The test of power cuts watches them in their order.
#[cfg_attr(not(test), expect(dead_code))]
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step<'a> {
    Written(&'a Path),
    Synced(&'a Path),
    FolderSynced,
    Renamed(&'a Path, &'a Path),
    Removed(&'a Path),
}

#[cfg(test)]
pub(crate) struct Watch(pub(crate) Box<dyn FnMut(Step<'_>) + Send>);

#[cfg(test)]
impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watch")
    }
}
