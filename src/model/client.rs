//! A client: its metadata, and what the operator decided about it beside the standards' members.

use crate::jose::jwk::{JwkError, JwkSet};
use crate::jose::verification_keys::VerificationKeys;
use crate::protocol::client_metadata::{ClientKeys, ClientMetadata};
use crate::protocol::identifiers::ClientId;
use crate::protocol::outbound_url::{OutboundUrl, OutboundUrlError};
use crate::protocol::redirect_uri::RedirectKind;
use std::sync::Arc;
use url::Url;

/// A client as the registry knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its identifier.
    pub id: ClientId,
    /// What it says of itself.
    pub metadata: ClientMetadata,
    /// What its signatures verify with: the metadata's `jwks`, parsed, or `jwks_uri`.
    pub keys: SignatureKeys,
    /// The secrets that are live; several during a rotation.
    pub secrets: Vec<ClientSecret>,
    /// Whether a request without PKCE is refused; only a confidential client may be excused.
    pub pkce: PkcePolicy,
    /// Whether people are asked for consent.
    pub consent: ConsentPolicy,
    /// Only people in one of these groups may use the client; empty: everyone.
    pub allowed_groups: Vec<String>,
    /// Whether each use of a refresh token replaces it.
    pub refresh_token_rotation: RefreshTokenRotation,
    /// What the client may name as the audience of its assertions.
    pub assertion_audience: AssertionAudience,
    /// Origins of browser applications that may read this server's answers (CORS).
    pub allowed_origins: Vec<String>,
    /// Who vouches for it.
    pub provenance: Provenance,
}

impl Client {
    /// Whether anybody can act as this client, or can have one like it: in a public client's name without proof, and by
    /// registering.
    pub fn is_anybodys(&self) -> bool {
        self.metadata.is_public() || self.provenance == Provenance::Registered
    }

    /// Whether people are asked whatever they agreed to before: nobody vouches for the client, and its name on the page says
    /// nothing of which of its hosts they are sent to (threats 14, 116).
    pub fn always_asks(&self) -> bool {
        self.provenance == Provenance::Registered && self.metadata.leads_to_several_hosts()
    }
}

/// Who vouches for a client's name and addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Provenance {
    /// An operator, who wrote it into the configuration.
    #[default]
    Configured,
    /// Nobody: it registered itself (threat 116).
    Registered,
}

/// Where the keys are that a client's signatures verify with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SignatureKeys {
    /// It has none.
    #[default]
    None,
    /// At hand.
    AtHand(Arc<VerificationKeys>),
    /// To be fetched from there.
    At(OutboundUrl),
}

/// Why a client's keys are not good enough (RFC 8725 §3.5, threat 73).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableKeys {
    /// One of them is malformed, weak, private or symmetric.
    #[error("{0}")]
    Jwk(JwkError),
    /// All of them are of kinds or for purposes that this server does not know.
    #[error("none of the keys verifies a signature that this server knows")]
    NoneKnown,
    /// `jwks_uri` cannot be asked.
    #[error("jwks_uri {0}")]
    Url(OutboundUrlError),
}

impl SignatureKeys {
    /// Parses what the metadata says, once for the life of the client.
    pub fn of(keys: &ClientKeys) -> Result<Self, UnusableKeys> {
        match keys {
            ClientKeys::None => Ok(Self::None),
            ClientKeys::ByReference(uri) => Ok(Self::At(OutboundUrl::parse(uri).map_err(UnusableKeys::Url)?)),
            ClientKeys::ByValue(set) => match JwkSet::parse(set).map_err(UnusableKeys::Jwk)?.keys {
                none if none.is_empty() => Err(UnusableKeys::NoneKnown),
                known => Ok(Self::AtHand(Arc::new(VerificationKeys::perhaps_unnamed(known)))),
            },
        }
    }
}

/// A client secret, as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub enum ClientSecret {
    /// SHA-256 of a generated secret's text.
    Sha256([u8; 32]),
    /// argon2id, as a PHC string, of a secret that a person chose.
    Argon2(String),
}

impl std::fmt::Debug for ClientSecret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sha256(_) => formatter.write_str("Sha256(…)"),
            Self::Argon2(_) => formatter.write_str("Argon2(…)"),
        }
    }
}

/// Whether a client must use PKCE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PkcePolicy {
    /// Every request carries a challenge (RFC 9700 §2.1.1).
    Required,
    /// An old confidential client may leave it out.
    Excused,
}

/// Whether people are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentPolicy {
    /// The consent page, unless the person agreed before.
    Asked,
    /// The operator's own application: no consent page.
    FirstParty,
}

/// What a refresh does to the refresh token (RFC 9700 §4.14.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshTokenRotation {
    /// Each use issues a successor.
    EveryUse,
    /// The token stays.
    Never,
}

/// What the `aud` of a client's assertion must be, as one string (RFC 7523bis).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AssertionAudience {
    /// The issuer.
    #[default]
    Issuer,
    /// The issuer, or the URL of the token endpoint: for clients that know no better.
    TokenEndpoint,
}

impl AssertionAudience {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::Issuer, Self::TokenEndpoint];

    /// The word in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Issuer => "issuer",
            Self::TokenEndpoint => "token_endpoint",
        }
    }

    /// The one that `name` is, exactly.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }
}

impl Client {
    /// The origins that a public client's own pages have: those of its redirect URIs.
    pub fn origins_of(metadata: &ClientMetadata) -> Vec<String> {
        let mut origins = Vec::new();
        for uri in &metadata.redirect_uris {
            if matches!(uri.kind(), RedirectKind::PrivateUse { .. }) {
                continue;
            }
            if let Ok(url) = Url::parse(uri.as_str()) {
                let origin = url.origin().ascii_serialization();
                if !origins.contains(&origin) {
                    origins.push(origin);
                }
            }
        }
        origins
    }

    /// The name people read, without regard to their language.
    pub fn shown_name(&self) -> &str {
        self.name_in(&[])
    }

    /// The name people of these languages read.
    pub fn name_in(&self, languages: &[&str]) -> &str {
        self.metadata.client_name.best(languages).unwrap_or(self.id.as_str())
    }
}
