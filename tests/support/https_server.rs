//! A small HTTPS server on the loopback, as an app's would be (`jwks_uri`, `request_uri`, a back-channel receiver): it has a
//! certificate of an authority of its own, and says which settings let a server under test reach it.

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What is counted of the connections to a server.
#[derive(Default)]
pub struct Connections {
    accepted: AtomicUsize,
    open: AtomicUsize,
    most: AtomicUsize,
}

impl Connections {
    /// How many were accepted, whatever became of them.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// How many were open at once, at most.
    pub fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

/// One open connection, as it is counted.
struct Open(Arc<Connections>);

impl Open {
    fn new(connections: &Arc<Connections>) -> Self {
        connections.accepted.fetch_add(1, Ordering::SeqCst);
        let open = connections.open.fetch_add(1, Ordering::SeqCst) + 1;
        connections.most.fetch_max(open, Ordering::SeqCst);
        Self(connections.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A server that listens until it is dropped.
pub struct HttpsServer {
    /// Where it listens: a free port of 127.0.0.1.
    pub address: SocketAddr,
    /// The certificate of its authority, in PEM: what a client has to trust.
    pub certificate: PathBuf,
    /// The connections it was made.
    pub connections: Arc<Connections>,
    name: String,
    _folder: TempDir,
    task: JoinHandle<()>,
}

impl HttpsServer {
    /// Answers by `router` as `localhost`, over HTTP/1.1 and 2.
    pub async fn start(router: Router) -> Self {
        Self::start_as(&["localhost"], router).await
    }

    /// Answers by `router`, with a certificate for `names` (host names or addresses); the first is the one in [`Self::url`].
    pub async fn start_as(names: &[&str], router: Router) -> Self {
        Self::start_speaking(names, &["h2", "http/1.1"], move |stream| {
            let service = TowerToHyperService::new(router.clone());
            async move {
                let builder = auto::Builder::new(TokioExecutor::new());
                let _ = builder.serve_connection(TokioIo::new(stream), service).await;
            }
        })
        .await
    }

    /// Hands each connection to `speak` after its handshake: for servers that keep to no protocol.
    pub async fn start_speaking<S, F>(names: &[&str], protocols: &[&str], speak: S) -> Self
    where
        S: Fn(TlsStream<TcpStream>) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let folder = tempfile::Builder::new().prefix("portreeve-test-https-").tempdir().expect("a folder");
        let certificate = folder.path().join("authority.pem");
        let (authority, acceptor) = identity(names, protocols);
        std::fs::write(&certificate, authority).expect("the certificate can be written");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let connections = Arc::new(Connections::default());
        let counted = connections.clone();
        let task = tokio::spawn(async move {
            let speak = Arc::new(speak);
            while let Ok((stream, _)) = listener.accept().await {
                let open = Open::new(&counted);
                let (acceptor, speak) = (acceptor.clone(), speak.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        speak(stream).await;
                    }
                    drop(open);
                });
            }
        });
        let name = names.first().expect("a name").to_string();
        Self { address, certificate, connections, name, _folder: folder, task }
    }

    /// Its host and port, as `allow_private` wants them.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.name, self.address.port())
    }

    /// The URL of a path that begins with `/`.
    pub fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.authority())
    }

    /// The section `[outbound]` under which a server may reach this one and trusts it.
    pub fn settings(&self) -> String {
        let certificate = self.certificate.display();
        let authority = self.authority();
        format!("[outbound]\nallow_private = [\"{authority}\"]\ntrusted_certificates = [\"{certificate}\"]\n")
    }
}

impl Drop for HttpsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Writes an authority's certificate, and a certificate of its for `names` with its key, all in PEM.
pub fn write_identity(folder: &std::path::Path, names: &[&str]) -> [PathBuf; 3] {
    let (authority, certificate, key) = made(names);
    let texts = [
        ("authority.pem", authority.pem()),
        ("server.pem", certificate.pem()),
        ("server.key", key.serialize_pem()),
    ];
    texts.map(|(name, text)| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("the file can be written");
        path
    })
}

/// An authority's certificate in PEM, and what accepts connections under a certificate of its for `names`.
fn identity(names: &[&str], protocols: &[&str]) -> (String, TlsAcceptor) {
    let (authority_certificate, certificate, key) = made(names);
    let chain = vec![certificate.der().clone()];
    let private_key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, private_key)
        .expect("a certificate and its key");
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    (authority_certificate.pem(), TlsAcceptor::from(Arc::new(config)))
}

/// An authority's certificate, one of its for `names`, and the key of that.
fn made(names: &[&str]) -> (Certificate, Certificate, KeyPair) {
    let authority_key = KeyPair::generate().expect("a key");
    let mut authority = CertificateParams::new(Vec::new()).expect("parameters");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // A name of its own: a certificate whose issuer has its subject's name counts as self-signed.
    authority.distinguished_name.push(DnType::CommonName, "The tests' authority");
    let authority_certificate = authority.self_signed(&authority_key).expect("a certificate");
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().expect("a key");
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let certificate = CertificateParams::new(names).expect("names").signed_by(&key, &issuer);
    (authority_certificate, certificate.expect("a certificate"), key)
}
