//! The one HTTP client: every request that this server makes of its own (`jwks_uri`, `request_uri`, `sector_identifier_uri`,
//! `logo_uri`, logout tokens) goes through here, because clients and strangers say where to (threats 87–94).
//!
//! https only. A name is resolved once, every address of it is checked, and only a checked one is connected to. Redirects are
//! an error, nothing is decompressed, no cookie, proxy or earlier connection plays a part, and size, time and number are
//! bounded. It speaks HTTP/1.1 alone: every https server does, and there is less of it to abuse. Caching, and asking once for
//! many, is left to those who call; so is what a document means.

mod address;
mod error;
mod exchange;
mod gates;
pub mod mail;
mod network;
mod reach;
mod trust;

pub use crate::protocol::outbound_url::{Authority, OutboundUrl, OutboundUrlError};
pub use address::is_public;
pub use error::{OutboundError, Retry, TOLD, Verdict};
pub use hyper::StatusCode;
pub use network::{Connection, Network, SystemNetwork};

use crate::config;
use crate::model::client::{Client, Provenance};
use bytes::Bytes;
use gates::Gates;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use trust::Trust;
use url::form_urlencoded;

/// The client; cheap to clone.
#[derive(Clone)]
pub struct Outbound {
    settings: Arc<config::Outbound>,
    network: Arc<dyn Network>,
    /// What is fetched, which strangers can bring about, and what is told, which they cannot: neither waits for the other.
    fetching: Arc<Gates>,
    telling: Arc<Gates>,
    /// What is fetched for clients that nobody vouches for, of whom there may be any number.
    for_strangers: Arc<Gates>,
    trust: Arc<Trust>,
    limits: Limits,
}

/// What a request is for: a label of the metrics and the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A client's `jwks_uri`.
    Keys,
    /// A request object at a `request_uri` (RFC 9101 §5.2.3).
    RequestObject,
    /// A `sector_identifier_uri` (OpenID Connect Core §8.1).
    SectorIdentifier,
    /// A client's `logo_uri`.
    Logo,
    /// A client's metadata document.
    ClientMetadata,
    /// A logout token (OpenID Connect Back-Channel Logout §2.5).
    BackChannelLogout,
}

/// What a document has to be.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    /// What it is for.
    pub purpose: Purpose,
    /// The media types that will do, in lower case and without parameters.
    pub media_types: &'static [&'static str],
    /// How long it may be, in bytes.
    pub largest: usize,
}

/// A document, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its bytes.
    pub bytes: Bytes,
    /// Its media type: one of those expected.
    pub media_type: &'static str,
    /// For how long it may be kept, when it says so (RFC 9111 §5.2.2).
    pub max_age: Option<Duration>,
}

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long resolving, and connecting with the handshake, may each take.
    pub connect: Duration,
    /// How long all of it may take, waiting included.
    pub total: Duration,
    /// How long a request waits for others to end.
    pub waiting: Duration,
    /// How many requests are under way at once.
    pub requests: usize,
    /// How many of them to one host and port.
    pub requests_per_host: usize,
    /// How many of them to one address, whatever its names.
    pub requests_per_address: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(2),
            total: Duration::from_secs(5),
            waiting: Duration::from_secs(1),
            requests: 32,
            requests_per_host: 4,
            requests_per_address: 16,
        }
    }
}

impl Outbound {
    /// The client under a configuration, on the system's network.
    pub fn new(settings: &config::Outbound) -> Self {
        Self::on(Arc::new(SystemNetwork), settings, Limits::default())
    }

    /// The client on a network of the caller's, with limits of the caller's.
    pub fn on(network: Arc<dyn Network>, settings: &config::Outbound, limits: Limits) -> Self {
        Self {
            trust: Arc::new(Trust::new(settings)),
            settings: Arc::new(settings.clone()),
            fetching: Arc::new(Gates::new(&limits)),
            telling: Arc::new(Gates::new(&limits)),
            for_strangers: Arc::new(Gates::new(&limits)),
            network,
            limits,
        }
    }

    /// The client as it fetches for one that registered itself, or would: whatever there is of those, no other waits for it.
    #[must_use]
    pub fn for_strangers(&self) -> Self {
        Self { fetching: self.for_strangers.clone(), ..self.clone() }
    }

    /// The client as it fetches for `client`.
    #[must_use]
    pub fn on_behalf_of(&self, client: &Client) -> Self {
        match client.provenance {
            Provenance::Configured => self.clone(),
            Provenance::Registered => self.for_strangers(),
        }
    }

    /// The client under another configuration; what is under way still counts.
    pub fn reconfigured(&self, settings: &config::Outbound) -> Self {
        Self { trust: Arc::new(Trust::new(settings)), settings: Arc::new(settings.clone()), ..self.clone() }
    }

    /// Whether a URL is one that may be asked, as far as that can be told without asking: for a registration.
    pub fn may_reach(&self, url: &OutboundUrl) -> Result<(), OutboundError> {
        reach::check_url(url, &self.settings.allow_private)
    }

    /// Fetches a document.
    pub async fn get(&self, url: &OutboundUrl, expected: Expected) -> Result<Document, OutboundError> {
        let accept = expected.media_types.join(", ");
        let request = exchange::get(url, &accept);
        let exchange = async |stream| exchange::fetch(stream, request?, &expected).await;
        let document = self.ask(&self.fetching, url, exchange).await;
        self.tell(expected.purpose, url, &document);
        document
    }

    /// Posts a form. The answer's status is all that is read of it, whatever it is.
    pub async fn post_form(
        &self,
        purpose: Purpose,
        url: &OutboundUrl,
        pairs: &[(&str, &str)],
    ) -> Result<StatusCode, OutboundError> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let request = exchange::post(url, body);
        let exchange = async |stream| exchange::post_status(stream, request?).await;
        let status = self.ask(&self.telling, url, exchange).await;
        self.tell(purpose, url, &status);
        status
    }

    /// Connects, and lets `exchange` have the connection, all within the time there is.
    async fn ask<T>(
        &self,
        gates: &Gates,
        url: &OutboundUrl,
        exchange: impl AsyncFnOnce(reach::Secured) -> Result<T, OutboundError>,
    ) -> Result<T, OutboundError> {
        self.may_reach(url)?;
        let asked = async {
            let _host = gates.enter_host(url.authority()).await?;
            let addresses = self.resolve(gates, url.authority()).await?;
            let _address = gates.enter_address(&addresses).await?;
            exchange(self.connect(url.authority(), &addresses).await?).await
        };
        timeout(self.limits.total, asked).await.unwrap_or(Err(OutboundError::TimedOut(self.limits.total)))
    }

    /// Counts the request, and tells the operator why it came to nothing.
    fn tell<T>(&self, purpose: Purpose, url: &OutboundUrl, outcome: &Result<T, OutboundError>) {
        let label = match outcome {
            Ok(_) => "ok",
            Err(error) => {
                let url = url.without_query();
                tracing::warn!(outbound.purpose = purpose.as_str(), outbound.url = url, reason = %error, "a request of this server's own came to nothing");
                error.verdict().outcome
            }
        };
        metrics::counter!("portreeve_outbound_requests_total", "purpose" => purpose.as_str(), "outcome" => label)
            .increment(1);
    }
}

impl Purpose {
    /// Its label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keys => "jwks_uri",
            Self::RequestObject => "request_uri",
            Self::SectorIdentifier => "sector_identifier_uri",
            Self::Logo => "logo_uri",
            Self::ClientMetadata => "client_metadata",
            Self::BackChannelLogout => "backchannel_logout_uri",
        }
    }
}
