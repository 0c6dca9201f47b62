//! `private_key_jwt` (RFC 7523 §2.2 and §3, RFC 7521 §4.2, OpenID Connect Core §9): the client signs an assertion about itself for
//! this server, and uses it once.
//!
//! `aud` is the issuer as one string, so that what a client signed for another server's endpoint opens nothing here
//! (draft-ietf-oauth-rfc7523bis §4; threat 58); an operator may admit the token endpoint's URL for a client that knows no better,
//! at every endpoint alike. The assertion is spent last, after every other check, and on every replica (threat 57).

use crate::clients::authentication::{ClientAuthenticationError, Verifiers};
use crate::clients::remote_keys::{NoKeys, Unverified};
use crate::jose::expectation::{Audience, Expectation, ExpectedType, Expiry};
use crate::jose::jwt_type::JwtType;
use crate::jose::sign::SigningKey;
use crate::jose::verification_keys::VerificationKeys;
use crate::jose::verify::{UnverifiedToken, VerifiedToken, VerifyError, verify as verify_token};
use crate::model::client::{AssertionAudience, Client};
use crate::protocol::identifiers::ClientId;
use crate::protocol::parameters::Parameters;
use crate::protocol::server_metadata::path;
use crate::protocol::signing_algorithm::SigningAlgorithm;
use crate::protocol::timestamp::Timestamp;
use crate::protocol::verification_algorithm::VerificationAlgorithm;
use crate::storage::spent_jtis::{Spending, spend};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::sync::LazyLock;
use std::time::Duration;

/// The one kind of assertion that is read (RFC 7523 §2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How far the client's clock may be from this one, in seconds: conformance asks for ten, and refuses sixty.
const LEEWAY: i64 = 30;
/// How long an assertion may live, in seconds (threat 59).
const LONGEST_LIFE: i64 = 600;
/// How many bytes a `jti` may have.
const LONGEST_JTI: usize = 256;

/// What was presented, read but not believed.
pub(super) struct Assertion {
    token: String,
    read: UnverifiedToken,
    subject: String,
}

/// Why an assertion does not prove who the client is, for operators.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssertionError {
    /// `client_assertion_type` is absent or another.
    #[error("client_assertion_type is not {ASSERTION_TYPE}")]
    Type,
    /// There is a type and nothing of it.
    #[error("client_assertion is missing")]
    Absent,
    /// It is no good token for this server.
    #[error("{0}")]
    Token(VerifyError),
    /// `sub` is absent, or another than `iss` and the client.
    #[error("sub is not the client_id")]
    Subject,
    /// It is meant to live too long, or ends before it begins.
    #[error("exp is not within {LONGEST_LIFE} s after iat, or after now")]
    Life,
    /// There is no `jti`, or none of a sensible size.
    #[error("jti is missing, empty or longer than {LONGEST_JTI} bytes")]
    Jti,
    /// It was used before.
    #[error("the assertion was used before")]
    Replayed,
    /// There is nothing to verify it with.
    #[error("{0}")]
    Keys(NoKeys),
}

impl Assertion {
    /// Reads what a request presents, to learn whose it claims to be.
    pub(super) fn read(parameters: &Parameters) -> Result<Self, AssertionError> {
        if parameters.get("client_assertion_type") != Some(ASSERTION_TYPE) {
            return Err(AssertionError::Type);
        }
        let token = parameters.get("client_assertion").ok_or(AssertionError::Absent)?.to_owned();
        let read = UnverifiedToken::read(&token).map_err(AssertionError::Token)?;
        let subject = read.claimed_text("sub").ok_or(AssertionError::Subject)?.to_owned();
        Ok(Self { token, read, subject })
    }

    /// The client that it claims to be about.
    pub(super) fn subject(&self) -> &str {
        &self.subject
    }
}

/// Checks and spends the assertion.
pub(super) async fn verify(
    assertion: &Assertion,
    client: &Client,
    address_key: &str,
    verifiers: &Verifiers<'_>,
) -> Result<(), ClientAuthenticationError> {
    let why = match accept(assertion, client, verifiers).await {
        Err(ClientAuthenticationError::Assertion(why)) => why,
        outcome => return outcome,
    };
    match verifiers.throttle.client_failed(client.id.as_str(), address_key) {
        Some(wait) => {
            tracing::info!(client.id = %client.id, reason = %why, "an assertion was refused again");
            Err(wait.into())
        }
        None => Err(why.into()),
    }
}

