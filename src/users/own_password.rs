//! A person changes their own password, the old one at hand: it was found right by `sign_in`, through the same throttle. The new one
//! takes the old one's place only while that is still there, so that an operator's change in between is not undone.

use crate::audit::{self, Circumstances};
use crate::model::audit_event::{About, EventName};
use crate::model::grant::RevocationReason;
use crate::model::secret::Secret;
use crate::model::user::{PasswordHash, User};
use crate::model::username::CanonicalUsername;
use crate::protocol::identifiers::SessionId;
use crate::storage::error::StorageError;
use crate::storage::{grants, recovery_tokens, users};
use crate::users::ending::{self, Ended};
use crate::users::lifecycle::{LifecycleError, People};
use crate::users::password::{check_is_another, check_new_password};
use std::sync::Arc;

/// What becomes of the person's other sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// They go on.
    GoesOn,
    /// They end, and with them every grant that was not given here.
    Ends,
}

/// What a person wants.
#[derive(Clone, Debug)]
pub struct OwnChange {
    /// The password that was found right.
    pub old: Secret,
    /// The one to come.
    pub new: Secret,
    /// The session in which they ask.
    pub here: SessionId,
    /// What becomes of the others.
    pub elsewhere: Elsewhere,
}

impl People {
    /// Puts a person's new password in the place of the one that `user` was found right by; yields the person as they are then.
    ///
    /// # Errors
    /// `Password` when the new one cannot be one; `Storage` with a `Conflict` when the old one is none any more.
    pub async fn change_own_password(
        &self,
        user: &User,
        change: OwnChange,
        circumstances: &Circumstances,
    ) -> Result<User, LifecycleError> {
        check_name(&change.new, user)?;
        check_is_another(&change.new, &change.old)?;
        let after = PasswordHash(self.passwords.hash(change.new.clone()).await?);
        let changed =
            User { password_hash: Some(after.clone()), must_change_password: false, ..user.clone() };
        let before = user.password_hash.clone().ok_or_else(gone)?;
        let work =
            Arc::new((user.id.clone(), before, after, change, self.trail.clone(), circumstances.clone()));
        let written = self.store.write(move |connection| {
            let work = work.clone();
            Box::pin(async move {
                let (id, before, after, change, trail, circumstances) = work.as_ref();
                let now = circumstances.now;
                if !users::change_password(connection, id, before, after, now).await? {
                    return Ok(false);
                }
                recovery_tokens::void(connection, id).await?;
                let mut ended = Ended::default();
                if change.elsewhere == Elsewhere::Ends {
                    let (here, reason) = (&change.here, RevocationReason::PasswordChanged);
                    let sessions =
                        ending::end_sessions_of_user(connection, id, Some(here), reason, circumstances).await?;
                    let grants = grants::revoke_of_user_elsewhere(connection, id, here, now, reason).await?;
                    ended = Ended { grants, ..sessions };
                }
                let about = About {
                    user_id: Some(id.clone()),
                    session_id: Some(change.here.clone()),
                    ..About::default()
                };
                let Ended { sessions, grants, apps } = ended;
                let reason =
                    format!("the person did; {sessions} other sessions and {grants} grants ended, {apps} apps are told");
                let event = trail.event(circumstances, EventName::PasswordChanged, about, reason, "RFC 9700 §4.14.2");
                audit::record(connection, &event).await?;
                Ok(true)
            })
        });
        if written.await? { Ok(changed) } else { Err(gone()) }
    }
}

/// Whether a person may choose this password.
pub(super) fn check_name(password: &Secret, user: &User) -> Result<(), LifecycleError> {
    let name = CanonicalUsername::parse(&user.username);
    let name = name.map_err(|_| StorageError::Corrupt { table: "users", column: "username" })?;
    Ok(check_new_password(password, &name)?)
}

fn gone() -> LifecycleError {
    LifecycleError::Storage(StorageError::Conflict("the password was changed meanwhile".to_owned()))
}
