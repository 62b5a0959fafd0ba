//! Opens the folder of an index. It holds nothing that cannot be built again: damaged files are
//! removed, while files out of reach (locked, no permission, no file descriptors left) are an
//! error.

use std::collections::HashSet;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use catalog_events::Position;
use tantivy::directory::error::OpenReadError;
use tantivy::directory::{Directory, INDEX_WRITER_LOCK, MmapDirectory};
use tantivy::schema::Schema;
use tantivy::{Index, IndexSettings, SegmentReader, TantivyError};

use crate::index::document::schema::HASH_HIGH;
use crate::index::error::IndexError;
use crate::index::storage::checkpoint;
use crate::index::storage::commit::{Commit, segment_of};
use crate::index::storage::directory::{MANAGED, META, WriteBehindDirectory};

/// Opens the index in `folder`, or begins a new one if there is no usable one.
pub(crate) fn open(
    folder: &Path,
    schema: &Schema,
    memory_bytes_max: usize,
) -> Result<(Index, WriteBehindDirectory, Position), IndexError> {
    let directory = WriteBehindDirectory::open(folder, memory_bytes_max)?;
    // The holder of the lock is writing, and what looks damaged may be half of its commit.
    let _lock = directory
        .acquire_lock(&INDEX_WRITER_LOCK)
        .map_err(TantivyError::from)?;
    // Tantivy trusts its files, and panics over some damaged ones before it reads a checksum.
    let existing = catch_unwind(AssertUnwindSafe(|| {
        open_existing(folder, &directory, schema)
    }));
    match existing.unwrap_or_else(|_| Err(Unusable::Damaged("it cannot be read".to_owned()))) {
        Ok((index, position)) => return Ok((index, directory, position)),
        Err(Unusable::Absent) => {}
        Err(Unusable::Damaged(reason)) => {
            tracing::warn!(folder = %folder.display(), reason, "keyword index is built anew");
        }
        Err(Unusable::OutOfReach(err)) => return Err(err.into()),
    }
    remove_files(folder, |_| true).map_err(IndexError::Folder)?;
    directory.rescan().map_err(IndexError::Folder)?;
    let index = Index::create(directory.clone(), schema.clone(), IndexSettings::default())?;
    Ok((index, directory, Position::START))
}

enum Unusable {
    Absent,
    Damaged(String),
    OutOfReach(TantivyError),
}

fn open_existing(
    folder: &Path,
    directory: &WriteBehindDirectory,
    schema: &Schema,
) -> Result<(Index, Position), Unusable> {
    if !Index::exists(directory)? {
        return Err(Unusable::Absent);
    }
    // A killed process may have left files beside its last commit.
    let commit = Commit::read(&directory.atomic_read(Path::new(META))?);
    remove_files(folder, |name| name != META && !commit.has(Path::new(name)))?;
    directory.rescan()?;
    let index = Index::open(directory.clone())?;
    if index.schema() != *schema {
        return Err(Unusable::Damaged("its schema is another".to_owned()));
    }
    let meta = index.load_metas()?;
    let payload = meta.payload.as_deref().unwrap_or_default();
    let position = checkpoint::decode(payload).map_err(|err| Unusable::Damaged(err.to_string()))?;
    check_files(folder, &index, &meta.list_segment_files())?;
    for segment in index.searchable_segments()? {
        check_counts(&SegmentReader::open(&segment)?)?;
    }
    Ok((index, position))
}

fn check_files(folder: &Path, index: &Index, commit: &HashSet<PathBuf>) -> Result<(), Unusable> {
    for name in file_names(folder)? {
        let path = Path::new(&name);
        if commit.contains(path) && !index.directory().validate_checksum(path)? {
            return Err(Unusable::Damaged(format!("the checksum of {name} differs")));
        }
    }
    Ok(())
}

