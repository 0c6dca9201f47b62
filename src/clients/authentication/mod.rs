//! Client authentication (RFC 6749 §2.3, OpenID Connect Core §9): one pipeline, the only maker of an
//! [`AuthenticatedClient`]. A client uses the method it is registered for and no other, and never two at once.

mod client_secret;
mod none;
mod private_key_jwt;

pub use private_key_jwt::AssertionError;

use crate::clients::registry::Registry;
use crate::clients::remote_keys::RemoteKeys;
use crate::model::client::Client;
use crate::model::secret::Secret;
use crate::model::throttle::{Throttle, Wait};
use crate::outbound::Outbound;
use crate::protocol::basic_credentials;
use crate::protocol::client_authentication_method::ClientAuthenticationMethod;
use crate::protocol::issuer::Issuer;
use crate::protocol::parameters::Parameters;
use crate::protocol::timestamp::Timestamp;
use crate::storage::Store;
use crate::storage::error::StorageError;
use futures_util::future::BoxFuture;
use private_key_jwt::Assertion;
use std::sync::Arc;

/// A client that proved who it is, or a public one that need not; only [`authenticate`] makes it.
#[derive(Clone, Debug)]
pub struct AuthenticatedClient {
    client: Arc<Client>,
}

impl AuthenticatedClient {
    /// The client.
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }
}

/// What a request presents.
pub struct Presented<'a> {
    /// The value of its Authorization header.
    pub authorization: Option<&'a str>,
    /// The parameters of its body.
    pub parameters: &'a Parameters,
    /// Where it comes from, as failures are counted.
    pub address_key: &'a str,
}

/// What the pipeline leans on.
pub struct Verifiers<'a> {
    /// The clients.
    pub registry: &'a Registry,
    /// Counts failures.
    pub throttle: &'a Throttle,
    /// Checks secrets that a person chose.
    pub chosen_secrets: &'a dyn ChosenSecrets,
    /// Whom assertions are for.
    pub issuer: &'a Issuer,
    /// What assertions verify with.
    pub remote_keys: &'a RemoteKeys,
    /// Fetches it.
    pub outbound: &'a Outbound,
    /// Where assertions are spent.
    pub store: &'a Store,
    /// The time.
    pub now: Timestamp,
}

/// Checks secrets that are kept as argon2id; implemented where the bounded hasher lives.
pub trait ChosenSecrets: Send + Sync {
    /// Whether `secret` belongs to the PHC string `stored`.
    fn verify<'a>(
        &'a self,
        secret: &'a Secret,
        stored: &'a str,
    ) -> BoxFuture<'a, Result<bool, UncheckedSecret>>;
}

/// Why nothing can be said of a secret, right or wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UncheckedSecret {
    /// Too many are being checked; seconds until it is worth trying again.
    Busy(u64),
    /// The work could not be done.
    Failed,
}

/// Why a client is not who it says, for operators; what the caller reads is the same for all that 401 covers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientAuthenticationError {
    /// Nothing names a client.
    #[error("no client is named")]
    Missing,
    /// Two methods in one request (RFC 6749 §2.3).
    #[error("the request uses two methods of client authentication")]
    TwoMethods,
    /// `client_id` in the body is another than that of the credentials.
    #[error("client_id differs from the credentials'")]
    Mismatch,
    /// The Authorization header cannot be read.
    #[error("the Authorization header is not Basic credentials in the encoding of RFC 6749 §2.3.1")]
    MalformedBasic,
    /// No such client.
    #[error("there is no such client")]
    UnknownClient,
    /// Another method than the registered one.
    #[error("the client is registered for another method")]
    WrongMethod,
    /// A wrong secret.
    #[error("the secret is wrong")]
    WrongSecret,
    /// An assertion that proves nothing.
    #[error("{0}")]
    Assertion(AssertionError),
    /// The store does not answer, so that nobody knows whether an assertion was used before.
    #[error("{0}")]
    Store(StorageError),
    /// Too many failures from this address.
    #[error("the client has to wait")]
    Wait(u64),
    /// Too much to do: nothing is said of the secret, and the client does well to keep it.
    #[error("too many secrets are being checked")]
    Busy(u64),
    /// The secret could not be checked; that is not the client's fault.
    #[error("the secret could not be checked")]
    Unchecked,
}

