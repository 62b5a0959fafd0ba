//! Takes a feed out of its packing, told by the first bytes and not by its name: gzip, zstd and
//! zip, also in each other.

use std::fs::File;
use std::io::{self, BufReader, Seek as _, SeekFrom};

use flate2::bufread::MultiGzDecoder;

use crate::feed::source::archive::{self, Archive, Workbook};
use crate::feed::source::peek::{Bytes, peek, put_back};
use crate::feed::source::progress::Progress;
use crate::feed::source::zstd::Unzstd;

const BUFFER_BYTES: usize = 64 * 1024;
/// How many packings may be in each other.
const LAYERS_MAX: usize = 4;
/// The bytes that tell every packing.
const MAGIC_BYTES: usize = 8;

/// What is packed in a source.
pub(super) enum Unpacked {
    Text(Bytes),
    Workbook(File, Workbook),
}

/// Where a source comes from.
pub(super) enum Stored {
    File(File),
    Stream(Bytes),
}

/// The first bytes of a packing, and what it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Packing {
    Gzip,
    Zstd,
    Zip,
    Xls,
}

const PACKINGS: [(&[u8], Packing); 6] = [
    (&[0x1f, 0x8b], Packing::Gzip),
    (&[0x28, 0xb5, 0x2f, 0xfd], Packing::Zstd),
    (b"PK\x03\x04", Packing::Zip),
    (b"PK\x05\x06", Packing::Zip),
    (b"PK\x07\x08PK", Packing::Zip),
    (
        &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1],
        Packing::Xls,
    ),
];

/// The first bytes of files that are not readable feeds: (bytes, what the file is, what to do).
const FOREIGN: [(&[u8], &str, &str); 6] = [
    (
        &[0xfd, b'7', b'z', b'X', b'Z'],
        "compressed with xz",
        "xzcat FILE | catalogctl import -",
    ),
    (
        b"BZh",
        "compressed with bzip2",
        "bzcat FILE | catalogctl import -",
    ),
    (
        &[b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c],
        "a 7z archive",
        "unpack it, then import the file in it",
    ),
    (
        b"Rar!",
        "a RAR archive",
        "unpack it, then import the file in it",
    ),
    (b"%PDF", "a PDF", "ask for the data as CSV, JSON or XML"),
    (b"PAR1", "a Parquet file", "convert it to CSV or JSON Lines"),
];

/// A file that is no feed: what it is and what to do.
pub(super) type Foreign = (&'static str, &'static str);

/// A source without its packing, the names of entries that it was in, and a form that is not read.
pub(super) struct Opened {
    pub(super) content: Unpacked,
    pub(super) entries: Vec<String>,
    pub(super) foreign: Option<Foreign>,
}

/// Unpacks a source. `entry` names what to read of an archive.
pub(super) fn unpack(
    stored: Stored,
    entry: Option<&str>,
    progress: &Progress,
) -> io::Result<Opened> {
    let mut entries = Vec::new();
    let (mut text, mut file) = match stored {
        Stored::File(file) => {
            let same = file.try_clone()?;
            (Box::new(progress.counted(file)) as Bytes, Some(same))
        }
        Stored::Stream(stream) => (Box::new(progress.counted(stream)) as Bytes, None),
    };
    for _ in 0..LAYERS_MAX {
        let first = peek(&mut text, |first| first.len() >= MAGIC_BYTES)?;
        let packing = PACKINGS.iter().find(|known| first.starts_with(known.0));
        let foreign = FOREIGN.iter().find(|known| first.starts_with(known.0));
        let whole = put_back(first, text);
        let Some((_, packing)) = packing else {
            return Ok(Opened {
                content: Unpacked::Text(whole),
                entries,
                foreign: foreign.map(|&(_, form, cure)| (form, cure)),
            });
        };
        let workbook = match packing {
            Packing::Gzip => {
                let packed = BufReader::with_capacity(BUFFER_BYTES, whole);
                (text, file) = (Box::new(MultiGzDecoder::new(packed)), None);
                continue;
            }
            Packing::Zstd => {
                let packed = BufReader::with_capacity(BUFFER_BYTES, whole);
                (text, file) = (Box::new(Unzstd::new(packed)), None);
                continue;
            }
            Packing::Xls => Workbook::Xls,
            Packing::Zip => {
                let archive = seekable(file.take(), whole)?;
                let same = archive.try_clone()?;
                match archive::open(archive, entry, progress)? {
                    Archive::Entry { name, text: inner } => {
                        entries.push(name);
                        text = inner;
                        continue;
                    }
                    Archive::Workbook(form) => {
                        return workbook_in(same, form, entries);
                    }
                }
            }
        };
        return workbook_in(seekable(file, whole)?, workbook, entries);
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        format!("it is packed more than {LAYERS_MAX} times: unpack it first"),
    ))
}

fn workbook_in(mut file: File, form: Workbook, entries: Vec<String>) -> io::Result<Opened> {
    file.seek(SeekFrom::Start(0))?;
    Ok(Opened {
        content: Unpacked::Workbook(file, form),
        entries,
        foreign: None,
    })
}

/// The file itself, or a temporary one with what is read.
fn seekable(file: Option<File>, whole: Bytes) -> io::Result<File> {
    match file {
        Some(mut file) => {
            file.seek(SeekFrom::Start(0))?;
            Ok(file)
        }
        None => archive::spool(whole),
    }
}
