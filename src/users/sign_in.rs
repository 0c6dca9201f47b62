//! Signing in by password (OpenID Connect Core §3.1.2.3): throttled, with the same work for nobody as for somebody, and one
//! vague answer for every way to fail (threats 139–145).

use crate::audit::{Circumstances, Trail};
use crate::keys::derive::KeyedMac;
use crate::model::audit_event::{About, EventName};
use crate::model::secret::Secret;
use crate::model::throttle::{Device, Throttle};
use crate::model::user::{PasswordHash, User};
use crate::model::username::SignInName;
use crate::storage::error::StorageError;
use crate::storage::{Store, users};
use crate::users::device;
use crate::users::password::{PasswordError, PasswordHasher, PasswordVerdict};
use std::sync::Arc;

/// What signing in leans on.
#[derive(Clone, Copy)]
pub struct SignIn<'a> {
    /// The store.
    pub store: &'a Store,
    /// Checks passwords.
    pub passwords: &'a PasswordHasher,
    /// Slows guessing.
    pub throttle: &'a Throttle,
    /// Tells a device that a person has signed in on before.
    pub devices: &'a KeyedMac,
    /// Where events go.
    pub trail: &'a Trail,
}

/// What a person typed, and where.
#[derive(Clone)]
pub struct Presented<'a> {
    /// The name.
    pub username: &'a str,
    /// The password.
    pub password: Secret,
    /// Where from, as failures are counted.
    pub address_key: &'a str,
    /// The device's cookie: on a device where this person has signed in before strangers' failures do not count.
    pub device: Option<&'a str>,
}

/// Why nobody is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignInError {
    /// Name or password is wrong, or the person is disabled: nothing tells which.
    Refused,
    /// Too many failures; seconds.
    Wait(u64),
    /// Too many at once; seconds.
    Busy(u64),
    /// The store.
    Storage(StorageError),
}

impl From<StorageError> for SignInError {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

impl SignIn<'_> {
    /// The person whose name and password these are, with the hash that the password was found right by. A session is begun only
    /// while that hash is theirs (`sessions::browser`), so that a password changed meanwhile opens nothing.
    pub async fn check(
        &self,
        presented: Presented<'_>,
        circumstances: &Circumstances,
    ) -> Result<User, SignInError> {
        let name = SignInName::parse(presented.username);
        let found = self.find(&name).await?;
        let user_id = found.as_ref().map(|user| user.id.clone());
        let key = user_id.as_ref().map_or_else(|| name.throttle_key(), ToString::to_string);
        let known = presented.device.and_then(|cookie| {
            device::recognise(self.devices, cookie, found.as_ref().map(Into::into), circumstances.now)
        });
        let device = known.as_deref().map_or(Device::Unknown, Device::Known);
        let about = || About { user_id: user_id.clone(), ..About::default() };
        let attempt = self.throttle.check(&key, presented.address_key, device).map_err(|wait| {
            let reason = format!("{} s to wait", wait.seconds);
            let event = EventName::SignInThrottled;
            self.trail.refused(self.trail.event(circumstances, event, about(), reason, "RFC 6819 §4.3.3"));
            SignInError::Wait(wait.seconds)
        })?;
        let stored = found.as_ref().and_then(|user| user.password_hash.clone());
        let again = presented.password.clone();
        let verdict =
            self.passwords.verify(presented.password, stored.as_ref().map(|hash| hash.0.as_str())).await;
        let verdict = verdict.map_err(|error| match error {
            PasswordError::Busy { retry_after } => SignInError::Busy(retry_after.as_secs().max(1)),
            _ => SignInError::Busy(1),
        })?;
        let user = found.filter(|user| user.disabled_at.is_none() && verdict != PasswordVerdict::Wrong);
        let Some(mut user) = user else {
            self.throttle.failed(attempt);
            let (event, reason) =
                (EventName::SignInRefused, "name or password is wrong, or the person is disabled");
            self.trail.refused(self.trail.event(
                circumstances,
                event,
                about(),
                reason,
                "OpenID Connect Core §3.1.2.3",
            ));
            return Err(SignInError::Refused);
        };
        self.throttle.succeeded(attempt);
        if let (PasswordVerdict::RightButWeak, Some(stored)) = (verdict, stored) {
            user.password_hash = Some(self.rehash(&user, stored, again).await);
        }
        Ok(user)
    }

    async fn find(&self, name: &SignInName) -> Result<Option<User>, StorageError> {
        let name = name.clone();
        self.store
            .read(move |connection| {
                let name = name.clone();
                Box::pin(async move {
                    match &name {
                        SignInName::Username(username) => {
                            users::find_by_username(connection, username.as_str()).await
                        }
                        SignInName::Email(email) => {
                            users::find_by_verified_email(connection, email.as_str()).await
                        }
                        SignInName::Nobody(key) => {
                            users::find_by_username(connection, key).await.map(|_| None)
                        }
                    }
                })
            })
            .await
    }

    /// Puts a stronger hash of the same password in the place of `before`, and yields the one that is stored now; the sign-in does
    /// not depend on it.
    async fn rehash(&self, user: &User, before: PasswordHash, password: Secret) -> PasswordHash {
        let Ok(after) = self.passwords.hash(password).await else { return before };
        let work = Arc::new((user.id.clone(), before.clone(), PasswordHash(after)));
        let written = {
            let work = work.clone();
            self.store.write_one(move |connection| {
                let work = work.clone();
                Box::pin(async move { users::rehash(connection, &work.0, &work.1, &work.2).await })
            })
        };
        match written.await {
            Ok(true) => work.2.clone(),
            Ok(false) => before,
            Err(error) => {
                tracing::warn!(error = %error, "a password's hash could not be made stronger");
                before
            }
        }
    }
}
