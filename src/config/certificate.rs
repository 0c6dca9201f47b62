//! The listener's certificate and its private key: read, and checked against each other, so that `check`, the start and every
//! reload judge them alike. TLS 1.2 and 1.3 with rustls' defaults; `h2` and `http/1.1` by ALPN (RFC 7301).

use crate::model::secret::{Secret, constant_time_eq};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Why a certificate cannot be served. The message is for the operator and holds no key material.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file that cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The certificate file is not what it should be.
    #[error("{}: {found}; expected a PEM file with the server's certificate first, then its intermediates", path.display())]
    Certificate {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        found: String,
    },
    /// The private key is not what it should be.
    #[error("{place}: {found}; expected one PEM private key (PKCS#8, PKCS#1 or SEC1), not encrypted")]
    PrivateKey {
        /// The file, or how else the key came.
        place: String,
        /// What is wrong with it.
        found: String,
    },
    /// Certificate and key do not belong together.
    #[error("{}: the certificate is not for the private key in {private_key}", certificate.display())]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file, or how else it came.
        private_key: String,
    },
    /// The library refuses the protocol versions or the certificate.
    #[error("{}: {source}", path.display())]
    Refused {
        /// The certificate's file.
        path: PathBuf,
        /// What the library said.
        source: rustls::Error,
    },
}

/// Where the private key comes from.
#[derive(Clone, Debug)]
pub enum PrivateKeySource {
    /// A PEM file, read anew at each reload.
    File(PathBuf),
    /// PEM text (from the environment), the same at each reload.
    Text(Secret),
}

impl PartialEq for PrivateKeySource {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(one), Self::File(other)) => one == other,
            (Self::Text(one), Self::Text(other)) => {
                constant_time_eq(one.expose().as_bytes(), other.expose().as_bytes())
            }
            _ => false,
        }
    }
}

impl Eq for PrivateKeySource {}

impl From<&Path> for PrivateKeySource {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl From<Secret> for PrivateKeySource {
    fn from(text: Secret) -> Self {
        Self::Text(text)
    }
}

impl std::fmt::Display for PrivateKeySource {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(formatter, "{}", path.display()),
            Self::Text(_) => formatter.write_str("tls.private_key"),
        }
    }
}

/// Reads certificate chain and private key and checks that they belong together.
pub fn read(certificate: &Path, private_key: &PrivateKeySource) -> Result<ServerConfig, TlsError> {
    let chain = read_chain(certificate)?;
    let key = read_key(private_key)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let refused = |source| TlsError::Refused { path: certificate.to_owned(), source };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(refused)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => TlsError::Mismatch {
                certificate: certificate.to_owned(),
                private_key: private_key.to_string(),
            },
            // the chain was parsed before; what the library calls general here is a key it cannot load
            rustls::Error::General(found) => TlsError::PrivateKey { place: private_key.to_string(), found },
            source => refused(source),
        })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn read_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    std::fs::read(path)
        .map(Zeroizing::new)
        .map_err(|source| TlsError::Unreadable { path: path.to_owned(), source })
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let problem = |found: String| TlsError::Certificate { path: path.to_owned(), found };
    let bytes = read_file(path)?;
    let chain = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| problem(format!("is not PEM ({})", describe(&error))))?;
    match chain.first() {
        None => Err(problem("holds no certificate".into())),
        Some(first) => match rustls::server::ParsedCertificate::try_from(first) {
            Ok(_) => Ok(chain),
            Err(error) => Err(problem(format!("its first certificate cannot be parsed ({error})"))),
        },
    }
}

fn read_key(source: &PrivateKeySource) -> Result<PrivateKeyDer<'static>, TlsError> {
    let parsed = match source {
        PrivateKeySource::File(path) => PrivateKeyDer::from_pem_slice(&read_file(path)?),
        PrivateKeySource::Text(text) => PrivateKeyDer::from_pem_slice(text.expose().as_bytes()),
    };
    parsed.map_err(|error| TlsError::PrivateKey { place: source.to_string(), found: describe(&error) })
}

/// What is wrong with a PEM file, without repeating any of its lines, which may be secret.
fn describe(error: &rustls::pki_types::pem::Error) -> String {
    use rustls::pki_types::pem::Error;
    match error {
        Error::MissingSectionEnd { .. } => "a section has no end marker",
        Error::IllegalSectionStart { .. } => "a section's first line is malformed",
        Error::Base64Decode(_) => "its base64 is malformed",
        Error::NoItemsFound => "holds none",
        _ => "is malformed",
    }
    .to_owned()
}
