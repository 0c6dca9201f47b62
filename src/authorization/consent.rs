//! What a person decided on the consent page (OpenID Connect Core §3.1.2.4). The form carries an authenticated digest of
//! session, person and request, so that a decision counts only for what the page showed (threats 121–125).

use crate::authorization::begin::Begun;
use crate::model::consent::Consent;
use crate::protocol::parameters::Parameters;
use crate::protocol::scope::Scopes;
use crate::protocol::timestamp::Timestamp;
use crate::sessions::browser::SignedIn;
use crate::storage::error::StorageError;
use crate::storage::{Store, consents};

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

/// What the consent form is about, for its token: the session, the person and the request without its mark.
pub fn matter(signed_in: &SignedIn, request: &Parameters) -> [String; 3] {
    let request = request.without(crate::authorization::marker::MARKER).encode();
    [signed_in.session.id.to_string(), signed_in.user.id.to_string(), request]
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

/// What to remember after `allowed`: what was shown and unticked is taken back, the rest of earlier consents stays.
pub fn merged(
    begun: &Begun,
    signed_in: &SignedIn,
    before: Option<&Scopes>,
    allowed: &Scopes,
    now: Timestamp,
) -> Consent {
    let kept = before.map(|before| before.retain(|scope| !begun.shown.contains(scope))).unwrap_or_default();
    Consent {
        user_id: signed_in.user.id.clone(),
        client_id: begun.client.id.clone(),
        resources: begun.resources.clone(),
        scopes: kept.union(allowed),
        granted_at: now,
    }
}
