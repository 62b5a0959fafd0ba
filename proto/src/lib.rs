//! The wire contracts of the catalog: the `.proto` files beside this crate and the code generated
//! from them. Nothing here decides anything; `tests/drift.rs` proves the two agree.

#![warn(missing_docs)]

use std::fmt;

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

pub mod encoded;

/// The `FileDescriptorSet` of all files and what they import, encoded, for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("generated/catalog.v1.bin");

impl fmt::Debug for v1::CreateApiKeyResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("CreateApiKeyResponse");
        shown.field("key", &self.key).finish_non_exhaustive()
    }
}

impl fmt::Debug for v1::RotateApiKeyResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("RotateApiKeyResponse");
        shown.field("key", &self.key).finish_non_exhaustive()
    }
}

impl fmt::Debug for v1::CreateWebhookResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("CreateWebhookResponse");
        shown
            .field("webhook", &self.webhook)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for v1::RotateWebhookSecretResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("RotateWebhookSecretResponse");
        shown
            .field("webhook", &self.webhook)
            .finish_non_exhaustive()
    }
}
