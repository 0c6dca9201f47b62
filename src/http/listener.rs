//! The door: accepts connections, bounds them, and closes in good order.
//!
//! `axum::serve` sets no timer, so its header timeout does nothing (security.md §0.3); this accept loop has header,
//! body, idle and write timeouts, and caps on connections in all and for each address (threats 159, 160; F-30, F-31).
//! One connection's life is in `connection`, who the client is in `client_address`, certificates in `tls`.

use super::client_address::{is_trusted, throttle_key};
use super::connection::{Connections, Phase};
use super::tls::TlsReloader;
use axum::Router;
use ipnet::IpNet;
use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// How much a listener takes from its clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerLimits {
    /// Open connections in all; beyond it, new ones wait in the system's queue.
    pub connections: usize,
    /// Open connections from one IPv4 address or IPv6 /64; beyond it, new ones are closed at once. Trusted proxies are
    /// not counted.
    pub connections_per_address: usize,
    /// From a TCP connection to the end of its TLS handshake.
    pub handshake_timeout: Duration,
    /// From the first byte of a request (for the first request, from the connection's opening) to its head's end.
    pub header_timeout: Duration,
    /// From a request's head to its body's end.
    pub body_timeout: Duration,
    /// From a response's end to the next request's beginning.
    pub idle_timeout: Duration,
    /// How long a client may take nothing of what is written to it.
    pub write_timeout: Duration,
    /// How long running requests may go on after the shutdown signal.
    pub drain: Duration,
    /// A request's head, in bytes (8 KiB at least).
    pub header_bytes: usize,
    /// HTTP/2 streams at once on one connection.
    pub http2_streams: u32,
    /// Requests that one HTTP/2 connection may take back before it must have let more run to their end (CVE-2023-44487).
    pub http2_resets: u64,
}

impl Default for ListenerLimits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            connections_per_address: 256,
            handshake_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(30),
            drain: Duration::from_secs(10),
            // more than the longest URL (16 KiB), so that the router can answer 414 in the server's own words
            header_bytes: 32 * 1024,
            http2_streams: 128,
            http2_resets: 100,
        }
    }
}

/// A bound socket that serves nothing yet.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    local_address: SocketAddr,
    limits: ListenerLimits,
    tls: Option<TlsReloader>,
    trusted_proxies: Arc<[IpNet]>,
}

impl Listener {
    /// Binds `address` (port 0: any free one). From now on the system queues connections.
    pub async fn bind(
        address: SocketAddr,
        limits: ListenerLimits,
        tls: Option<TlsReloader>,
        trusted_proxies: Vec<IpNet>,
    ) -> io::Result<Self> {
        let socket = TcpListener::bind(address).await?;
        let local_address = socket.local_addr()?;
        Ok(Self { socket, local_address, limits, tls, trusted_proxies: trusted_proxies.into() })
    }

    /// The address that was bound, with its real port.
    pub fn local_address(&self) -> SocketAddr {
        self.local_address
    }

    /// Serves until `shutdown` resolves, then closes the socket, lets running requests finish for at most
    /// `limits.drain`, and returns. No error of a connection, and none of accepting, ends it.
    pub async fn serve(self, router: Router, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let Self { socket, limits, tls, trusted_proxies, .. } = self;
        let most = limits.connections.clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
        let places = Arc::new(Semaphore::new(most));
        let per_address =
            Arc::new(PerAddress { most: limits.connections_per_address, open: Mutex::default() });
        let drain = limits.drain;
        let (phase, _) = watch::channel(Phase::Serving);
        let connections = Arc::new(Connections::new(router, limits, tls, trusted_proxies.clone()));

        let mut shutdown = pin!(shutdown);
        loop {
            let (stream, peer, place) = tokio::select! {
                biased;
                () = &mut shutdown => break,
                accepted = accept(&socket, &places) => accepted,
            };
            let peer = peer.ip().to_canonical();
            let share = if is_trusted(peer, &trusted_proxies) {
                None
            } else {
                match per_address.admit(peer) {
                    Some(share) => Some(share),
                    None => {
                        refused("per_address");
                        continue;
                    }
                }
            };
            let admission = Admission::new(place, share);
            let connections = connections.clone();
            let phase = phase.subscribe();
            tokio::spawn(async move {
                connections.run(stream, peer, phase).await;
                drop(admission);
            });
        }

        drop(socket);
        phase.send_replace(Phase::Draining);
        let everyone = u32::try_from(most).unwrap_or(u32::MAX);
        if tokio::time::timeout(drain, places.acquire_many(everyone)).await.is_err() {
            tracing::warn!(
                open = most - places.available_permits(),
                "connections still open after the drain are cut"
            );
            phase.send_replace(Phase::Ended);
        }
        Ok(())
    }
}

/// The next connection, once there is a place for it. Failures are waited out: the system may be out of descriptors
/// (F-31), and a client may be gone before it is accepted.
async fn accept(
    socket: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    const PAUSES: [u64; 5] = [10, 50, 200, 500, 1_000]; // milliseconds
    let place = loop {
        match places.clone().acquire_owned().await {
            Ok(place) => break place,
            Err(_) => std::future::pending::<()>().await, // never: the semaphore is not closed
        }
    };
    let mut failures = 0;
    loop {
        match socket.accept().await {
            Ok((stream, peer)) => return (stream, peer, place),
            Err(error) if is_the_client_s(&error) => {}
            Err(error) => {
                refused("accept");
                let pause = PAUSES[failures.min(PAUSES.len() - 1)];
                failures += 1;
                tracing::warn!(%error, pause_ms = pause, "a connection cannot be accepted");
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
        }
    }
}

fn is_the_client_s(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}

/// Counts a connection that was turned away.
pub(super) fn refused(reason: &'static str) {
    metrics::counter!("portreeve_connections_refused_total", "reason" => reason).increment(1);
}

/// Open connections by throttle key.
#[derive(Debug)]
struct PerAddress {
    most: usize,
    open: Mutex<HashMap<IpNet, usize>>,
}

impl PerAddress {
    fn admit(self: &Arc<Self>, peer: IpAddr) -> Option<Share> {
        let key = throttle_key(peer);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(key).or_default();
        if *count >= self.most {
            if *count == 0 {
                open.remove(&key);
            }
            return None;
        }
        *count += 1;
        Some(Share { of: self.clone(), key })
    }
}

/// One connection's share of its address's allowance.
struct Share {
    of: Arc<PerAddress>,
    key: IpNet,
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut open = self.of.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.key);
            }
        }
    }
}

/// Holds a connection's places for as long as it is open.
struct Admission {
    _place: OwnedSemaphorePermit,
    _share: Option<Share>,
}

impl Admission {
    fn new(place: OwnedSemaphorePermit, share: Option<Share>) -> Self {
        metrics::gauge!("portreeve_connections_open").increment(1.0);
        Self { _place: place, _share: share }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        metrics::gauge!("portreeve_connections_open").decrement(1.0);
    }
}

#[cfg(test)]
#[path = "listener_tests.rs"]
pub(super) mod tests;
