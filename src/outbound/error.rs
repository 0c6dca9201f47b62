//! Why a request of this server's own came to nothing. Outside one text is told for all of them (threat 91); the reason is the
//! operator's, in the log.

use std::time::Duration;

/// What whoever caused the request may be told.
pub const TOLD: &str = "the document could not be fetched";

/// Why a request came to nothing; its text is the operator's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// A name that is of this machine or its network.
    #[error("{0} is a name of private networks; outbound.allow_private may name it")]
    PrivateName(String),
    /// A port below 1024 that is not 443.
    #[error("port {0} is not asked; outbound.allow_private may name host and port")]
    Port(u16),
    /// An address that is not public, among whatever others the name has.
    #[error("{0} is not a public address; outbound.allow_private may name host and port")]
    PrivateAddress(std::net::IpAddr),
    /// Too many requests at once, in all or to one host.
    #[error("too many requests are under way")]
    Busy,
    /// No address for the name, or none in time.
    #[error("the name was not resolved: {0}")]
    NotResolved(String),
    /// Nobody listens, or nobody answers in time.
    #[error("no connection: {0}")]
    NotConnected(String),
    /// The other end is not who was dialled.
    #[error("the connection leads to {0}, which was not dialled")]
    OtherPeer(std::net::SocketAddr),
    /// No certificate is trusted at all.
    #[error("no certificates are trusted: the system has none, and outbound.trusted_certificates names none")]
    NoTrust,
    /// The handshake failed, for instance over the certificate.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// The answer is not HTTP, or breaks off.
    #[error("the exchange failed: {0}")]
    Exchange(String),
    /// All of it took too long.
    #[error("no whole answer within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    /// Another status than 200; redirects are not followed (threat 89).
    #[error("the status is {0}, not 200")]
    Status(u16),
    /// A media type that was not asked for, several of them, or none.
    #[error("the media type is {0}")]
    MediaType(String),
    /// A content coding, though none was asked for.
    #[error("the content is encoded")]
    Encoded,
    /// More than the caller wants.
    #[error("the document is longer than {0} bytes")]
    TooLarge(usize),
}

/// What follows from an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Its name among the metrics, of a bounded set.
    pub outcome: &'static str,
    /// Whether to ask again later is of use.
    pub retry: Retry,
}

/// Whether to ask again later is of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// It may go better then.
    Later,
    /// Not under this configuration.
    Never,
}

impl OutboundError {
    /// What follows from it.
    pub fn verdict(&self) -> Verdict {
        let (outcome, retry) = match self {
            Self::PrivateName(_) | Self::Port(_) => ("forbidden", Retry::Never),
            // A name may lead elsewhere tomorrow.
            Self::PrivateAddress(_) => ("forbidden", Retry::Later),
            Self::Busy => ("busy", Retry::Later),
            Self::NotResolved(_) => ("not_resolved", Retry::Later),
            Self::NotConnected(_) | Self::OtherPeer(_) => ("not_connected", Retry::Later),
            Self::NoTrust | Self::Tls(_) => ("tls", Retry::Later),
            Self::Exchange(_) => ("broken", Retry::Later),
            Self::TimedOut(_) => ("timed_out", Retry::Later),
            Self::Status(_) => ("status", Retry::Later),
            Self::MediaType(_) | Self::Encoded => ("media_type", Retry::Later),
            Self::TooLarge(_) => ("too_large", Retry::Later),
        };
        Verdict { outcome, retry }
    }

    /// What whoever caused the request may be told: the same for all.
    pub fn told(&self) -> &'static str {
        TOLD
    }
}
