//! Whom to believe who they are: the system's certificates and those of the configuration. The system's are read when they
//! are first needed, so that they delay no start, and anew under each configuration.

use super::error::OutboundError;
use crate::config;
use rustls::client::Resumption;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use tokio::sync::OnceCell;

/// What is trusted, under one configuration.
pub(super) struct Trust {
    certificates: Vec<CertificateDer<'static>>,
    config: OnceCell<Arc<ClientConfig>>,
}

impl Trust {
    pub(super) fn new(settings: &config::Outbound) -> Self {
        let der = settings.trusted_certificates.iter().map(|certificate| certificate.0.clone());
        Self { certificates: der.map(CertificateDer::from).collect(), config: OnceCell::new() }
    }

    /// How handshakes are made.
    pub(super) async fn config(&self) -> Result<Arc<ClientConfig>, OutboundError> {
        let made = self.config.get_or_try_init(async || {
            let certificates = self.certificates.clone();
            let reading = tokio::task::spawn_blocking(move || read(&certificates)).await;
            reading.map_err(|_| OutboundError::NoTrust)?
        });
        made.await.cloned()
    }
}

fn read(certificates: &[CertificateDer<'static>]) -> Result<Arc<ClientConfig>, OutboundError> {
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::warn!(%error, "a certificate of the system's was not read");
    }
    let mut roots = RootCertStore::empty();
    // A system's store may hold relics that no longer parse.
    roots.add_parsable_certificates(system.certs.into_iter().chain(certificates.iter().cloned()));
    if roots.is_empty() {
        return Err(OutboundError::NoTrust);
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|why| OutboundError::Tls(why.to_string()))?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Every connection shows its certificate.
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}
