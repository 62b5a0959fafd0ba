//! The currencies that the number cells of a sheet are shown in, by their columns. The readers of workbooks tell
//! values and not how they are shown, so that a price in euros would seem to have no currency.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufReader, Read};

use catalog_events::Currency;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::feed::sheet::format::currency_of;
use crate::feed::source::{Workbook, entries_of};

/// The currencies of each column that has any, counted from 0.
pub(super) type Shown = BTreeMap<usize, Vec<Currency>>;

/// The most columns that a repeated cell is counted for.
const COLUMNS_MAX: usize = 16_384;

/// Looks through a sheet. What is damaged has no currencies: the reader of the workbook says so itself.
pub(super) fn shown(file: &File, kind: Workbook, sheet: &str) -> Shown {
    let found = match kind {
        Workbook::Xlsx => of_xlsx(file, sheet),
        Workbook::Ods => of_ods(file, sheet),
        // Nothing here reads the formats of binary workbooks.
        Workbook::Xlsb | Workbook::Xls => Ok(Shown::new()),
    };
    found.unwrap_or_default()
}

/// What an xlsx says beside its sheets.
#[derive(Default)]
struct Book {
    formats: HashMap<String, Currency>,
    /// The currency of each style of cells.
    styles: Vec<Option<Currency>>,
    /// The relation of the sheet.
    relation: Option<String>,
    /// The files of relations.
    targets: HashMap<String, String>,
}

fn of_xlsx(file: &File, sheet: &str) -> io::Result<Shown> {
    let mut book = Book::default();
    entries_of(file, &mut |name, text| {
        match name {
            "xl/styles.xml" => book.read_styles(text)?,
            "xl/workbook.xml" => book.read_sheets(text, sheet)?,
            "xl/_rels/workbook.xml.rels" => book.read_relations(text)?,
            _ => {}
        }
        Ok(true)
    })?;
    let mut shown = Shown::new();
    let relation = book.relation.as_ref();
    let target = relation.and_then(|relation| book.targets.get(relation));
    let (Some(target), true) = (target, book.styles.iter().any(Option::is_some)) else {
        return Ok(shown);
    };
    let path = match target.strip_prefix('/') {
        Some(path) => path.to_owned(),
        None => format!("xl/{target}"),
    };
    entries_of(file, &mut |name, text| {
        if name == path {
            each_tag(text, |tag, _| {
                if let Some((column, currency)) = book.cell(tag) {
                    add(&mut shown, column, currency);
                }
            })?;
        }
        Ok(name != path)
    })?;
    Ok(shown)
}

impl Book {
    fn read_styles(&mut self, text: impl Read) -> io::Result<()> {
        let mut is_of_cells = false;
        each_tag(text, |tag, is_start| match tag.local_name().as_ref() {
            "numFmt" if is_start => {
                let id = attribute(tag, "numFmtId");
                let code = attribute(tag, "formatCode");
                let currency = code.and_then(|code| currency_of(&code));
                self.formats.extend(id.zip(currency));
            }
            "cellXfs" => is_of_cells = is_start,
            "xf" if is_start && is_of_cells => {
                let id = attribute(tag, "numFmtId");
                let currency = id.and_then(|id| self.formats.get(&id).copied());
                self.styles.push(currency);
            }
            _ => {}
        })
    }

    fn read_sheets(&mut self, text: impl Read, sheet: &str) -> io::Result<()> {
        each_tag(text, |tag, is_start| {
            let is_sheet = is_start && tag.local_name().as_ref() == "sheet";
            if is_sheet && attribute(tag, "name").as_deref() == Some(sheet) {
                self.relation = attribute(tag, "id");
            }
        })
    }

    fn read_relations(&mut self, text: impl Read) -> io::Result<()> {
        each_tag(text, |tag, is_start| {
            if is_start && tag.local_name().as_ref() == "Relationship" {
                let file = attribute(tag, "Id").zip(attribute(tag, "Target"));
                self.targets.extend(file);
            }
        })
    }

    /// The column and the currency of a cell that is a number.
    fn cell(&self, tag: &BytesStart<'_>) -> Option<(usize, Currency)> {
        if tag.local_name().as_ref() != "c" {
            return None;
        }
        let style: usize = attribute(tag, "s")?.parse().ok()?;
        let currency = (*self.styles.get(style)?)?;
        let is_number = attribute(tag, "t").is_none_or(|kind| kind == "n");
        let column = column_of(&attribute(tag, "r")?)?;
        is_number.then_some((column, currency))
    }
}

/// The number of a column, from 0, of `B7`.
fn column_of(place: &str) -> Option<usize> {
    let letters = place.bytes().take_while(u8::is_ascii_uppercase);
    let number = letters.take(3).fold(0, |number, letter| {
        number * 26 + usize::from(letter - b'A') + 1
    });
    number.checked_sub(1)
}

fn of_ods(file: &File, sheet: &str) -> io::Result<Shown> {
    let mut shown = Shown::new();
    entries_of(file, &mut |name, text| {
        if name == "content.xml" {
            let (mut is_inside, mut column) = (false, 0);
            each_tag(text, |tag, is_start| match tag.name().as_ref() {
                "table:table" => {
                    is_inside = is_start && attribute(tag, "name").as_deref() == Some(sheet);
                }
                "table:table-row" => column = 0,
                "table:table-cell" | "table:covered-table-cell" if is_start && is_inside => {
                    let repeats = attribute(tag, "number-columns-repeated");
                    let repeats = repeats.and_then(|count| count.parse().ok()).unwrap_or(1);
                    let end = column + usize::min(repeats, COLUMNS_MAX);
                    let currency = attribute(tag, "currency").and_then(|code| code.parse().ok());
                    if let Some(currency) = currency {
                        (column..end.min(COLUMNS_MAX)).for_each(|column| {
                            add(&mut shown, column, currency);
                        });
                    }
                    column = end;
                }
                _ => {}
            })?;
        }
        Ok(name != "content.xml")
    })?;
    Ok(shown)
}

fn add(shown: &mut Shown, column: usize, currency: Currency) {
    let currencies = shown.entry(column).or_default();
    if !currencies.contains(&currency) {
        currencies.push(currency);
    }
}

/// Hands over each tag that begins an element, and each that ends one, which has no attributes.
fn each_tag(text: impl Read, mut tag: impl FnMut(&BytesStart<'_>, bool)) -> io::Result<()> {
    let mut reader = Reader::from_reader(BufReader::new(text));
    reader.config_mut().expand_empty_elements = true;
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer);
        match event.map_err(|err| io::Error::new(io::ErrorKind::InvalidData, err))? {
            Event::Start(start) => tag(&start, true),
            Event::End(end) => tag(&BytesStart::new(end.name().as_ref().to_owned()), false),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

/// The value of an attribute, whatever prefix its name has.
fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let attributes = tag.attributes().filter_map(Result::ok);
    let mut found = attributes.filter(|one| one.key.local_name().as_ref() == name);
    let value = found.next()?.normalized_value(XmlVersion::Implicit1_0);
    value.ok().map(Cow::into_owned)
}
