//! The other sheets of a workbook, one of which may have the products.

use std::io::{BufReader, Read, Seek};

use calamine::{Ods, Reader, SheetType, SheetVisible, Xls, Xlsb, Xlsx};

use crate::feed::source::{Content, Source, Workbook};

/// How many sheets are looked at, and listed in an error.
const SHEETS_MAX: usize = 12;

/// The first sheets that a person sees; none where the workbook cannot be read.
pub(super) fn names_in(source: Source) -> Vec<String> {
    let Content::Workbook(file, kind) = source.into_content() else {
        return Vec::new();
    };
    let file = BufReader::new(file);
    match kind {
        Workbook::Xlsx => Xlsx::new(file).map(|book| visible(&book)).ok(),
        Workbook::Xlsb => Xlsb::new(file).map(|book| visible(&book)).ok(),
        Workbook::Xls => Xls::new(file).map(|book| visible(&book)).ok(),
        Workbook::Ods => Ods::new(file).map(|book| visible(&book)).ok(),
    }
    .unwrap_or_default()
}

fn visible<R: Read + Seek>(book: &impl Reader<R>) -> Vec<String> {
    let sheets = book.sheets_metadata().iter().filter(|sheet| {
        sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible
    });
    let names = sheets.map(|sheet| sheet.name.clone());
    names.take(SHEETS_MAX).collect()
}
