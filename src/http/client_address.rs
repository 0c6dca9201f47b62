//! Who the client is: the address that limits and the audit log count on.
//!
//! Decides from the socket's peer and, only when that peer is a trusted proxy, from `Forwarded` (RFC 7239 §4) or
//! `X-Forwarded-For`: the right-most hop that is not itself trusted, for whatever stands left of it the client may
//! have written. Nothing else is read from a proxy's headers: host and scheme come from the configuration.
//! What to do with an address is left to whoever counts.

use axum::http::{HeaderMap, HeaderName, header::FORWARDED};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{IpAddr, SocketAddr};

/// The other end of the socket, be it a client or a proxy. An extension of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PeerAddress(pub IpAddr);

/// The client, as far as the peer can be believed. An extension of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddress(pub IpAddr);

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client behind `peer`, believing the headers only when `peer` is in `trusted_proxies`.
///
/// When both headers came, a proxy wrote one and perhaps passed the client's own other one through, and nothing tells
/// which. So they must agree; if they do not, one that names no more than a proxy yields to the other, and else nobody
/// is believed and the peer counts.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted_proxies: &[IpNet]) -> ClientAddress {
    let peer = peer.to_canonical();
    if !is_trusted(peer, trusted_proxies) {
        return ClientAddress(peer);
    }
    let forwarded = walk(peer, headers, &FORWARDED, forwarded_for, trusted_proxies);
    let x_forwarded_for = walk(peer, headers, &X_FORWARDED_FOR, node, trusted_proxies);
    ClientAddress(match (forwarded, x_forwarded_for) {
        (None, None) => peer,
        (Some(only), None) | (None, Some(only)) => only,
        (Some(one), Some(other)) if one == other => one,
        (Some(one), Some(other)) => {
            match (is_trusted(one, trusted_proxies), is_trusted(other, trusted_proxies)) {
                (true, false) => other,
                (false, true) => one,
                _ => peer,
            }
        }
    })
}

/// What throttles count on: an IPv4 address (/32), or the IPv6 network that one subscriber holds (/64). threat 142
pub fn throttle_key(address: IpAddr) -> IpNet {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpNet::V4(Ipv4Net::from(v4)),
        IpAddr::V6(v6) => {
            Ipv6Net::new(v6, 64).map_or(IpNet::V6(Ipv6Net::from(v6)), |net| IpNet::V6(net.trunc()))
        }
    }
}

/// Whether `address` lies in one of the networks.
pub fn is_trusted(address: IpAddr, trusted_proxies: &[IpNet]) -> bool {
    let address = address.to_canonical();
    trusted_proxies.iter().any(|network| network.contains(&address))
}

/// Goes through the hops of `name` from right to left, up to the first that is not trusted. A hop that names no
/// address ends the walk, and the last good one counts. `None` when the header did not come.
fn walk(
    peer: IpAddr,
    headers: &HeaderMap,
    name: &HeaderName,
    hop: fn(&str) -> Option<IpAddr>,
    trusted_proxies: &[IpNet],
) -> Option<IpAddr> {
    if !headers.contains_key(name) {
        return None;
    }
    let mut last_good = peer;
    let lines: Vec<_> = headers.get_all(name).iter().collect();
    for line in lines.into_iter().rev() {
        let Some(elements) = line.to_str().ok().and_then(|line| split(line, ',')) else {
            return Some(last_good);
        };
        for element in elements.into_iter().rev() {
            let Some(address) = hop(element.trim_matches([' ', '\t'])) else {
                return Some(last_good);
            };
            last_good = address;
            if !is_trusted(address, trusted_proxies) {
                return Some(last_good);
            }
        }
    }
    Some(last_good)
}

/// Splits at separators outside of quoted strings (RFC 9110 §5.6.4); `None` when a quote stays open.
fn split(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut parts, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if character == separator && !quoted => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    (!quoted).then_some(parts)
}

/// The address of one `forwarded-element` (RFC 7239 §4): its `for` parameter, which may stand only once.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut found = None;
    for pair in split(element, ';')? {
        let (name, value) = pair.split_once('=')?;
        if name.trim_matches([' ', '\t']).eq_ignore_ascii_case("for") {
            let address = node(unquote(value.trim_matches([' ', '\t']))?)?;
            if found.replace(address).is_some() {
                return None;
            }
        }
    }
    found
}

/// The inside of a quoted string, or the token itself. No node has an escaped character in it, so one is malformed.
fn unquote(value: &str) -> Option<&str> {
    let inner = match value.strip_prefix('"') {
        Some(opened) => opened.strip_suffix('"')?,
        None => value,
    };
    (!inner.contains(['"', '\\'])).then_some(inner)
}

/// The address of a `node` (RFC 7239 §6), with or without port. `unknown` and obfuscated names are none.
fn node(text: &str) -> Option<IpAddr> {
    let address = if let Some(rest) = text.strip_prefix('[') {
        let (inside, after) = rest.split_once(']')?;
        if !(after.is_empty() || after.strip_prefix(':').is_some_and(is_port)) {
            return None;
        }
        IpAddr::V6(inside.parse().ok()?)
    } else if let Ok(address) = text.parse::<IpAddr>() {
        address
    } else {
        match text.parse::<SocketAddr>() {
            Ok(SocketAddr::V4(with_port)) => IpAddr::V4(*with_port.ip()),
            _ => match text.split_once(':') {
                Some((host, port)) if is_port(port) => IpAddr::V4(host.parse().ok()?),
                _ => return None,
            },
        }
    };
    Some(address.to_canonical())
}

/// A `node-port` (RFC 7239 §6): up to five digits, or an obfuscated one.
fn is_port(port: &str) -> bool {
    match port.strip_prefix('_') {
        Some(hidden) => {
            !hidden.is_empty() && hidden.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        }
        None => (1..=5).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_digit()),
    }
}

#[cfg(test)]
#[path = "client_address_tests.rs"]
mod tests;
