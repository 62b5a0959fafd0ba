//! A kill or a power cut leaves the last flushed commit, whole, whatever was under way.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use catalog_events::{Position, ProductEvent};
use tantivy::directory::{Directory as _, TerminatingWrite as _};
use tempfile::TempDir;

use crate::index::error::IndexError;
use crate::index::keyword_index::KeywordIndex;
use crate::index::options::IndexOptions;
use crate::index::scoring::terms::QueryTerms;
use crate::index::storage::disk::{Step, Watch};
use crate::index::tests::keyword_index::Random;
use crate::index::tests::support::{changed, deleted, found, open, product};
use crate::index::text::language::Language;
use crate::index::writer::IndexWriter;

/// The digest that the index must have at each position.
type Expected = Arc<Mutex<BTreeMap<Position, String>>>;

/// Little memory makes large files go to the disk, and flushes come by themselves.
fn open_small(folder: &Path) -> (KeywordIndex, IndexWriter) {
    open_with(folder, 32_000)
}

fn open_with(folder: &Path, memory_bytes_max: usize) -> (KeywordIndex, IndexWriter) {
    let options = IndexOptions {
        memory_bytes_max,
        ..IndexOptions::default()
    };
    crate::index::tests::support::open_with(folder, options)
}

fn commit_some(
    random: &mut Random,
    index: &KeywordIndex,
    writer: &mut IndexWriter,
    expected: &Expected,
) {
    let from = index.position().0;
    let to = from + 1 + random.below(60);
    let events: Vec<ProductEvent> = (from + 1..=to)
        .map(|at| {
            let id = format!("p{}", random.below(40));
            match random.below(5) {
                0 => deleted(at, at as i64, &id),
                _ => changed(at, at as i64, product(&id, &format!("mouse {at}"))),
            }
        })
        .collect();
    writer.apply(&events).expect("apply");
    writer.commit(Position(to)).expect("commit");
    let digest = index.digest_of_live().expect("digest").to_string();
    expected.lock().expect("lock").insert(Position(to), digest);
}

#[test]
fn a_kill_leaves_the_last_flushed_commit() {
    for seed in 0..6 {
        let mut random = Random(seed);
        let folder = tempfile::tempdir().unwrap();
        let expected = Expected::default();
        let (mut index, mut writer) = open_small(folder.path());
        let empty = index.digest_of_live().unwrap().to_string();
        expected.lock().unwrap().insert(Position::START, empty);
        for _ in 0..40 {
            match random.below(10) {
                0 => {
                    let disk = index.disk_state();
                    drop((index, writer));
                    let durable = disk.borrow().durable;
                    (index, writer) = open_small(folder.path());
                    assert_eq!(index.position(), durable, "seed {seed}");
                    let digest = index.digest_of_live().unwrap().to_string();
                    assert_eq!(digest, expected.lock().unwrap()[&durable], "seed {seed}");
                }
                1 | 2 => {
                    index.flush().unwrap();
                    assert_eq!(index.disk_state().borrow().durable, index.position());
                    assert_eq!(index.check_files().unwrap(), [""; 0], "seed {seed}");
                }
                3 => {
                    // Dropping the writer waits for its merges, too.
                    drop(writer);
                    writer = index.writer().unwrap();
                }
                _ => commit_some(&mut random, &index, &mut writer, &expected),
            }
        }
    }
}

/// A disk that forgets at a power cut what was not synced: content file by file, names by folder.
#[derive(Default)]
struct ForgetfulDisk {
    folder: PathBuf,
    contents: Vec<Content>,
    names: BTreeMap<PathBuf, usize>,
    synced_names: BTreeMap<PathBuf, usize>,
}

struct Content {
    data: Vec<u8>,
    synced: bool,
}

impl ForgetfulDisk {
    fn step(&mut self, step: Step<'_>) {
        match step {
            Step::Written(name) => {
                let content = Content {
                    data: fs::read(self.folder.join(name)).expect("written"),
                    synced: false,
                };
                // Content that is written over is lost under its synced name as well.
                match self.names.get(name) {
                    Some(&number) => self.contents[number] = content,
                    None => {
                        self.names.insert(name.to_owned(), self.contents.len());
                        self.contents.push(content);
                    }
                }
            }
            Step::Synced(name) => self.contents[self.names[name]].synced = true,
            Step::FolderSynced => self.synced_names = self.names.clone(),
            Step::Renamed(from, to) => {
                let number = self.names.remove(from).expect("written before");
                self.names.insert(to.to_owned(), number);
            }
            Step::Removed(name) => {
                self.names.remove(name);
            }
        }
    }

    /// Returns the folder after the power came back, with the synced names only, or with all names.
    fn cut(&self, all_names: bool) -> TempDir {
        let folder = tempfile::tempdir().expect("folder");
        let names = if all_names {
            &self.names
        } else {
            &self.synced_names
        };
        for (name, number) in names {
            let content = &self.contents[*number];
            let length = if content.synced {
                content.data.len()
            } else {
                content.data.len() / 2
            };
            fs::write(folder.path().join(name), &content.data[..length]).expect("write");
        }
        folder
    }
}

