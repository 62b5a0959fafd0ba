//! The wire contracts of the catalog: the `.proto` files beside this crate and the code generated
//! from them. Nothing here decides anything; `tests/drift.rs` proves the two agree.

#![warn(missing_docs)]

/// The package `catalog.v1`: messages, clients and servers. Their documentation is that of the `.proto`
/// files, which must not leave out a message, a field or a value.
#[allow(
    clippy::all,
    clippy::pedantic,
    unreachable_pub,
    reason = "the code is generated"
)]
pub mod v1 {
    include!("generated/catalog.v1.rs");
}

/// The `FileDescriptorSet` of all files and what they import, encoded, for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("generated/catalog.v1.bin");
