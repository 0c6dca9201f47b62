//! `none`: a public client says its name and proves nothing; PKCE binds its code instead (RFC 6749 §2.1).

use crate::clients::authentication::{ClientAuthenticationError, Credentials};

/// A public client presents no secret.
pub(super) fn verify(credentials: &Credentials) -> Result<(), ClientAuthenticationError> {
    match credentials.secret {
        None => Ok(()),
        Some(_) => Err(ClientAuthenticationError::WrongMethod),
    }
}