/// Lists the files of the commit in `folder` that are missing, or whose content is not what was
/// written.
pub(crate) fn damaged_files(folder: &Path) -> Result<Vec<String>, IndexError> {
    // The directory is opened for this alone, because an older mapping would show what was read
    // before.
    let directory = MmapDirectory::open(folder)?;
    if !Index::exists(&directory).map_err(TantivyError::from)? {
        return Ok(Vec::new());
    }
    let opened = catch_unwind(AssertUnwindSafe(|| {
        let index = Index::open(directory)?;
        let meta = index.load_metas()?;
        Ok::<_, TantivyError>((index, meta))
    }));
    let Ok(Ok((index, meta))) = opened else {
        return Ok(vec![META.to_owned()]);
    };
    let payload = meta.payload.as_deref().unwrap_or_default();
    let mut damaged = Vec::new();
    if checkpoint::decode(payload).is_err() && !meta.segments.is_empty() {
        damaged.push(META.to_owned());
    }
    let commit = Commit::read(
        &index
            .directory()
            .atomic_read(Path::new(META))
            .map_err(TantivyError::from)?,
    );
    for name in meta.list_segment_files() {
        // Deletions are listed for every segment, even for those without any.
        if commit.has(&name) && !is_intact(&index, &name) {
            damaged.push(name.to_string_lossy().into_owned());
        }
    }
    damaged.sort();
    Ok(damaged)
}

/// Whether the checksum of a file is right. Tantivy also lists a temporary file that it never writes.
fn is_intact(index: &Index, name: &Path) -> bool {
    let never_written = name.to_string_lossy().ends_with(".store.temp");
    let checked = catch_unwind(AssertUnwindSafe(|| {
        index.directory().validate_checksum(name)
    }));
    match checked {
        Ok(Ok(intact)) => intact,
        Ok(Err(OpenReadError::FileDoesNotExist(_))) => never_written,
        _ => false,
    }
}

/// Checks the number of documents, which is in `meta.json` and so has no checksum.
fn check_counts(segment: &SegmentReader) -> Result<(), Unusable> {
    let rows = segment.fast_fields().u64(HASH_HIGH)?.num_docs();
    let expected = segment.max_doc();
    if rows == expected {
        Ok(())
    } else {
        Err(Unusable::Damaged(format!(
            "a segment has {rows} documents, not {expected}"
        )))
    }
}

impl<E: Into<TantivyError>> From<E> for Unusable {
    fn from(err: E) -> Self {
        let err = err.into();
        let kind = match &err {
            TantivyError::IoError(io_error) => io_error.kind(),
            TantivyError::OpenReadError(OpenReadError::IoError { io_error, .. }) => io_error.kind(),
            TantivyError::LockFailure(..) | TantivyError::SystemError(_) => {
                return Self::OutOfReach(err);
            }
            _ => io::ErrorKind::InvalidData,
        };
        match kind {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::NotFound => {
                Self::Damaged(err.to_string())
            }
            _ => Self::OutOfReach(err),
        }
    }
}

/// Removes files of tantivy and no others, because the folder is the operator's choice.
fn remove_files(folder: &Path, which: impl Fn(&str) -> bool) -> io::Result<()> {
    for name in file_names(folder)? {
        let is_index_file = [META, "meta.next", MANAGED].contains(&name.as_str());
        if (is_index_file || segment_of(&name).is_some()) && which(&name) {
            std::fs::remove_file(folder.join(name))?;
        }
    }
    Ok(())
}

