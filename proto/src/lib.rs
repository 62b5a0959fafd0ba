//! The wire contracts of the catalog: the `.proto` files beside this crate and the code generated
//! from them. Nothing here decides anything; `tests/drift.rs` proves the two agree.

/// Package `catalog.v1`: messages, clients and servers.
#[allow(clippy::all, clippy::pedantic, unreachable_pub)]
pub mod v1 {
    include!("generated/catalog.v1.rs");
}

/// The descriptor set of all files, for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("generated/catalog.v1.bin");
