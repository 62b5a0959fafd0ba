//! What the tables of an OpenDocument come to once its repetitions are written out, and whether it is whole:
//! its reader would search for a missing end forever.

use std::io::{self, BufReader, Read};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::feed::sheet::size::Size;

/// The part of a tag that is no value: attributes hold values too.
const TAG_BYTES: usize = 1_000;
/// The most rows and columns that its reader makes of a repetition.
const ROWS_MAX: u64 = 1 << 20;
const COLUMNS_MAX: u64 = 1 << 14;

/// Tables while they are read.
#[derive(Debug, Default)]
struct Tables {
    size: Size,
    row: Row,
    cell: Option<Cell>,
}

/// A row while it is read.
#[derive(Debug, Default)]
struct Row {
    repeats: u64,
    cells: u64,
    bytes: u64,
    /// The empty cells behind the last one with a value.
    empty: u64,
}

/// A cell while it is read.
#[derive(Debug)]
struct Cell {
    repeats: u64,
    bytes: u64,
    has_value: bool,
}

/// Measures the tables of a document. The error says that it is damaged.
pub(super) fn measure(content: impl Read) -> io::Result<Size> {
    let mut reader = Reader::from_reader(BufReader::new(content));
    reader.config_mut().expand_empty_elements = true;
    let (mut tables, mut depth, mut buffer) = (Tables::default(), 0_u64, Vec::new());
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer).map_err(damaged)? {
            Event::Start(tag) => {
                depth += 1;
                tables.start(&tag)?;
            }
            Event::End(tag) => {
                depth = depth.saturating_sub(1);
                tables.end(tag.name().as_ref());
            }
            Event::Text(text) => tables.text(text.len()),
            Event::CData(text) => tables.text(text.len()),
            Event::GeneralRef(entity) => tables.text(entity.len()),
            Event::Eof if depth > 0 => return Err(damaged("it ends inside of an element")),
            Event::Eof => return Ok(tables.size),
            _ => {}
        }
    }
}

impl Tables {
    fn start(&mut self, tag: &BytesStart<'_>) -> io::Result<()> {
        match tag.name().as_ref() {
            "table:table-row" => {
                self.row = Row {
                    repeats: repeats(tag, "table:number-rows-repeated", ROWS_MAX)?,
                    ..Row::default()
                };
            }
            "table:table-cell" | "table:covered-table-cell" => {
                self.cell = Some(Cell {
                    repeats: repeats(tag, "table:number-columns-repeated", COLUMNS_MAX)?,
                    bytes: tag.len().saturating_sub(TAG_BYTES) as u64,
                    has_value: tag.contains("office:") || tag.contains("table:formula"),
                });
            }
            _ => self.text(0),
        }
        Ok(())
    }

    fn text(&mut self, bytes: usize) {
        if let Some(cell) = &mut self.cell {
            cell.bytes += bytes as u64;
            cell.has_value = true;
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "table:table-row" => {
                let Row {
                    repeats,
                    cells,
                    bytes,
                    ..
                } = std::mem::take(&mut self.row);
                let size = &mut self.size;
                size.cells = size.cells.saturating_add(cells.saturating_mul(repeats));
                size.bytes = size.bytes.saturating_add(bytes.saturating_mul(repeats));
            }
            "table:table-cell" | "table:covered-table-cell" => {
                let Some(cell) = self.cell.take() else {
                    return;
                };
                let row = &mut self.row;
                if cell.has_value {
                    row.cells += row.empty + cell.repeats;
                    row.bytes += cell.bytes.saturating_mul(cell.repeats);
                    row.empty = 0;
                } else {
                    row.empty = cell.repeats;
                }
            }
            _ => {}
        }
    }
}

/// How often a row or a cell comes.
fn repeats(tag: &BytesStart<'_>, attribute: &str, max: u64) -> io::Result<u64> {
    let found = tag.try_get_attribute(attribute).map_err(damaged)?;
    let Some(found) = found else {
        return Ok(1);
    };
    let count = found.value.trim().parse::<u64>().map_err(damaged)?;
    Ok(count.min(max))
}

fn damaged(reason: impl std::fmt::Display) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("it is damaged: {reason}"),
    )
}
