//! `[listen]` and `[operations]`: where this server listens, and whom it believes about who the client is.

use super::certificate::{self, PrivateKeySource};
use super::reader::{Reader, Section, Site};
use super::secrets::{self, ClearText};
use super::tree::{Node, Typed, shown};
use super::{Listen, Operations, Tls};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

const EXPECTED_ADDRESS: &str = "an IP address and a port, such as \"127.0.0.1:8080\" or \"[::1]:8080\"";

/// Reads `[listen]`.
pub(super) fn listen(reader: &mut Reader<'_>, root: &mut Section<'_>) -> Listen {
    let mut section = reader.section(root, "listen");
    let address = reader.parsed(&mut section, "address", EXPECTED_ADDRESS, |text| text.parse().ok());
    let listen = Listen {
        address: address.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))),
        tls: tls(reader, &mut section),
        trusted_proxies: trusted_proxies(reader, &mut section),
        connections_per_address: reader
            .integer(&mut section, "connections_per_address", 1..=1_000_000)
            .map_or(256, |number| number as usize),
    };
    reader.finish(&section);
    listen
}

/// Reads `[operations]`; its address is not the public one.
pub(super) fn operations(reader: &mut Reader<'_>, root: &mut Section<'_>, listen: &Listen) -> Operations {
    let mut section = reader.section(root, "operations");
    let address = reader.parsed(&mut section, "address", EXPECTED_ADDRESS, |text| text.parse().ok());
    let address = address.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 9090)));
    let meets = |one: SocketAddr, other: SocketAddr| one.ip().is_unspecified() || one.ip() == other.ip();
    let same_port = address.port() != 0 && address.port() == listen.address.port();
    if same_port && (meets(address, listen.address) || meets(listen.address, address)) {
        let site = match section.get("address") {
            Some((_, site)) => site,
            None => root.get("listen").map_or(section.site.clone(), |(_, site)| site),
        };
        let site = Site { place: site.place, key: "operations.address".into() };
        let expected = "a port other than the public listener's";
        reader.refuse(&site, "shared-address", shown(&address.to_string()), expected);
    }
    reader.finish(&section);
    Operations { address }
}

fn tls(reader: &mut Reader<'_>, parent: &mut Section<'_>) -> Option<Tls> {
    let (_, site) = parent.get("tls")?;
    let mut section = reader.section(parent, "tls");
    if !section.is_table() {
        return None;
    }
    let certificate = match reader.text(&mut section, "certificate") {
        Some((named, site)) => pem_file(reader, &named, &site, "CERTIFICATE-----"),
        None => missing(reader, &mut section, "certificate", "`certificate = \"server.pem\"`"),
    };
    let private_key = match section.get("private_key") {
        Some((node, site)) => private_key(reader, node, site),
        None => missing(reader, &mut section, "private_key", "`private_key = { file = \"server.key\" }`"),
    };
    reader.finish(&section);
    let tls = Tls { certificate: certificate?, private_key: private_key? };
    // What the listener would refuse is refused here, so that `check` and a reload say it too.
    match certificate::read(&tls.certificate, &tls.private_key) {
        Ok(_) => Some(tls),
        Err(why) => {
            let expected = "a certificate in PEM and the private key that belongs to it";
            reader.refuse(&site, "invalid-certificate", why.to_string(), expected);
            None
        }
    }
}

fn missing<T>(
    reader: &mut Reader<'_>,
    section: &mut Section<'_>,
    key: &'static str,
    expected: &str,
) -> Option<T> {
    if section.get(key).is_none() {
        let site = Site { place: section.site.place.clone(), key: section.path(key) };
        reader.refuse(&site, "missing-key", format!("no `{key}`"), expected);
    }
    None
}

/// The private key stands in a file of its own, closed to others, which is read again at every reload; or in a variable.
fn private_key(reader: &mut Reader<'_>, node: &Node, site: Site) -> Option<PrivateKeySource> {
    let Typed::Table(table) = &node.typed else {
        let hint = "keep the private key in a file of its own, mode 0600";
        return secrets::secret_of(reader, node, &site, ClearText::Refused(hint)).map(PrivateKeySource::Text);
    };
    let mut section = Section::new(site, Some(table));
    if section.peek("env").is_some() || section.peek("file").is_none() {
        let text = secrets::held_elsewhere(reader, &mut section);
        reader.finish(&section);
        return text.map(PrivateKeySource::Text);
    }
    let file = reader.text(&mut section, "file");
    let allow_readable = reader.boolean(&mut section, "allow_readable").is_some_and(|(allowed, _)| allowed);
    // Known, for whoever misspells it.
    section.get("env");
    reader.finish(&section);
    let (named, site) = file?;
    let path = reader.resolve(&site.place, &named);
    reader.files.insert(path.clone());
    if !secrets::check_mode(reader, &path, &named, &site, allow_readable) {
        return None;
    }
    pem_file(reader, &named, &site, "PRIVATE KEY-----").map(PrivateKeySource::File)
}

/// A file in PEM that holds a `label`; the listener reads it, this only tells a wrong file early.
fn pem_file(reader: &mut Reader<'_>, named: &str, site: &Site, label: &str) -> Option<PathBuf> {
    let path = reader.resolve(&site.place, named);
    reader.files.insert(path.clone());
    match std::fs::read_to_string(&path) {
        Ok(text) if text.contains(label) => Some(path),
        Ok(_) => {
            let expected = format!("a file in PEM with a `-----BEGIN … {label}`");
            reader.refuse(site, "invalid-value", shown(named), expected);
            None
        }
        Err(why) => {
            let found = format!("{}: {}", shown(named), secrets::reason(&why));
            reader.refuse(site, "unreadable-file", found, "a file in PEM");
            None
        }
    }
}

fn trusted_proxies(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Vec<IpNet> {
    let mut networks = Vec::new();
    for (text, site) in reader.texts(section, "trusted_proxies").unwrap_or_default() {
        let network = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        match network {
            Some(network) if network.addr() == network.network() => networks.push(network),
            Some(network) => {
                let expected = format!("the network's own address: \"{}\"", network.trunc());
                reader.refuse(&site, "invalid-value", shown(&text), expected);
            }
            None => {
                let expected = "an address or a network, such as \"10.0.0.0/8\"";
                reader.refuse(&site, "invalid-value", shown(&text), expected).section = Some("RFC 7239 §8");
            }
        }
    }
    networks
}
