//! What the sheets of an old workbook come to (MS-XLS): its reader makes a table of all cells between the
//! outermost ones, and a copy of a text for every cell that shows it.

use crate::feed::sheet::size::Size;

/// The most records that belong to one because it is too long.
const CONTINUED_MAX: usize = 20_000;
/// The most records of all sheets, some of which may be the same.
const RECORDS_MAX: u64 = 50_000_000;
const ROWS_MAX: u64 = 65_536;
const COLUMNS_MAX: u16 = 256;

/// A record with those that continue it.
struct Record<'w> {
    kind: u16,
    parts: Vec<&'w [u8]>,
}

struct Records<'w>(&'w [u8]);

impl<'w> Records<'w> {
    fn part(&mut self) -> Option<(u16, &'w [u8])> {
        let (head, rest) = self.0.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_le_bytes([head[2], head[3]]));
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((u16::from_le_bytes([head[0], head[1]]), content))
    }
}

impl<'w> Iterator for Records<'w> {
    type Item = Record<'w>;

    /// The next record; none at the end, and where the workbook is cut off.
    fn next(&mut self) -> Option<Record<'w>> {
        const CONTINUE: [u8; 2] = [0x3c, 0];
        let (kind, first) = self.part()?;
        let mut parts = vec![first];
        while self.0.starts_with(&CONTINUE)
            && let Some((_, part)) = self.part()
        {
            parts.push(part);
        }
        Some(Record { kind, parts })
    }
}

/// Measures the sheets of a workbook. The error says what is damaged.
pub(super) fn measure(workbook: &[u8]) -> Result<Size, &'static str> {
    let (mut sheets, mut texts) = (Vec::new(), Vec::new());
    for record in Records(workbook) {
        if record.parts.len() > CONTINUED_MAX {
            return Err("a record is continued too often");
        }
        match record.kind {
            // Its reader refuses what has a password.
            0x002f if record.number(0).is_some_and(|(kind, _)| kind > 0) => {
                return Ok(Size::default());
            }
            0x0085 => sheets.extend(
                record
                    .number(0)
                    .map(|(low, high)| usize::from(low) | usize::from(high) << 16),
            ),
            0x00fc => texts = lengths(&record.parts).ok_or("its texts are cut off")?,
            0x000a => break,
            _ => {}
        }
    }
    let (mut size, mut records) = (Size::default(), 0);
    for start in sheets {
        let sheet = workbook.get(start..).ok_or("a sheet is behind its end")?;
        add_sheet(sheet, &texts, &mut size, &mut records)?;
        if records > RECORDS_MAX {
            return Err("it has too many records");
        }
    }
    Ok(size)
}

fn add_sheet(
    sheet: &[u8],
    texts: &[u64],
    size: &mut Size,
    records: &mut u64,
) -> Result<(), &'static str> {
    let (mut rows, mut columns) = (Span::default(), Span::default());
    // The charts in a sheet have records of their own.
    let mut depth = 0_u32;
    for record in Records(sheet) {
        *records += 1;
        match record.kind {
            0x0809 => depth += 1,
            0x000a if depth <= 1 => break,
            0x000a => depth -= 1,
            _ => {}
        }
        if depth > 1 {
            continue;
        }
        // Number, Label, RString, BoolErr, Rk, LabelSst, MulRk, Formula.
        let is_cell = matches!(
            record.kind,
            0x0203 | 0x0204 | 0x00d6 | 0x0205 | 0x027e | 0x00fd | 0x00bd | 0x0006
        );
        if is_cell && let Some((row, column)) = record.number(0) {
            rows.add(row);
            columns.add(column);
            if record.kind == 0x00bd {
                let more = record.parts[0].len() / 6;
                columns.add(column.saturating_add(u16::try_from(more).unwrap_or(u16::MAX)));
            }
        }
        match record.kind {
            0x00fd => {
                let text = record.number(6);
                let text = text.map(|(low, high)| usize::from(low) | usize::from(high) << 16);
                let bytes = text.and_then(|text| texts.get(text));
                size.bytes = size
                    .bytes
                    .saturating_add(bytes.copied().unwrap_or_default());
            }
            0x0200 => check_dimensions(record.parts[0])?,
            _ => {}
        }
    }
    size.cells += rows.length() * columns.length();
    Ok(())
}

