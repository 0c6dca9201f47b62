//! Where an HTTP/1 message begins and ends, judged more strictly than the HTTP library does.
//!
//! Request smuggling lives where two parsers draw that line differently (RFC 9112 §11.2). The library in use already
//! closes after `Content-Length` with `Transfer-Encoding`, but it takes a bare LF for a line's end, and a message
//! without a length for whatever its neighbour meant. [`Framing`] reads the bytes on their way in and refuses what RFC
//! 9112 lets a recipient refuse, so that whatever passes has one reading only. Refusing is done by [`Framed`], which
//! hands the library a NUL in place of the line: it answers 400 and closes.
//!
//! HTTP/2 passes untouched. A chunked body is not followed: after one the connection ends (see `visit`).

use super::pulse::SharedPulse;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The first line of an HTTP/2 connection (RFC 9113 §3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n";

/// No head may hold a NUL, wherever it stands; the empty line makes the library look.
const REFUSAL: &[u8] = b"\0\r\n\r\n";

/// Follows one connection's bytes from message to message.
#[derive(Debug)]
pub struct Framing {
    state: State,
    line: Vec<u8>,
    longest_line: usize,
    head: Head,
    first: bool,
}

#[derive(Debug)]
enum State {
    RequestLine,
    HeaderLines,
    Body { left: u64 },
    Untouched,
    Refused,
}

/// What the head that is being read has said so far.
#[derive(Debug, Default)]
struct Head {
    http_11: bool,
    hosts: u8,
    content_length: Option<u64>,
    transfer_encoding: bool,
}

impl Framing {
    /// At the beginning of a connection. A line of more than `longest_line` bytes is refused.
    pub fn new(longest_line: usize) -> Self {
        Self { state: State::RequestLine, line: Vec::new(), longest_line, head: Head::default(), first: true }
    }

    /// Whether nothing more may be read.
    pub fn is_refused(&self) -> bool {
        matches!(self.state, State::Refused)
    }

    /// Looks at the next `bytes`; answers how many of them may pass. If fewer than all, the connection is refused.
    pub fn admit(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            at += match &mut self.state {
                State::Refused => return at,
                State::Untouched => rest.len(),
                State::Body { left } => {
                    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                    *left -= taken as u64;
                    if *left == 0 {
                        self.state = State::RequestLine;
                    }
                    taken
                }
                State::RequestLine | State::HeaderLines => {
                    let end = rest.iter().position(|byte| *byte == b'\n');
                    let taken = end.map_or(rest.len(), |end| end + 1);
                    self.line.extend_from_slice(&rest[..taken]);
                    if self.line.len() > self.longest_line {
                        self.state = State::Refused;
                        return at;
                    }
                    if end.is_some() {
                        let line = std::mem::take(&mut self.line);
                        self.state = self.next(&line).unwrap_or(State::Refused);
                        self.line = line;
                        self.line.clear();
                        if self.is_refused() {
                            return at;
                        }
                    }
                    taken
                }
            };
        }
        at
    }

    /// Judges one whole line of a head; `None` refuses.
    fn next(&mut self, line: &[u8]) -> Option<State> {
        if std::mem::take(&mut self.first) && line == HTTP2_PREFACE {
            return Some(State::Untouched);
        }
        // RFC 9112 §2.2: a bare LF or CR may be refused
        let line = line.strip_suffix(b"\r\n")?;
        if line.contains(&b'\r') {
            return None;
        }
        match self.state {
            State::RequestLine if line.is_empty() => Some(State::RequestLine), // RFC 9112 §2.2: ignored before a request
            State::RequestLine => {
                self.head = Head { http_11: line.ends_with(b" HTTP/1.1"), ..Head::default() };
                Some(State::HeaderLines)
            }
            _ if line.is_empty() => self.head.end(),
            _ => self.head.field(line).map(|()| State::HeaderLines),
        }
    }
}

impl Head {
    fn field(&mut self, line: &[u8]) -> Option<()> {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        // RFC 9112 §5.1, §5.2: no space before the colon, no folded line
        if name.is_empty() || name.iter().any(|byte| *byte <= b' ') {
            return None;
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            // RFC 9110 §8.6: digits only; RFC 9112 §6.3 lets equal repeats be refused too
            let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
            let length = std::str::from_utf8(value).ok().filter(|_| digits)?.parse().ok()?;
            return self.content_length.replace(length).is_none().then_some(());
        }
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            // RFC 9112 §6.1: no other coding is understood here, and none applies twice
            let again = std::mem::replace(&mut self.transfer_encoding, true);
            return (!again && value.eq_ignore_ascii_case(b"chunked")).then_some(());
        }
        if name.eq_ignore_ascii_case(b"host") {
            self.hosts = self.hosts.saturating_add(1);
        }
        Some(())
    }

    fn end(&self) -> Option<State> {
        // RFC 9112 §3.2: exactly one Host, which HTTP/1.0 alone may leave out
        if self.hosts > 1 || (self.http_11 && self.hosts == 0) {
            return None;
        }
        match (self.transfer_encoding, self.content_length) {
            (true, Some(_)) => None, // RFC 9112 §6.1, threat 161
            (true, None) => self.http_11.then_some(State::Untouched),
            (false, None | Some(0)) => Some(State::RequestLine),
            (false, Some(left)) => Some(State::Body { left }),
        }
    }
}

/// A stream whose incoming bytes go through [`Framing`], and which tells the connection's pulse that bytes came.
#[derive(Debug)]
pub struct Framed<S> {
    stream: S,
    /// `None` where ALPN chose HTTP/2.
    framing: Option<Framing>,
    /// What the library has yet to read of the refusal; then comes the end.
    refusal: &'static [u8],
    pulse: SharedPulse,
}

impl<S> Framed<S> {
    /// Wraps `stream`.
    pub fn new(stream: S, framing: Option<Framing>, pulse: SharedPulse) -> Self {
        Self { stream, framing, refusal: REFUSAL, pulse }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Framed<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let refused = this.framing.as_ref().is_some_and(Framing::is_refused);
        if !refused {
            ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
            let came = buffer.filled().len() - before;
            if came > 0 {
                this.pulse.bytes_came();
            }
            let Some(framing) = &mut this.framing else { return Poll::Ready(Ok(())) };
            let passes = framing.admit(&buffer.filled()[before..]);
            buffer.set_filled(before + passes);
            if passes == came {
                return Poll::Ready(Ok(()));
            }
            this.pulse.stopped_listening();
        }
        let now = this.refusal.len().min(buffer.remaining());
        buffer.put_slice(&this.refusal[..now]);
        this.refusal = &this.refusal[now..];
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Framed<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
#[path = "framing_tests.rs"]
mod tests;
