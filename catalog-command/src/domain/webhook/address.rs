//! Whom the catalog calls. A webhook makes the service call an address that somebody else has chosen:
//! unless it is configured otherwise, that is never one of the network that the service stands in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

const URL_BYTES_MAX: usize = 2_000;
/// Names that stand for hosts of one network by their specification or by custom.
const PRIVATE_SUFFIXES: [&str; 5] = ["localhost", "local", "internal", "lan", "home.arpa"];

/// Which addresses may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// https and public addresses.
    Public,
    /// http too, and every address.
    Private,
}

/// The URL in its normal form, or what is wrong with it and what to do.
pub(super) fn check_url(text: &str, reach: Reach) -> Result<String, String> {
    if text.is_empty() {
        return Err("is empty: state where events are sent".to_owned());
    }
    if text.len() > URL_BYTES_MAX {
        return Err(format!("is longer than {URL_BYTES_MAX} bytes"));
    }
    let url = Url::parse(text)
        .map_err(|err| format!("is no URL such as https://shop.example/events: {err}"))?;
    match (url.scheme(), reach) {
        ("https", _) | ("http", Reach::Private) => {}
        ("http", Reach::Public) => {
            return Err("is not encrypted: state an https URL, or set \
                        CATALOG_COMMAND_WEBHOOK_PRIVATE=true for trials on a network of your own"
                .to_owned());
        }
        (scheme, _) => return Err(format!("has the scheme {scheme:?}: state an https URL")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "has a user or a password: requests are signed, check the signature instead".to_owned(),
        );
    }
    if url.fragment().is_some() {
        return Err("has a fragment (#…), which is never sent: leave it out".to_owned());
    }
    let Some(host) = url.host() else {
        return Err("names no host".to_owned());
    };
    if reach == Reach::Public && !may_be_public(&host) {
        return Err(format!(
            "names {host}, which is no public address: state one that can be reached from the \
             internet, or set CATALOG_COMMAND_WEBHOOK_PRIVATE=true for receivers on your own network"
        ));
    }
    Ok(url.into())
}

/// Whether the host may be called by its name alone. What a name stands for is checked when it is called.
fn may_be_public(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(address) => is_public((*address).into()),
        Host::Ipv6(address) => is_public((*address).into()),
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            let is_private = |suffix: &&str| {
                let before = name.strip_suffix(*suffix);
                before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
            };
            name.contains('.') && !PRIVATE_SUFFIXES.iter().any(is_private)
        }
    }
}

/// Whether it is an address of the internet: none of a private network, of this host, of a link, of a group
/// or of documentation (IANA special-purpose address registries, RFC 6890).
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => is_public_v4(mapped),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = match a {
        0 | 10 | 127 | 224.. => true,
        100 => (64..128).contains(&b),
        169 => b == 254,
        172 => (16..32).contains(&b),
        192 => matches!(
            (b, c),
            (0, 0 | 2) | (31, 196) | (52, 193) | (88, 99) | (168, _) | (175, 48)
        ),
        198 => matches!((b, c), (18 | 19, _) | (51, 100)),
        203 => (b, c) == (0, 113),
        _ => false,
    };
    !special
}

/// Only 2000::/3 is given out. In it, tunnels are left out too, which carry an IPv4 address of anybody's
/// choice.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let given_out = a & 0xe000 == 0x2000;
    let protocols = a == 0x2001 && b < 0x200;
    let documentation = (a == 0x2001 && b == 0xdb8) || (a == 0x3fff && b < 0x1000);
    let six_to_four = a == 0x2002;
    given_out && !protocols && !documentation && !six_to_four
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        for public in [
            "1.1.1.1",
            "93.184.216.34",
            "100.63.255.255",
            "172.32.0.1",
            "192.0.1.1",
            "2606:4700::1111",
            "2001:4860:4860::8888",
        ] {
            assert!(is_public(public.parse().expect("address")), "{public}");
        }
        for private in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "fec0::1",
            "ff02::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
        ] {
            assert!(!is_public(private.parse().expect("address")), "{private}");
        }
    }

    #[test]
    fn a_url_is_https_and_of_a_public_host() {
        for (good, normal) in [
            (
                "https://shop.example/hook?a=b",
                "https://shop.example/hook?a=b",
            ),
            ("HTTPS://Shop.Example", "https://shop.example/"),
            ("https://1.1.1.1:8443/x", "https://1.1.1.1:8443/x"),
        ] {
            assert_eq!(check_url(good, Reach::Public).as_deref(), Ok(normal));
        }
        for bad in [
            "",
            "shop.example/hook",
            "https://",
            "http://shop.example/",
            "ftp://shop.example/",
            "file:///etc/passwd",
            "https://ann:pw@shop.example/",
            "https://ann@shop.example/",
            "https://shop.example/#part",
            "https://localhost/",
            "https://localhost./",
            "https://a.localhost/",
            "https://postgres/",
            "https://metadata.google.internal/",
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://169.254.169.254/latest/meta-data",
        ] {
            assert!(check_url(bad, Reach::Public).is_err(), "{bad}");
        }
        let long = format!("https://shop.example/{}", "x".repeat(2_000));
        assert!(check_url(&long, Reach::Public).is_err());
    }

    #[test]
    fn on_a_network_of_ones_own_more_is_called() {
        for good in ["http://127.0.0.1:9/x", "https://receiver/", "http://[::1]/"] {
            assert!(check_url(good, Reach::Private).is_ok(), "{good}");
        }
        for bad in ["ftp://receiver/", "http://ann@receiver/", "http://"] {
            assert!(check_url(bad, Reach::Private).is_err(), "{bad}");
        }
    }
}
