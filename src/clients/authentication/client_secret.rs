//! `client_secret_basic` and `client_secret_post` (RFC 6749 §2.3.1): the secret is one of those that are live. A generated
//! one is compared by its digest, in constant time, with every live one; a chosen one goes through the bounded hasher.

use crate::clients::authentication::{ClientAuthenticationError, Credentials, Verifiers};
use crate::model::client::{Client, ClientSecret};
use crate::model::secret::constant_time_eq;
use sha2::{Digest, Sha256};

/// Checks the presented secret.
pub(super) async fn verify(
    credentials: &Credentials,
    client: &Client,
    address_key: &str,
    verifiers: &Verifiers<'_>,
) -> Result<(), ClientAuthenticationError> {
    let Some(secret) = &credentials.secret else { return Err(ClientAuthenticationError::WrongMethod) };
    let digest = Sha256::digest(secret.expose().as_bytes());
    let mut matched = false;
    for live in &client.secrets {
        if let ClientSecret::Sha256(stored) = live {
            matched |= constant_time_eq(stored, &digest);
        }
    }
    if matched {
        return Ok(());
    }
    let chosen: Vec<&str> = client.secrets.iter().filter_map(chosen_secret).collect();
    let wait = if chosen.is_empty() {
        verifiers.throttle.client_failed(client.id.as_str(), address_key)
    } else {
        // One attempt, however many secrets are live: it has failed when all of them say so.
        let attempt = verifiers.throttle.check_client(client.id.as_str(), address_key)?;
        for stored in chosen {
            if verifiers.chosen_secrets.verify(secret, stored).await? {
                verifiers.throttle.succeeded(attempt);
                return Ok(());
            }
        }
        verifiers.throttle.failed(attempt)
    };
    match wait {
        Some(wait) => Err(wait.into()),
        None => Err(ClientAuthenticationError::WrongSecret),
    }
}

fn chosen_secret(live: &ClientSecret) -> Option<&str> {
    match live {
        ClientSecret::Argon2(stored) => Some(stored.as_str()),
        ClientSecret::Sha256(_) => None,
    }
}

/// The work that a known client's secret would have cost (threat 62).
pub(super) fn verify_nothing(credentials: &Credentials) {
    let presented = credentials.secret.as_ref().map(|secret| secret.expose()).unwrap_or_default();
    std::hint::black_box(constant_time_eq(&[0; 32], &Sha256::digest(presented.as_bytes())));
}
