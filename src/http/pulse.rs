//! A connection's signs of life, and when their absence ends it (threat 159).
//!
//! The parts of a connection (socket, parser, requests in work, responses on their way) note here what they see; the
//! task that drives the connection asks for the earliest moment at which something must have happened. Deadlines of a
//! request's body are the request's own (see `visit`); how long a handler may work is left to the router.

use super::listener::ListenerLimits;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::Instant;

/// What a connection did not do in time, or did too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lapse {
    /// It did not finish a request's head (or send a first request at all).
    Head,
    /// It was idle between requests.
    Idle,
    /// It did not take its response.
    Write,
    /// It kept taking back its requests (CVE-2023-44487).
    Resets,
}

impl Lapse {
    /// The metric's label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Idle => "idle",
            Self::Write => "write",
            Self::Resets => "resets",
        }
    }
}

/// A pulse that the parts of one connection share.
pub type SharedPulse = Arc<Pulse>;

/// The signs of life of one connection.
#[derive(Debug)]
pub struct Pulse {
    head: Duration,
    idle: Duration,
    write: Duration,
    resets: u64,
    signs: Mutex<Signs>,
    /// Wakes the driver out of turn.
    pub alarm: Notify,
}

#[derive(Debug)]
struct Signs {
    /// When the connection opened, or the last request ended.
    quiet_since: Instant,
    /// When the first byte came after that.
    head_since: Option<Instant>,
    write_blocked_since: Option<Instant>,
    protocol: Protocol,
    working: usize,
    /// HTTP/2 responses that wait for the client's window, and when one of them last moved.
    offered: usize,
    offered_since: Instant,
    answered: u64,
    taken_back: u64,
    /// The client was answered before it had said everything.
    unheard: bool,
    left_open: Option<TcpStream>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Unknown,
    Http1,
    Http2,
}

impl Pulse {
    /// The pulse of a connection that opens now.
    pub fn new(limits: &ListenerLimits) -> Self {
        let now = Instant::now();
        Self {
            head: limits.header_timeout,
            idle: limits.idle_timeout,
            write: limits.write_timeout,
            resets: limits.http2_resets,
            signs: Mutex::new(Signs {
                quiet_since: now,
                head_since: None,
                write_blocked_since: None,
                protocol: Protocol::Unknown,
                working: 0,
                offered: 0,
                offered_since: now,
                answered: 0,
                taken_back: 0,
                unheard: false,
                left_open: None,
            }),
            alarm: Notify::new(),
        }
    }

    fn signs(&self) -> MutexGuard<'_, Signs> {
        self.signs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The TLS handshake is done: the time for the first request begins.
    pub fn handshake_ended(&self) {
        self.signs().quiet_since = Instant::now();
    }

    /// Bytes came from the client.
    pub fn bytes_came(&self) {
        let mut signs = self.signs();
        if signs.working == 0 && signs.head_since.is_none() {
            signs.head_since = Some(Instant::now());
        }
    }

    /// A request's head is complete; the request is in work for as long as the answer lives.
    pub fn request_began(self: &Arc<Self>, http2: bool) -> InWork {
        let mut signs = self.signs();
        signs.protocol = if http2 { Protocol::Http2 } else { Protocol::Http1 };
        signs.working += 1;
        signs.head_since = None;
        InWork { pulse: self.clone(), offered: false, answered: false }
    }

    /// What the client still sends will not be read.
    pub fn stopped_listening(&self) {
        self.signs().unheard = true;
    }

    /// The client has lapsed and is owed nothing.
    pub fn gave_up(&self) {
        self.signs().unheard = false;
    }

    /// The stream of a connection that is over while its client may still be speaking.
    pub fn left_open(&self) -> Option<TcpStream> {
        self.signs().left_open.take()
    }

    /// Requests in work.
    pub fn working(&self) -> usize {
        self.signs().working
    }

