//! What must be true of every input, however damaged it is.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{Cursor, Read, Write as _};

use catalog_proto::v1::ImportRow;
use fastrand::Rng;
use prost::Message as _;

use super::super::chain;
use super::case::Case;
use super::peak;
use crate::feed::{FeedError, Mistake, Original, ROW_BYTES_MAX, Row, Source, rows};

/// The most bytes of a row as it is sent: names and numbers take more room than in the feed.
const SENT_BYTES_MAX: usize = 16 * ROW_BYTES_MAX;
/// The most bytes of a message: people read it.
const REASON_BYTES_MAX: usize = 4 << 10;
/// The most memory that the tests may have held. What a spreadsheet repeats takes most.
const MEMORY_BYTES_MAX: u64 = 3 << 30;

/// What was found in inputs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found {
    pub(super) products: u64,
    pub(super) rejected: u64,
    /// Feeds that an error ended.
    pub(super) ended: u64,
    /// Panics of libraries, which are told as errors.
    pub(super) panics: u64,
}

impl Found {
    pub(super) fn add(&mut self, other: &Self) {
        self.products += other.products;
        self.rejected += other.rejected;
        self.ended += other.ended;
        self.panics += other.panics;
    }
}

/// A promise that an input broke.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) promise: String,
    pub(super) what: String,
    pub(super) is_hang: bool,
}

impl Broken {
    pub(super) fn new(promise: &str, what: String) -> Self {
        Self {
            promise: promise.to_owned(),
            what,
            is_hang: false,
        }
    }
}

/// A feed as it was read.
#[derive(Debug, Default)]
struct Reading {
    found: Found,
    /// The line of each row, and a digest of what it says.
    rows: Vec<(u64, u64)>,
    error: Option<String>,
}

/// Reads an input in several ways, and compares.
pub(super) fn check(number: u64, case: &Case) -> Result<Found, Broken> {
    let mut rng = Rng::with_seed(number ^ 0x5eed);
    let keeps = rng.bool();
    let whole = Cursor::new(case.bytes.clone());
    let opened = Source::read_as("feed", whole, &case.form);
    let reading = read(case, opened, keeps)?;
    let pieces = Pieces::new(case.bytes.clone(), &mut rng);
    let opened = Source::read_as("feed", pieces, &case.form);
    same(
        "reads the same in pieces of any size",
        &reading,
        &read(case, opened, keeps)?,
    )?;
    if rng.u8(..8) == 0 {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&case.bytes).unwrap();
        let opened = Source::open_as(file.path(), &case.form);
        let of_file = read(case, opened, keeps)?;
        // What a look through the whole file settles may differ, and one that is damaged has no rows.
        let lines = |reading: &Reading| reading.rows.iter().map(|it| it.0).collect::<Vec<_>>();
        if of_file.error.is_none() && lines(&of_file) != lines(&reading) {
            let what = format!("{:?} and {:?}", lines(&of_file), lines(&reading));
            return Err(Broken::new("has the same rows as a file", what));
        }
    }
    if let Some(peak) = peak::bytes().filter(|peak| *peak > MEMORY_BYTES_MAX) {
        return Err(Broken::new("holds little memory", format!("{peak} bytes")));
    }
    Ok(reading.found)
}

/// Where an error ends both, it may do so earlier in one: what an unpacker has read before it finds out depends
/// on the pieces.
fn same(promise: &str, one: &Reading, other: &Reading) -> Result<(), Broken> {
    let mut pairs = one.rows.iter().zip(&other.rows);
    let place = pairs.position(|(one, other)| one != other);
    let is_same = match (&one.error, &other.error) {
        (None, None) => one.rows.len() == other.rows.len(),
        (one, other) => one.is_some() && other.is_some(),
    };
    if is_same && place.is_none() {
        return Ok(());
    }
    let shown = |reading: &Reading| {
        let row = place.and_then(|place| reading.rows.get(place).copied());
        format!("{} rows {row:?} {:?}", reading.rows.len(), reading.error)
    };
    let what = format!("row {place:?}: {} and {}", shown(one), shown(other));
    Err(Broken::new(promise, what))
}

