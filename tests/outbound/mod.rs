//! The one HTTP client against a network that lies and servers that keep to no rule (threats 87–94, F-33). What must not be
//! reached is not even dialled: the network here counts.

mod addresses;
mod answers;
mod bounds;
mod names;
mod trust;

use crate::support::https_server::HttpsServer;
use axum::Router;
use axum::http::header;
use axum::routing::get;
use futures_util::future::BoxFuture;
use portreeve::config;
use portreeve::outbound::{
    Connection, Document, Expected, Limits, Network, Outbound, OutboundError, OutboundUrl, Purpose,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpStream;

/// An address of the public internet, which no test reaches: connections to it are led to a server of the test's.
const PUBLIC: &str = "8.8.8.8";

/// What most tests want: a JSON document of up to 1000 bytes.
const JSON: Expected = Expected { purpose: Purpose::Keys, media_types: &["application/json"], largest: 1000 };

/// Limits that nobody wants to wait for.
fn short() -> Limits {
    Limits {
        connect: Duration::from_millis(1000),
        total: Duration::from_millis(1500),
        waiting: Duration::from_millis(200),
        ..Limits::default()
    }
}

/// A network whose answers a test decides, and which notes what is asked of it.
#[derive(Default)]
struct HostileNetwork {
    /// What names resolve to, one answer after the other; the last one stays.
    answers: Mutex<VecDeque<io::Result<Vec<IpAddr>>>>,
    /// Where connections lead, whatever is dialled; nowhere without it.
    leads_to: Option<SocketAddr>,
    /// Who the other end says it is, when not who was dialled.
    claims: Option<SocketAddr>,
    /// Addresses that never answer.
    dead: Vec<IpAddr>,
    asked: Mutex<Vec<String>>,
    dialled: Mutex<Vec<SocketAddr>>,
}

impl HostileNetwork {
    /// Every name is at `address`, and every connection leads to `server`.
    fn to(server: &HttpsServer) -> Self {
        Self { leads_to: Some(server.address), ..Self::answering(&[&[PUBLIC]]) }
    }

    /// Names resolve to one list after the other.
    fn answering(lists: &[&[&str]]) -> Self {
        let answers = lists.iter().map(|list| Ok(list.iter().map(|text| address(text)).collect())).collect();
        Self { answers: Mutex::new(answers), ..Self::default() }
    }

    fn dialled(&self) -> Vec<SocketAddr> {
        self.dialled.lock().expect("whole").clone()
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("whole").clone()
    }
}

impl Network for HostileNetwork {
    fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        self.asked.lock().expect("whole").push(name);
        let mut answers = self.answers.lock().expect("whole");
        let answer = match answers.front() {
            Some(Ok(list)) => Ok(list.clone()),
            Some(Err(why)) => Err(io::Error::new(why.kind(), why.to_string())),
            None => Err(io::Error::other("nothing was to be asked")),
        };
        if answers.len() > 1 {
            answers.pop_front();
        }
        Box::pin(async { answer })
    }

    fn connect(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Connection>> {
        self.dialled.lock().expect("whole").push(address);
        let (leads_to, peer) = (self.leads_to, self.claims.unwrap_or(address));
        let is_dead = self.dead.contains(&address.ip());
        Box::pin(async move {
            if is_dead {
                std::future::pending::<()>().await;
            }
            let leads_to = leads_to.ok_or_else(|| io::Error::from(io::ErrorKind::ConnectionRefused))?;
            Ok(Connection { stream: TcpStream::connect(leads_to).await?, peer })
        })
    }
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn url(text: &str) -> OutboundUrl {
    OutboundUrl::parse(text).unwrap_or_else(|why| panic!("{text} {why}"))
}

/// Settings that trust a server's authority, and allow nothing private.
fn trusting(server: &HttpsServer) -> config::Outbound {
    let certificate = CertificateDer::from_pem_file(&server.certificate).expect("a certificate");
    let trusted_certificates = vec![config::TrustedCertificate(certificate.to_vec())];
    config::Outbound { trusted_certificates, ..config::Outbound::default() }
}

/// A client whose network leads every name to `server`, which it trusts.
fn leading_to(server: &HttpsServer, limits: Limits) -> (Outbound, Arc<HostileNetwork>) {
    let network = Arc::new(HostileNetwork::to(server));
    (Outbound::on(network.clone(), &trusting(server), limits), network)
}

/// An app that answers `/keys` as it should.
async fn honest() -> HttpsServer {
    let document = || async { ([(header::CONTENT_TYPE, "application/json")], "{\"keys\":[]}") };
    HttpsServer::start_as(&["app.example"], Router::new().route("/keys", get(document))).await
}

/// Asserts that the client is as good as before.
async fn assert_still_fetches(outbound: &Outbound) {
    let document = outbound.get(&url("https://app.example/keys"), JSON).await;
    assert_eq!(document.expect("a document").bytes, "{\"keys\":[]}");
}

/// A URL is asked in vain.
async fn refusal(outbound: &Outbound, text: &str) -> OutboundError {
    match outbound.get(&url(text), JSON).await {
        Ok(Document { bytes, .. }) => panic!("fetched from {text}: {bytes:?}"),
        Err(why) => why,
    }
}
