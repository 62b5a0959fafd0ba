//! The forms that products are written in.

use std::io;

use catalog_proto::v1;

use crate::export::fields::Fields;
use crate::export::lines;
use crate::export::merchant::{self, Adapted, LeftOut, Link};
use crate::export::table::{Columns, Table};
use crate::feed::escaped;

/// The format of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ExportFormat {
    /// One JSON object a line, which `import` reads back
    Jsonl,
    /// A table with a column for each attribute, which `import` reads back
    Csv,
    /// RSS 2.0 for Google Merchant Center
    Google,
}

/// A format with all that it needs to know.
#[derive(Debug)]
pub struct Form(Kind);

#[derive(Debug)]
enum Kind {
    Lines(Fields),
    Table(Table),
    Merchant(Link),
}

impl Form {
    pub fn lines(fields: Fields) -> Self {
        Self(Kind::Lines(fields))
    }

    pub fn table(fields: &Fields, columns: &Columns) -> Self {
        Self(Kind::Table(Table::new(fields, columns)))
    }

    pub fn merchant(link: Link) -> Self {
        Self(Kind::Merchant(link))
    }

    /// Writes what comes before the first product.
    pub fn head(&self, out: &mut Vec<u8>) -> io::Result<()> {
        match &self.0 {
            Kind::Lines(_) => Ok(()),
            Kind::Table(table) => table.head(out),
            Kind::Merchant(link) => {
                merchant::head(link, out);
                Ok(())
            }
        }
    }

    /// Writes a product and tells how it was adapted, or why it is left out.
    pub fn write(
        &self,
        product: &v1::Product,
        out: &mut Vec<u8>,
    ) -> io::Result<Result<Adapted, LeftOut>> {
        match &self.0 {
            Kind::Lines(fields) => lines::write(&escaped(product), fields, out)?,
            Kind::Table(table) => table.write(&escaped(product), out)?,
            Kind::Merchant(link) => return Ok(merchant::write(product, link, out)),
        }
        Ok(Ok(Adapted::default()))
    }

    /// Writes what comes behind the last product.
    pub fn tail(&self, out: &mut Vec<u8>) {
        match &self.0 {
            Kind::Lines(_) | Kind::Table(_) => {}
            Kind::Merchant(_) => merchant::tail(out),
        }
    }
}
