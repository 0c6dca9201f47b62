//! The end of sessions, whoever ends them: the session itself, what does not outlive it, and the news for every app that took
//! part, all in the caller's transaction (Back-Channel Logout §2.5; threats 173, 174). Whether a session ends is decided by
//! those who call; how the news travels, in `logout`.

use crate::audit::Circumstances;
use crate::model::grant::RevocationReason;
use crate::model::outbox::{LOGOUT_TOKEN_PATIENCE, Message, MessageKind};
use crate::protocol::identifiers::{ClientId, SessionId, UserId};
use crate::storage::driver::Connection;
use crate::storage::error::StorageError;
use crate::storage::{grants, outbox, session_clients, sessions};
use serde_json::{Map, Value};

/// What ended with a person's standing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Sessions that went on until now.
    pub sessions: u64,
    /// Grants that counted until now.
    pub grants: u64,
    /// Apps that are told, once for each session.
    pub apps: u64,
}

/// Ends one session with its unspent codes and the grants that do not outlive it, and yields the apps that are told; nothing
/// when it had ended before.
pub async fn end_session(
    connection: &mut Connection,
    session: &SessionId,
    reason: RevocationReason,
    circumstances: &Circumstances,
) -> Result<Option<Vec<ClientId>>, StorageError> {
    let now = circumstances.now;
    let Some(user) = sessions::end(connection, session, now).await? else { return Ok(None) };
    grants::revoke_of_session(connection, session, now, reason).await?;
    tell_apps(connection, session, &user, circumstances).await.map(Some)
}

/// Ends every session and every grant of a person.
pub async fn end_all_of_user(
    connection: &mut Connection,
    user: &UserId,
    reason: RevocationReason,
    circumstances: &Circumstances,
) -> Result<Ended, StorageError> {
    let now = circumstances.now;
    let mut ended = Ended::default();
    for session in sessions::end_of_user(connection, user, now).await? {
        ended.sessions += 1;
        ended.apps += tell_apps(connection, &session, user, circumstances).await?.len() as u64;
    }
    ended.grants = grants::revoke_of_user(connection, user, now, reason).await?;
    Ok(ended)
}

/// Ends the sessions of a person but for `here`, each with what does not outlive it.
pub async fn end_sessions_of_user(
    connection: &mut Connection,
    user: &UserId,
    here: Option<&SessionId>,
    reason: RevocationReason,
    circumstances: &Circumstances,
) -> Result<Ended, StorageError> {
    let mut ended = Ended::default();
    for session in sessions::hold_of_user(connection, user).await? {
        if here == Some(&session) {
            continue;
        }
        if let Some(told) = end_session(connection, &session, reason, circumstances).await? {
            ended.sessions += 1;
            ended.apps += told.len() as u64;
        }
    }
    Ok(ended)
}

/// Tells the apps of a person's sessions that theirs are over, though the sessions here go on: each takes part anew when it
/// gets its next code. Yields how many are told.
pub async fn tell_apps_of_user(
    connection: &mut Connection,
    user: &UserId,
    circumstances: &Circumstances,
) -> Result<u64, StorageError> {
    let mut told = 0;
    for session in sessions::hold_of_user(connection, user).await? {
        told += tell_apps(connection, &session, user, circumstances).await?.len() as u64;
    }
    Ok(told)
}

/// Puts the news into the outbox, one message for an app, and yields the apps.
async fn tell_apps(
    connection: &mut Connection,
    session: &SessionId,
    user: &UserId,
    circumstances: &Circumstances,
) -> Result<Vec<ClientId>, StorageError> {
    let participants = session_clients::take(connection, session).await?;
    let mut told = Vec::with_capacity(participants.len());
    for participant in participants {
        let facts = [("sub", user.as_str()), ("sid", session.as_str())];
        let message = Message {
            id: participant.notice,
            kind: MessageKind::LogoutToken,
            recipient: participant.client_id.as_str().to_owned(),
            facts: facts
                .map(|(name, text)| (name.to_owned(), Value::from(text)))
                .into_iter()
                .collect::<Map<_, _>>(),
            sealed: None,
            request_id: circumstances.request_id.clone(),
            created_at: circumstances.now,
            expires_at: circumstances.now.plus(LOGOUT_TOKEN_PATIENCE),
        };
        outbox::insert(connection, &message).await?;
        told.push(participant.client_id);
    }
    Ok(told)
}
