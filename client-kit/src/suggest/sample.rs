//! The beginning of a feed, by columns.
//! Invariant: a bounded number of rows and of bytes is kept, however long the feed is.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use tempfile::NamedTempFile;

use crate::feed::{
    FeedError, FormArgs, Kind, Mapping, Original, Preset, Role, Source, Taken, probe, role,
};
use crate::suggest::column::Column;

pub(super) const ROWS_MAX: usize = 1000;
const BYTES_MAX: usize = 16 << 20;
/// How much of a pipe is kept to be read twice.
const PIPE_BYTES_MAX: u64 = 64 << 20;
/// The most of a text that is kept.
const TEXT_CHARS_MAX: usize = 2000;
const PIPE: &str = "standard input";

/// A feed that is looked at more than once.
pub(super) enum Input {
    /// A file or a URL.
    Path(PathBuf),
    /// The beginning of a pipe.
    Pipe(NamedTempFile),
}

/// The columns of the first rows.
pub(super) struct Sample {
    pub(super) columns: Vec<Column>,
    pub(super) rows: usize,
    /// Rows that could not be taken apart.
    pub(super) unreadable: usize,
    /// Whether there are no more rows.
    pub(super) is_all: bool,
    pub(super) kind: Kind,
    pub(super) encoding: Option<&'static str>,
    pub(super) separator: Option<String>,
    /// What the feed says of itself, as options say it.
    pub(super) mapping: Mapping,
    pub(super) notes: Vec<String>,
}

impl Sample {
    /// The preset that knows the columns, where they are those of a known kind of feed.
    pub(super) fn preset(&self) -> Option<Preset> {
        let find = |name: &str| self.columns.iter().find(|column| column.name == name);
        let is_icecat = self
            .columns
            .iter()
            .any(|column| column.name.starts_with("attr_t_"));
        if is_icecat && find("supplier").is_some() {
            return Some(Preset::Icecat);
        }
        let kind = find("@type").filter(|_| self.kind == Kind::Json)?;
        let is_product = |text: &str| text.rsplit('/').next() == Some("Product");
        (kind.share(is_product) > 0.9).then_some(Preset::SchemaOrg)
    }
}

impl Input {
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        if path != Path::new("-") {
            return Ok(Self::Path(path.to_owned()));
        }
        let mut kept = NamedTempFile::new()?;
        io::copy(&mut io::stdin().lock().take(PIPE_BYTES_MAX), &mut kept)?;
        Ok(Self::Pipe(kept))
    }

    /// Opens the feed as a file where it is one, so that its beginning can be seen.
    fn open(&self, form: &FormArgs) -> Result<Source, FeedError> {
        match self {
            Self::Path(path) => Source::open_as(path, form),
            Self::Pipe(kept) => Source::open_as(kept.path(), form),
        }
    }

    /// Opens the feed as an import does.
    pub(super) fn open_as_it_is(&self, form: &FormArgs) -> Result<Source, FeedError> {
        match self {
            Self::Path(path) => Source::open_as(path, form),
            Self::Pipe(kept) => {
                let file = File::open(kept.path()).map_err(|source| FeedError::Open {
                    name: PIPE.to_owned(),
                    source,
                })?;
                Source::read_as(PIPE, file, form)
            }
        }
    }

    /// Whether an import looks through the feed before it reads it.
    pub(super) fn is_file(&self) -> bool {
        match self {
            Self::Path(path) => path.is_file(),
            Self::Pipe(_) => false,
        }
    }
}

/// Reads the beginning of a feed.
pub(super) fn read(input: &Input, form: &FormArgs, mapping: Mapping) -> Result<Sample, FeedError> {
    let source = input.open(form)?;
    let notes = source.notes();
    let opened = probe(source, form.format, mapping)?;
    let mut sample = Sample {
        columns: Vec::new(),
        rows: 0,
        unreadable: 0,
        is_all: false,
        kind: opened.kind,
        encoding: None,
        separator: opened.separator,
        mapping: opened.mapping,
        notes: Vec::new(),
    };
    let mut columns = Columns::default();
    for (name, role) in opened.columns.into_iter().flatten() {
        columns.add(name, role);
    }
    let mut rows = opened.rows;
    let mut bytes = 0;
    while sample.rows < ROWS_MAX && bytes < BYTES_MAX {
        let Some(row) = rows.next() else {
            sample.is_all = true;
            break;
        };
        let row = row?;
        match row.original {
            Some(Original::Cells(cells)) => {
                bytes += cells.iter().map(String::len).sum::<usize>();
                columns.cells(&cells);
            }
            Some(Original::Object(text)) => {
                bytes += text.len();
                let members = serde_json::from_str(&text).unwrap_or_default();
                columns.object("", members, &sample.mapping);
            }
            _ if matches!(row.parsed, Ok(None)) => {}
            _ => sample.unreadable += 1,
        }
        sample.rows += 1;
    }
    sample.columns = columns.columns;
    sample.encoding = notes.encoding();
    sample.notes = notes.take();
    Ok(sample)
}

#[derive(Default)]
struct Columns {
    columns: Vec<Column>,
    places: HashMap<String, usize>,
    taken: Taken,
}

impl Columns {
    fn add(&mut self, name: String, role: Role) -> usize {
        let place = self.columns.len();
        self.places.insert(name.clone(), place);
        self.columns.push(Column::new(name, role));
        place
    }

    fn cells(&mut self, cells: &[String]) {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            fill(column, cell);
        }
    }

    /// The members of an object are columns `prefix.member`.
    fn object(&mut self, prefix: &str, members: Map<String, Value>, mapping: &Mapping) {
        for (name, value) in members {
            let name = if prefix.is_empty() {
                name
            } else {
                format!("{prefix}.{name}")
            };
            let place = match self.places.get(&name) {
                Some(place) => *place,
                None => {
                    // The catalog itself prints attributes so.
                    let role = match name.strip_prefix("attributes.") {
                        Some(own) => Role::Attribute(own.to_owned()),
                        None => role(&name, mapping, &mut self.taken),
                    };
                    self.add(name.clone(), role)
                }
            };
            let Some(column) = self.columns.get_mut(place) else {
                continue;
            };
            match value {
                Value::Object(members) => {
                    column.is_object = true;
                    self.object(&name, members, mapping);
                }
                Value::Array(values) => {
                    column.is_list = true;
                    column.filled += usize::from(!values.is_empty());
                    for value in values {
                        column.has_objects |= value.is_object() || value.is_array();
                        column.texts.extend(text(&value));
                    }
                }
                value => {
                    column.is_typed |= value.is_number() || value.is_boolean();
                    fill(column, &text(&value).unwrap_or_default());
                }
            }
        }
    }
}

fn fill(column: &mut Column, text: &str) {
    let text = text.trim();
    if !text.is_empty() {
        column.filled += 1;
        column
            .texts
            .push(text.chars().take(TEXT_CHARS_MAX).collect());
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Array(_) | Value::Object(_) => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
