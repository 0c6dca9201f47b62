//! The table of the apps that took part in a session, and so hear of its end.

use crate::protocol::identifiers::{ClientId, MessageId, SessionId};
use crate::protocol::timestamp::Timestamp;
use crate::storage::driver::{Connection, execute, fetch_all};
use crate::storage::error::StorageError;
use crate::storage::row::column;

/// An app that took part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Participant {
    /// Which.
    pub client_id: ClientId,
    /// The name that the news of the end will have.
    pub notice: MessageId,
}

#[derive(sqlx::FromRow)]
struct ParticipantRow {
    client_id: String,
    notice: String,
}

impl TryFrom<ParticipantRow> for Participant {
    type Error = StorageError;

    fn try_from(row: ParticipantRow) -> Result<Self, StorageError> {
        Ok(Self {
            client_id: column("session_clients", "client_id", ClientId::parse(&row.client_id))?,
            notice: column("session_clients", "notice", MessageId::parse(&row.notice))?,
        })
    }
}

/// Notes that an app takes part, in the transaction of its code, which holds the session: whoever ends it meanwhile waits, and
/// then finds the app. Again is as once.
pub async fn join(
    connection: &mut Connection,
    session: &SessionId,
    participant: &Participant,
    now: Timestamp,
) -> Result<(), StorageError> {
    execute!(
        connection,
        "INSERT INTO session_clients (session_id, client_id, notice, since) VALUES ($1, $2, $3, $4)
         ON CONFLICT (session_id, client_id) DO NOTHING",
        session.as_str(),
        participant.client_id.as_str(),
        participant.notice.as_str(),
        now.millis(),
    )
    .map(drop)
}

/// Takes out every app that took part in a session, so that each is told once; called in the transaction that tells them.
pub async fn take(
    connection: &mut Connection,
    session: &SessionId,
) -> Result<Vec<Participant>, StorageError> {
    let rows = fetch_all!(
        connection,
        ParticipantRow,
        "DELETE FROM session_clients WHERE session_id = $1 RETURNING client_id, notice",
        session.as_str(),
    )?;
    rows.into_iter().map(TryFrom::try_from).collect()
}
