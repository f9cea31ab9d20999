//! The client's network: from the connection, or from as much of `x-forwarded-for` as can be trusted.

use super::Headers;
use crate::digest::key::{DigestKey, Domain};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest text that can be an address: 45 characters, brackets, a scope and a port.
const MAX_ADDRESS: usize = 80;

/// The client's address: the peer without trusted hops, else the entry so many places from the right of all
/// `x-forwarded-for` headers in order, and the peer again where there are fewer. None where that is no address.
pub(super) fn client(headers: &Headers<'_>, peer: &[u8], trusted_hops: u32) -> Option<IpAddr> {
    parse(forwarded(headers, trusted_hops).unwrap_or(peer))
}

/// The entry of `x-forwarded-for` that counts in the peer's place, if one does.
pub(super) fn forwarded<'a>(headers: &Headers<'a>, trusted_hops: u32) -> Option<&'a [u8]> {
    let place = usize::try_from(trusted_hops.checked_sub(1)?).ok()?;
    let lists = headers.iter().rev().filter(|(name, _)| name.eq_ignore_ascii_case(b"x-forwarded-for"));
    lists.flat_map(|(_, list)| list.rsplit(|byte| *byte == b',')).nth(place)
}

/// Digest of the network: /24 of IPv4 (IPv4-mapped IPv6 included), /48 of IPv6, which is what one site gets.
pub(super) fn digest(key: &DigestKey, address: IpAddr) -> u64 {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            key.digest(Domain::Network, &[4, a, b, c])
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments().map(u16::to_be_bytes);
            key.digest(Domain::Network, &[&[6][..], &a, &b, &c].concat())
        }
    }
}

/// An address with or without a port: `1.2.3.4`, `1.2.3.4:80`, `::1`, `[::1]`, `[::1]:80`, `fe80::1%eth0`.
fn parse(text: &[u8]) -> Option<IpAddr> {
    let text = text.trim_ascii();
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() <= MAX_ADDRESS)?;
    if let Some(bracketed) = text.strip_prefix('[') {
        let (address, port) = bracketed.split_once(']')?;
        return (port.is_empty() || port.strip_prefix(':').is_some_and(is_port)).then(|| v6(address))?;
    }
    match text.split_once(':') {
        None => text.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        Some((address, port)) if is_port(port) && address.contains('.') => {
            address.parse::<Ipv4Addr>().ok().map(IpAddr::V4)
        }
        Some(_) => v6(text),
    }
}

fn v6(text: &str) -> Option<IpAddr> {
    let address = text.split_once('%').map_or(text, |(address, _scope)| address);
    address.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(peer: &str, forwarded: &[&str], hops: u32) -> Option<String> {
        let headers: Vec<_> = forwarded.iter().map(|list| (&b"x-forwarded-for"[..], list.as_bytes())).collect();
        client(&headers, peer.as_bytes(), hops).map(|address| address.to_string())
    }

    fn network(address: &str) -> u64 {
        parse(address.as_bytes()).map_or(0, |address| digest(&DigestKey::default(), address))
    }

    #[test]
    fn without_trusted_hops_the_peer_is_the_client() {
        assert_eq!(of("10.0.0.1:4000", &["1.1.1.1"], 0).as_deref(), Some("10.0.0.1"));
        assert_eq!(of("[2001:db8::1]:4000", &[], 0).as_deref(), Some("2001:db8::1"));
    }

    #[test]
    fn trusted_hops_count_from_the_right_across_headers() {
        let lists = ["6.6.6.6, 1.1.1.1", "2.2.2.2:80 ,[2001:db8::3]:443"];
        assert_eq!(of("10.0.0.1", &lists, 1).as_deref(), Some("2001:db8::3"));
        assert_eq!(of("10.0.0.1", &lists, 2).as_deref(), Some("2.2.2.2"));
        assert_eq!(of("10.0.0.1", &lists, 3).as_deref(), Some("1.1.1.1"));
        assert_eq!(of("10.0.0.1", &lists, 5).as_deref(), Some("10.0.0.1"));
        assert_eq!(of("10.0.0.1", &lists, u32::MAX).as_deref(), Some("10.0.0.1"));
        assert_eq!(of("10.0.0.1", &[], 1).as_deref(), Some("10.0.0.1"));
        assert_eq!(of("", &["9.9.9.9"], 1).as_deref(), Some("9.9.9.9"));
    }

    #[test]
    fn the_peer_is_asked_for_where_it_counts() {
        let counts =
            |forwarded: &str, hops| super::forwarded(&[(b"x-forwarded-for", forwarded.as_bytes())], hops).is_none();
        assert!(counts("1.1.1.1", 0) && counts("1.1.1.1", 2));
        assert!(!counts("1.1.1.1", 1) && !counts("1.1.1.1, 2.2.2.2", 2));
    }

    #[test]
    fn what_is_no_address_has_no_network() {
        let long = "1".repeat(10_000);
        for garbage in
            ["", "unknown", "1.2.3", "1.2.3.4:99999", "1.2.3.4:", "[::1", "[::1]x", "[::1]:", "/run/envoy", &long]
        {
            assert_eq!(of("10.0.0.1", &[garbage], 1), None, "{garbage}");
        }
        assert_eq!(parse(b"\xff\xfe"), None);
    }

    #[test]
    fn neighbours_share_a_network_and_strangers_do_not() {
        assert_eq!(network("192.0.2.1"), network("192.0.2.254:80"));
        assert_eq!(network("192.0.2.1"), network("[::ffff:192.0.2.9]:80"));
        assert_ne!(network("192.0.2.1"), network("192.0.3.1"));
        assert_eq!(network("2001:db8:7::1"), network("2001:db8:7:ffff::2%eth0"));
        assert_ne!(network("2001:db8:7::1"), network("2001:db8:8::1"));
        assert_ne!(network("::1"), 0);
    }
}