#[test]
fn a_power_cut_at_any_step_leaves_a_flushed_commit() {
    for seed in 0..3 {
        let mut random = Random(seed);
        let folder = tempfile::tempdir().unwrap();
        let (index, mut writer) = open_small(folder.path());
        let expected = Expected::default();
        let empty = index.digest_of_live().unwrap().to_string();
        expected.lock().unwrap().insert(Position::START, empty);
        let cuts = Arc::new(Mutex::new(Vec::new()));
        let mut disk = ForgetfulDisk {
            folder: folder.path().to_owned(),
            ..ForgetfulDisk::default()
        };
        let (state, found) = (index.disk_state(), cuts.clone());
        let mut sample = Random(seed + 100);
        let watch = Watch(Box::new(move |step| {
            disk.step(step);
            if sample.below(12) == 0 || matches!(step, Step::Renamed(..)) {
                for all_names in [false, true] {
                    let durable = state.borrow().durable;
                    let cut = disk.cut(all_names);
                    found.lock().unwrap().push((durable, cut));
                }
            }
        }));
        *index.directory.disk().watched.lock().unwrap() = Some(watch);
        for _ in 0..12 {
            for _ in 0..=random.below(4) {
                commit_some(&mut random, &index, &mut writer, &expected);
            }
            index.flush().unwrap();
        }
        drop((index, writer));
        let digests = expected.lock().unwrap();
        let mut later = 0;
        for (durable, cut) in std::mem::take(&mut *cuts.lock().unwrap()) {
            let (index, _writer) = open(cut.path());
            assert!(
                index.position() >= durable,
                "seed {seed}: {durable} was lost"
            );
            later += u32::from(index.position() > durable);
            let digest = index.digest_of_live().unwrap().to_string();
            assert_eq!(digest, digests[&index.position()], "seed {seed}");
        }
        assert!(later > 0, "some cuts fell behind the renaming");
    }
}

#[test]
fn a_full_disk_is_told_and_commits_go_on_in_memory_until_it_is_full_too() {
    let folder = tempfile::tempdir().unwrap();
    let (index, mut writer) = open_with(folder.path(), 3_000);
    writer.without_merges();
    index.flush().unwrap();
    // The file of this name finds the disk full.
    let full = folder.path().join("meta.next");
    std::os::unix::fs::symlink("/dev/full", &full).unwrap();
    let put = |writer: &mut IndexWriter, at: u64| {
        writer.apply(&[changed(at, 1, product(&format!("p{at}"), "mouse"))])?;
        writer.commit(Position(at))
    };
    put(&mut writer, 1).unwrap();
    assert!(matches!(index.flush(), Err(IndexError::Folder(_))));
    assert_eq!(found(&index, "mouse"), ["p1"], "searchable all the same");
    let state = index.disk_state().borrow().clone();
    assert_eq!((state.durable, state.failures > 0), (Position::START, true));
    assert!(state.error.is_some_and(|error| error.contains("space")));

    // The folder is held, so that nothing gets to the disk and memory fills up.
    let refused = index
        .directory
        .hold_folder(|| (2..100).find_map(|at| put(&mut writer, at).err()));
    assert!(
        matches!(refused, Some(IndexError::DiskBehind { .. })),
        "{refused:?}"
    );
    let at = index.position().0;
    assert!(at > 1);

    fs::remove_file(&full).unwrap();
    index.flush().unwrap();
    assert_eq!(index.disk_state().borrow().error, None);
    put(&mut writer, at + 1).unwrap();
    index.flush().unwrap();
    drop((index, writer));
    let (index, _writer) = open(folder.path());
    assert_eq!((index.position().0, index.documents()), (at + 1, at + 1));
}

#[test]
fn what_a_failed_flush_left_of_a_file_goes_with_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let (index, _writer) = open(folder.path());
    let name = PathBuf::from(format!("{}.store", "ab".repeat(16)));
    let mut file = index.directory.open_write(&name).unwrap();
    file.write_all(b"merged away").unwrap();
    file.terminate().unwrap();
    // This is the part that a flush wrote before the disk was full.
    fs::write(folder.path().join(&name), "merged").unwrap();
    index.directory.delete(&name).unwrap();
    index.flush().unwrap();
    assert!(!folder.path().join(&name).exists());
}

#[test]
fn a_snapshot_outlives_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let (index, mut writer) = open_small(folder.path());
    let expected = Expected::default();
    let mut random = Random(1);
    commit_some(&mut random, &index, &mut writer, &expected);
    let in_memory = index.snapshot();
    index.flush().unwrap();
    commit_some(&mut random, &index, &mut writer, &expected);
    let on_disk = index.snapshot();
    for _ in 0..20 {
        commit_some(&mut random, &index, &mut writer, &expected);
    }
    drop(writer);
    index.flush().unwrap();
    fs::remove_dir_all(folder.path()).unwrap();
    for snapshot in [in_memory, on_disk, index.snapshot()] {
        let digest = snapshot.digest_of_live().unwrap().to_string();
        assert_eq!(digest, expected.lock().unwrap()[&snapshot.position()]);
    }
    assert!(
        index
            .search(&QueryTerms::of("mouse", Language::English), 10)
            .is_ok()
    );
}

#[test]
fn damaged_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (index, mut writer) = open(folder.path());
    let expected = Expected::default();
    let mut random = Random(7);
    for _ in 0..3 {
        commit_some(&mut random, &index, &mut writer, &expected);
    }
    assert_eq!(index.check_files().unwrap(), [""; 0], "nothing on disk yet");
    index.flush().unwrap();
    assert_eq!(index.check_files().unwrap(), [""; 0]);
    let names: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.'))
        .collect();
    assert!(names.len() > 6);
    for name in names {
        let path = folder.path().join(&name);
        let whole = fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        flipped[0] ^= 1;
        for damaged in [&flipped[..], &whole[..whole.len() / 2]] {
            fs::write(&path, damaged).unwrap();
            assert_eq!(index.check_files().unwrap(), std::slice::from_ref(&name));
        }
        fs::write(&path, &whole).unwrap();
    }
    assert_eq!(index.check_files().unwrap(), [""; 0]);
}
