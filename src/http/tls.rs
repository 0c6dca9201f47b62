//! The server's certificate, replaced while connections run.
//!
//! How it is read and checked against its key is `config::certificate`'s. A reload is all or nothing: on any error the
//! certificate in use stays (F-40). When to reload is left to whoever watches the files.

use crate::config::certificate::{self, PrivateKeySource, TlsError};
use arc_swap::ArcSwap;
use rustls::ServerConfig;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// The certificate in use, shared by the listener (which reads it for each handshake) and the reload (which replaces it).
#[derive(Clone)]
pub struct TlsReloader {
    certificate: PathBuf,
    private_key: PrivateKeySource,
    current: Arc<ArcSwap<ServerConfig>>,
}

impl TlsReloader {
    /// Reads certificate chain and private key and checks that they belong together.
    pub fn load(certificate: &Path, private_key: impl Into<PrivateKeySource>) -> Result<Self, TlsError> {
        let private_key = private_key.into();
        let current = Arc::new(ArcSwap::from_pointee(certificate::read(certificate, &private_key)?));
        Ok(Self { certificate: certificate.to_owned(), private_key, current })
    }

    /// Reads both again. New handshakes get the new certificate; on an error they keep the old one.
    pub fn reload(&self) -> Result<(), TlsError> {
        self.current.store(Arc::new(certificate::read(&self.certificate, &self.private_key)?));
        Ok(())
    }

    /// An acceptor with the certificate that is in use now, for one handshake.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.current.load_full())
    }
}

impl std::fmt::Debug for TlsReloader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("TlsReloader").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;