/// The reader makes room for as many cells as the sheet says that it has.
fn check_dimensions(content: &[u8]) -> Result<(), &'static str> {
    let half = |at: usize| {
        let found = content.get(at..).and_then(<[u8]>::first_chunk);
        found.map_or(0, |it| u16::from_le_bytes(*it))
    };
    let whole = |at: usize| u64::from(half(at)) | u64::from(half(at + 2)) << 16;
    let (rows, columns) = match content.len() {
        10 => (half(0).into()..half(2).into(), half(4)..half(6)),
        _ => (whole(0)..whole(4), half(8)..half(10)),
    };
    let of_rows = rows.end.checked_sub(rows.start);
    let of_columns = match columns.start {
        0..COLUMNS_MAX => columns.end.checked_sub(columns.start),
        _ => Some(columns.end),
    };
    let cells = of_rows.zip(of_columns);
    let cells = cells.and_then(|(rows, columns)| rows.checked_mul(columns.into()));
    if cells.is_some_and(|cells| cells <= ROWS_MAX * u64::from(COLUMNS_MAX)) {
        Ok(())
    } else {
        Err("it says that it has more cells than a sheet has")
    }
}

impl Record<'_> {
    /// Two halves of a number: for a cell, its row and its column.
    fn number(&self, at: usize) -> Option<(u16, u16)> {
        let [a, b, c, d] = *self.parts.first()?.get(at..)?.first_chunk()?;
        Some((u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])))
    }
}

/// The least and the greatest of numbers.
#[derive(Default)]
struct Span(Option<(u16, u16)>);

impl Span {
    fn add(&mut self, number: u16) {
        let (least, greatest) = self.0.unwrap_or((number, number));
        self.0 = Some((least.min(number), greatest.max(number)));
    }

    fn length(&self) -> u64 {
        self.0
            .map_or(0, |(least, greatest)| u64::from(greatest - least) + 1)
    }
}

/// The bytes that the shared texts have at most as UTF-8.
fn lengths(parts: &[&[u8]]) -> Option<Vec<u64>> {
    let (first, more) = parts.split_first()?;
    let mut texts = Texts {
        rest: first.get(8..)?,
        more: more.iter(),
    };
    let mut lengths = Vec::new();
    while !texts.rest.is_empty() || texts.go_on() {
        if !texts.rest.is_empty() {
            lengths.push(texts.text()?);
        } else {
            lengths.push(0);
        }
    }
    Some(lengths)
}

struct Texts<'w> {
    rest: &'w [u8],
    more: std::slice::Iter<'w, &'w [u8]>,
}

impl<'w> Texts<'w> {
    fn go_on(&mut self) -> bool {
        match self.more.next() {
            Some(part) => {
                self.rest = part;
                true
            }
            None => false,
        }
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*taken)
    }

    /// Goes past a text, its formats and what else belongs to it.
    fn text(&mut self) -> Option<u64> {
        let [low, high, flags] = self.take()?;
        let letters = usize::from(u16::from_le_bytes([low, high]));
        let formats = if flags & 8 > 0 {
            u16::from_le_bytes(self.take()?)
        } else {
            0
        };
        let others = if flags & 4 > 0 {
            u32::from_le_bytes(self.take()?)
        } else {
            0
        };
        let (mut left, mut width) = (letters, usize::from(flags & 1) + 1);
        loop {
            let here = left.min(self.rest.len() / width);
            self.rest = &self.rest[here * width..];
            left -= here;
            if left == 0 {
                break;
            }
            if !self.go_on() {
                return None;
            }
            let [flags] = self.take()?;
            width = usize::from(flags & 1) + 1;
        }
        self.skip(usize::from(formats) * 4)?;
        self.skip(others as usize)?;
        Some(letters as u64 * 3)
    }

    fn skip(&mut self, mut bytes: usize) -> Option<()> {
        while bytes > 0 {
            if self.rest.is_empty() && !self.go_on() {
                return None;
            }
            let here = bytes.min(self.rest.len());
            self.rest = &self.rest[here..];
            bytes -= here;
        }
        Some(())
    }
}
