//! Certificates: what is refused, and what a reload does (F-40).

use super::*;
use crate::http::listener::ListenerLimits;
use crate::http::listener::tests::{SHORT, SOON, Server, generous, read_to_end};
use crate::model::secret::Secret;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A folder with a certificate and its key, which can be replaced.
struct Files {
    folder: tempfile::TempDir,
    roots: RootCertStore,
}

impl Files {
    fn new() -> Self {
        let mut files = Self { folder: tempfile::tempdir().unwrap(), roots: RootCertStore::empty() };
        files.renew();
        files
    }

    /// Writes a new pair; answers the certificate.
    fn renew(&mut self) -> CertificateDer<'static> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(self.certificate(), made.cert.pem()).unwrap();
        std::fs::write(self.key(), made.signing_key.serialize_pem()).unwrap();
        self.roots.add(made.cert.der().clone()).unwrap();
        made.cert.der().clone()
    }

    fn certificate(&self) -> PathBuf {
        self.folder.path().join("server.pem")
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("server.key")
    }

    fn load(&self) -> Result<TlsReloader, TlsError> {
        TlsReloader::load(&self.certificate(), self.key().as_path())
    }

    async fn connect(&self, server: &Server, alpn: &[&str]) -> TlsStream<TcpStream> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let name = ServerName::try_from("localhost").unwrap();
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, server.connect().await);
        timeout(SOON, connecting).await.unwrap().unwrap()
    }
}

fn served(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}

#[tokio::test]
async fn a_request_over_tls_is_answered() {
    let files = Files::new();
    let server = Server::start_with(generous(), Some(files.load().unwrap()), Vec::new()).await;
    let mut stream = files.connect(&server, &["http/1.1"]).await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    assert!(read_to_end(&mut stream).await.ends_with("hello"));
}

// RFC 7301; threat 161 holds under TLS too
#[tokio::test]
async fn alpn_prefers_http_2_and_http_1_stays_strict() {
    let files = Files::new();
    let server = Server::start_with(generous(), Some(files.load().unwrap()), Vec::new()).await;
    let stream = files.connect(&server, &["http/1.1", "h2"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));

    let mut stream = files.connect(&server, &[]).await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\n\r\n").await.unwrap();
    assert!(read_to_end(&mut stream).await.starts_with("HTTP/1.1 400 "));
    assert!(server.visits().is_empty());
}

// F-40
#[tokio::test]
async fn a_reload_serves_the_new_certificate_and_a_bad_file_keeps_the_old() {
    let mut files = Files::new();
    let first = CertificateDer::from_pem_slice(&std::fs::read(files.certificate()).unwrap()).unwrap();
    let reloader = files.load().unwrap();
    let server = Server::start_with(generous(), Some(reloader.clone()), Vec::new()).await;
    let mut old = files.connect(&server, &[]).await;
    assert_eq!(served(&old), first);

    let second = files.renew();
    assert_eq!(served(&files.connect(&server, &[]).await), first, "nothing changes before the reload");
    reloader.reload().unwrap();
    assert_eq!(served(&files.connect(&server, &[]).await), second);

    std::fs::write(files.certificate(), "garbage").unwrap();
    assert!(matches!(reloader.reload(), Err(TlsError::Certificate { .. })));
    assert_eq!(served(&files.connect(&server, &[]).await), second);
    std::fs::remove_file(files.certificate()).unwrap();
    assert!(matches!(reloader.reload(), Err(TlsError::Unreadable { .. })));
    assert_eq!(served(&files.connect(&server, &[]).await), second);

    old.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    assert!(
        read_to_end(&mut old).await.ends_with("hello"),
        "a connection outlives its certificate's replacement"
    );
}

// threat 159
#[tokio::test]
async fn a_handshake_that_stalls_is_closed() {
    let files = Files::new();
    let limits = ListenerLimits { handshake_timeout: SHORT, ..generous() };
    let server = Server::start_with(limits, Some(files.load().unwrap()), Vec::new()).await;
    assert_eq!(read_to_end(&mut server.connect().await).await, "");
    let mut half = server.connect().await;
    half.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap(); // a record that never ends
    read_to_end(&mut half).await;
    files.connect(&server, &[]).await;
}

// threat 159
#[tokio::test]
async fn a_handshake_with_nothing_after_it_is_closed() {
    let files = Files::new();
    let limits = ListenerLimits { header_timeout: SHORT, ..generous() };
    let server = Server::start_with(limits, Some(files.load().unwrap()), Vec::new()).await;
    for alpn in [&["h2"][..], &["http/1.1"]] {
        read_to_end(&mut files.connect(&server, alpn).await).await;
    }
}

#[tokio::test]
async fn clear_text_at_a_tls_listener_reaches_no_handler() {
    let files = Files::new();
    let server = Server::start_with(generous(), Some(files.load().unwrap()), Vec::new()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    read_to_end(&mut stream).await;
    assert!(server.visits().is_empty());
}

#[test]
fn an_error_names_the_file_and_what_is_wrong_with_it() {
    let files = Files::new();
    let certificate = std::fs::read_to_string(files.certificate()).unwrap();
    let key = std::fs::read_to_string(files.key()).unwrap();
    let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let cut = &key[..key.len() / 2];
    let not_a_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let not_a_key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    for (certificate, key, file, wrong) in [
        ("", key.as_str(), "server.pem", "holds no certificate"),
        (key.as_str(), key.as_str(), "server.pem", "holds no certificate"),
        (not_a_certificate, key.as_str(), "server.pem", "cannot be parsed"),
        (certificate.as_str(), "", "server.key", "holds none"),
        (certificate.as_str(), certificate.as_str(), "server.key", "holds none"),
        (certificate.as_str(), cut, "server.key", "no end marker"),
        (certificate.as_str(), not_a_key, "server.key", "PEM private key"),
        (certificate.as_str(), other.as_str(), "server.pem", "is not for the private key"),
    ] {
        std::fs::write(files.certificate(), certificate).unwrap();
        std::fs::write(files.key(), key).unwrap();
        let error = files.load().unwrap_err().to_string();
        assert!(error.contains(file) && error.contains(wrong), "{error}");
        for line in key.lines().filter(|line| line.len() > 10 && !line.contains("--")) {
            assert!(!error.contains(line), "a key in an error");
        }
    }
    std::fs::remove_file(files.key()).unwrap();
    let error = files.load().unwrap_err().to_string();
    assert!(error.contains("server.key") && error.contains("cannot be read"), "{error}");
}

#[test]
fn a_private_key_may_come_as_text() {
    let files = Files::new();
    let text = Secret::new(std::fs::read_to_string(files.key()).unwrap());
    assert!(TlsReloader::load(&files.certificate(), text).is_ok());
    let error = TlsReloader::load(&files.certificate(), Secret::new("garbage")).unwrap_err().to_string();
    assert!(error.starts_with("tls.private_key: ") && !error.contains("garbage"), "{error}");
}
