//! A presented access token: verified, then held against its grant (RFC 6750, RFC 9068 §4). Tokens are found by primary
//! key, so a revocation is seen by the next request of every replica.

use crate::clients::registry::Registry;
use crate::config::Config;
use crate::jose::expectation::{Audience, Expectation, ExpectedType, Expiry};
use crate::jose::jwt_type::JwtType;
use crate::jose::verify::verify;
use crate::keys::key_ring::KeyRing;
use crate::model::client::Client;
use crate::model::grant::GrantState;
use crate::protocol::access_token::TokenName;
use crate::protocol::identifiers::ClientId;
use crate::protocol::scope::Scopes;
use crate::protocol::timestamp::Timestamp;
use crate::protocol::verification_algorithm::VerificationAlgorithm;
use crate::storage::error::StorageError;
use crate::storage::grants::{Standing, TokenStanding, find_standing};
use crate::storage::{Store, revoked_tokens};
use crate::tokens::subject::Subjects;
use std::sync::Arc;

/// An access token of this server that has not expired, of a client that is still there; whether it was revoked is another
/// question.
#[derive(Clone, Debug)]
pub struct VerifiedAccessToken {
    /// Its own name.
    pub jti: String,
    /// What it stands on.
    pub name: TokenName,
    /// Whom it was given to, as registered now.
    pub client: Arc<Client>,
    /// Whom it was given to, by name.
    pub client_id: ClientId,
    /// The person, or the client itself.
    pub sub: String,
    /// The resource server.
    pub aud: String,
    /// What it allows.
    pub scopes: Scopes,
    /// Until when, in seconds.
    pub exp: i64,
    /// Since when, in seconds.
    pub iat: i64,
    /// When the person signed in, in seconds.
    pub auth_time: Option<i64>,
    /// How.
    pub acr: Option<String>,
}

/// Reads an access token of this server's own making; `None` for everything else (threats 51, 65–71), and for the tokens of
/// a client that is registered no more (security.md §0.8).
pub fn recognise(
    token: &str,
    config: &Config,
    registry: &Registry,
    ring: &KeyRing,
    now: Timestamp,
) -> Option<VerifiedAccessToken> {
    let now = now.seconds();
    read(token, config, registry, ring, Times { now, leeway: CLOCKS_DIFFER, expiry: Expiry::Strict })
}

/// Like [`recognise`], of a token of any time: whoever revokes one must not be told that it is done by a replica whose clock has the
/// token expired, or not issued yet, while another goes on accepting it.
pub fn recognise_of_any_time(
    token: &str,
    config: &Config,
    registry: &Registry,
    ring: &KeyRing,
) -> Option<VerifiedAccessToken> {
    read(token, config, registry, ring, Times { now: 0, leeway: i64::MAX, expiry: Expiry::Ignored })
}

/// How far the clock of the replica that issued a token may be ahead, in seconds: as far as a replica is ready at all (threat 189).
const CLOCKS_DIFFER: i64 = 60;

/// How a token's times are judged.
struct Times {
    now: i64,
    leeway: i64,
    expiry: Expiry,
}

fn read(
    token: &str,
    config: &Config,
    registry: &Registry,
    ring: &KeyRing,
    times: Times,
) -> Option<VerifiedAccessToken> {
    let expectation = Expectation {
        typ: ExpectedType::Only(JwtType::AccessToken),
        issuer: Some(config.issuer.as_str()),
        audience: Audience::Any,
        algorithms: &VerificationAlgorithm::OWN,
        now_seconds: times.now,
        leeway_seconds: times.leeway,
        expiry: times.expiry,
        maximum_age_seconds: None,
    };
    let verified = verify(token, ring.verification(), &expectation).ok()?;
    let text = |name| verified.text(name).map(str::to_owned);
    let client_id = ClientId::parse(verified.text("client_id")?).ok()?;
    let client = registry.find(&client_id)?.clone();
    let (jti, sub) = (text("jti")?, text("sub")?);
    let name = TokenName::parse(&jti)?;
    // what no grant stands behind is a client's own, and says nothing of anybody else
    if name == TokenName::OfService && sub != client_id.as_str() {
        return None;
    }
    Some(VerifiedAccessToken {
        name,
        client,
        client_id,
        sub,
        aud: text("aud")?,
        scopes: Scopes::parse(verified.text("scope").unwrap_or_default()).ok()?,
        exp: verified.seconds("exp")?,
        iat: verified.seconds("iat")?,
        auth_time: verified.seconds("auth_time"),
        acr: text("acr"),
        jti,
    })
}

/// What a recognised token stands on, when it still counts.
#[derive(Clone, Debug)]
pub enum Living {
    /// A grant.
    OfGrant(Box<Standing>),
    /// Its signature, and that nobody revoked it.
    OfService,
}

/// Whether a recognised token still counts: its grant is active, its person not disabled and still in one of the client's groups
/// (threat 138), itself not revoked.
pub async fn stand(
    store: &Store,
    token: &VerifiedAccessToken,
    subjects: Subjects<'_>,
    now: Timestamp,
) -> Result<Option<Living>, StorageError> {
    match &token.name {
        TokenName::OfGrant(grant_id) => {
            let (grant_id, jti) = (grant_id.clone(), token.jti.clone());
            let standing = store
                .read(move |connection| {
                    let (grant_id, jti) = (grant_id.clone(), jti.clone());
                    Box::pin(async move { find_standing(connection, &grant_id, &jti, now).await })
                })
                .await?;
            Ok(standing
                .filter(|standing| counts(standing, token, subjects))
                .map(|standing| Living::OfGrant(Box::new(standing))))
        }
        TokenName::OfService => {
            let (jti, client_id) = (token.jti.clone(), token.client_id.clone());
            let issued_at = Timestamp::from_seconds(token.iat);
            let revoked = store
                .read(move |connection| {
                    let (jti, client_id) = (jti.clone(), client_id.clone());
                    Box::pin(async move {
                        revoked_tokens::is_revoked(connection, &jti, &client_id, issued_at).await
                    })
                })
                .await?;
            Ok((!revoked).then_some(Living::OfService))
        }
    }
}

fn counts(standing: &Standing, token: &VerifiedAccessToken, subjects: Subjects<'_>) -> bool {
    matches!(standing.grant.state, GrantState::Active { .. })
        && standing.token == TokenStanding::NotRevoked
        && standing.user.disabled_at.is_none()
        && standing.user.is_in_one_of(&token.client.allowed_groups)
        && standing.grant.client_id == token.client_id
        && subjects.subject(&token.client, &standing.user.id) == token.sub
}
