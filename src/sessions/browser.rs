//! The session of a browser: found by its cookie, begun anew at every sign-in, ended at sign-out. Who else is signed in there is
//! kept in `accounts`.

use crate::audit::{self, Circumstances, Trail};
use crate::config::Lifetimes;
use crate::keys::derive::KeyedMac;
use crate::model::audit_event::{About, EventName};
use crate::model::entropy::SharedEntropy;
use crate::model::grant::RevocationReason;
use crate::model::secret::Secret;
use crate::model::session::{Authentication, STAMP_EVERY, Session};
use crate::model::user::User;
use crate::protocol::identifiers::{ClientId, SessionId, UserId};
use crate::protocol::timestamp::Timestamp;
use crate::sessions::accounts::{Accounts, Former, SessionSecrets};
use crate::storage::error::StorageError;
use crate::storage::{Store, sessions};
use crate::users::ending::{Ended, end_session, end_sessions_of_user};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// A session and its person.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The session.
    pub session: Session,
    /// The person.
    pub user: User,
}

/// What sessions lean on.
#[derive(Clone)]
pub struct Sessions {
    /// The store.
    pub store: Store,
    /// Chance.
    pub entropy: SharedEntropy,
    /// Where events go.
    pub trail: Trail,
    /// How long sessions last.
    pub lifetimes: Lifetimes,
    /// What the next secret of a session that goes on follows by.
    pub successors: KeyedMac,
}

impl Sessions {
    /// The living session that a cookie's value opens; a visit puts its idle end off.
    pub async fn find(&self, cookie: Option<&str>, now: Timestamp) -> Result<Option<SignedIn>, StorageError> {
        let Some(secret) = cookie else { return Ok(None) };
        let hash = hash(secret);
        let found = self
            .store
            .read(move |connection| {
                Box::pin(async move { sessions::find_living(connection, &hash, now).await })
            })
            .await?;
        let Some((session, user)) = found else { return Ok(None) };
        if now.since(session.last_seen_at) >= STAMP_EVERY.min(self.lifetimes.session_idle / 4) {
            self.stamp(&session.id, now).await?;
        }
        Ok(Some(SignedIn { session, user }))
    }

    /// Puts the idle end of a session off that was found otherwise than by [`Self::find`].
    pub async fn stamp(&self, id: &SessionId, now: Timestamp) -> Result<(), StorageError> {
        let (id, idle) = (id.clone(), self.lifetimes.session_idle);
        self.store
            .write_one(move |connection| {
                let id = id.clone();
                Box::pin(async move { sessions::stamp(connection, &id, now, idle).await })
            })
            .await
    }

    /// Begins a session for a person who has just proved who they are, and yields what the browser's cookies hold then. A session
    /// of the same person here goes on under its `sid`; of another who was active, `former` says whether it ends, with what does
    /// not outlive it.
    ///
    /// # Errors
    /// A `Conflict` when the person was disabled, or given another password than `user.password_hash`, since they proved it: nobody
    /// is signed in then (threat 45).
    pub async fn sign_in(
        &self,
        user: &User,
        accounts: &Accounts,
        former: Former,
        circumstances: &Circumstances,
    ) -> Result<SessionSecrets, StorageError> {
        let now = circumstances.now;
        let secret = self.entropy.text::<32>();
        let rearranged = self.rearrange(&user.id, accounts, former);
        let others = rearranged.others.clone();
        let session = Session {
            id: rearranged.same.clone().unwrap_or_else(|| SessionId::from_random(self.entropy.bytes())),
            user_id: user.id.clone(),
            authentication: Authentication::by_password(now),
            selected_at: now,
            last_seen_at: now,
            absolute_until: now.plus(self.lifetimes.session_absolute),
        };
        let about = About {
            user_id: Some(user.id.clone()),
            session_id: Some(session.id.clone()),
            ..About::default()
        };
        let event = self.trail.event(
            circumstances,
            EventName::SignedIn,
            about,
            "by password",
            "OpenID Connect Core §3.1.2.3",
        );
        let fresh_id = SessionId::from_random(self.entropy.bytes());
        let by = user.password_hash.clone();
        let work = Arc::new((session, rearranged, event, fresh_id, by, circumstances.clone()));
        let (hash, idle_until) = (hash(&secret), now.plus(self.lifetimes.session_idle));
        self.store
            .write(move |connection| {
                let work = work.clone();
                Box::pin(async move {
                    let (session, rearranged, event, fresh_id, by, circumstances) = work.as_ref();
                    let (same, by) = (&rearranged.same, by.as_ref());
                    rearranged.write(connection, circumstances).await?;
                    let renewed =
                        same.is_some() && sessions::renew(connection, session, &hash, idle_until, by).await?;
                    if !renewed {
                        // A session that ended meanwhile keeps its name to itself.
                        let id = if same.is_some() { fresh_id } else { &session.id };
                        let session = Session { id: id.clone(), ..session.clone() };
                        sessions::insert(connection, &session, &hash, idle_until, by).await?;
                    }
                    audit::record(connection, event).await
                })
            })
            .await?;
        Ok(SessionSecrets { active: Some(Secret::new(secret)), others })
    }

