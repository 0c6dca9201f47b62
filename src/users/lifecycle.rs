//! A person's life here: added, changed, disabled, enabled, deleted; each step one transaction with its audit event.
//!
//! Decides what of a person goes together: a verified address is the one among their claims (OpenID Connect Core §5.1), a new
//! address is not verified yet, and whoever gets a new password or is disabled loses every session and grant, for good
//! (RFC 9700 §4.14.2, threat 45). It leaves the form of names, claims and passwords to the model and to `password`, and
//! asking for any of them to `cli`.

use crate::audit::{self, Circumstances, Trail};
use crate::model::audit_event::{About, EventName};
use crate::model::claims::{ClaimError, PersonClaims};
use crate::model::entropy::SharedEntropy;
use crate::model::grant::RevocationReason;
use crate::model::secret::Secret;
use crate::model::user::{PasswordHash, User};
use crate::model::username::{CanonicalEmail, CanonicalUsername, EmailError};
use crate::protocol::identifiers::UserId;
use crate::protocol::timestamp::Timestamp;
use crate::storage::driver::Connection;
use crate::storage::error::StorageError;
use crate::storage::revoked_tokens::{NotBefore, set_not_before};
use crate::storage::{Store, recovery_tokens, users};
use crate::users::ending;
pub use crate::users::ending::Ended;
use crate::users::password::{PasswordError, PasswordHasher, check_new_password, check_phc};
use serde_json::{Map, Value};
use std::sync::Arc;

/// What the steps of a person's life lean on; cheap to clone.
#[derive(Clone)]
pub struct People {
    /// Where people are kept.
    pub store: Store,
    /// Where their subjects come from.
    pub entropy: SharedEntropy,
    /// What hashes their passwords.
    pub passwords: PasswordHasher,
    /// Where events go.
    pub trail: Trail,
}

/// Somebody who is to be added.
#[derive(Clone, Debug)]
pub struct NewPerson {
    /// The name they sign in with.
    pub username: CanonicalUsername,
    /// Their claims; `email` with `email_verified` true is an address they sign in with too.
    pub claims: PersonClaims,
    /// What they prove themselves with.
    pub password: NewPassword,
    /// Whether they have to choose another one at their first sign-in.
    pub must_change_password: bool,
}

/// The password of somebody who is to be added.
#[derive(Clone, Debug)]
pub enum NewPassword {
    /// None: nobody signs in as this person by password (threat 145).
    Absent,
    /// As it was typed.
    Clear(Secret),
    /// The PHC string of one that another system hashed.
    Hashed(PasswordHash),
}

/// What is to be different about a person. `unset` goes before `set`.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Claims to take away.
    pub unset: Vec<String>,
    /// Claims to set.
    pub set: Vec<(String, Value)>,
    /// A new password, as it was typed.
    pub password: Option<Secret>,
    /// Whether they have to choose another one at their next sign-in; what was said before stays when it is false.
    pub must_change_password: bool,
}

