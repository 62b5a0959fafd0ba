//! The forms that suppliers, shops and spreadsheets send.

mod xml;
mod packed;
mod encodings;
mod currencies;
mod json;
mod remote;
mod single;
pub(super) mod sheet;

use std::io::{Cursor, Read, Write as _};

use clap::Parser;
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

use super::{chain, mapping, show_rows};
use crate::feed::form::FormArgs;
use crate::feed::source::Source;

#[derive(clap::Parser)]
struct Args {
    #[command(flatten)]
    form: FormArgs,
}

pub(super) fn form(options: &str) -> FormArgs {
    Args::parse_from(std::iter::once("test").chain(options.split_whitespace())).form
}

/// Reads a feed with options of its form, and others of its columns; the notes come last.
pub(super) fn told(form_options: &str, options: &str, feed: impl Read + Send + 'static) -> String {
    let form = form(form_options);
    let source = Source::read_as("feed", feed, &form);
    let source = match source {
        Ok(source) => source,
        Err(err) => return chain(&err),
    };
    let notes = source.notes();
    let mut text = show_rows(crate::feed::rows(source, form.format, mapping(options)));
    for note in notes.take() {
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&format!("note: {note}\n"));
    }
    text
}

fn check(form_options: &str, options: &str, feed: impl AsRef<[u8]>, expected: expect_test::Expect) {
    let feed = Cursor::new(feed.as_ref().to_vec());
    expected.assert_eq(&told(form_options, options, feed));
}

/// A table of texts, the header before its rows.
#[derive(Clone, Copy)]
pub(super) struct Table<'t>(pub(super) &'t [&'t [&'t str]]);

impl Table<'_> {
    /// The table with quoted cells.
    fn separated(self, separator: &str) -> String {
        let quoted = |cell: &&str| format!("\"{}\"", cell.replace('"', "\"\""));
        let line = |cells: &&[&str]| {
            let cells: Vec<String> = cells.iter().map(quoted).collect();
            cells.join(separator) + "\n"
        };
        self.0.iter().map(line).collect()
    }

    fn spreadsheet(self) -> Vec<u8> {
        let rows = (1..).zip(self.0);
        let rows = rows.map(|(number, cells)| sheet::row(number, cells));
        sheet::xlsx(&rows.collect::<String>(), "")
    }
}

/// Reads a table as a CSV with either separator, as one of tabs and as a spreadsheet: all are the same.
pub(super) fn check_table(options: &str, table: Table<'_>, expected: expect_test::Expect) {
    let read = |feed: Vec<u8>| told("", options, Cursor::new(feed));
    let first = read(table.separated(",").into_bytes());
    for separator in [";", "\t"] {
        assert_eq!(read(table.separated(separator).into_bytes()), first);
    }
    assert_eq!(read(table.spreadsheet()), first, "as a spreadsheet");
    expected.assert_eq(&first);
}

fn zipped(entries: &[(&str, &str)]) -> Vec<u8> {
    let entries = entries.iter().map(|(name, text)| (*name, text.as_bytes()));
    archive(&entries.collect::<Vec<_>>())
}

/// A zip archive of deflated entries, as a program would write it.
pub(super) fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, text) in entries {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        let packed = encoder.finish().unwrap();
        let mut crc = Crc::new();
        crc.update(text);
        let mut common = vec![20, 0, 0, 0, 8, 0, 0, 0, 0, 0];
        for number in [crc.sum(), packed.len() as u32, text.len() as u32] {
            common.extend(number.to_le_bytes());
        }
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        let offset = file.len() as u32;
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
        file.extend(b"PK\x03\x04");
        file.extend(&common);
        file.extend(name.as_bytes());
        file.extend(packed);
    }
    let (count, start) = (entries.len() as u16, file.len() as u32);
    file.extend(&directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend(count.to_le_bytes());
    file.extend(count.to_le_bytes());
    file.extend((directory.len() as u32).to_le_bytes());
    file.extend(start.to_le_bytes());
    file.extend([0, 0]);
    file
}