/// Establishes who the client is. `tried_basic` of the error's answer is for the caller to derive from what was presented.
pub async fn authenticate(
    presented: &Presented<'_>,
    verifiers: &Verifiers<'_>,
) -> Result<AuthenticatedClient, ClientAuthenticationError> {
    let credentials = Credentials::of(presented)?;
    let found = verifiers.registry.find_named(&credentials.client_id).cloned();
    let Some(client) = found else {
        match &credentials.assertion {
            None => client_secret::verify_nothing(&credentials),
            Some(_) => private_key_jwt::verify_nothing(),
        }
        return Err(ClientAuthenticationError::UnknownClient);
    };
    let registered = client.metadata.token_endpoint_auth_method;
    if credentials.method != registered {
        return Err(ClientAuthenticationError::WrongMethod);
    }
    match registered {
        ClientAuthenticationMethod::None => none::verify(&credentials)?,
        ClientAuthenticationMethod::ClientSecretBasic | ClientAuthenticationMethod::ClientSecretPost => {
            client_secret::verify(&credentials, &client, presented.address_key, verifiers).await?;
        }
        ClientAuthenticationMethod::PrivateKeyJwt => {
            let assertion = credentials.assertion.as_ref().ok_or(ClientAuthenticationError::WrongMethod)?;
            private_key_jwt::verify(assertion, &client, presented.address_key, verifiers).await?;
        }
    }
    Ok(AuthenticatedClient { client })
}

/// What was presented, told apart by method.
struct Credentials {
    method: ClientAuthenticationMethod,
    client_id: String,
    secret: Option<Secret>,
    assertion: Option<Assertion>,
}

impl Credentials {
    fn of(presented: &Presented<'_>) -> Result<Self, ClientAuthenticationError> {
        let body_id = presented.parameters.get("client_id");
        let body_secret = presented.parameters.get("client_secret");
        let assertion = ["client_assertion", "client_assertion_type"]
            .iter()
            .any(|name| presented.parameters.get(name).is_some());
        let basic = match presented.authorization {
            None => None,
            Some(header) => match basic_credentials::parse(header) {
                Some(decoded) => Some(decoded.map_err(|_| ClientAuthenticationError::MalformedBasic)?),
                None => return Err(ClientAuthenticationError::MalformedBasic),
            },
        };
        if usize::from(basic.is_some()) + usize::from(body_secret.is_some()) + usize::from(assertion) > 1 {
            return Err(ClientAuthenticationError::TwoMethods);
        }
        if assertion {
            return Self::of_assertion(Assertion::read(presented.parameters)?, body_id);
        }
        match (basic, body_id, body_secret) {
            (Some((id, _)), Some(other), _) if id != other => Err(ClientAuthenticationError::Mismatch),
            (Some((client_id, secret)), _, _) => Ok(Self {
                method: ClientAuthenticationMethod::ClientSecretBasic,
                client_id,
                secret: Some(Secret::new(secret)),
                assertion: None,
            }),
            (None, Some(id), Some(secret)) => Ok(Self {
                method: ClientAuthenticationMethod::ClientSecretPost,
                client_id: id.to_owned(),
                secret: Some(Secret::new(secret)),
                assertion: None,
            }),
            (None, Some(id), None) => Ok(Self {
                method: ClientAuthenticationMethod::None,
                client_id: id.to_owned(),
                secret: None,
                assertion: None,
            }),
            (None, None, _) => Err(ClientAuthenticationError::Missing),
        }
    }

    /// RFC 7521 §4.2: `client_id` beside an assertion is not needed, and must name the same client.
    fn of_assertion(assertion: Assertion, body_id: Option<&str>) -> Result<Self, ClientAuthenticationError> {
        let client_id = assertion.subject().to_owned();
        if body_id.is_some_and(|other| other != client_id) {
            return Err(ClientAuthenticationError::Mismatch);
        }
        let method = ClientAuthenticationMethod::PrivateKeyJwt;
        Ok(Self { method, client_id, secret: None, assertion: Some(assertion) })
    }
}

impl From<AssertionError> for ClientAuthenticationError {
    fn from(why: AssertionError) -> Self {
        Self::Assertion(why)
    }
}

impl From<StorageError> for ClientAuthenticationError {
    fn from(error: StorageError) -> Self {
        Self::Store(error)
    }
}

impl From<UncheckedSecret> for ClientAuthenticationError {
    fn from(why: UncheckedSecret) -> Self {
        match why {
            UncheckedSecret::Busy(seconds) => Self::Busy(seconds),
            UncheckedSecret::Failed => Self::Unchecked,
        }
    }
}

impl From<Wait> for ClientAuthenticationError {
    fn from(wait: Wait) -> Self {
        Self::Wait(wait.seconds)
    }
}
