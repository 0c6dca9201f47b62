//! Request objects (RFC 9101, OpenID Connect Core §6): a request that its client signed, by value or at an address that the
//! client registered. It is processed or refused, never ignored; and what stands beside it in the URL does not count
//! (threats 65–74, 80, 85).

use crate::authorization::error::AuthorizationError;
use crate::authorization::in_force::Sources;
use crate::config::Config;
use crate::jose::expectation::{Audience, Expectation, ExpectedType, Expiry};
use crate::jose::jwt_type::JwtType;
use crate::jose::verify::{UnverifiedToken, VerifiedToken, VerifyError};
use crate::model::client::Client;
use crate::outbound::{Expected, Outbound, OutboundUrl, Purpose};
use crate::protocol::authorization_request::MalformedRequest;
use crate::protocol::error_code::ErrorCode;
use crate::protocol::parameters::Parameters;
use crate::protocol::request_object;
use crate::protocol::timestamp::Timestamp;
use crate::protocol::verification_algorithm::VerificationAlgorithm;

/// How far the clocks of clients may be off, in seconds (conformance: 8 are accepted, 60 are not).
const LEEWAY: i64 = 30;
/// How long a request object may live that has to say so, in seconds (FAPI 2.0 Message Signing §5.3.1).
const LONGEST_LIFE: i64 = 3600;
/// Bytes: what still fits into a URL.
const LARGEST: usize = 12 * 1024;

/// Reads a request object: signed by the client, for this server, judged at `now`, which is when the visit began.
pub async fn read(
    object: &str,
    client: &Client,
    sources: &Sources<'_>,
    config: &Config,
    now: Timestamp,
) -> Result<Parameters, AuthorizationError> {
    let refuse = AuthorizationError::InvalidRequestObject;
    if !client.metadata.has_keys() {
        return Err(unsupported("request", ErrorCode::RequestNotSupported));
    }
    let registered = client.metadata.request_object_signing_alg;
    let algorithms: &[VerificationAlgorithm] = match &registered {
        Some(one) => std::slice::from_ref(one),
        None => &VerificationAlgorithm::ALL,
    };
    let unverified = UnverifiedToken::read(object).map_err(|why| refuse(why.to_string()))?;
    let sought = unverified.key_sought();
    if !algorithms.contains(&sought.algorithm) {
        return Err(refuse(VerifyError::Algorithm.to_string()));
    }
    let expectation = Expectation {
        typ: ExpectedType::JwtOrAbsentOr(JwtType::RequestObject),
        issuer: None,
        audience: Audience::Any,
        algorithms,
        now_seconds: now.seconds(),
        leeway_seconds: LEEWAY,
        expiry: Expiry::Ignored,
        maximum_age_seconds: None,
    };
    let verified = sources.remote_keys.verify(client, (object, sought), &expectation, sources.outbound).await;
    let verified = verified.map_err(|why| refuse(why.to_string()))?;
    judge(&verified, client, config, now).map_err(|why| refuse(why.to_owned()))?;
    let parameters = request_object::parameters(verified.claims()).map_err(|why| refuse(why.0.to_owned()))?;
    match parameters.get("client_id") {
        Some(id) if id != client.id.as_str() => {
            Err(refuse("client_id in the request object is another (RFC 9101 §5)".to_owned()))
        }
        Some(_) => Ok(parameters),
        None => Ok(parameters.with("client_id", client.id.as_str())),
    }
}

/// What must hold of the token's own claims where they are there; a client whose requests must be signed must say all of them.
fn judge(
    verified: &VerifiedToken,
    client: &Client,
    config: &Config,
    now: Timestamp,
) -> Result<(), &'static str> {
    let strict = client.metadata.require_signed_request_object;
    let id = client.id.as_str();
    if verified.text("iss").map_or(strict, |iss| iss != id) {
        return Err("iss is not the client (RFC 9101 §4)");
    }
    // RFC 9101 §10.8: an assertion that authenticates the client is no request
    if verified.text("sub") == Some(id) {
        return Err("sub is the client: that is an assertion and no request object (RFC 9101 §10.8)");
    }
    let issuer = config.issuer.as_str();
    let named = match verified.claims().get("aud") {
        None => !strict,
        Some(serde_json::Value::String(one)) => one == issuer,
        Some(serde_json::Value::Array(several)) => several.iter().any(|one| one == issuer),
        Some(_) => false,
    };
    if !named {
        return Err("aud does not name this server (RFC 9101 §4)");
    }
    let (expires, begins) = (verified.seconds("exp"), verified.seconds("nbf"));
    if expires.map_or(strict, |exp| exp <= now.seconds().saturating_sub(LEEWAY)) {
        return Err("exp is past or absent");
    }
    if strict {
        let Some(begins) = begins else { return Err("nbf is absent (FAPI 2.0 Message Signing §5.3.1)") };
        let life = expires.unwrap_or(i64::MAX).saturating_sub(begins);
        if life > LONGEST_LIFE || now.seconds().saturating_sub(begins) > LONGEST_LIFE {
            return Err("the request object lives for more than an hour");
        }
    }
    Ok(())
}

/// Fetches the request object at an address that the client registered, fragment and all (OpenID Connect Core §6.2, threat 87).
pub async fn fetch(
    request_uri: &str,
    client: &Client,
    outbound: &Outbound,
) -> Result<String, AuthorizationError> {
    let refuse = |why: &str| AuthorizationError::InvalidRequestUri(why.to_owned());
    if client.metadata.request_uris.is_empty() {
        return Err(unsupported("request_uri", ErrorCode::RequestUriNotSupported));
    }
    if !client.metadata.request_uris.iter().any(|registered| registered == request_uri) {
        return Err(refuse("request_uri is not one that the client registered, byte for byte"));
    }
    let url = OutboundUrl::parse(request_uri).map_err(|_| refuse("request_uri cannot be fetched"))?;
    let expected = Expected { purpose: Purpose::RequestObject, media_types: &MEDIA_TYPES, largest: LARGEST };
    // threat 91: one text whatever went wrong; the log knows
    let document = outbound
        .on_behalf_of(client)
        .get(&url, expected)
        .await
        .map_err(|_| refuse("the document at request_uri could not be fetched"))?;
    let text =
        std::str::from_utf8(&document.bytes).map_err(|_| refuse("request_uri holds no request object"))?;
    Ok(text.trim().to_owned())
}

/// RFC 9101 §5.2.3 names the first; OpenID Connect Core §6.2 says `application/jwt`.
const MEDIA_TYPES: [&str; 2] = ["application/oauth-authz-req+jwt", "application/jwt"];

fn unsupported(parameter: &str, code: ErrorCode) -> AuthorizationError {
    AuthorizationError::Malformed(MalformedRequest {
        code,
        description: format!("the client registered nothing that {parameter} could be verified with"),
        section: "OpenID Connect Core §3.1.2.6",
    })
}
