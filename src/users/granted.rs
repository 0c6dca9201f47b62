//! What a person gave to whom: their consents and the grants that live, one entry for each app; and the way to take it back. What
//! an app may do is decided where it asks; here it is told in one place, and ended (RFC 6749 §10.3, threat 45).

use crate::audit::{self, Circumstances, Trail};
use crate::model::audit_event::{About, EventName};
use crate::model::grant::{Access, Grant, GrantState, RevocationReason};
use crate::protocol::identifiers::{ClientId, SessionId, UserId};
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scopes;
use crate::protocol::timestamp::Timestamp;
use crate::storage::error::StorageError;
use crate::storage::{Store, consents, grants, sessions};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What one app has of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The app.
    pub client_id: ClientId,
    /// What they allowed it.
    pub scopes: Scopes,
    /// Where.
    pub resources: Vec<Resource>,
    /// When they first did.
    pub since: Timestamp,
    /// When the app last made use of it, give or take an hour; never, if nothing is known.
    pub used_at: Option<Timestamp>,
}

/// All that a person gave, by app.
pub async fn list(store: &Store, user: &UserId, now: Timestamp) -> Result<Vec<Granted>, StorageError> {
    let user = user.clone();
    let read = store.read(move |connection| {
        let user = user.clone();
        Box::pin(async move {
            let living = sessions::living_of_user(connection, &user, now).await?;
            let living: Vec<SessionId> = living.into_iter().map(|session| session.id).collect();
            let consents = consents::of_user(connection, &user).await?;
            Ok((consents, grants::active_of_user(connection, &user).await?, living))
        })
    });
    let (consents, grants, living) = read.await?;
    let mut apps: BTreeMap<ClientId, Granted> = BTreeMap::new();
    for consent in consents {
        let entry = entry(&mut apps, consent.client_id, consent.granted_at);
        entry.take(&consent.scopes, &consent.resources, consent.granted_at);
    }
    for grant in grants.into_iter().filter(|grant| lives(grant, &living, now)) {
        let entry = entry(&mut apps, grant.client_id.clone(), grant.issued_at);
        entry.take(&grant.scopes, &grant.resources, grant.issued_at);
        entry.used_at = entry.used_at.max(used_at(&grant));
    }
    Ok(apps.into_values().collect())
}

fn entry(apps: &mut BTreeMap<ClientId, Granted>, client_id: ClientId, since: Timestamp) -> &mut Granted {
    apps.entry(client_id.clone()).or_insert_with(|| Granted {
        client_id,
        scopes: Scopes::default(),
        resources: Vec::new(),
        since,
        used_at: None,
    })
}

impl Granted {
    fn take(&mut self, scopes: &Scopes, resources: &[Resource], since: Timestamp) {
        self.scopes = self.scopes.union(scopes);
        let new = resources.iter().filter(|resource| !self.resources.contains(resource)).cloned();
        let new: Vec<Resource> = new.collect();
        self.resources.extend(new);
        self.since = self.since.min(since);
    }
}

/// Whether an app can still use a grant.
fn lives(grant: &Grant, living: &[SessionId], now: Timestamp) -> bool {
    let GrantState::Active { refresh, .. } = &grant.state else { return false };
    grant.expires_at > now
        && refresh.as_ref().is_none_or(|refresh| refresh.idle_until > now)
        && (grant.access == Access::Offline || living.contains(&grant.session_id))
}

fn used_at(grant: &Grant) -> Option<Timestamp> {
    match &grant.state {
        GrantState::Active { redeemed_at, refresh } => {
            Some(refresh.as_ref().map_or(*redeemed_at, |refresh| refresh.used_at.max(*redeemed_at)))
        }
        _ => None,
    }
}

/// Takes back all that a person gave an app: it is no more remembered, and what it got by it is dead. False when there was nothing.
pub async fn take_back(
    store: &Store,
    trail: &Trail,
    user: &UserId,
    client: &ClientId,
    circumstances: &Circumstances,
) -> Result<bool, StorageError> {
    let work = Arc::new((user.clone(), client.clone(), trail.clone(), circumstances.clone()));
    store
        .write(move |connection| {
            let work = work.clone();
            Box::pin(async move {
                let (user, client, trail, circumstances) = work.as_ref();
                let reason = RevocationReason::ConsentTakenBack;
                let consents = consents::forget(connection, user, client).await?;
                let ended =
                    grants::revoke_given(connection, (user, client), circumstances.now, reason).await?;
                if consents == 0 && ended == 0 {
                    return Ok(false);
                }
                let about = About {
                    client_id: Some(client.clone()),
                    user_id: Some(user.clone()),
                    ..About::default()
                };
                let reason = format!("on their own page; {ended} grants ended");
                let event = EventName::ConsentTakenBack;
                let event = trail.event(circumstances, event, about, reason, "RFC 6749 §10.3");
                audit::record(connection, &event).await?;
                Ok(true)
            })
        })
        .await
}
