//! Puts a proxy on every connection between a service and what it depends on.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;

use anyhow::Context as _;

use crate::cluster::ports::free_port;
use crate::cluster::proxy::{LinkFault, Proxy};

/// A connection, named after caller and callee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Link {
    CommandPostgres,
    CommandNats,
    QueryPostgres,
    QueryNats,
    QueryCommand,
    BffCommand,
    BffQuery,
}

impl Link {
    pub const ALL: [Link; 7] = [
        Link::CommandPostgres,
        Link::CommandNats,
        Link::QueryPostgres,
        Link::QueryNats,
        Link::QueryCommand,
        Link::BffCommand,
        Link::BffQuery,
    ];

    /// The environment variable with the address of the callee.
    fn variable(self) -> &'static str {
        match self {
            Link::CommandPostgres => "CATALOG_COMMAND_DATABASE_URL",
            Link::CommandNats => "CATALOG_COMMAND_NATS_URL",
            Link::QueryPostgres => "CATALOG_QUERY_DATABASE_URL",
            Link::QueryNats => "CATALOG_QUERY_NATS_URL",
            Link::QueryCommand => "CATALOG_QUERY_COMMAND_GRPC_TARGET",
            Link::BffCommand => "BFF_COMMAND_GRPC_TARGET",
            Link::BffQuery => "BFF_CATALOG_GRPC_TARGET",
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Link::CommandPostgres => "command→postgres",
            Link::CommandNats => "command→nats",
            Link::QueryPostgres => "query→postgres",
            Link::QueryNats => "query→nats",
            Link::QueryCommand => "query→command",
            Link::BffCommand => "bff→command",
            Link::BffQuery => "bff→query",
        })
    }
}

#[derive(Debug)]
pub(super) struct Links(HashMap<Link, Proxy>);

impl Links {
    /// Starts the proxies and points the services at them.
    pub(super) async fn between(
        environment: &mut [(&'static str, String)],
    ) -> anyhow::Result<Self> {
        let mut proxies = HashMap::new();
        for link in Link::ALL {
            let mut variables = environment.iter_mut();
            let Some((_, url)) = variables.find(|(name, _)| *name == link.variable()) else {
                continue;
            };
            let (before, address, after) = split(url)
                .with_context(|| format!("{} has no address and port", link.variable()))?;
            let proxy = Proxy::start(free_port()?, address).await?;
            *url = format!("{before}127.0.0.1:{}{after}", proxy.port());
            proxies.insert(link, proxy);
        }
        Ok(Self(proxies))
    }

    pub(super) fn set(&self, link: Link, fault: Option<LinkFault>) {
        if let Some(proxy) = self.0.get(&link) {
            proxy.set(fault);
        }
    }
}

/// The parts of a URL before, in and after its `address:port`.
fn split(url: &str) -> Option<(&str, SocketAddr, &str)> {
    let scheme_end = url.find("://")? + 3;
    let end = url[scheme_end..]
        .find('/')
        .map_or(url.len(), |length| scheme_end + length);
    let start = url[scheme_end..end]
        .rfind('@')
        .map_or(scheme_end, |at| scheme_end + at + 1);
    Some((&url[..start], url[start..end].parse().ok()?, &url[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_address_in_every_form_of_url() {
        for (url, before, after) in [
            (
                "postgres://u:p@127.0.0.1:5/db?x=y",
                "postgres://u:p@",
                "/db?x=y",
            ),
            ("nats://token@127.0.0.1:5", "nats://token@", ""),
            ("http://127.0.0.1:5", "http://", ""),
        ] {
            let address = SocketAddr::from(([127, 0, 0, 1], 5));
            assert_eq!(split(url), Some((before, address, after)), "{url}");
        }
        assert_eq!(split("http://localhost"), None);
    }
}
