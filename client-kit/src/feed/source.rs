//! The source of a feed: a file, a pipe or a URL. It takes the text out of its packing, makes it
//! UTF-8 without a byte order mark, and counts its position in the bytes as they are stored.

mod unpack;
mod archive;
mod zstd;
mod notes;
mod beginning;
mod peek;
mod guessed;
mod progress;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use crate::feed::error::FeedError;
use crate::feed::form::FormArgs;
use crate::feed::form::encoding::{self, Decoded, Encoding};
use crate::feed::source::beginning::Beginning;
use crate::feed::source::guessed::Guessed;
use crate::feed::source::peek::{Bytes, peek, put_back};
use crate::feed::source::unpack::{Opened, Stored, Unpacked, unpack};
use crate::remote;

pub(super) use crate::feed::source::archive::{Workbook, entries_of};
pub use crate::feed::source::notes::Notes;
pub use crate::feed::source::progress::Progress;

const BUFFER_BYTES: usize = 64 * 1024;

/// An opened feed.
pub struct Source {
    /// Where it comes from, for messages.
    name: String,
    /// The names that tell its form: of the entry of an archive, and of the file.
    file_names: Vec<String>,
    content: Content,
    peeked: Vec<u8>,
    progress: Progress,
    notes: Notes,
    form: FormArgs,
    /// The file that can be read a second time.
    path: Option<PathBuf>,
}

/// What a source holds, without its packing.
pub(super) enum Content {
    Text(Box<dyn BufRead + Send>),
    Workbook(File, Workbook),
}

impl Source {
    /// Opens a file, a URL of http or https, or standard input for `-`.
    pub fn open(path: &Path) -> Result<Self, FeedError> {
        Self::open_as(path, &FormArgs::default())
    }

