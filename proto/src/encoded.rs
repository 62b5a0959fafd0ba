//! The read API for services that pass products on as they came: [`CatalogService`] with a [`Product`] that stays
//! encoded. On the wire it is the API of [`v1`](crate::v1).
//!
//! [`CatalogService`]: catalog_service_server::CatalogService

mod product;
mod view;
mod read;

#[allow(
    clippy::all,
    clippy::pedantic,
    unreachable_pub,
    reason = "the code is generated"
)]
mod generated {
    include!("generated/catalog.v1.encoded.rs");
}

pub use self::generated::{
    BatchGetProductsResponse, ListProductsResponse, SearchProductsResponse,
    SimilarProductsResponse, catalog_service_client, catalog_service_server,
};
pub use self::product::Product;
pub use self::read::Malformed;
pub use self::view::{AttributeView, ProductView};
