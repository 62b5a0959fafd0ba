//! A client of the catalog's HTTP API.
//!
//! ```no_run
//! use catalog_client::{Client, NewProduct, Price, Search};
//!
//! # async fn example() -> Result<(), catalog_client::Error> {
//! let client = Client::new("http://127.0.0.1:8000")?.with_key("ck_…");
//! let lamp = NewProduct::new("Walnut desk lamp", Price::minor(4990, "EUR")).brand("Fjell");
//! let lamp = client.create(&lamp).await?;
//! // The search knows the lamp already: the client carries the token of its write along.
//! let found = client.search(&Search::words("desk lamp")).await?;
//! assert!(found.items.iter().any(|item| item.id == lamp.id));
//! # Ok(()) }
//! ```
//!
//! Reads carry the consistency tokens of this client's own writes, so that they never go back behind
//! them. Every write has an idempotency key, so that it is sent again when its answer was lost, and is
//! done once.

mod products;
mod search;
mod bulk;
mod client;
mod request;
mod tokens;
mod product;
mod error;

pub use crate::bulk::{Export, ImportReport, ImportRow};
pub use crate::client::Client;
pub use crate::error::{Error, FieldError, Problem};
pub use crate::product::{
    Attribute, Batch, NewProduct, Page, Price, Product, ProductChanges, Status,
};
pub use crate::search::{Facet, FacetValue, Found, Search};
