//! Several people in one browser (OpenID Connect Core §3.1.2.1, `select_account`): one of them is active, up to four others are
//! signed in beside. The session's cookie holds the active one's secret, a second cookie the others'; whoever is chosen or moved
//! aside gets a new secret (threat 130). Who is meant by a request is decided in `authorization`.
//!
//! A new secret of a session that goes on follows from the one before by a key of this server's, so that two submits of one
//! choice (browsers send them) come to the same secrets, and nobody is signed out by a double click.

use crate::audit::Circumstances;
use crate::model::grant::RevocationReason;
use crate::model::secret::Secret;
use crate::protocol::identifiers::{SessionId, UserId};
use crate::protocol::timestamp::Timestamp;
use crate::sessions::browser::{Sessions, SignedIn, hash};
use crate::storage::driver::Connection;
use crate::storage::error::StorageError;
use crate::storage::sessions;
use crate::users::ending::end_session;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::sync::Arc;
use std::time::Duration;

/// How many are signed in beside the active one at most; the one who was active longest ago leaves first.
pub const MOST_OTHERS: usize = 4;
/// For how long after a choice the same choice is answered again.
const AGAIN: Duration = Duration::from_secs(10);

/// What a browser's cookies hold.
#[derive(Clone, Debug, Default)]
pub struct SessionSecrets {
    /// The active session's.
    pub active: Option<Secret>,
    /// The others', the latest active first.
    pub others: Vec<Secret>,
}

/// Somebody who is signed in here.
#[derive(Clone, Debug)]
pub struct Account {
    /// Who.
    pub signed_in: SignedIn,
    secret: Secret,
}

/// Everybody who is signed in here.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    /// The one who is active, if anybody is.
    pub active: Option<Account>,
    /// The others.
    pub others: Vec<Account>,
}

/// What becomes of whoever was active when somebody else signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Former {
    /// They stay signed in: somebody asked for another account beside.
    Stays,
    /// Their session ends.
    Leaves,
}

impl Accounts {
    /// Who is active.
    pub fn active(&self) -> Option<&SignedIn> {
        self.active.as_ref().map(|account| &account.signed_in)
    }

    /// Everybody, the active one first.
    pub fn all(&self) -> impl Iterator<Item = &SignedIn> {
        self.active.iter().chain(&self.others).map(|account| &account.signed_in)
    }

    /// Whether this session is another than the active one's.
    pub fn is_other(&self, id: &SessionId) -> bool {
        self.others.iter().any(|account| account.signed_in.session.id == *id)
    }

    /// What the cookies hold once these sessions are over.
    pub fn without(&self, ended: &[&SessionId]) -> SessionSecrets {
        let stays = |account: &&Account| !ended.contains(&&account.signed_in.session.id);
        SessionSecrets {
            active: self.active.as_ref().filter(stays).map(|account| account.secret.clone()),
            others: self.others.iter().filter(stays).map(|account| account.secret.clone()).collect(),
        }
    }

    fn session_of(&self, user: &UserId) -> Option<SessionId> {
        self.all().find(|signed_in| signed_in.user.id == *user).map(|signed_in| signed_in.session.id.clone())
    }
}

/// What a sign-in of somebody changes for whoever else is signed in here.
pub(super) struct Rearranged {
    /// The session of the same person, which goes on under its `sid`.
    pub(super) same: Option<SessionId>,
    /// What the second cookie holds afterwards.
    pub(super) others: Vec<Secret>,
    ends: Vec<SessionId>,
    moved: Option<(SessionId, [u8; 32], [u8; 32])>,
}

impl Rearranged {
    /// Writes it, in the transaction of the sign-in.
    pub(super) async fn write(
        &self,
        connection: &mut Connection,
        circumstances: &Circumstances,
    ) -> Result<(), StorageError> {
        for id in &self.ends {
            end_session(connection, id, RevocationReason::SignedOut, circumstances).await?;
        }
        if let Some((id, before, after)) = &self.moved {
            sessions::rotate(connection, id, before, after).await?;
        }
        Ok(())
    }
}

impl Sessions {
    /// Everybody whose living session these secrets open; each person and each session once.
    pub async fn accounts(&self, secrets: &SessionSecrets, now: Timestamp) -> Result<Accounts, StorageError> {
        let active = self.find(secrets.active.as_ref().map(Secret::expose), now).await?;
        let active = active.zip(secrets.active.clone());
        let active = active.map(|(signed_in, secret)| Account { signed_in, secret });
        let mut accounts = Accounts { active, others: Vec::new() };
        for secret in secrets.others.iter().take(MOST_OTHERS) {
            let found = self.look_up(secret, now).await?;
            if let Some(signed_in) = found.filter(|found| accounts.session_of(&found.user.id).is_none()) {
                accounts.others.push(Account { signed_in, secret: secret.clone() });
            }
        }
        Ok(accounts)
    }

