//! Commands: load and lock, let the domain decide, save product and event in the same transaction,
//! wake the sequencer. A lost race is decided again from the new state. A request that was answered
//! before is answered the same and decides nothing.

mod create_product;
mod put_product;
mod update_product;
mod change_price;
mod delete_product;
mod write_products;
mod import_products;
mod product_history;
mod export_products;
mod search_rules;
mod operators;
mod write_one;
mod group;
mod call;
mod attempt;
mod written;

use attempt::{Attempt, RACES_MAX};
use group::Before;

pub(crate) use attempt::CommandError;
pub(crate) use call::Call;
pub(crate) use export_products::{
    Export, ExportError, ExportFilter, ExportPage, ExportQuery, Listed,
};
pub(crate) use group::GroupSaver;
pub(crate) use import_products::{ImportBatch, ImportOutcome, Preview, RowResult};
pub(crate) use operators::{Place, SecretToken, ShownWebhook};
pub(crate) use product_history::{AsOf, HistoryError};
pub(crate) use search_rules::WrittenRule;
pub(crate) use write_one::Commands;
pub(crate) use write_products::{Stated, WriteOutcome, WriteResult};
pub(crate) use written::Written;
