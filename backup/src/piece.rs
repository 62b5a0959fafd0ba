//! The files of a backup: rows as COPY writes them, compressed, with the hash of the file.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

use crate::error::{AtPath as _, BackupError};
use crate::folder;
use crate::manifest::{Piece, Stretch};

/// Passes on what goes through it, and hashes it.
struct Hashed<Stream> {
    stream: Stream,
    hasher: Sha256,
    bytes: u64,
}

impl<Stream> Hashed<Stream> {
    fn new(stream: Stream) -> Self {
        Self {
            stream,
            hasher: Sha256::new(),
            bytes: 0,
        }
    }

    fn passed(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    fn sha256(self) -> String {
        let mut text = String::new();
        for byte in self.hasher.finalize() {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}

impl<Stream: Write> Write for Hashed<Stream> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.stream.write(bytes)?;
        self.passed(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl<Stream: Read> Read for Hashed<Stream> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer)?;
        self.passed(&buffer[..read]);
        Ok(read)
    }
}

/// A file that is being written.
pub(crate) struct PieceWriter {
    path: PathBuf,
    name: String,
    file: GzEncoder<Hashed<BufWriter<File>>>,
    rows: u64,
}

impl PieceWriter {
    pub(crate) fn create(path: &Path, name: String) -> Result<Self, BackupError> {
        let file = Hashed::new(BufWriter::new(folder::create(path)?));
        Ok(Self {
            path: path.to_owned(),
            name,
            file: GzEncoder::new(file, Compression::fast()),
            rows: 0,
        })
    }

    /// Adds some of what COPY writes, in which every row ends a line and nothing else does.
    pub(crate) fn add(&mut self, copied: &[u8]) -> Result<(), BackupError> {
        self.rows += copied.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.file.write_all(copied).at(&self.path)
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Ends the file, which outlives a power cut from then on.
    pub(crate) fn finish(self, stretch: Option<Stretch>) -> Result<Piece, BackupError> {
        let path = &self.path;
        let mut hashed = self.file.finish().at(path)?;
        hashed.flush().at(path)?;
        hashed.stream.get_ref().sync_all().at(path)?;
        Ok(Piece {
            file: self.name,
            rows: self.rows,
            bytes: hashed.bytes,
            sha256: hashed.sha256(),
            stretch,
        })
    }
}

/// Reads the rows of a file, part by part.
pub(crate) struct PieceReader {
    path: PathBuf,
    file: MultiGzDecoder<Hashed<BufReader<File>>>,
    rows: u64,
}

const PART_BYTES: usize = 256 * 1024;

impl PieceReader {
    pub(crate) fn open(path: &Path) -> Result<Self, BackupError> {
        let file = File::open(path).at(path)?;
        Ok(Self {
            path: path.to_owned(),
            file: MultiGzDecoder::new(Hashed::new(BufReader::new(file))),
            rows: 0,
        })
    }

    /// The next part of the rows, which need not end with one; None at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<u8>>, BackupError> {
        let mut part = vec![0; PART_BYTES];
        let read = self.file.read(&mut part);
        let read = read.map_err(|err| damaged(&self.path, err.to_string()))?;
        part.truncate(read);
        self.rows += part.iter().filter(|byte| **byte == b'\n').count() as u64;
        Ok((read > 0).then_some(part))
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Compares what was read with what was written.
    pub(crate) fn check(self, expected: &Piece) -> Result<(), BackupError> {
        let (rows, path) = (self.rows, self.path);
        let mut hashed = self.file.into_inner();
        // A decoder stops where its data end.
        io::copy(&mut hashed, &mut io::sink()).at(&path)?;
        if hashed.sha256() != expected.sha256 {
            return Err(damaged(&path, "its sha256 is another"));
        }
        if rows != expected.rows {
            let reason = format!("it has {rows} rows instead of {}", expected.rows);
            return Err(damaged(&path, reason));
        }
        Ok(())
    }
}

/// Whether the file of a piece is there as a whole, by its size.
pub(crate) fn is_there(path: &Path, piece: &Piece) -> bool {
    fs::metadata(path).is_ok_and(|file| file.len() == piece.bytes)
}

fn damaged(path: &Path, reason: impl Into<String>) -> BackupError {
    BackupError::Damaged {
        path: path.to_owned(),
        reason: reason.into(),
    }
}
