//! Exports the catalog as it was at one position of the event log: [`Reader`] reads the products, a
//! [`Form`] writes them as JSON Lines, as a table or as a feed for Google Merchant Center.

mod latest;
mod reader;
mod form;
mod lines;
mod table;
mod merchant;
mod fields;

pub use crate::export::fields::{Field, Fields};
pub use crate::export::form::{ExportFormat, Form};
pub use crate::export::latest::latest;
pub use crate::export::merchant::{Adapted, LeftOut, Link};
pub use crate::export::reader::{ExportError, ExportOptions, Reader, Retrying};
pub use crate::export::table::Columns;

#[cfg(test)]
pub(crate) mod tests;
