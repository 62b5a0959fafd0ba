//! Ports that a service keeps over a restart.

use anyhow::bail;

/// The ports on which the services listen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    pub(super) command: u16,
    pub(super) query: u16,
    pub(super) http: u16,
    pub(super) replica: u16,
}

impl Ports {
    pub(super) fn free() -> anyhow::Result<Self> {
        Ok(Self {
            command: free_port()?,
            query: free_port()?,
            http: free_port()?,
            replica: free_port()?,
        })
    }
}

/// A free port below the range that the system uses for outgoing connections, so that it stays free
/// while its service is down.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    for _ in 0..100 {
        let port = fastrand::u16(15_000..32_000);
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("found no free port between 15000 and 32000")
}
