//! Many people at once: all of an import are added, or nobody is, and everything that is wrong with any of them is told.
//!
//! What somebody who is added must be is `lifecycle`'s rule; the form of the file is `cli`'s.

use crate::audit::Circumstances;
use crate::model::user::User;
use crate::storage::error::StorageError;
use crate::storage::users;
use crate::users::lifecycle::{LifecycleError, NewPerson, People, check, insert, verified_email};
use futures_util::{StreamExt as _, stream};
use std::collections::HashMap;
use std::sync::Arc;

/// Why nobody of an import was added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportError {
    /// Everything that is wrong with the entries: the place of the entry, counted from 0, and why.
    Refused(Vec<(usize, LifecycleError)>),
    /// The store.
    Storage(StorageError),
}

impl People {
    /// Adds all of `people`, or nobody.
    ///
    /// # Errors
    /// `Refused` with everything that is wrong with every entry.
    pub async fn import(
        &self,
        people: Vec<NewPerson>,
        circumstances: &Circumstances,
    ) -> Result<Vec<User>, ImportError> {
        // Judged before anything is hashed, which takes some 20 ms a password.
        self.check_import(&people).await?;
        let now = circumstances.now;
        let prepared = stream::iter(people).map(|person| self.prepare(person, now)).buffered(HASHES_AT_ONCE);
        let prepared: Vec<Result<User, LifecycleError>> = prepared.collect().await;
        let (mut added, mut refused) = (Vec::new(), Vec::new());
        for (entry, user) in prepared.into_iter().enumerate() {
            match user {
                Ok(user) => added.push(user),
                Err(why) => refused.push((entry, why)),
            }
        }
        if !refused.is_empty() {
            return Err(refusal(refused));
        }
        let added = Arc::new(added);
        let (all, trail, circumstances) = (Arc::clone(&added), self.trail.clone(), circumstances.clone());
        let written = self.store.write(move |connection| {
            let (all, trail, circumstances) = (Arc::clone(&all), trail.clone(), circumstances.clone());
            Box::pin(async move {
                for user in all.iter() {
                    insert(connection, user, &trail, &circumstances).await?;
                }
                Ok(())
            })
        });
        written.await.map_err(ImportError::Storage)?;
        Ok(added.to_vec())
    }

    /// Tells everything that is wrong with `people` and their being together, and adds nobody.
    ///
    /// # Errors
    /// `Refused` with everything that is wrong with every entry.
    pub async fn check_import(&self, people: &[NewPerson]) -> Result<(), ImportError> {
        let mut refused = repeated(people);
        for (entry, person) in people.iter().enumerate() {
            refused.extend(check(person).err().map(|why| (entry, why)));
        }
        refused.extend(self.taken_of(people).await.map_err(ImportError::Storage)?);
        if refused.is_empty() { Ok(()) } else { Err(refusal(refused)) }
    }

    /// Which of `people` have a name or verified address of somebody who is there.
    async fn taken_of(&self, people: &[NewPerson]) -> Result<Vec<(usize, LifecycleError)>, StorageError> {
        let wanted: Vec<(String, Option<String>)> = people
            .iter()
            .map(|person| {
                (person.username.as_str().to_owned(), verified_email(&person.claims).ok().flatten())
            })
            .collect();
        let wanted = Arc::new(wanted);
        self.store
            .read(move |connection| {
                let wanted = Arc::clone(&wanted);
                Box::pin(async move {
                    let mut taken = Vec::new();
                    for (entry, (name, email)) in wanted.iter().enumerate() {
                        if users::find_by_username(connection, name).await?.is_some() {
                            taken.push((entry, LifecycleError::UsernameTaken(name.clone())));
                        }
                        if let Some(email) = email
                            && users::find_by_verified_email(connection, email).await?.is_some()
                        {
                            taken.push((entry, LifecycleError::EmailTaken(email.clone())));
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

/// Entries that name somebody whom an earlier entry names.
fn repeated(people: &[NewPerson]) -> Vec<(usize, LifecycleError)> {
    let (mut names, mut addresses) = (HashMap::new(), HashMap::new());
    let mut repeated = Vec::new();
    for (entry, person) in people.iter().enumerate() {
        let first = *names.entry(person.username.as_str().to_owned()).or_insert(entry);
        if first != entry {
            repeated.push((entry, LifecycleError::Repeated { what: "username", entry: first }));
        }
        if let Ok(Some(address)) = verified_email(&person.claims) {
            let first = *addresses.entry(address).or_insert(entry);
            if first != entry {
                repeated.push((entry, LifecycleError::Repeated { what: "e-mail address", entry: first }));
            }
        }
    }
    repeated
}

fn refusal(mut refused: Vec<(usize, LifecycleError)>) -> ImportError {
    refused.sort_by_key(|(entry, _)| *entry);
    ImportError::Refused(refused)
}