/// Why a step was not taken; nothing is changed then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LifecycleError {
    /// The name is somebody's.
    #[error("the username {0:?} is taken")]
    UsernameTaken(String),
    /// The verified address is somebody else's.
    #[error(
        "the e-mail address {0:?} is verified for somebody else: one address signs in one person (leave it unverified, \
         or change theirs first)"
    )]
    EmailTaken(String),
    /// Nobody has the name.
    #[error("nobody has the username {0:?}")]
    Unknown(String),
    /// `email_verified` is true, and there is no address.
    #[error("email_verified is true, and there is no e-mail address to verify: set `email` too")]
    VerifiedWithoutEmail,
    /// The address to verify is none.
    #[error(transparent)]
    Email(#[from] EmailError),
    /// Claims that cannot be set, all of them.
    #[error("{}", joined(.0))]
    Claims(Vec<ClaimError>),
    /// The password cannot be one, or could not be hashed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The same person twice in one import.
    #[error("the same {what} as in line {entry}")]
    Repeated {
        /// `username` or `e-mail address`.
        what: &'static str,
        /// The line where it stands first.
        entry: usize,
    },
    /// The store.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl People {
    /// Adds a person.
    ///
    /// # Errors
    /// `UsernameTaken`, `EmailTaken`, `VerifiedWithoutEmail`, `Email`, `Password` or `Storage`.
    pub async fn add(
        &self,
        person: NewPerson,
        circumstances: &Circumstances,
    ) -> Result<User, LifecycleError> {
        let user = self.prepare(person, circumstances.now).await?;
        let (added, trail, circumstances) = (user.clone(), self.trail.clone(), circumstances.clone());
        let written = self.store.write(move |connection| {
            let (user, trail, circumstances) = (added.clone(), trail.clone(), circumstances.clone());
            Box::pin(async move { insert(connection, &user, &trail, &circumstances).await })
        });
        written.await.map_err(|why| taken(why, &user))?;
        Ok(user)
    }

    /// Changes claims and, where one is given, the password of a person. A new password ends what [`Self::set_password`] ends.
    ///
    /// # Errors
    /// `Unknown`, `Claims`, `EmailTaken`, `VerifiedWithoutEmail`, `Email`, `Password` or `Storage`.
    pub async fn change(
        &self,
        username: &CanonicalUsername,
        change: Change,
        circumstances: &Circumstances,
    ) -> Result<(User, Ended), LifecycleError> {
        let password = match &change.password {
            None => None,
            Some(password) => Some(self.hash(password, username).await?),
        };
        let Change { unset, set, must_change_password, .. } = change;
        let alteration = Alteration::Change { unset, set, password, must_change_password };
        self.alter(username, alteration, circumstances).await
    }

    /// Gives a person a password, and ends every session and grant that the old one opened (threat 45).
    ///
    /// # Errors
    /// `Unknown`, `Password` or `Storage`.
    pub async fn set_password(
        &self,
        username: &CanonicalUsername,
        password: Secret,
        circumstances: &Circumstances,
    ) -> Result<Ended, LifecycleError> {
        let change = Change { password: Some(password), ..Change::default() };
        self.change(username, change, circumstances).await.map(|(_, ended)| ended)
    }

    /// Keeps a person out, and ends every session and grant of theirs; again is as once.
    ///
    /// # Errors
    /// `Unknown` or `Storage`.
    pub async fn disable(
        &self,
        username: &CanonicalUsername,
        circumstances: &Circumstances,
    ) -> Result<Ended, LifecycleError> {
        self.alter(username, Alteration::Disable, circumstances).await.map(|(_, ended)| ended)
    }

    /// Lets a person in again; what ended stays ended (threat 45). Again is as once.
    ///
    /// # Errors
    /// `Unknown` or `Storage`.
    pub async fn enable(
        &self,
        username: &CanonicalUsername,
        circumstances: &Circumstances,
    ) -> Result<(), LifecycleError> {
        self.alter(username, Alteration::Enable, circumstances).await.map(drop)
    }

    /// Deletes a person with their sessions, consents and grants; their subject is never given again, and nothing that was
    /// issued about them counts any more.
    ///
    /// # Errors
    /// `Unknown` or `Storage`.
    pub async fn delete(
        &self,
        username: &CanonicalUsername,
        circumstances: &Circumstances,
    ) -> Result<UserId, LifecycleError> {
        let name = username.as_str().to_owned();
        let (trail, circumstances) = (self.trail.clone(), circumstances.clone());
        let deleted = self.store.write(move |connection| {
            let (name, trail, circumstances) = (name.clone(), trail.clone(), circumstances.clone());
            Box::pin(async move {
                let Some(user) = users::find_by_username(connection, &name).await? else { return Ok(None) };
                let about = About { user_id: Some(user.id.clone()), ..About::default() };
                let reason = format!("the operator deleted {name}");
                let event = trail.event(&circumstances, EventName::UserDeleted, about, reason, ENDS);
                set_not_before(connection, NotBefore::User(&user.id), circumstances.now).await?;
                let reason = RevocationReason::Administration;
                ending::end_all_of_user(connection, &user.id, reason, &circumstances).await?;
                users::delete(connection, &user.id).await?;
                audit::record(connection, &event).await?;
                Ok(Some(user.id))
            })
        });
        deleted.await?.ok_or_else(|| LifecycleError::Unknown(username.to_string()))
    }

    /// The row of somebody who is to be added.
    pub(super) async fn prepare(&self, person: NewPerson, now: Timestamp) -> Result<User, LifecycleError> {
        check(&person)?;
        let password_hash = match &person.password {
            NewPassword::Absent => None,
            NewPassword::Clear(password) => Some(self.hash(password, &person.username).await?),
            NewPassword::Hashed(hash) => Some(hash.clone()),
        };
        Ok(User {
            id: UserId::from_random(self.entropy.bytes()),
            username: person.username.as_str().to_owned(),
            verified_email: verified_email(&person.claims)?,
            password_hash,
            claims: person.claims.as_object().clone(),
            must_change_password: person.must_change_password,
            created_at: now,
            updated_at: now,
            disabled_at: None,
        })
    }

    async fn hash(
        &self,
        password: &Secret,
        username: &CanonicalUsername,
    ) -> Result<PasswordHash, LifecycleError> {
        check_new_password(password, username)?;
        Ok(PasswordHash(self.passwords.hash(password.clone()).await?))
    }

    /// Takes one step on the person of this name, in one transaction.
    async fn alter(
        &self,
        username: &CanonicalUsername,
        alteration: Alteration,
        circumstances: &Circumstances,
    ) -> Result<(User, Ended), LifecycleError> {
        let address = alteration.address();
        let step =
            Arc::new((username.as_str().to_owned(), alteration, self.trail.clone(), circumstances.clone()));
        let outcome = self.store.write(move |connection| {
            let step = Arc::clone(&step);
            Box::pin(async move {
                let (name, alteration, trail, circumstances) = step.as_ref();
                let Some(before) = users::find_by_username(connection, name).await? else {
                    return Ok(Err(LifecycleError::Unknown(name.clone())));
                };
                let user = match alteration.apply(before.clone(), circumstances.now) {
                    Ok(user) => user,
                    Err(why) => return Ok(Err(why)),
                };
                if let Err(why) = write(connection, &before, &user).await? {
                    return Ok(Err(why));
                }
                let mut ended = Ended::default();
                // A link was for the password and the address of its time.
                if alteration.ends().is_some() || before.verified_email != user.verified_email {
                    recovery_tokens::void(connection, &user.id).await?;
                }
                if let Some(reason) = alteration.ends() {
                    ended = ending::end_all_of_user(connection, &user.id, reason, circumstances).await?;
                }
                for (event, reason, section) in alteration.events(&before, &user, ended) {
                    let about = About { user_id: Some(user.id.clone()), ..About::default() };
                    let event = trail.event(circumstances, event, about, reason, section);
                    audit::record(connection, &event).await?;
                }
                Ok(Ok((user, ended)))
            })
        });
        outcome.await.map_err(|why| match (&why, address) {
            (StorageError::Conflict(_), Some(address)) => LifecycleError::EmailTaken(address),
            _ => LifecycleError::Storage(why),
        })?
    }
}

