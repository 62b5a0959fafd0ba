//! The limits on a spreadsheet, checked before it is opened: its readers hold parts of it in memory,
//! and what a file says of its own size may be a lie.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use crate::feed::sheet::size::{Size, too_large};
use crate::feed::sheet::{biff, compound, opendocument};
use crate::feed::source::{Workbook, entries_of};

const FILE_BYTES_MAX: u64 = 256 << 20;
/// The most bytes of an old spreadsheet, which is read as a whole.
const XLS_BYTES_MAX: u64 = 64 << 20;
/// The most bytes that are packed in a spreadsheet.
const UNPACKED_BYTES_MAX: u64 = 512 << 20;
/// The most bytes that are packed in an OpenDocument, whose tables are read as a whole.
const ODS_BYTES_MAX: u64 = 128 << 20;

/// Refuses a spreadsheet that is too large. The error says what to do.
pub(super) fn check(file: &File, kind: Workbook) -> Result<(), String> {
    let told =
        |err: io::Error| format!("the spreadsheet cannot be read: {err}; save it anew, or as CSV");
    let mut file = file.try_clone().map_err(told)?;
    let bytes = file.seek(SeekFrom::End(0)).map_err(told)?;
    let max = if kind == Workbook::Xls {
        XLS_BYTES_MAX
    } else {
        FILE_BYTES_MAX
    };
    if bytes > max {
        return Err(too_large(max));
    }
    file.seek(SeekFrom::Start(0)).map_err(told)?;
    if kind == Workbook::Xls {
        check_old(&mut file).map_err(told)??;
    } else {
        check_entries(&file, kind).map_err(told)??;
    }
    file.seek(SeekFrom::Start(0)).map_err(told)?;
    Ok(())
}

/// Looks through an old spreadsheet, which is in memory as a whole.
fn check_old(file: &mut File) -> io::Result<Result<(), String>> {
    let mut bytes = Vec::new();
    file.take(XLS_BYTES_MAX).read_to_end(&mut bytes)?;
    let size = compound::workbook(&bytes).and_then(|workbook| biff::measure(&workbook));
    match size {
        Ok(size) => Ok(size.check()),
        Err(reason) => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("it is damaged: {reason}"),
        )),
    }
}

fn check_entries(file: &File, kind: Workbook) -> io::Result<Result<(), String>> {
    let max = if kind == Workbook::Ods {
        ODS_BYTES_MAX
    } else {
        UNPACKED_BYTES_MAX
    };
    let mut left = max;
    let mut tables = Size::default();
    entries_of(file, &mut |name, text| {
        let mut limited = text.take(left + 1);
        let is_xml = name == "content.xml" || name == "META-INF/manifest.xml";
        if kind == Workbook::Ods && is_xml {
            let size = opendocument::measure(&mut limited)?;
            tables.cells += size.cells;
            tables.bytes += size.bytes;
        }
        io::copy(&mut limited, &mut io::sink())?;
        left = limited.limit().saturating_sub(1);
        Ok(left > 0)
    })?;
    Ok(if left == 0 {
        Err(too_large(max))
    } else {
        tables.check()
    })
}
