//! The session of a browser: found by its cookie, begun anew at every sign-in, ended at sign-out.

use crate::audit::{self, Circumstances, Trail};
use crate::config::Lifetimes;
use crate::model::audit_event::{About, EventName};
use crate::model::entropy::SharedEntropy;
use crate::model::grant::RevocationReason;
use crate::model::session::{Authentication, STAMP_EVERY, Session};
use crate::model::user::User;
use crate::protocol::identifiers::{ClientId, SessionId};
use crate::protocol::timestamp::Timestamp;
use crate::storage::error::StorageError;
use crate::storage::{Store, sessions};
use crate::users::ending::end_session;
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

    async fn stamp(&self, id: &SessionId, now: Timestamp) -> Result<(), StorageError> {
        let (id, idle) = (id.clone(), self.lifetimes.session_idle);
        self.store
            .write_one(move |connection| {
                let id = id.clone();
                Box::pin(async move { sessions::stamp(connection, &id, now, idle).await })
            })
            .await
    }

    /// Begins a session for a person who has just proved who they are, and yields the cookie's new value. The same
    /// person's session goes on under its `sid`; another's ends, with what does not outlive it.
    ///
    /// # Errors
    /// A `Conflict` when the person was disabled, or given another password than `user.password_hash`, since they proved it: nobody
    /// is signed in then (threat 45).
    pub async fn sign_in(
        &self,
        user: &User,
        before: Option<&SignedIn>,
        circumstances: &Circumstances,
    ) -> Result<String, StorageError> {
        let now = circumstances.now;
        let secret = self.entropy.text::<32>();
        let same = before.filter(|before| before.user.id == user.id).map(|before| before.session.id.clone());
        let ended = before.filter(|before| before.user.id != user.id).map(|before| before.session.id.clone());
        let session = Session {
            id: same.clone().unwrap_or_else(|| SessionId::from_random(self.entropy.bytes())),
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
        let work = Arc::new((session, same, ended, event, fresh_id, by, circumstances.clone()));
        let (hash, idle_until) = (hash(&secret), now.plus(self.lifetimes.session_idle));
        self.store
            .write(move |connection| {
                let work = work.clone();
                Box::pin(async move {
                    let (session, same, ended, event, fresh_id, by, circumstances) = work.as_ref();
                    let by = by.as_ref();
                    if let Some(ended) = ended {
                        end_session(connection, ended, RevocationReason::SignedOut, circumstances).await?;
                    }
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
        Ok(secret)
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
fn hash(secret: &str) -> [u8; 32] {
    Sha256::new().chain_update(b"portreeve session ").chain_update(secret.as_bytes()).finalize().into()
}