async fn accept(
    assertion: &Assertion,
    client: &Client,
    verifiers: &Verifiers<'_>,
) -> Result<(), ClientAuthenticationError> {
    let algorithms: &[VerificationAlgorithm] = match &client.metadata.token_endpoint_auth_signing_alg {
        Some(registered) => std::slice::from_ref(registered),
        None => &VerificationAlgorithm::ALL,
    };
    let sought = assertion.read.key_sought();
    if !algorithms.contains(&sought.algorithm) {
        return Err(AssertionError::Token(VerifyError::Algorithm).into());
    }
    let issuer = verifiers.issuer.as_str();
    let token_endpoint = verifiers.issuer.endpoint(path::TOKEN);
    let either = [issuer, token_endpoint.as_str()];
    let expectation = Expectation {
        typ: ExpectedType::JwtOrAbsentOr(JwtType::ClientAuthentication),
        issuer: Some(client.id.as_str()),
        audience: match client.assertion_audience {
            AssertionAudience::Issuer => Audience::Exactly(issuer),
            AssertionAudience::TokenEndpoint => Audience::ExactlyOneOf(&either),
        },
        algorithms,
        now_seconds: verifiers.now.seconds(),
        leeway_seconds: LEEWAY,
        expiry: Expiry::Required,
        maximum_age_seconds: None,
    };
    let presented = (assertion.token.as_str(), sought);
    let token = verifiers.remote_keys.verify(client, presented, &expectation, verifiers.outbound).await;
    let token = token.map_err(|why| match why {
        Unverified::Keys(why) => AssertionError::Keys(why),
        Unverified::Token(why) => AssertionError::Token(why),
    })?;
    if token.text("sub") != Some(client.id.as_str()) {
        return Err(AssertionError::Subject.into());
    }
    let end = end_of(&token, verifiers.now)?;
    let jti = token.text("jti").filter(|jti| (1..=LONGEST_JTI).contains(&jti.len()));
    spend_once(&client.id, jti.ok_or(AssertionError::Jti)?, end, verifiers).await
}

/// When it ends; it may not live longer than ten minutes, from `iat` if it has one, nor end much later from now.
fn end_of(token: &VerifiedToken, now: Timestamp) -> Result<Timestamp, AssertionError> {
    let end = token.seconds("exp").ok_or(AssertionError::Life)?;
    let ahead = end.saturating_sub(now.seconds());
    let life = token.seconds("iat").map(|begin| end.saturating_sub(begin));
    if ahead <= LONGEST_LIFE + LEEWAY && life.is_none_or(|life| (1..=LONGEST_LIFE).contains(&life)) {
        Ok(Timestamp::from_seconds(end))
    } else {
        Err(AssertionError::Life)
    }
}

async fn spend_once(
    client: &ClientId,
    jti: &str,
    end: Timestamp,
    verifiers: &Verifiers<'_>,
) -> Result<(), ClientAuthenticationError> {
    let name = name_of(client, jti);
    let until = end.plus(Duration::from_secs(LEEWAY.unsigned_abs()));
    let spending = verifiers.store.write_one(move |connection| {
        let name = name.clone();
        Box::pin(async move { spend(connection, &name, until).await })
    });
    match spending.await? {
        Spending::First => Ok(()),
        Spending::Again => Err(AssertionError::Replayed.into()),
    }
}

/// One name for a client's `jti`, however long and whatever is in it.
fn name_of(client: &ClientId, jti: &str) -> String {
    let mut digest = Sha256::new();
    // A client identifier holds no NUL, so no two pairs read alike.
    for part in ["client_assertion", client.as_str(), jti] {
        digest.update(part);
        digest.update([0]);
    }
    URL_SAFE_NO_PAD.encode(digest.finalize())
}

/// The work that a known client's assertion would have cost (threat 62).
pub(super) fn verify_nothing() {
    if let Some(decoy) = &*DECOY {
        let expectation = Expectation {
            typ: ExpectedType::JwtOrAbsent,
            issuer: None,
            audience: Audience::Any,
            algorithms: &VerificationAlgorithm::ALL,
            now_seconds: 0,
            leeway_seconds: 0,
            expiry: Expiry::Ignored,
            maximum_age_seconds: None,
        };
        std::hint::black_box(verify_token(&decoy.token, &decoy.keys, &expectation).is_ok());
    }
}

/// A token of nobody's, and the key that it verifies with.
struct Decoy {
    token: String,
    keys: VerificationKeys,
}

static DECOY: LazyLock<Option<Decoy>> = LazyLock::new(|| {
    let (key, _) = SigningKey::generate(SigningAlgorithm::Es256).ok()?;
    let token = key.sign(JwtType::Jwt, &json!({"sub": "nobody", "aud": "nobody", "jti": "nothing"})).ok()?;
    Some(Decoy { token, keys: VerificationKeys::named([key.public_jwk().clone()]) })
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_clients_and_no_two_assertions_share_a_name() {
        let client = |id: &str| ClientId::parse(id).expect("valid");
        let names: Vec<String> = [("a", "b"), ("a", "B"), ("ab", ""), ("a", "b\0"), ("b", "a")]
            .map(|(id, jti)| name_of(&client(id), jti))
            .into();
        let mut different = names.clone();
        different.sort_unstable();
        different.dedup();
        assert_eq!(different.len(), names.len());
        assert_eq!(name_of(&client("a"), "b"), names[0]);
    }
}