    /// The earliest moment at which this connection is to end if nothing happens before, and why.
    pub fn deadline(&self) -> Option<(Instant, Lapse)> {
        let signs = self.signs();
        if signs.taken_back > self.resets.max(signs.answered) {
            return Some((signs.quiet_since, Lapse::Resets));
        }
        let quiet = (signs.working == 0).then(|| match (signs.protocol, signs.head_since) {
            (Protocol::Unknown, _) => (signs.quiet_since + self.head, Lapse::Head),
            (Protocol::Http1, Some(since)) => (since + self.head, Lapse::Head),
            // bytes of an idle HTTP/2 connection may be acknowledgements, so they begin nothing and keep nothing alive
            (Protocol::Http1, None) | (Protocol::Http2, _) => (signs.quiet_since + self.idle, Lapse::Idle),
        });
        let blocked = signs.write_blocked_since.map(|since| (since + self.write, Lapse::Write));
        let offered = (signs.offered > 0 && signs.protocol == Protocol::Http2)
            .then(|| (signs.offered_since + self.write, Lapse::Write));
        [quiet, blocked, offered].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// How often the driver must ask for the deadline. No sooner deadline can arise and pass in between.
    pub fn interval(&self) -> Duration {
        self.head.min(self.idle).min(self.write)
    }

    fn write(&self, blocked: bool) {
        let mut signs = self.signs();
        match (blocked, signs.write_blocked_since) {
            (true, None) => signs.write_blocked_since = Some(Instant::now()),
            (false, Some(_)) => signs.write_blocked_since = None,
            _ => {}
        }
    }
}

/// One request from its head's end to its response's end.
#[derive(Debug)]
pub struct InWork {
    pulse: SharedPulse,
    offered: bool,
    answered: bool,
}

impl InWork {
    /// A piece of the response is ready, and it is the client's turn to take it.
    pub fn offer(&mut self) {
        let mut signs = self.pulse.signs();
        signs.offered_since = Instant::now();
        if !std::mem::replace(&mut self.offered, true) {
            signs.offered += 1;
        }
    }

    /// The connection asked for the next piece of the response, which is not ready yet.
    pub fn await_handler(&mut self) {
        if std::mem::take(&mut self.offered) {
            self.pulse.signs().offered -= 1;
        }
    }

    /// The handler is done: whatever becomes of its response, the request was not taken back.
    pub fn answer(&mut self) {
        self.answered = true;
        self.offer();
    }
}

impl Drop for InWork {
    fn drop(&mut self) {
        let mut signs = self.pulse.signs();
        signs.working -= 1;
        if self.offered {
            signs.offered -= 1;
        }
        if signs.working == 0 {
            signs.quiet_since = Instant::now();
        }
        if self.answered {
            signs.answered += 1;
        } else {
            signs.taken_back += 1;
            if signs.taken_back > self.pulse.resets.max(signs.answered) {
                self.pulse.alarm.notify_one();
            }
        }
    }
}

/// The TCP stream under a connection: notes when the client does not take what is written.
#[derive(Debug)]
pub struct Socket {
    /// `None` never before it is dropped.
    stream: Option<TcpStream>,
    pulse: SharedPulse,
}

impl Socket {
    /// Wraps `stream`.
    pub fn new(stream: TcpStream, pulse: SharedPulse) -> Self {
        Self { stream: Some(stream), pulse }
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    fn note<T>(&self, outcome: Poll<T>) -> Poll<T> {
        self.pulse.write(outcome.is_pending());
        outcome
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let mut signs = self.pulse.signs();
        if signs.write_blocked_since.is_some() {
            // A client that reads nothing would keep what is unsent in the kernel for minutes more.
            if let Some(stream) = &self.stream {
                let _ = stream.set_zero_linger();
            }
        } else if signs.unheard {
            signs.left_open = self.stream.take();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.get_mut().stream()?.poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = this.stream()?.poll_write(context, bytes);
        this.note(outcome)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = this.stream()?.poll_write_vectored(context, slices);
        this.note(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream()?.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream()?.poll_shutdown(context)
    }
}