    /// What a sign-in of `user` changes for everybody else here.
    pub(super) fn rearrange(&self, user: &UserId, accounts: &Accounts, former: Former) -> Rearranged {
        let is_another = |account: &&Account| account.signed_in.user.id != *user;
        let mut others: Vec<&Account> = accounts.others.iter().filter(is_another).collect();
        let mut ends = Vec::new();
        let mut moved = None;
        let mut kept = Vec::new();
        match (accounts.active.as_ref().filter(is_another), former) {
            (Some(active), Former::Leaves) => ends.push(active.signed_in.session.id.clone()),
            (Some(active), Former::Stays) => {
                let after = self.successor(&active.secret);
                let hashes = (hash(active.secret.expose()), hash(after.expose()));
                moved = Some((active.signed_in.session.id.clone(), hashes.0, hashes.1));
                kept.push(after);
                let leave = others.split_off(others.len().min(MOST_OTHERS - 1));
                ends.extend(leave.into_iter().map(|account| account.signed_in.session.id.clone()));
            }
            (None, _) => {}
        }
        kept.extend(others.into_iter().map(|account| account.secret.clone()));
        Rearranged { same: accounts.session_of(user), others: kept, ends, moved }
    }

    /// Makes the session `chosen` of another account the active one, and yields what the cookies hold then; nothing when it is
    /// none of this browser's, or ended meanwhile.
    pub async fn choose(
        &self,
        accounts: &Accounts,
        chosen: &SessionId,
        now: Timestamp,
    ) -> Result<Option<SessionSecrets>, StorageError> {
        let Some(account) = accounts.others.iter().find(|account| account.signed_in.session.id == *chosen)
        else {
            return Ok(None);
        };
        let held = SessionSecrets {
            active: accounts.active.as_ref().map(|account| account.secret.clone()),
            others: accounts.others.iter().map(|account| account.secret.clone()).collect(),
        };
        let after = self.exchanged(&held, &account.secret);
        let hashes = |before: &Secret| (hash(before.expose()), hash(self.successor(before).expose()));
        let moved = accounts.active.as_ref();
        let moved = moved.map(|account| (account.signed_in.session.id.clone(), hashes(&account.secret)));
        let work = Arc::new((chosen.clone(), hashes(&account.secret), moved));
        let idle_until = now.plus(self.lifetimes.session_idle);
        let written = self.store.write(move |connection| {
            let work = work.clone();
            Box::pin(async move {
                let (id, (before, after), moved) = work.as_ref();
                if !sessions::choose(connection, id, (before, after), now, idle_until).await? {
                    return Ok(false);
                }
                if let Some((id, (before, after))) = moved {
                    sessions::rotate(connection, id, before, after).await?;
                }
                Ok(true)
            })
        });
        Ok(written.await?.then_some(after))
    }

    /// Who was active before, and what the cookies hold, when these secrets chose `chosen` a moment ago and the answer was lost.
    pub async fn chosen_before(
        &self,
        secrets: &SessionSecrets,
        chosen: &SessionId,
        now: Timestamp,
    ) -> Result<Option<(Option<SignedIn>, SessionSecrets)>, StorageError> {
        for secret in secrets.others.iter().take(MOST_OTHERS) {
            let Some(found) = self.look_up(&self.successor(secret), now).await? else { continue };
            if found.session.id != *chosen || now.since(found.session.selected_at) > AGAIN {
                continue;
            }
            let moved = match &secrets.active {
                Some(active) => self.look_up(&self.successor(active), now).await?,
                None => None,
            };
            return Ok(Some((moved, self.exchanged(secrets, secret))));
        }
        Ok(None)
    }

    async fn look_up(&self, secret: &Secret, now: Timestamp) -> Result<Option<SignedIn>, StorageError> {
        let hash = hash(secret.expose());
        let found = self.store.read(move |connection| {
            Box::pin(async move { sessions::find_living(connection, &hash, now).await })
        });
        Ok(found.await?.map(|(session, user)| SignedIn { session, user }))
    }

    /// What the cookies hold after `chosen`, one of the others, became the active one.
    fn exchanged(&self, held: &SessionSecrets, chosen: &Secret) -> SessionSecrets {
        let stays = |other: &&Secret| other.expose() != chosen.expose();
        let moved = held.active.as_ref().map(|active| self.successor(active));
        SessionSecrets {
            active: Some(self.successor(chosen)),
            others: moved.into_iter().chain(held.others.iter().filter(stays).cloned()).collect(),
        }
    }

    fn successor(&self, secret: &Secret) -> Secret {
        Secret::new(URL_SAFE_NO_PAD.encode(self.successors.mac(&[secret.expose().as_bytes()])))
    }
}
