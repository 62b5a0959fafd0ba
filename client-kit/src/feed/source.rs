//! The source of a feed: a file or a pipe. It unpacks gzip, drops a byte order mark, and counts its
//! position in the bytes as they are stored.

mod notes;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use flate2::bufread::MultiGzDecoder;

use crate::feed::error::FeedError;
pub use crate::feed::source::notes::Notes;

const BUFFER_BYTES: usize = 64 * 1024;
/// How many bytes at the beginning are examined to tell formats apart.
const PEEK_BYTES: usize = 4 * 1024;
const GZIP: &[u8] = &[0x1f, 0x8b];
const UTF8_MARK: &[u8] = &[0xef, 0xbb, 0xbf];

/// The first bytes of files that are not readable feeds: (bytes, what the file is, what to do).
const FOREIGN: [(&[u8], &str, &str); 6] = [
    (
        &[0x28, 0xb5, 0x2f, 0xfd],
        "compressed with zstd",
        "zstdcat FILE | catalogctl import -",
    ),
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
        b"PK\x03\x04",
        "a zip archive or a spreadsheet",
        "unpack it, or save it as CSV",
    ),
    (&[0xff, 0xfe], "UTF-16 text", "save it as UTF-8"),
    (&[0xfe, 0xff], "UTF-16 text", "save it as UTF-8"),
];

/// The form that the rows of a feed are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// One JSON object a line
    Jsonl,
    /// One JSON array of objects
    Json,
    /// Comma, semicolon or tab separated, with a header row
    Csv,
}

/// An opened feed.
pub struct Source {
    name: String,
    reader: Box<dyn BufRead + Send>,
    peeked: Vec<u8>,
    progress: Progress,
    notes: Notes,
    /// The file that can be read a second time.
    path: Option<PathBuf>,
}

/// How much of a feed has been read, in bytes of the file.
#[derive(Clone, Debug)]
pub struct Progress {
    read: Arc<AtomicU64>,
    rows: Arc<AtomicU64>,
    total: Option<u64>,
    /// The columns of a table.
    header: Arc<OnceLock<Vec<String>>>,
}

impl Progress {
    /// The bytes that belong to the first `rows` rows, estimated from all that was read: reading
    /// runs ahead of sending.
    pub fn of_rows(&self, rows: u64) -> u64 {
        let (read, ahead) = (&self.read, &self.rows);
        let (read, ahead) = (read.load(Ordering::Relaxed), ahead.load(Ordering::Relaxed));
        let share = u128::from(read) * u128::from(rows.min(ahead)) / u128::from(ahead.max(1));
        u64::try_from(share).unwrap_or(read)
    }

    /// The size of the file; none for a pipe.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// The columns of a table that was opened; none for a feed of objects.
    pub fn header(&self) -> Option<Vec<String>> {
        self.header.get().cloned()
    }

    pub(super) fn tell_header(&self, header: &[String]) {
        self.header.get_or_init(|| header.to_vec());
    }

    pub(super) fn count_row(&self) {
        self.rows.fetch_add(1, Ordering::Relaxed);
    }
}

impl Source {
    /// Opens a file, or standard input for `-`.
    pub fn open(path: &Path) -> Result<Self, FeedError> {
        if path == Path::new("-") {
            return Self::from_reader("standard input", io::stdin());
        }
        let name = path.display().to_string();
        let failed = |source| FeedError::Open {
            name: name.clone(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let total = metadata.is_file().then_some(metadata.len());
        let source = Self::new(&name, file, total)?;
        Ok(Self {
            path: metadata.is_file().then(|| path.to_owned()),
            ..source
        })
    }

    pub fn from_reader(name: &str, reader: impl Read + Send + 'static) -> Result<Self, FeedError> {
        Self::new(name, reader, None)
    }

    fn new(
        name: &str,
        reader: impl Read + Send + 'static,
        total: Option<u64>,
    ) -> Result<Self, FeedError> {
        let progress = Progress {
            read: Arc::default(),
            rows: Arc::default(),
            total,
            header: Arc::default(),
        };
        let failed = |source| FeedError::Open {
            name: name.to_owned(),
            source,
        };
        let mut stored = Counted {
            inner: reader,
            read: progress.read.clone(),
        };
        let first = peek(&mut stored, |first| first.len() >= GZIP.len()).map_err(failed)?;
        let gzipped = first.starts_with(GZIP);
        let whole = BufReader::with_capacity(BUFFER_BYTES, Cursor::new(first).chain(stored));
        let mut text: Box<dyn Read + Send> = if gzipped {
            Box::new(MultiGzDecoder::new(whole))
        } else {
            Box::new(whole)
        };
        let mut peeked = peek(&mut text, tells_enough).map_err(failed)?;
        if let Some(&(_, form, cure)) = FOREIGN.iter().find(|known| peeked.starts_with(known.0)) {
            let name = name.to_owned();
            return Err(FeedError::UnknownForm { name, form, cure });
        }
        if peeked.starts_with(UTF8_MARK) {
            peeked.drain(..UTF8_MARK.len());
        }
        let whole_text = Cursor::new(peeked.clone()).chain(text);
        Ok(Self {
            name: name.to_owned(),
            reader: Box::new(BufReader::with_capacity(BUFFER_BYTES, whole_text)),
            peeked,
            progress,
            notes: Notes::default(),
            path: None,
        })
    }

    /// Opens the feed a second time, from its beginning; none where that is not possible.
    pub(super) fn again(&self) -> Option<Self> {
        Self::open(self.path.as_deref()?).ok()
    }

    pub fn notes(&self) -> Notes {
        self.notes.clone()
    }

    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// The format that the file name tells, else the one that the first character suggests.
    pub(super) fn format(&self) -> Format {
        let lower_case = self.name.to_ascii_lowercase();
        let name = lower_case.strip_suffix(".gz").unwrap_or(&lower_case);
        if name.ends_with(".csv") || name.ends_with(".tsv") {
            Format::Csv
        } else if name.ends_with(".jsonl") || name.ends_with(".ndjson") {
            Format::Jsonl
        } else {
            match self.peeked.iter().find(|byte| !byte.is_ascii_whitespace()) {
                Some(b'[') => Format::Json,
                Some(b'{') | None => Format::Jsonl,
                Some(_) => Format::Csv,
            }
        }
    }

    /// The beginning of the text: its first line, unless that is very long.
    pub(super) fn peeked(&self) -> &[u8] {
        &self.peeked
    }

    pub(super) fn into_reader(self) -> Box<dyn BufRead + Send> {
        self.reader
    }
}

/// Reads the first bytes until `enough` is satisfied or the input ends. A pipe may be slow, so no
/// more is waited for than is needed.
fn peek(reader: &mut impl Read, enough: impl Fn(&[u8]) -> bool) -> io::Result<Vec<u8>> {
    let mut first = vec![0; PEEK_BYTES];
    let mut length = 0;
    while length < PEEK_BYTES && !enough(&first[..length]) {
        match reader.read(&mut first[length..]) {
            Ok(0) => break,
            Ok(bytes) => length += bytes,
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            Err(err) => return Err(err),
        }
    }
    first.truncate(length);
    Ok(first)
}

/// True once the first line is complete: it is longer than every mark, and shows the format and the
/// columns of a CSV.
fn tells_enough(first: &[u8]) -> bool {
    first.trim_ascii_start().contains(&b'\n')
}

struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.inner.read(buffer)?;
        self.read.fetch_add(bytes as u64, Ordering::Relaxed);
        Ok(bytes)
    }
}
