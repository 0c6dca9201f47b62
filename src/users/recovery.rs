//! For whoever forgot their password: a one-time link, sent to their verified address, sets another (threats 139, 147, 150).
//!
//! What is stored opens nothing: the token is 256 bits that follow from a random seed in the row by a key that the database does not
//! have, and its digest. To look at the link spends nothing; to use it is one guarded delete, and ends every session and grant. Nobody
//! learns from an answer whether a person exists: the work of a request is done after its answer. A person without a password or
//! without a verified address, or who is disabled, is sent nothing. A new password by a link is no sign-in (threat 149).

use crate::audit::{self, Circumstances, Trail};
use crate::keys::derive::KeyedMac;
use crate::model::audit_event::{About, EventName};
use crate::model::entropy::SharedEntropy;
use crate::model::grant::RevocationReason;
use crate::model::outbox::{Message, MessageKind};
use crate::model::recovery::{Digest, RECOVERY_LIFE, RecoveryToken};
use crate::model::secret::Secret;
use crate::model::user::{PasswordHash, User};
use crate::model::username::{CanonicalEmail, SignInName};
use crate::protocol::identifiers::{MessageId, UserId};
use crate::protocol::timestamp::Timestamp;
use crate::storage::driver::Connection;
use crate::storage::error::StorageError;
use crate::storage::{Store, outbox, recovery_tokens, users};
use crate::users::ending::{self, Ended};
use crate::users::lifecycle::LifecycleError;
use crate::users::own_password::check_name;
use crate::users::password::PasswordHasher;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// What recovery leans on; cheap to clone.
#[derive(Clone)]
pub struct Recovery {
    /// The store.
    pub store: Store,
    /// Chance.
    pub entropy: SharedEntropy,
    /// What tokens follow by.
    pub keys: KeyedMac,
    /// What hashes the new password.
    pub passwords: PasswordHasher,
    /// Where events go.
    pub trail: Trail,
}

/// A mail with a link in it.
#[derive(Clone, Debug)]
pub struct RecoveryMail {
    /// The person's verified address, as it was verified.
    pub address: String,
    /// What opens the page.
    pub token: Secret,
    /// What the person reads, when that is known.
    pub locale: Option<String>,
    /// Until when it opens it.
    pub expires_at: Timestamp,
}

/// Why a link sets no password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecoveryError {
    /// It is none, or spent, replaced or too old: nothing tells which.
    #[error("the link is not one that this server sent, or was used, or is too old")]
    NotALink,
    /// The password cannot be one, or could not be hashed, or the store.
    #[error(transparent)]
    NotSet(#[from] LifecycleError),
}

impl From<StorageError> for RecoveryError {
    fn from(error: StorageError) -> Self {
        Self::NotSet(error.into())
    }
}

/// The fact of a mail that says in which language it is.
pub const LANGUAGE: &str = "language";

const SECTION: &str = "NIST SP 800-63B §4.2";

impl Recovery {
    /// Sends whoever has this name a link, if anybody is to have one: the link and its mail are written together. The mail is in
    /// the language in which it was asked for, by its tag.
    pub async fn request(
        &self,
        name: &SignInName,
        language: &str,
        circumstances: &Circumstances,
    ) -> Result<(), StorageError> {
        let message = Message {
            id: MessageId::from_random(self.entropy.bytes()),
            kind: MessageKind::Mail,
            recipient: String::new(),
            facts: serde_json::Map::from_iter([(LANGUAGE.to_owned(), language.into())]),
            sealed: None,
            request_id: circumstances.request_id.clone(),
            created_at: circumstances.now,
            expires_at: circumstances.now,
        };
        let fresh = (self.entropy.bytes(), message);
        let work = Arc::new((self.clone(), name.clone(), circumstances.clone(), fresh));
        let written = self.store.write(move |connection| {
            let work = work.clone();
            Box::pin(async move {
                let (recovery, name, circumstances, (seed, message)) = work.as_ref();
                recovery.write_request(connection, name, (seed, message), circumstances).await
            })
        });
        if let Err((user, reason)) = written.await? {
            let about = About { user_id: user, ..About::default() };
            let event = self.trail.event(circumstances, EventName::RecoveryRefused, about, reason, SECTION);
            self.trail.refused(event);
        }
        Ok(())
    }

