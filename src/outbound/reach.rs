//! The way to a host: whether it may be asked, its addresses, each of them checked, and a connection to one of those that
//! were checked (threats 87, 88, 93).

use super::address::is_public;
use super::error::OutboundError;
use super::gates::Gates;
use super::{Authority, Outbound, OutboundUrl};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use rustls::pki_types::ServerName;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Host;

/// A connection whose other end has shown its certificate.
pub(super) type Secured = TlsStream<TcpStream>;

/// How many addresses are tried; all of them are checked.
const MOST_ATTEMPTS: usize = 4;
/// How much sooner than the next an address is tried.
const HEAD_START: Duration = Duration::from_millis(250);

/// Whether a URL may be asked as it stands; what `allowed` names may be, whatever it is.
pub(super) fn check_url(url: &OutboundUrl, allowed: &[Authority]) -> Result<(), OutboundError> {
    let authority = url.authority();
    if allowed.contains(authority) {
        return Ok(());
    }
    match authority.host() {
        Host::Domain(name) if is_private_name(name) => return Err(OutboundError::PrivateName(name.clone())),
        Host::Domain(_) => {}
        Host::Ipv4(address) => check_address((*address).into())?,
        Host::Ipv6(address) => check_address((*address).into())?,
    }
    match authority.port() {
        443 | 1024.. => Ok(()),
        port => Err(OutboundError::Port(port)),
    }
}

fn check_address(address: IpAddr) -> Result<(), OutboundError> {
    if is_public(address) { Ok(()) } else { Err(OutboundError::PrivateAddress(address)) }
}

/// Names of this machine and its network (RFC 6761 §6.3, RFC 6762 §3, RFC 8375): a name without a dot is one, too.
fn is_private_name(name: &str) -> bool {
    const SUFFIXES: [&str; 4] = ["localhost", "local", "internal", "home.arpa"];
    let ends =
        |suffix: &&str| name.strip_suffix(*suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    !name.contains('.') || SUFFIXES.iter().any(ends)
}

impl Outbound {
    /// The addresses of a host, asked for once. One that may not be reached is enough to refuse them all.
    pub(super) async fn resolve(
        &self,
        gates: &Gates,
        authority: &Authority,
    ) -> Result<Vec<IpAddr>, OutboundError> {
        let name = match authority.host() {
            // What stands in the URL was checked there.
            Host::Ipv4(address) => return Ok(vec![(*address).into()]),
            Host::Ipv6(address) => return Ok(vec![(*address).into()]),
            Host::Domain(name) => name.clone(),
        };
        let place = gates.enter_lookup().await?;
        let looking = self.network.resolve(name);
        let looked_up = tokio::spawn(async move {
            let addresses = looking.await;
            drop(place);
            addresses
        });
        let addresses = match timeout(self.limits.connect, looked_up).await {
            Ok(Ok(Ok(addresses))) => addresses,
            Ok(Ok(Err(why))) => return Err(OutboundError::NotResolved(why.to_string())),
            Ok(Err(_)) => return Err(OutboundError::NotResolved("the look-up failed".into())),
            Err(_) => return Err(OutboundError::NotResolved("no answer in time".into())),
        };
        if addresses.is_empty() {
            return Err(OutboundError::NotResolved("no address".into()));
        }
        if !self.settings.allow_private.contains(authority) {
            addresses.iter().try_for_each(|address| check_address(*address))?;
        }
        Ok(addresses)
    }

    /// Connects to one of `addresses`, and makes sure that the other end is who the URL names.
    pub(super) async fn connect(
        &self,
        authority: &Authority,
        addresses: &[IpAddr],
    ) -> Result<Secured, OutboundError> {
        let name = match authority.host() {
            Host::Domain(name) => {
                ServerName::try_from(name.clone()).map_err(|why| OutboundError::Tls(why.to_string()))?
            }
            Host::Ipv4(address) => ServerName::from(IpAddr::from(*address)),
            Host::Ipv6(address) => ServerName::from(IpAddr::from(*address)),
        };
        // The first request reads the system's certificates; it is not held against the host.
        let config = self.trust.config().await?;
        let secured = async {
            let stream = self.connect_to_any(authority.port(), addresses).await?;
            let connecting = TlsConnector::from(config).connect(name, stream).await;
            connecting.map_err(|why| OutboundError::Tls(why.to_string()))
        };
        let late = || OutboundError::NotConnected("no connection in time".into());
        timeout(self.limits.connect, secured).await.unwrap_or_else(|_| Err(late()))
    }

    /// Tries the addresses, each a little later than the one before it or as soon as one failed (RFC 8305 §5).
    async fn connect_to_any(&self, port: u16, addresses: &[IpAddr]) -> Result<TcpStream, OutboundError> {
        let mut last = OutboundError::NotConnected("no address".into());
        let mut to_try = addresses.iter().take(MOST_ATTEMPTS);
        let mut attempts = FuturesUnordered::new();
        loop {
            match to_try.next() {
                Some(address) => attempts.push(self.connect_to(SocketAddr::new(*address, port))),
                None if attempts.is_empty() => return Err(last),
                None => {}
            }
            tokio::select! {
                Some(outcome) = attempts.next() => match outcome {
                    Ok(stream) => return Ok(stream),
                    Err(why) => last = why,
                },
                () = sleep(HEAD_START), if to_try.len() > 0 => {}
            }
        }
    }

    async fn connect_to(&self, address: SocketAddr) -> Result<TcpStream, OutboundError> {
        let connected = self.network.connect(address).await;
        let connection = connected.map_err(|why| OutboundError::NotConnected(why.to_string()))?;
        if connection.peer == address {
            Ok(connection.stream)
        } else {
            Err(OutboundError::OtherPeer(connection.peer))
        }
    }
}
