//! One connection's life: TLS handshake, HTTP/1.1 or HTTP/2, and its end.
//!
//! HTTP/2 is chosen by ALPN, or in clear text by prior knowledge (RFC 9113 §3.3). The HTTP library's own header timeout
//! is off: it makes no difference between an idle connection and half a head, and does not cover the first bytes, by
//! which HTTP/1 and HTTP/2 are told apart. `pulse` watches all of it.

use super::framing::{Framed, Framing};
use super::listener::{ListenerLimits, refused};
use super::pulse::{Lapse, Pulse, SharedPulse, Socket};
use super::tls::TlsReloader;
use super::visit::Visits;
use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use ipnet::IpNet;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;

/// What the listener is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It accepts, and connections stay open between requests.
    Serving,
    /// Connections end with the requests that run on them.
    Draining,
    /// Connections end now.
    Ended,
}

/// How long a client may take to say goodbye after an idle HTTP/2 connection was told to end (GOAWAY).
const FAREWELL: Duration = Duration::from_secs(1);

/// For how long, and for how many bytes, a client may go on speaking after its answer.
const LINGER: (Duration, usize) = (Duration::from_secs(2), 1024 * 1024);

/// What the connections of one listener share.
#[derive(Debug)]
pub struct Connections {
    router: Router,
    limits: ListenerLimits,
    tls: Option<TlsReloader>,
    trusted_proxies: Arc<[IpNet]>,
    http: Builder<TokioExecutor>,
}

impl Connections {
    /// Connections that `router` answers.
    pub fn new(
        router: Router,
        limits: ListenerLimits,
        tls: Option<TlsReloader>,
        trusted_proxies: Arc<[IpNet]>,
    ) -> Self {
        let header_bytes = limits.header_bytes.max(8 * 1024); // the library takes no less
        let mut http = Builder::new(TokioExecutor::new());
        http.http1()
            .timer(TokioTimer::new())
            .header_read_timeout(None)
            .half_close(false)
            .keep_alive(true)
            .max_buf_size(header_bytes);
        http.http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.http2_streams)
            .max_header_list_size(u32::try_from(header_bytes).unwrap_or(u32::MAX))
            .max_pending_accept_reset_streams(20)
            .max_local_error_reset_streams(128)
            .max_frame_size(16 * 1024)
            .initial_stream_window_size(64 * 1024)
            .initial_connection_window_size(256 * 1024)
            .max_send_buf_size(64 * 1024)
            .keep_alive_interval(limits.write_timeout.max(Duration::from_secs(1)))
            .keep_alive_timeout(limits.header_timeout.max(Duration::from_secs(1)));
        Self { router, limits, tls, trusted_proxies, http }
    }

    /// Runs one connection to its end.
    pub async fn run(&self, stream: TcpStream, peer: IpAddr, mut phase: watch::Receiver<Phase>) {
        let _ = stream.set_nodelay(true);
        let pulse = Arc::new(Pulse::new(&self.limits));
        self.open(Socket::new(stream, pulse.clone()), peer, &pulse, &mut phase).await;
        if let Some(stream) = pulse.left_open() {
            tokio::select! {
                () = hear_out(stream) => {}
                _ = phase_after(&mut phase, Phase::Serving) => {}
            }
        }
    }

    /// Shakes hands, if this is a TLS listener, and serves.
    async fn open(
        &self,
        socket: Socket,
        peer: IpAddr,
        pulse: &SharedPulse,
        phase: &mut watch::Receiver<Phase>,
    ) {
        let framing = Framing::new(2 * self.limits.header_bytes.max(8 * 1024));
        let Some(tls) = &self.tls else {
            let stream = Framed::new(socket, Some(framing), pulse.clone());
            return self.converse(stream, peer, pulse, phase).await;
        };
        let handshake = tokio::select! {
            handshake = tokio::time::timeout(self.limits.handshake_timeout, tls.acceptor().accept(socket)) => handshake,
            _ = phase_after(phase, Phase::Serving) => return,
        };
        match handshake {
            Ok(Ok(stream)) => {
                pulse.handshake_ended();
                let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                let stream = Framed::new(stream, (!http2).then_some(framing), pulse.clone());
                self.converse(stream, peer, pulse, phase).await;
            }
            Ok(Err(error)) => {
                refused("tls_handshake");
                tracing::debug!(%peer, %error, "a TLS handshake failed");
            }
            Err(_) => refused("tls_handshake"),
        }
    }

    /// Serves requests until the client, a lapse or the listener ends it.
    async fn converse<S>(
        &self,
        stream: S,
        peer: IpAddr,
        pulse: &SharedPulse,
        phase: &mut watch::Receiver<Phase>,
    ) where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let visits = Visits {
            router: self.router.clone(),
            peer,
            trusted_proxies: self.trusted_proxies.clone(),
            body_timeout: self.limits.body_timeout,
            pulse: pulse.clone(),
        };
        let mut connection = pin!(self.http.serve_connection(TokioIo::new(stream), visits));
        let mut watching = pin!(watch_over(pulse));
        let mut now = Phase::Serving;
        loop {
            tokio::select! {
                outcome = connection.as_mut() => {
                    if let Err(error) = outcome {
                        if error.downcast_ref().is_some_and(hyper::Error::is_parse) {
                            pulse.stopped_listening();
                        }
                        tracing::debug!(%peer, %error, "a connection ended with an error");
                    }
                    return;
                }
                lapse = watching.as_mut() => {
                    metrics::counter!("portreeve_connections_lapsed_total", "reason" => lapse.name()).increment(1);
                    tracing::debug!(%peer, lapse = lapse.name(), "a connection is closed");
                    if lapse != Lapse::Idle {
                        pulse.gave_up();
                        return;
                    }
                    connection.as_mut().graceful_shutdown();
                    if tokio::time::timeout(FAREWELL, connection.as_mut()).await.is_ok() || pulse.working() == 0 {
                        return;
                    }
                    watching.set(watch_over(pulse)); // a request came in the same moment: it is answered
                }
                later = phase_after(phase, now) => match later {
                    Phase::Ended => return,
                    later => {
                        now = later;
                        connection.as_mut().graceful_shutdown();
                    }
                },
            }
        }
    }
}

/// Lets a client that was answered early finish its sentence, and throws it away: closing a socket with unread bytes
/// resets it, and the answer may be lost with it (RFC 9112 §9.6).
async fn hear_out(mut stream: TcpStream) {
    let hearing = async {
        let _ = stream.shutdown().await;
        let (mut discarded, mut left) = (vec![0; 8 * 1024], LINGER.1);
        while left > 0
            && let Ok(came @ 1..) = stream.read(&mut discarded).await
        {
            left = left.saturating_sub(came);
        }
    };
    let _ = tokio::time::timeout(LINGER.0, hearing).await;
}

/// Waits until the listener is past `now`. A listener that is gone has ended.
async fn phase_after(phase: &mut watch::Receiver<Phase>, now: Phase) -> Phase {
    phase.wait_for(|phase| *phase != now).await.map_or(Phase::Ended, |phase| *phase)
}

/// Waits until the connection has lapsed.
async fn watch_over(pulse: &Pulse) -> Lapse {
    loop {
        let now = Instant::now();
        let mut wake = now + pulse.interval();
        if let Some((at, lapse)) = pulse.deadline() {
            if at <= now {
                return lapse;
            }
            wake = wake.min(at);
        }
        tokio::select! {
            () = tokio::time::sleep_until(wake) => {}
            () = pulse.alarm.notified() => {}
        }
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