    /// The refusal is a value: it changes nothing, and is told once.
    async fn write_request(
        &self,
        connection: &mut Connection,
        name: &SignInName,
        (seed, message): (&[u8; 16], &Message),
        circumstances: &Circumstances,
    ) -> Result<Result<(), (Option<UserId>, &'static str)>, StorageError> {
        let Some(user) = find(connection, name).await? else {
            return Ok(Err((None, "nobody has this name or verified address")));
        };
        let id = user.id.clone();
        // a link that is being used, or taken out, must not be sent again
        if !users::hold_person(connection, &id).await? {
            return Ok(Err((None, "nobody has this name or verified address")));
        }
        let Some(user) = users::find(connection, &id).await? else {
            return Ok(Err((Some(id), "nobody has this name or verified address")));
        };
        if let Some(why) = unfit(&user) {
            return Ok(Err((Some(id), why)));
        }
        let now = circumstances.now;
        let before = recovery_tokens::of_user(connection, &id).await?;
        if before.as_ref().is_some_and(|before| !before.may_be_mailed(now)) {
            return Ok(Err((Some(id), "a mail was sent only a moment ago")));
        }
        let again = before.as_ref().filter(|before| {
            before.is_worth_sending(now) && digest(&self.token(&id, &before.seed)) == before.hash
        });
        let fresh = RecoveryToken {
            user_id: id.clone(),
            hash: digest(&self.token(&id, seed)),
            seed: *seed,
            mails: 0,
            mailed_at: now,
            expires_at: now.plus(RECOVERY_LIFE),
        };
        let mails = before.as_ref().map_or(0, |before| before.mails_before(now)).saturating_add(1);
        let token = RecoveryToken { mails, mailed_at: now, ..again.cloned().unwrap_or(fresh) };
        if !recovery_tokens::put(connection, &token, before.map(|before| before.mailed_at)).await? {
            return Ok(Err((Some(id), "another request came first")));
        }
        let message =
            Message { recipient: id.as_str().to_owned(), expires_at: token.expires_at, ..message.clone() };
        outbox::insert(connection, &message).await?;
        let about = About { user_id: Some(id), ..About::default() };
        let reason = "a link goes to the verified address";
        let event = self.trail.event(circumstances, EventName::RecoveryRequested, about, reason, SECTION);
        audit::record(connection, &event).await?;
        Ok(Ok(()))
    }

    /// The mail that a message of the outbox stands for, at `now`; none when its link opens nothing any more.
    pub async fn mail(
        &self,
        message: &Message,
        now: Timestamp,
    ) -> Result<Option<RecoveryMail>, StorageError> {
        let Ok(id) = UserId::parse(&message.recipient) else { return Ok(None) };
        let wanted = id.clone();
        let found = self.store.read(move |connection| {
            let id = wanted.clone();
            Box::pin(async move {
                Ok((users::find(connection, &id).await?, recovery_tokens::of_user(connection, &id).await?))
            })
        });
        let (Some(user), Some(link)) = found.await? else { return Ok(None) };
        let token = self.token(&id, &link.seed);
        if unfit(&user).is_some() || digest(&token) != link.hash {
            return Ok(None);
        }
        // a mail of an earlier link is none of this one's, which has its own
        if link.expires_at <= now || message.expires_at <= now {
            return Ok(None);
        }
        let expires_at = link.expires_at;
        // some write `de_DE` (OpenID Connect Core §5.1)
        let locale = user.claims.get("locale").and_then(Value::as_str).map(|locale| locale.replace('_', "-"));
        Ok(address_of(&user).map(|address| RecoveryMail { address, token, locale, expires_at }))
    }

