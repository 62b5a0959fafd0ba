//! What bytes go over: TCP, or TLS over it. TLS is rustls with ring, versions 1.2 and 1.3; certificates
//! are read from PEM files, and read again when these change.

mod listener;
mod connection;
mod server_tls;
mod connector;
mod client_tls;
mod identity;
mod pem;
mod reload;
mod error;
#[cfg(test)]
mod tests;

pub(crate) use crate::transport::connector::Connector;

pub use crate::transport::client_tls::ClientTls;
pub use crate::transport::connection::Connection;
pub use crate::transport::error::TlsError;
pub use crate::transport::listener::Listener;
pub use crate::transport::server_tls::{Alpn, ServerTls};