    /// The living sessions of a person, the latest seen first.
    pub async fn list(&self, user: &UserId, now: Timestamp) -> Result<Vec<Session>, StorageError> {
        let user = user.clone();
        let read = self.store.read(move |connection| {
            let user = user.clone();
            Box::pin(async move { sessions::living_of_user(connection, &user, now).await })
        });
        read.await
    }

    /// Ends one of the person's own sessions, whichever browser it is in; false when it is not theirs, or was over.
    pub async fn end_one(
        &self,
        signed_in: &SignedIn,
        id: &SessionId,
        circumstances: &Circumstances,
    ) -> Result<bool, StorageError> {
        let user = signed_in.user.id.clone();
        let about = About { user_id: Some(user.clone()), session_id: Some(id.clone()), ..About::default() };
        let (name, reason) = (EventName::SignedOut, "the person ended it on their own page");
        let event = self.trail.event(circumstances, name, about, reason, "RFC 9700 §4.14.2");
        let work = Arc::new((user, id.clone(), event, circumstances.clone()));
        let written = self.store.write(move |connection| {
            let work = work.clone();
            Box::pin(async move {
                let (user, id, event, circumstances) = work.as_ref();
                let reason = RevocationReason::SignedOut;
                if !sessions::is_of(connection, id, user).await?
                    || end_session(connection, id, reason, circumstances).await?.is_none()
                {
                    return Ok(false);
                }
                audit::record(connection, event).await?;
                Ok(true)
            })
        });
        written.await
    }

    /// Ends every session of the person, this one too, with what does not outlive them.
    pub async fn sign_out_everywhere(
        &self,
        signed_in: &SignedIn,
        circumstances: &Circumstances,
    ) -> Result<Ended, StorageError> {
        let work = Arc::new((signed_in.user.id.clone(), self.trail.clone(), circumstances.clone()));
        let written = self.store.write(move |connection| {
            let work = work.clone();
            Box::pin(async move {
                let (user, trail, circumstances) = work.as_ref();
                let reason = RevocationReason::SignedOut;
                let ended = end_sessions_of_user(connection, user, None, reason, circumstances).await?;
                let about = About { user_id: Some(user.clone()), ..About::default() };
                let reason = format!("everywhere: {} sessions, {} apps are told", ended.sessions, ended.apps);
                let event = EventName::SignedOut;
                let event = trail.event(circumstances, event, about, reason, "RFC 9700 §4.14.2");
                audit::record(connection, &event).await?;
                Ok(ended)
            })
        });
        written.await
    }

    /// Notes that the person chose the account they are signed in to.
    pub async fn select_account(&self, id: &SessionId, now: Timestamp) -> Result<(), StorageError> {
        let id = id.clone();
        self.store
            .write_one(move |connection| {
                let id = id.clone();
                Box::pin(async move { sessions::select(connection, &id, now).await })
            })
            .await
    }

    /// Ends a session with its unspent codes and the grants that do not outlive it, because the person or a client asked, and
    /// yields the apps that took part, which are told (Back-Channel Logout §2.5). None when somebody else ended it first.
    pub async fn sign_out(
        &self,
        signed_in: &SignedIn,
        asked_by: Option<&ClientId>,
        circumstances: &Circumstances,
    ) -> Result<Vec<ClientId>, StorageError> {
        let id = signed_in.session.id.clone();
        let about = About {
            client_id: asked_by.cloned(),
            user_id: Some(signed_in.user.id.clone()),
            session_id: Some(id.clone()),
            ..About::default()
        };
        let event = self.trail.event(
            circumstances,
            EventName::SignedOut,
            about,
            "the person signed out",
            "RP-Initiated Logout §2",
        );
        let work = Arc::new((id, event, circumstances.clone()));
        self.store
            .write(move |connection| {
                let work = work.clone();
                Box::pin(async move {
                    let (id, event, circumstances) = work.as_ref();
                    let reason = RevocationReason::SignedOut;
                    let Some(told) = end_session(connection, id, reason, circumstances).await? else {
                        return Ok(Vec::new());
                    };
                    audit::record(connection, event).await?;
                    Ok(told)
                })
            })
            .await
    }
}

/// What the store keeps of a cookie's value.
pub(super) fn hash(secret: &str) -> [u8; 32] {
    Sha256::new().chain_update(b"portreeve session ").chain_update(secret.as_bytes()).finalize().into()
}