    /// Whose link this is, if it still is one; nothing is spent.
    pub async fn look_at(&self, token: &str, now: Timestamp) -> Result<Option<User>, StorageError> {
        let hash = digest(&Secret::new(token));
        let found = self.store.read(move |connection| {
            let hash = hash.clone();
            Box::pin(async move {
                let Some(link) = recovery_tokens::find_living(connection, &hash, now).await? else {
                    return Ok(None);
                };
                users::find(connection, &link.user_id).await
            })
        });
        Ok(found.await?.filter(|user| unfit(user).is_none()))
    }

    /// Spends a link for a new password, which ends every session and grant of the person. A password that cannot be one spends
    /// nothing.
    pub async fn set_password(
        &self,
        token: &str,
        password: Secret,
        circumstances: &Circumstances,
    ) -> Result<Ended, RecoveryError> {
        let user = self.look_at(token, circumstances.now).await?.ok_or(RecoveryError::NotALink)?;
        check_name(&password, &user)?;
        let password = self.passwords.hash(password).await.map_err(LifecycleError::from)?;
        let (hash, password) = (digest(&Secret::new(token)), PasswordHash(password));
        let work = Arc::new((hash, password, self.trail.clone(), circumstances.clone()));
        let written = self.store.write(move |connection| {
            let work = work.clone();
            Box::pin(async move {
                let (hash, password, trail, circumstances) = work.as_ref();
                let now = circumstances.now;
                let Some(id) = recovery_tokens::spend(connection, hash, now).await? else { return Ok(None) };
                let Some(before) = users::find(connection, &id).await?.filter(|user| unfit(user).is_none()) else {
                    return Ok(None);
                };
                let after = User {
                    password_hash: Some(password.clone()),
                    must_change_password: false,
                    updated_at: now.max(before.updated_at),
                    ..before.clone()
                };
                users::update(connection, &before, &after).await?;
                let reason = RevocationReason::PasswordChanged;
                let ended = ending::end_all_of_user(connection, &id, reason, circumstances).await?;
                let about = About { user_id: Some(id), ..About::default() };
                let Ended { sessions, grants, apps } = ended;
                let reason = format!(
                    "by a link sent to the verified address; {sessions} sessions and {grants} grants ended, {apps} apps are told"
                );
                let event = trail.event(circumstances, EventName::PasswordRecovered, about, reason, SECTION);
                audit::record(connection, &event).await?;
                Ok(Some(ended))
            })
        });
        written.await?.ok_or(RecoveryError::NotALink)
    }

    fn token(&self, user: &UserId, seed: &[u8; 16]) -> Secret {
        Secret::new(URL_SAFE_NO_PAD.encode(self.keys.mac(&[user.as_str().as_bytes(), seed])))
    }
}

/// The verified address as it was written: by its canonical form people are found, and to another host's local parts it may be
/// another mailbox (RFC 5321 §2.4).
fn address_of(user: &User) -> Option<String> {
    let known = user.verified_email.as_deref()?;
    let written = user.claims.get("email").and_then(Value::as_str);
    let is_known = |text: &&str| {
        text.is_ascii() && CanonicalEmail::parse(text).is_ok_and(|email| email.as_str() == known)
    };
    Some(written.filter(is_known).unwrap_or(known).to_owned())
}

/// Why a person is sent no link, if they are sent none.
fn unfit(user: &User) -> Option<&'static str> {
    match user {
        User { disabled_at: Some(_), .. } => Some("the person is disabled"),
        User { password_hash: None, .. } => Some("the person has no password to forget"),
        User { verified_email: None, .. } => Some("the person has no verified address"),
        _ => None,
    }
}

async fn find(connection: &mut Connection, name: &SignInName) -> Result<Option<User>, StorageError> {
    match name {
        SignInName::Username(username) => users::find_by_username(connection, username.as_str()).await,
        SignInName::Email(email) => users::find_by_verified_email(connection, email.as_str()).await,
        SignInName::Nobody(_) => Ok(None),
    }
}

fn digest(token: &Secret) -> Digest {
    Digest(Sha256::new().chain_update(b"portreeve recovery ").chain_update(token.expose()).finalize().into())
}