/// What demands that grants end with the standing of their person.
const ENDS: &str = "RFC 9700 §4.14.2";

/// One step, as the transaction takes it.
enum Alteration {
    Change {
        unset: Vec<String>,
        set: Vec<(String, Value)>,
        password: Option<PasswordHash>,
        must_change_password: bool,
    },
    Disable,
    Enable,
}

impl Alteration {
    /// The person after this step.
    fn apply(&self, mut user: User, now: Timestamp) -> Result<User, LifecycleError> {
        match self {
            Self::Change { unset, set, password, must_change_password } => {
                if !(unset.is_empty() && set.is_empty()) {
                    let claims = changed_claims(&user.claims, unset, set)?;
                    user.verified_email = verified_email(&claims)?;
                    user.claims = claims.as_object().clone();
                }
                if let Some(password) = password {
                    user.password_hash = Some(password.clone());
                }
                user.must_change_password |= must_change_password;
                user.updated_at = now.max(user.updated_at);
            }
            Self::Disable => user.disabled_at = user.disabled_at.or(Some(now)),
            Self::Enable => user.disabled_at = None,
        }
        Ok(user)
    }

    /// The address that it sets.
    fn address(&self) -> Option<String> {
        let Self::Change { set, .. } = self else { return None };
        set.iter().rev().find(|(name, _)| name == "email")?.1.as_str().map(str::to_owned)
    }

    /// Why sessions and grants end with this step, if they do.
    fn ends(&self) -> Option<RevocationReason> {
        match self {
            Self::Change { password: Some(_), .. } => Some(RevocationReason::PasswordChanged),
            Self::Disable => Some(RevocationReason::UserDisabled),
            Self::Change { password: None, .. } | Self::Enable => None,
        }
    }

