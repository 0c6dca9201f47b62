//! What a person decided on the consent page (OpenID Connect Core §3.1.2.4). The form carries an authenticated digest of
//! session, person and request, so that a decision counts only for what the page showed (threats 121–125).
//!
//! **What a "no" reaches.** A scope that the person takes the tick from is taken back: it is no more remembered, and the grants that
//! this client has of them with it (for these resources) end, else the app would go on with its older token as if nothing had
//! been said (threat 45). "No" is an answer to this request: nothing that the page showed is remembered any more, so the app has to
//! ask again, but what it was given before goes on until the person ends it on their own pages. An app that asks for more than
//! before, and is told no, would otherwise lose what it has on every other device, to everybody's surprise.

use crate::audit;
use crate::authorization::begin::Begun;
use crate::model::audit_event::AuditEvent;
use crate::model::client::Client;
use crate::model::consent::Consent;
use crate::model::grant::RevocationReason;
use crate::protocol::identifiers::ClientId;
use crate::protocol::localized::Localized;
use crate::protocol::parameters::Parameters;
use crate::protocol::scope::Scopes;
use crate::protocol::timestamp::Timestamp;
use crate::sessions::browser::SignedIn;
use crate::storage::driver::Connection;
use crate::storage::error::StorageError;
use crate::storage::{Store, consents, grants};
use std::sync::Arc;

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Yes, to these scopes.
    Allow(Scopes),
    /// No.
    Deny,
}

impl Decision {
    /// Reads the form: `decision`, and the scopes that stayed ticked. Scopes that the page did not offer have no effect.
    pub fn of<'a>(
        decision: Option<&str>,
        ticked: impl Iterator<Item = &'a str>,
        begun: &Begun,
    ) -> Option<Self> {
        match decision {
            Some("allow") => {
                let ticked: Vec<&str> = ticked.collect();
                Some(Self::Allow(begun.shown.retain(|scope| scope == "openid" || ticked.contains(&scope))))
            }
            Some("deny") => Some(Self::Deny),
            _ => None,
        }
    }
}

/// What the consent form is about, for its token: the session, the person, the request without its mark, and, of what the page
/// says of the client, the name and where it leads, which a client that registered itself may change meanwhile.
pub fn matter(signed_in: &SignedIn, begun: &Begun, request: &Parameters) -> [String; 5] {
    let request = request.without(crate::authorization::marker::MARKER).encode();
    [
        signed_in.session.id.to_string(),
        signed_in.user.id.to_string(),
        request,
        begun.target.uri().to_owned(),
        names_of(&begun.client),
    ]
}

/// The client's names, in every language.
fn names_of(client: &Client) -> String {
    let Localized { default, by_language } = &client.metadata.client_name;
    let names = by_language.iter().flat_map(|(tag, name)| [tag.as_str(), name.as_str()]);
    default.as_deref().into_iter().chain(names).collect::<Vec<_>>().join("\n")
}

/// What the person agreed to before, for this client and these resources.
pub async fn remembered(
    store: &Store,
    begun: &Begun,
    signed_in: &SignedIn,
) -> Result<Option<Scopes>, StorageError> {
    let user = signed_in.user.id.clone();
    let (client, resources) = (begun.client.id.clone(), begun.resources.clone());
    store
        .read(move |connection| {
            let (user, client, resources) = (user.clone(), client.clone(), resources.clone());
            Box::pin(async move { consents::find(connection, &user, &client, &resources).await })
        })
        .await
}

/// Whether the person ever agreed to anything for this client.
pub async fn known(store: &Store, client: &ClientId, signed_in: &SignedIn) -> Result<bool, StorageError> {
    let (user, client) = (signed_in.user.id.clone(), client.clone());
    store
        .read(move |connection| {
            let (user, client) = (user.clone(), client.clone());
            Box::pin(async move { consents::exists(connection, &user, &client).await })
        })
        .await
}

/// A person's answer, as it is written.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What they allow, to this client and for these resources.
    consent: Consent,
    /// What the page showed: beyond this their earlier consents stay as they are.
    shown: Scopes,
    /// What they took the tick from.
    unticked: Scopes,
    /// The claims that ride on it, which an app may also have one by one (OpenID Connect Core §5.5).
    unticked_claims: Vec<String>,
}

impl Answer {
    /// Yes, to `allowed` of what was shown.
    pub fn yes(begun: &Begun, signed_in: &SignedIn, allowed: &Scopes, now: Timestamp) -> Self {
        let shown = begun.shown.clone();
        let unticked = shown.retain(|scope| !allowed.contains(scope));
        let riding = begun.riding.iter().filter(|(scope, _)| unticked.contains(scope));
        let unticked_claims = riding.flat_map(|(_, claims)| claims.clone()).collect();
        let consent = consent(begun, signed_in, allowed.clone(), now);
        Self { consent, shown, unticked, unticked_claims }
    }

    /// No, to all of it.
    pub fn no(begun: &Begun, signed_in: &SignedIn, now: Timestamp) -> Self {
        let (shown, unticked) = (begun.shown.clone(), Scopes::default());
        let consent = consent(begun, signed_in, Scopes::default(), now);
        Self { consent, shown, unticked, unticked_claims: Vec::new() }
    }

    /// Whether it takes back by name what may have been given before.
    pub fn takes_back(&self) -> bool {
        !self.unticked.is_empty()
    }

    /// Writes it, within the transaction of what follows from it; tells how many grants it ended. What is remembered is read and
    /// written while its row is held, so that of two answers at once neither brings back what the other took.
    pub async fn write(&self, connection: &mut Connection) -> Result<u64, StorageError> {
        let consent = &self.consent;
        let before = consents::hold(connection, consent).await?;
        let scopes = before.retain(|scope| !self.shown.contains(scope)).union(&consent.scopes);
        if scopes.is_empty() {
            consents::give_up(connection, consent).await?;
        } else {
            consents::put(connection, &Consent { scopes, ..consent.clone() }).await?;
        }
        if self.unticked.is_empty() {
            return Ok(0);
        }
        let (whose, reason) = ((&consent.user_id, &consent.client_id), RevocationReason::ScopeTakenBack);
        grants::revoke_holding(
            connection,
            whose,
            &consent.resources,
            (&self.unticked, &self.unticked_claims),
            consent.granted_at,
            reason,
        )
        .await
    }
}

/// Writes an answer that gives nothing, with its event.
pub async fn refuse(store: &Store, answer: Answer, event: AuditEvent) -> Result<(), StorageError> {
    let work = Arc::new((answer, event));
    store
        .write(move |connection| {
            let work = work.clone();
            Box::pin(async move {
                work.0.write(connection).await?;
                audit::record(connection, &work.1).await
            })
        })
        .await
}

fn consent(begun: &Begun, signed_in: &SignedIn, scopes: Scopes, now: Timestamp) -> Consent {
    Consent {
        user_id: signed_in.user.id.clone(),
        client_id: begun.client.id.clone(),
        resources: begun.resources.clone(),
        scopes,
        granted_at: now,
    }
}
