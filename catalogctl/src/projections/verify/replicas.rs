//! The replicas behind the addresses that were named: a name may stand for several, as that of a service that was
//! scaled does.

use std::net::SocketAddr;

use anyhow::Context as _;
use client_kit::Target;

/// A target for each replica. With TLS a name stays a name, which the certificate is compared with.
pub(super) async fn addresses(named: &[Target]) -> anyhow::Result<Vec<Target>> {
    let mut replicas = Vec::new();
    for target in named {
        let (scheme, host) = match target.address().split_once("://") {
            Some((scheme, host)) => (Some(scheme), host),
            None => (None, target.address()),
        };
        if scheme == Some("https") || host.parse::<SocketAddr>().is_ok() {
            replicas.push(target.clone());
            continue;
        }
        let found = tokio::net::lookup_host(host.trim_end_matches('/')).await;
        let found = found.with_context(|| format!("cannot look up {host} (--query-grpc)"))?;
        for address in of_one_family(found.collect()) {
            replicas.push(target.at(&address.to_string()));
        }
    }
    Ok(replicas)
}

/// Those of IPv4, or of IPv6 where there are no others: a host that has both is one.
fn of_one_family(found: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let (four, six): (Vec<_>, Vec<_>) = found.into_iter().partition(SocketAddr::is_ipv4);
    let mut chosen = if four.is_empty() { six } else { four };
    chosen.sort_unstable();
    chosen.dedup();
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_host_is_asked_once_and_a_name_with_a_certificate_by_its_name() {
        let named = [
            "localhost:50051",
            "http://127.0.0.1:7",
            "https://query.example:1",
        ];
        let replicas = addresses(&named.map(Target::query)).await.expect("found");
        let told: Vec<&str> = replicas.iter().map(Target::address).collect();
        assert_eq!(
            told,
            [
                "127.0.0.1:50051",
                "http://127.0.0.1:7",
                "https://query.example:1"
            ]
        );
    }

    #[test]
    fn every_address_of_a_name_is_a_replica() {
        let found = ["[fd00::2]:1", "10.0.0.2:1", "10.0.0.1:1", "10.0.0.2:1"];
        let found = found.map(|address| address.parse().expect("an address"));
        let told: Vec<String> = of_one_family(found.to_vec())
            .iter()
            .map(SocketAddr::to_string)
            .collect();
        assert_eq!(told, ["10.0.0.1:1", "10.0.0.2:1"]);
        assert_eq!(of_one_family(found[..1].to_vec()).len(), 1);
    }
}