/// Reads a feed to its end.
fn read(case: &Case, source: Result<Source, FeedError>, keeps: bool) -> Result<Reading, Broken> {
    let mut reading = Reading::default();
    let format = case.form.format;
    let mut mapping = case.mapping.clone();
    if keeps {
        mapping = mapping.keeping_originals();
    }
    let is_sheet = source.as_ref().is_ok_and(Source::is_workbook);
    let opened = source.and_then(|source| rows(source, format, mapping));
    let rows = match opened {
        Ok(rows) => rows,
        Err(err) => {
            reading.end(&err)?;
            return Ok(reading);
        }
    };
    let mut items = 0;
    for row in rows {
        items += 1;
        if reading.error.is_some() {
            return Err(Broken::new("ends with an error", format!("{row:?}")));
        }
        match row {
            Ok(row) => reading.row(&row, is_sheet)?,
            Err(err) => reading.end(&err)?,
        }
    }
    let found = &reading.found;
    if found.products + found.rejected + found.ended != items {
        let what = format!("{items} rows, {found:?}");
        return Err(Broken::new("counts every row", what));
    }
    Ok(reading)
}

impl Reading {
    fn row(&mut self, row: &Row, is_sheet: bool) -> Result<(), Broken> {
        let before = self.rows.last().map_or(0, |(line, _)| *line);
        // The rows of a damaged spreadsheet say themselves where they are.
        if row.line == 0 || (row.line < before && !is_sheet) {
            let what = format!("line {} after {before}", row.line);
            return Err(Broken::new("tells lines in order", what));
        }
        match &row.parsed {
            Ok(import) => {
                self.found.products += 1;
                import.iter().try_for_each(product)?;
            }
            Err(mistake) => {
                self.found.rejected += 1;
                message(&mistake.reason)?;
            }
        }
        for warning in &row.warnings {
            message(&warning.reason)?;
        }
        let original = match &row.original {
            Some(Original::Cells(cells)) => cells.iter().map(String::len).sum(),
            Some(Original::Object(text) | Original::Text(text)) => text.len(),
            None => 0,
        };
        if original > SENT_BYTES_MAX {
            let what = format!("an original of {original} bytes");
            return Err(Broken::new("has rows of a bounded size", what));
        }
        self.rows.push((row.line, digest(row)));
        Ok(())
    }

    fn end(&mut self, err: &FeedError) -> Result<(), Broken> {
        let text = chain(err);
        message(&text)?;
        self.found.ended += 1;
        self.error = Some(text);
        Ok(())
    }
}

fn product(row: &ImportRow) -> Result<(), Broken> {
    let bytes = row.encoded_len();
    if bytes > SENT_BYTES_MAX {
        let what = format!("a row of {bytes} bytes");
        return Err(Broken::new("has rows of a bounded size", what));
    }
    let id = row.product.as_ref().map_or("", |product| &product.id);
    match id.parse::<catalog_events::ProductId>() {
        Ok(_) => Ok(()),
        Err(err) => Err(Broken::new("has products with ids", err.to_string())),
    }
}

fn message(text: &str) -> Result<(), Broken> {
    if text.is_empty() || text.len() > REASON_BYTES_MAX {
        let start: String = text.chars().take(80).collect();
        let what = format!("{} bytes: {start}", text.len());
        return Err(Broken::new("says in short what is wrong", what));
    }
    Ok(())
}

fn digest(row: &Row) -> u64 {
    let mut hasher = DefaultHasher::new();
    match &row.parsed {
        Ok(import) => {
            let import = import.as_ref().map(ImportRow::encode_to_vec);
            import.hash(&mut hasher);
        }
        Err(Mistake { id, field, reason }) => (id, field, reason).hash(&mut hasher),
    }
    format!("{:?} {:?} {:?}", row.warnings, row.columns, row.original).hash(&mut hasher);
    hasher.finish()
}

/// A reader that gives few bytes at a time.
struct Pieces {
    feed: Cursor<Vec<u8>>,
    sizes: Vec<usize>,
    next: usize,
}

impl Pieces {
    fn new(bytes: Vec<u8>, rng: &mut Rng) -> Self {
        let max = [1, 2, 16, 300, 70_000][rng.usize(..5)];
        // A long feed would take long in single bytes.
        let max = max.max(bytes.len() / 4096);
        Self {
            feed: Cursor::new(bytes),
            sizes: (0..7).map(|_| rng.usize(1..=max)).collect(),
            next: 0,
        }
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.next = (self.next + 1) % self.sizes.len();
        let size = self.sizes[self.next].min(buffer.len());
        self.feed.read(&mut buffer[..size])
    }
}
