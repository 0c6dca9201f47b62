//! `[outbound]`: which hosts this server may ask although they are not public, and whose certificates it believes beside the
//! system's. `[front_channel_logout]`: whether people's browsers ask the apps too.

use super::reader::{Reader, Section, Site};
use super::secrets::reason;
use super::tree::shown;
use super::{Outbound, TrustedCertificate};
use crate::protocol::outbound_url::Authority;
use crate::protocol::server_metadata::FrontChannelLogout;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// No file of certificates is longer.
const LONGEST: u64 = 1024 * 1024;

/// Reads `[outbound]`.
pub(super) fn outbound(reader: &mut Reader<'_>, root: &mut Section<'_>) -> Outbound {
    let mut section = reader.section(root, "outbound");
    let outbound = Outbound {
        allow_private: allow_private(reader, &mut section),
        trusted_certificates: trusted_certificates(reader, &mut section),
    };
    reader.finish(&section);
    outbound
}

fn allow_private(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Vec<Authority> {
    let mut allowed = Vec::new();
    for (text, site) in reader.texts(section, "allow_private").unwrap_or_default() {
        match Authority::parse(&text) {
            Some(authority) if allowed.contains(&authority) => {
                reader.refuse(&site, "repeated", shown(&text), "each value once");
            }
            Some(authority) => allowed.push(authority),
            None => {
                let expected =
                    "a host and a port, such as \"localhost:8443\", \"10.0.0.7:443\" or \"[::1]:8443\"";
                reader.refuse(&site, "invalid-value", shown(&text), expected);
            }
        }
    }
    allowed
}

fn trusted_certificates(reader: &mut Reader<'_>, section: &mut Section<'_>) -> Vec<TrustedCertificate> {
    let mut trusted = Vec::new();
    for (named, site) in reader.texts(section, "trusted_certificates").unwrap_or_default() {
        trusted.extend(certificates_of(reader, &named, &site));
    }
    trusted
}

/// The certificates of one file, each of which can be an authority's.
fn certificates_of(reader: &mut Reader<'_>, named: &str, site: &Site) -> Vec<TrustedCertificate> {
    let expected = "a file in PEM that holds certificates";
    let path = reader.resolve(&site.place, named);
    reader.files.insert(path.clone());
    let bytes = std::fs::metadata(&path).and_then(|metadata| {
        let fits = metadata.is_file() && metadata.len() <= LONGEST;
        if fits { std::fs::read(&path) } else { Err(std::io::Error::other("not a file of at most 1 MiB")) }
    });
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(why) => {
            reader.refuse(site, "unreadable-file", format!("{}: {}", shown(named), reason(&why)), expected);
            return Vec::new();
        }
    };
    let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let certificates = parsed.ok().filter(|certificates| !certificates.is_empty()).filter(|certificates| {
        let mut roots = RootCertStore::empty();
        certificates.iter().all(|certificate| roots.add(certificate.clone()).is_ok())
    });
    let Some(certificates) = certificates else {
        reader.refuse(site, "invalid-value", shown(named), expected);
        return Vec::new();
    };
    certificates.into_iter().map(|certificate| TrustedCertificate(certificate.to_vec())).collect()
}

/// Whether `[front_channel_logout]` is there; it has no keys yet.
pub(super) fn front_channel_logout(reader: &mut Reader<'_>, root: &mut Section<'_>) -> FrontChannelLogout {
    let section = reader.section(root, "front_channel_logout");
    reader.finish(&section);
    if section.is_table() { FrontChannelLogout::On } else { FrontChannelLogout::Off }
}