fn file_names(folder: &Path) -> io::Result<Vec<String>> {
    let names = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().into_string().ok()));
    names.filter_map(Result::transpose).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use catalog_events::Position;

    use crate::index::options::IndexOptions;
    use crate::index::scoring::terms::QueryTerms;
    use crate::index::tests::keyword_index::Random;
    use crate::index::tests::support::{changed, deleted, open, open_with, product};
    use crate::index::text::language::Language;

    /// Fills an index with several segments and a deletion.
    fn fill(folder: &std::path::Path) -> String {
        let (index, mut writer) = open(folder);
        for at in 1..=4 {
            writer
                .apply(&[changed(at, 1, product(&format!("p{at}"), "mouse"))])
                .unwrap();
            writer.commit(Position(at)).unwrap();
        }
        writer
            .apply(&[changed(5, 1, product("p5", "mouse")), deleted(6, 2, "p5")])
            .unwrap();
        writer
            .apply(&[
                changed(7, 1, product("p7", "mouse")),
                changed(8, 1, product("p8", "mouse")),
            ])
            .unwrap();
        writer.commit(Position(8)).unwrap();
        writer.apply(&[deleted(9, 2, "p7")]).unwrap();
        writer.commit(Position(9)).unwrap();
        index.flush().unwrap();
        index.digest_of_live().unwrap().to_string()
    }

    /// Whatever happens to one file, the index is as it was, or it begins anew.
    #[test]
    fn damage_is_noticed() {
        let original = tempfile::tempdir().unwrap();
        let digest = fill(original.path());
        let mut names = crate::index::storage::folder::file_names(original.path()).unwrap();
        names.sort();
        let mut anew = 0;
        for seed in 0..200 {
            let mut random = Random(seed);
            let folder = tempfile::tempdir().unwrap();
            for name in &names {
                fs::copy(original.path().join(name), folder.path().join(name)).unwrap();
            }
            let name = &names[random.below(names.len() as u64) as usize];
            let file = folder.path().join(name);
            let mut data = fs::read(&file).unwrap();
            let at = random.below(data.len().max(1) as u64) as usize;
            match random.below(4) {
                0 => data.truncate(at),
                1 => data.fill(0),
                _ if data.is_empty() => {}
                _ => data[at] ^= 1 << random.below(8),
            }
            fs::write(&file, data).unwrap();

            let (index, _writer) = open(folder.path());
            let state = (index.position().0, index.documents());
            if state == (0, 0) {
                anew += 1;
                continue;
            }
            assert_eq!(state, (9, 5), "seed {seed}: {name} at {at}");
            assert_eq!(
                index.digest_of_live().unwrap().to_string(),
                digest,
                "seed {seed}: {name}"
            );
        }
        assert!(anew > 80, "{anew} of 200 were noticed");
    }

    #[test]
    fn another_language_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path());
        assert_eq!(open(folder.path()).0.position(), Position(9));
        let german = || {
            let options = IndexOptions {
                language: Language::German,
                ..IndexOptions::default()
            };
            open_with(folder.path(), options)
        };
        let (index, mut writer) = german();
        assert_eq!(index.position(), Position::START);
        let printers = [
            ("a", "Drucker"),
            ("b", "Zubehör für Druckern"),
            ("c", "Große Tasche"),
        ];
        let events: Vec<_> = printers
            .iter()
            .zip(1..)
            .map(|((id, title), at)| changed(at, 1, product(id, title)))
            .collect();
        writer.apply(&events).unwrap();
        writer.commit(Position(3)).unwrap();
        index.flush().unwrap();
        drop((index, writer));
        let (index, _writer) = german();
        for (query, ids) in [("drucker", &["a", "b"][..]), ("grosse taschen", &["c"])] {
            let terms = QueryTerms::of(query, Language::German);
            let hits = index.search(&terms, 10).unwrap().hits;
            let mut found: Vec<&str> = hits.iter().map(|hit| hit.product_id.as_str()).collect();
            found.sort_unstable();
            assert_eq!(found, ids, "{query}");
        }
    }

    #[test]
    fn begins_anew_without_touching_what_is_not_its_own() {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path());
        fs::write(folder.path().join("meta.json"), "{").unwrap();
        fs::write(folder.path().join("notes.txt"), "mine").unwrap();
        let (index, mut writer) = open(folder.path());
        assert_eq!((index.position(), index.documents()), (Position::START, 0));
        writer
            .apply(&[changed(1, 1, product("a", "mouse"))])
            .unwrap();
        writer.commit(Position(1)).unwrap();
        index.flush().unwrap();
        drop((index, writer));
        assert_eq!(open(folder.path()).0.position(), Position(1));
        assert_eq!(
            fs::read_to_string(folder.path().join("notes.txt")).unwrap(),
            "mine"
        );
    }

    #[test]
    fn what_a_killed_writer_left_is_no_obstacle_but_a_missing_file_is() {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path());
        let names = crate::index::storage::folder::file_names(folder.path()).unwrap();
        let part = names.iter().find(|name| name.ends_with(".idx")).unwrap();
        let segment = part.strip_suffix(".idx").unwrap();
        let unfinished = [
            format!("{segment}.999.del"),
            format!("{}.store", "ab".repeat(16)),
        ];
        for name in unfinished
            .iter()
            .map(String::as_str)
            .chain([".tantivy-writer.lock"])
        {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(open(folder.path()).0.position(), Position(9));
        assert!(
            unfinished
                .iter()
                .all(|name| !folder.path().join(name).exists())
        );
        fs::remove_file(folder.path().join(part)).unwrap();
        assert_eq!(open(folder.path()).0.position(), Position::START);
    }
}
