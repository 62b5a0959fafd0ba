//! Reads one entry of a zip archive as a stream. The archive is a file: what comes from elsewhere
//! is written to a temporary one first.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

use crate::feed::source::peek::Bytes;
use crate::feed::source::progress::Progress;
use crate::feed::values::shorten;

/// The most bytes of a packed feed that are kept in a temporary file.
const SPOOL_BYTES_MAX: u64 = 16 << 30;
/// The endings of files that may be feeds.
const FEEDS: [&str; 13] = [
    ".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".xml", ".rss", ".atom", ".xlsx", ".xls",
    ".ods", ".xlsb",
];
const ENTRIES_SHOWN_MAX: usize = 20;

/// What an archive holds.
pub(super) enum Archive {
    /// A spreadsheet, which is a zip archive too.
    Workbook(Workbook),
    Entry {
        name: String,
        text: Bytes,
    },
}

/// The form of a spreadsheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::feed) enum Workbook {
    Xlsx,
    Xlsb,
    Xls,
    Ods,
}

/// Writes what is read to a temporary file, which goes with the process.
pub(super) fn spool(packed: Bytes) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    let written = io::copy(&mut packed.take(SPOOL_BYTES_MAX), &mut file)?;
    if written == SPOOL_BYTES_MAX {
        return Err(io::Error::other(format!(
            "more than {} GiB in a pipe: give the file instead",
            SPOOL_BYTES_MAX >> 30
        )));
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

/// Opens the only feed in an archive, or the entry that is named.
pub(super) fn open(file: File, entry: Option<&str>, progress: &Progress) -> io::Result<Archive> {
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(damaged)?;
    let names: Vec<String> = archive
        .file_names()
        .map(|name| name.map(std::borrow::Cow::into_owned).map_err(damaged))
        .collect::<io::Result<_>>()?;
    if let Some(form) = workbook(&names) {
        return Ok(Archive::Workbook(form));
    }
    let name = choose(&names, entry)?;
    let index = archive.index_for_name(&name);
    let index = index.ok_or_else(|| invalid(format!("the zip archive has no entry {name:?}")))?;
    let stored = place(&mut archive, index)?;
    let file = archive.into_inner().into_inner();
    let text = content(file, stored, progress)?;
    Ok(Archive::Entry { name, text })
}

/// Hands every entry to `look`, until it says false.
pub(in crate::feed) fn entries_of(
    file: &File,
    look: &mut dyn FnMut(&str, Bytes) -> io::Result<bool>,
) -> io::Result<()> {
    let mut archive = ZipArchive::new(BufReader::new(file.try_clone()?)).map_err(damaged)?;
    for index in 0..archive.len() {
        let stored = place(&mut archive, index)?;
        let name = stored.name.clone();
        let text = content(file.try_clone()?, stored, &Progress::default())?;
        if !look(&name, text)? {
            break;
        }
    }
    Ok(())
}

/// Where an entry is, and how it is packed.
struct Place {
    name: String,
    method: CompressionMethod,
    start: u64,
    packed: u64,
    bytes: u64,
    checksum: u32,
}

fn place(archive: &mut ZipArchive<BufReader<File>>, index: usize) -> io::Result<Place> {
    let stored = archive.by_index_raw(index).map_err(damaged)?;
    let name = stored.name().map_err(damaged)?.into_owned();
    if stored.encrypted() {
        return Err(invalid(format!(
            "the entry {name:?} is encrypted: unzip it with its password, then import the file"
        )));
    }
    let start = stored.data_start();
    let start = start.ok_or_else(|| invalid(format!("the entry {name:?} has no place")))?;
    Ok(Place {
        name,
        method: stored.compression(),
        start,
        packed: stored.compressed_size(),
        bytes: stored.size(),
        checksum: stored.crc32(),
    })
}

fn content(mut file: File, place: Place, progress: &Progress) -> io::Result<Bytes> {
    file.seek(SeekFrom::Start(place.start))?;
    let packed = progress.counted(file.take(place.packed));
    let inner: Bytes = match place.method {
        CompressionMethod::Stored => Box::new(packed),
        CompressionMethod::Deflated => Box::new(DeflateDecoder::new(BufReader::new(packed))),
        other => {
            let name = place.name;
            return Err(invalid(format!(
                "the entry {name:?} is compressed with {other}, which is not read: unzip -p FILE {name:?} \
                 | catalogctl import -"
            )));
        }
    };
    Ok(Box::new(Checked {
        inner,
        crc: Crc::new(),
        left: place.bytes,
        checksum: place.checksum,
    }))
}

fn workbook(names: &[String]) -> Option<Workbook> {
    let has = |name: &str| names.iter().any(|found| found == name);
    if has("xl/workbook.xml") {
        Some(Workbook::Xlsx)
    } else if has("xl/workbook.bin") {
        Some(Workbook::Xlsb)
    } else if has("content.xml") && has("mimetype") {
        Some(Workbook::Ods)
    } else {
        None
    }
}

fn choose(names: &[String], entry: Option<&str>) -> io::Result<String> {
    let is_file = |name: &&String| {
        let base = name.rsplit('/').next().unwrap_or(name);
        !base.is_empty() && !base.starts_with('.') && !name.starts_with("__MACOSX/")
    };
    let files: Vec<_> = names.iter().filter(is_file).collect();
    if let Some(entry) = entry {
        let base = |name: &str| name.rsplit('/').next() == Some(entry);
        let found = files.iter().find(|name| *name == &entry);
        let found = found.or_else(|| files.iter().find(|name| base(name)));
        return found.map(|name| (*name).clone()).ok_or_else(|| {
            invalid(format!(
                "the zip archive has no entry {entry:?}; it has {}",
                list(&files)
            ))
        });
    }
    let is_feed = |name: &&&String| {
        let lower = name.to_lowercase();
        let name = [".gz", ".zst"]
            .iter()
            .find_map(|end| lower.strip_suffix(end));
        let name = name.unwrap_or(&lower);
        FEEDS.iter().any(|end| name.ends_with(end))
    };
    let feeds: Vec<_> = files.iter().filter(is_feed).copied().collect();
    let feeds = if feeds.is_empty() { &files } else { &feeds };
    match &feeds[..] {
        [] => Err(invalid("the zip archive is empty".to_owned())),
        [single] => Ok((*single).clone()),
        several => Err(invalid(format!(
            "the zip archive has {} entries, choose one with --entry NAME: {}",
            several.len(),
            list(several)
        ))),
    }
}

fn list(names: &[&String]) -> String {
    let shown = names.iter().take(ENTRIES_SHOWN_MAX);
    let mut text = shown
        .map(|name| shorten(name))
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > ENTRIES_SHOWN_MAX {
        text.push_str(", …");
    }
    text
}

/// A reader of an entry that compares its checksum at the end.
struct Checked<R> {
    inner: R,
    crc: Crc,
    left: u64,
    checksum: u32,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.inner.read(buffer)?;
        self.crc.update(&buffer[..bytes]);
        let known = self.left.checked_sub(bytes as u64);
        let is_end = bytes == 0 && !buffer.is_empty();
        if known.is_none() || (is_end && (self.left > 0 || self.crc.sum() != self.checksum)) {
            return Err(invalid(
                "the zip archive is damaged: its size or checksum differs".to_owned(),
            ));
        }
        self.left = known.unwrap_or_default();
        Ok(bytes)
    }
}

fn damaged(err: zip::result::ZipError) -> io::Error {
    invalid(format!("the zip archive is damaged: {err}"))
}

fn invalid(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}
