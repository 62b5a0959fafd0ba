//! Ports that a service keeps over a restart.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use anyhow::bail;

/// The ports that were given away. Nobody may listen on one yet, but it is taken.
static GIVEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);

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
/// while its service is down. No port is given twice.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let given = given.get_or_insert_default();
    for _ in 0..100 {
        let port = fastrand::u16(15_000..32_000);
        if !given.contains(&port) && std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            given.insert(port);
            return Ok(port);
        }
    }
    bail!("found no free port between 15000 and 32000")
}