    /// Opens a file, a URL or standard input whose form is told.
    pub fn open_as(path: &Path, form: &FormArgs) -> Result<Self, FeedError> {
        if path == Path::new("-") {
            return Self::read_as("standard input", io::stdin(), form);
        }
        let name = path.display().to_string();
        if name.starts_with("http://") || name.starts_with("https://") {
            return Self::download(&name, form);
        }
        let failed = |source| FeedError::Open {
            name: name.clone(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        if !metadata.is_file() {
            return Self::new(
                name.clone(),
                name,
                Stored::Stream(Box::new(file)),
                None,
                form,
            );
        }
        let total = Some(metadata.len());
        let source = Self::new(name.clone(), name, Stored::File(file), total, form)?;
        Ok(Self {
            path: Some(path.to_owned()),
            ..source
        })
    }

    /// A feed that is read from a pipe; nothing is waited for longer than needed.
    pub fn from_reader(name: &str, reader: impl Read + Send + 'static) -> Result<Self, FeedError> {
        Self::read_as(name, reader, &FormArgs::default())
    }

    /// A feed from a pipe whose form is told.
    pub fn read_as(
        name: &str,
        reader: impl Read + Send + 'static,
        form: &FormArgs,
    ) -> Result<Self, FeedError> {
        let name = name.to_owned();
        Self::new(
            name.clone(),
            name,
            Stored::Stream(Box::new(reader)),
            None,
            form,
        )
    }

    fn download(url: &str, form: &FormArgs) -> Result<Self, FeedError> {
        let remote = remote::get(url).map_err(|reason| FeedError::Refused {
            name: remote::without_secrets(url),
            reason,
        })?;
        let stored = Stored::Stream(remote.body);
        Self::new(remote.name, remote.file_name, stored, remote.bytes, form)
    }

    fn new(
        name: String,
        file_name: String,
        stored: Stored,
        total: Option<u64>,
        form: &FormArgs,
    ) -> Result<Self, FeedError> {
        let progress = Progress::of(total);
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::InvalidData => FeedError::Refused {
                name: name.clone(),
                reason: source.to_string(),
            },
            _ => FeedError::Open {
                name: name.clone(),
                source,
            },
        };
        let failed = |source| failed(source).shortened();
        let opened = unpack(stored, form.entry.as_deref(), &progress).map_err(failed)?;
        let Opened {
            content,
            entries,
            foreign,
        } = opened;
        if let Some((form, cure)) = foreign {
            return Err(FeedError::UnknownForm { name, form, cure });
        }
        let notes = Notes::default();
        let (content, peeked) = match content {
            Unpacked::Workbook(file, kind) => (Content::Workbook(file, kind), Vec::new()),
            Unpacked::Text(text) => {
                let is_file = total.is_some();
                let (text, peeked) = decoded(text, form, is_file, &notes).map_err(failed)?;
                (Content::Text(text), peeked)
            }
        };
        Ok(Self {
            name,
            file_names: entries.into_iter().rev().chain([file_name]).collect(),
            content,
            peeked,
            progress,
            notes,
            form: form.clone(),
            path: None,
        })
    }

    /// Opens the feed a second time, from its beginning; none where that is not possible.
    pub(super) fn again(&self) -> Option<Self> {
        Self::open_as(self.path.as_deref()?, &self.form).ok()
    }

    /// Opens other sheets of the same workbook by their names; none where it cannot be opened a second time.
    pub(super) fn sheets(&self) -> impl Fn(Option<&str>) -> Option<Self> + use<> {
        let (path, form) = (self.path.clone(), self.form.clone());
        move |sheet| {
            let form = FormArgs {
                sheet: sheet.map(str::to_owned),
                ..form.clone()
            };
            Self::open_as(path.as_deref()?, &form).ok()
        }
    }

    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// What was found out about the feed; more is added while it is read.
    pub fn notes(&self) -> Notes {
        self.notes.clone()
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn form(&self) -> &FormArgs {
        &self.form
    }

    pub(super) fn file_names(&self) -> &[String] {
        &self.file_names
    }

    /// The beginning of the text: its first line at least, unless that is very long. Nothing for a
    /// spreadsheet.
    pub(super) fn peeked(&self) -> &[u8] {
        &self.peeked
    }

    pub(super) fn is_workbook(&self) -> bool {
        matches!(self.content, Content::Workbook(..))
    }

    pub(super) fn into_content(self) -> Content {
        self.content
    }

    /// The text; nothing for a spreadsheet.
    pub(super) fn into_reader(self) -> Box<dyn BufRead + Send> {
        match self.content {
            Content::Text(text) => text,
            Content::Workbook(..) => Box::new(io::empty()),
        }
    }
}

/// Makes UTF-8 of a text, and looks at its beginning.
fn decoded(
    mut text: Bytes,
    form: &FormArgs,
    is_file: bool,
    notes: &Notes,
) -> io::Result<(Box<dyn BufRead + Send>, Vec<u8>)> {
    let mut beginning = Beginning::default();
    let mut first = peek(&mut text, |first| !is_file && beginning.is_enough(first))?;
    if form.encoding.is_none() && is_utf32(&first) {
        let reason = "a text in UTF-32, which is not read: save it as UTF-8";
        return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
    }
    let guess = encoding::find(&first, form.encoding, form.charset)
        .map_err(|reason| io::Error::new(io::ErrorKind::InvalidData, reason))?;
    notes.set_encoding(guess.encoding.unwrap_or(Encoding::UTF_8));
    first.drain(..guess.mark);
    let mut text = put_back(first, text);
    match guess.encoding {
        Some(encoding) if encoding.is_utf8() => {}
        Some(encoding) => text = Box::new(Decoded::new(text, encoding)),
        None => text = Box::new(Guessed::new(text, notes)),
    }
    let mut beginning = Beginning::default();
    let peeked = peek(&mut text, |first| !is_file && beginning.is_enough(first))?;
    let whole = put_back(peeked.clone(), text);
    Ok((
        Box::new(BufReader::with_capacity(BUFFER_BYTES, whole)),
        peeked,
    ))
}

/// Whether a text has four bytes for a character, by its mark or its first two characters.
fn is_utf32(first: &[u8]) -> bool {
    matches!(
        first,
        [0xff, 0xfe, 0, 0, ..]
            | [0, 0, 0xfe, 0xff, ..]
            | [1..=0x7f, 0, 0, 0, 1..=0x7f, 0, 0, 0, ..]
            | [0, 0, 0, 1..=0x7f, 0, 0, 0, 1..=0x7f, ..]
    )
}