    /// What is recorded: names of claims, never values.
    fn events(&self, before: &User, after: &User, ended: Ended) -> Vec<(EventName, String, &'static str)> {
        let Ended { sessions, grants, apps } = ended;
        let consequence = format!("{sessions} sessions and {grants} grants ended, {apps} apps are told");
        match self {
            Self::Change { unset, set, password, must_change_password } => {
                let mut events = Vec::new();
                if !(unset.is_empty() && set.is_empty()) {
                    let names = unset.iter().chain(set.iter().map(|(name, _)| name));
                    let names: Vec<&str> = names.map(String::as_str).collect();
                    let reason = format!("the operator changed {}", names.join(", "));
                    events.push((EventName::UserChanged, reason, "OpenID Connect Core §5.1"));
                }
                if *must_change_password {
                    let reason = "the operator demands another password".to_owned();
                    events.push((EventName::UserChanged, reason, "OpenID Connect Core §3.1.2.3"));
                }
                if password.is_some() {
                    let reason = format!("the operator set a password; {consequence}");
                    events.push((EventName::PasswordSet, reason, ENDS));
                }
                events
            }
            Self::Disable => {
                let reason = format!("the operator disabled the person; {consequence}");
                vec![(EventName::UserDisabled, reason, ENDS)]
            }
            Self::Enable if before.disabled_at == after.disabled_at => Vec::new(),
            Self::Enable => {
                vec![(EventName::UserEnabled, "the operator enabled the person".to_owned(), ENDS)]
            }
        }
    }
}

/// Claims after a change. An address that becomes another is not verified unless the same change says so.
fn changed_claims(
    before: &Map<String, Value>,
    unset: &[String],
    set: &[(String, Value)],
) -> Result<PersonClaims, LifecycleError> {
    let mut object = before.clone();
    for name in unset {
        object.remove(name);
    }
    let mut claims = PersonClaims::from_object(object).map_err(LifecycleError::Claims)?;
    let wrong: Vec<ClaimError> =
        set.iter().filter_map(|(name, value)| claims.set(name, value.clone()).err()).collect();
    if !wrong.is_empty() {
        return Err(LifecycleError::Claims(wrong));
    }
    let address = |value: Option<&Value>| {
        value.and_then(Value::as_str).and_then(|text| CanonicalEmail::parse(text).ok())
    };
    let says_so = set.iter().any(|(name, _)| name == "email_verified");
    if !says_so && address(before.get("email")) != address(claims.get("email")) {
        claims.unset("email_verified");
        if claims.get("email").is_some() {
            claims
                .set("email_verified", Value::Bool(false))
                .map_err(|why| LifecycleError::Claims(vec![why]))?;
        }
    }
    Ok(claims)
}

/// The address that a person signs in with: the one among their claims, once it is verified.
pub(super) fn verified_email(claims: &PersonClaims) -> Result<Option<String>, LifecycleError> {
    if claims.get("email_verified") != Some(&Value::Bool(true)) {
        return Ok(None);
    }
    let Some(text) = claims.get("email").and_then(Value::as_str) else {
        return Err(LifecycleError::VerifiedWithoutEmail);
    };
    Ok(Some(CanonicalEmail::parse(text)?.as_str().to_owned()))
}

/// What can be said of somebody without the store.
pub(super) fn check(person: &NewPerson) -> Result<(), LifecycleError> {
    verified_email(&person.claims)?;
    match &person.password {
        NewPassword::Absent => Ok(()),
        NewPassword::Clear(password) => Ok(check_new_password(password, &person.username)?),
        NewPassword::Hashed(hash) => Ok(check_phc(&hash.0)?),
    }
}

pub(super) async fn insert(
    connection: &mut Connection,
    user: &User,
    trail: &Trail,
    circumstances: &Circumstances,
) -> Result<(), StorageError> {
    users::insert(connection, user).await?;
    let about = About { user_id: Some(user.id.clone()), ..About::default() };
    let reason = format!("the operator added {}", user.username);
    let event = trail.event(circumstances, EventName::UserAdded, about, reason, "OpenID Connect Core §5.1");
    audit::record(connection, &event).await
}

/// Writes a person, unless the verified address is somebody else's.
async fn write(
    connection: &mut Connection,
    before: &User,
    after: &User,
) -> Result<Result<(), LifecycleError>, StorageError> {
    if let Some(email) =
        after.verified_email.as_ref().filter(|_| before.verified_email != after.verified_email)
        && users::find_by_verified_email(connection, email).await?.is_some_and(|other| other.id != after.id)
    {
        return Ok(Err(LifecycleError::EmailTaken(email.clone())));
    }
    users::update(connection, before, after).await.map(Ok)
}

/// A uniqueness of the table, said of a person.
fn taken(why: StorageError, user: &User) -> LifecycleError {
    match (&why, &user.verified_email) {
        (StorageError::Conflict(constraint), Some(email)) if constraint.contains("verified_email") => {
            LifecycleError::EmailTaken(email.clone())
        }
        (StorageError::Conflict(constraint), _) if constraint.contains("username") => {
            LifecycleError::UsernameTaken(user.username.clone())
        }
        _ => LifecycleError::Storage(why),
    }
}

fn joined(errors: &[ClaimError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
