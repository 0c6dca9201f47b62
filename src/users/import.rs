//! Many people at once. All of a file is checked before anybody is added, so that everything that is wrong with any entry is told
//! at once; then they are added in batches, each in a transaction of its own, so that a server beside it is never held up.
//!
//! What somebody who is added must be is `lifecycle`'s rule; the form of the file is `cli`'s.

use crate::audit::Circumstances;
use crate::model::user::User;
use crate::model::username::CanonicalUsername;
use crate::storage::error::StorageError;
use crate::storage::users;
use crate::users::lifecycle::{LifecycleError, NewPerson, People, check, insert, verified_email};
use futures_util::{StreamExt as _, stream};
use std::collections::HashMap;
use std::sync::Arc;

/// How many people share a transaction; more would hold up a server that writes beside.
pub const BATCH: usize = 100;

/// An entry of a file.
pub struct Entry {
    /// Its number there, for what is told about it and about others.
    pub number: usize,
    /// Its name, also where something else is wrong with it.
    pub username: Option<CanonicalUsername>,
    /// Who it is; nobody where something is wrong with it.
    pub person: Option<NewPerson>,
}

/// The names and addresses of the entries that were checked, with the numbers of those that had them first.
#[derive(Default)]
pub struct Seen {
    names: HashMap<String, usize>,
    addresses: HashMap<String, usize>,
}

impl People {
    /// Tells what is wrong with the next entries of a file by themselves, with those before them and with who is there.
    pub async fn check_entries(
        &self,
        seen: &mut Seen,
        entries: &[Entry],
    ) -> Result<Vec<(usize, LifecycleError)>, StorageError> {
        let (mut refused, mut wanted) = (Vec::new(), Vec::new());
        for entry in entries {
            let email =
                entry.person.as_ref().and_then(|person| verified_email(&person.claims).ok().flatten());
            refused.extend(seen.repeats(entry, email.clone()));
            if let Some(person) = &entry.person {
                refused.extend(check(person).err().map(|why| (entry.number, why)));
            }
            if let Some(name) = &entry.username {
                wanted.push((entry.number, name.as_str().to_owned(), email));
            }
        }
        refused.extend(self.taken_of(wanted).await?);
        Ok(refused)
    }

    /// Adds all of `people`, who were checked, or nobody.
    ///
    /// # Errors
    /// `UsernameTaken` or `EmailTaken` when somebody of them came into being meanwhile; `Storage`; whatever [`People::add`] says.
    pub async fn add_batch(
        &self,
        people: Vec<NewPerson>,
        circumstances: &Circumstances,
    ) -> Result<(), LifecycleError> {
        let now = circumstances.now;
        let prepared = stream::iter(people).map(|person| self.prepare(person, now)).buffered(HASHES_AT_ONCE);
        let prepared: Vec<Result<User, LifecycleError>> = prepared.collect().await;
        let all = Arc::new(prepared.into_iter().collect::<Result<Vec<User>, LifecycleError>>()?);
        let (added, trail, circumstances) = (Arc::clone(&all), self.trail.clone(), circumstances.clone());
        let written = self.store.write(move |connection| {
            let (added, trail, circumstances) = (Arc::clone(&added), trail.clone(), circumstances.clone());
            Box::pin(async move {
                for user in added.iter() {
                    insert(connection, user, &trail, &circumstances).await?;
                }
                Ok(())
            })
        });
        match written.await {
            // Somebody else was quicker since the check; the table does not say with whom of them.
            Err(why @ StorageError::Conflict(_)) => {
                let named =
                    all.iter().map(|user| (0, user.username.clone(), user.verified_email.clone())).collect();
                let found = self.taken_of(named).await?.into_iter().next();
                Err(found.map_or(LifecycleError::Storage(why), |(_, taken)| taken))
            }
            written => Ok(written?),
        }
    }

    /// Which of `wanted` have a name or verified address of somebody who is there.
    async fn taken_of(
        &self,
        wanted: Vec<(usize, String, Option<String>)>,
    ) -> Result<Vec<(usize, LifecycleError)>, StorageError> {
        let wanted = Arc::new(wanted);
        self.store
            .read(move |connection| {
                let wanted = Arc::clone(&wanted);
                Box::pin(async move {
                    let mut taken = Vec::new();
                    for (entry, name, email) in wanted.iter() {
                        if users::find_by_username(connection, name).await?.is_some() {
                            taken.push((*entry, LifecycleError::UsernameTaken(name.clone())));
                        }
                        if let Some(email) = email
                            && users::find_by_verified_email(connection, email).await?.is_some()
                        {
                            taken.push((*entry, LifecycleError::EmailTaken(email.clone())));
                        }
                    }
                    Ok(taken)
                })
            })
            .await
    }
}

/// How many passwords of an import are hashed at once, so that a running queue has room for others.
const HASHES_AT_ONCE: usize = 4;

impl Seen {
    /// Whether an earlier entry names the same person.
    fn repeats(&mut self, entry: &Entry, email: Option<String>) -> Vec<(usize, LifecycleError)> {
        let name = entry.username.as_ref().map(|name| name.as_str().to_owned());
        let named = [("username", &mut self.names, name), ("e-mail address", &mut self.addresses, email)];
        let mut repeated = Vec::new();
        for (what, seen, value) in named {
            let Some(value) = value else { continue };
            let first = *seen.entry(value).or_insert(entry.number);
            if first != entry.number {
                repeated.push((entry.number, LifecycleError::Repeated { what, entry: first }));
            }
        }
        repeated
    }
}
