//! The end of a visit: a code, and in one transaction with it the grant it will open, the consent that was given, and its
//! event (RFC 6749 §4.1.2).

use crate::audit::{self, Circumstances, Trail};
use crate::authorization::begin::Begun;
use crate::authorization::consent::Answer;
use crate::authorization::interaction::Finish;
use crate::config::Config;
use crate::model::audit_event::{About, EventName};
use crate::model::client::{Client, ConsentPolicy, Provenance};
use crate::model::entropy::SharedEntropy;
use crate::model::grant::{Access, Grant, GrantState};
use crate::protocol::identifiers::{ClientId, MessageId};
use crate::protocol::request_uri::PushedRequestId;
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scopes;
use crate::protocol::timestamp::Timestamp;
use crate::sessions::browser::SignedIn;
use crate::storage::driver::Connection;
use crate::storage::error::StorageError;
use crate::storage::session_clients::Participant;
use crate::storage::{
    Store, consents, grants, pushed_requests, registered_clients, session_clients, sessions,
};
use crate::tokens::code;
use std::sync::Arc;
use std::time::Duration;

/// What issuing a code leans on.
#[derive(Clone, Copy)]
pub struct Issuance<'a> {
    /// The store.
    pub store: &'a Store,
    /// Chance.
    pub entropy: &'a SharedEntropy,
    /// Where events go.
    pub trail: &'a Trail,
    /// How long a code lasts, and which resource serves which scopes.
    pub config: &'a Config,
}

/// Whether the consent behind a code was given just now, and so has to be remembered.
#[derive(Clone, Debug)]
pub enum ConsentGiven {
    /// It was there before, or none is needed.
    Before,
    /// Just now, on the page.
    Now,
}

/// Why no code came of a visit that was allowed to end in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotIssued {
    /// The pushed request that it would spend is spent (threat 77).
    Spent,
    /// The client is no more (threat 119).
    ClientGone,
    /// The session ended or what was agreed to was taken back meanwhile, so that the visit is to be judged anew (threat 45).
    Outrun,
}

/// What is held and written in the transaction of a code.
#[derive(Clone, Debug)]
struct Beside {
    /// What was agreed to before, where that is what allows the code.
    agreed: Option<Agreed>,
    /// The pushed request that it spends.
    pushed: Option<PushedRequestId>,
    /// The app that hears of the session's end.
    participant: Option<Participant>,
    /// The client that registered itself, which may be deleted at this moment, on another replica too.
    registered: Option<ClientId>,
}

#[derive(Clone, Debug)]
struct Agreed {
    resources: Vec<Resource>,
    scopes: Scopes,
}

/// How long a row outlives its unspent code: long enough to tell a late redemption from nonsense.
const AFTER_THE_CODE: Duration = Duration::from_secs(600);

impl Issuance<'_> {
    /// Issues the code that `finish` allows.
    pub async fn issue(
        &self,
        begun: &Begun,
        signed_in: &SignedIn,
        finish: &Finish,
        consent: ConsentGiven,
        circumstances: &Circumstances,
    ) -> Result<Result<String, NotIssued>, StorageError> {
        let now = circumstances.now;
        let (code, id) = code::mint(self.entropy);
        let until = now.plus(self.config.lifetimes.authorization_code);
        let scopes = finish.scopes().clone();
        let grant = Grant {
            id,
            client_id: begun.client.id.clone(),
            user_id: signed_in.user.id.clone(),
            session_id: signed_in.session.id.clone(),
            resources: self.resources(begun, &scopes),
            redirect_uri: begun.target.uri().to_owned(),
            redirect_uri_in_request: begun.target.in_request(),
            code_challenge: begun.request.code_challenge.clone(),
            nonce: begun.request.nonce.clone(),
            claims: finish.claims().clone(),
            authentication: signed_in.session.authentication.clone(),
            access: if scopes.contains("offline_access") { Access::Offline } else { Access::Session },
            request_id: circumstances.request_id.clone(),
            issued_at: now,
            expires_at: until.plus(AFTER_THE_CODE),
            state: GrantState::CodeIssued { until },
            scopes,
        };
        let is_registered = begun.client.provenance == Provenance::Registered;
        let is_remembered =
            matches!(consent, ConsentGiven::Before) && begun.client.consent == ConsentPolicy::Asked;
        let beside = Beside {
            agreed: is_remembered
                .then(|| Agreed { resources: begun.resources.clone(), scopes: finish.consented().clone() }),
            pushed: begun.pushed.clone(),
            participant: self.participant(&begun.client, &grant),
            registered: is_registered.then(|| begun.client.id.clone()),
        };
        match consent {
            ConsentGiven::Before => {
                let grant = Arc::new(grant);
                if let Err(why) = self.without_consent(grant.clone(), until, beside).await? {
                    return Ok(Err(why));
                }
                audit::log(&self.event(
                    &grant,
                    EventName::CodeIssued,
                    "consent was given before",
                    circumstances,
                ));
            }
            ConsentGiven::Now => {
                let answer = Answer::yes(begun, signed_in, finish.consented(), now);
                if let Err(why) = self.with_consent(grant, answer, beside, circumstances).await? {
                    return Ok(Err(why));
                }
            }
        }
        Ok(Ok(code))
    }

    async fn without_consent(
        &self,
        grant: Arc<Grant>,
        until: Timestamp,
        beside: Beside,
    ) -> Result<Result<(), NotIssued>, StorageError> {
        let work = Arc::new((grant, beside));
        self.store
            .write(move |connection| {
                let work = work.clone();
                Box::pin(async move {
                    let (grant, beside) = work.as_ref();
                    let held = hold(connection, grant, beside).await?;
                    if held.is_ok() {
                        insert_code(connection, grant, until, beside).await?;
                    }
                    Ok(held)
                })
            })
            .await
    }

    /// The client as one that hears of the session's end (Back-Channel Logout §2.3): it wants to, and it learns of the session.
    fn participant(&self, client: &Client, grant: &Grant) -> Option<Participant> {
        let metadata = &client.metadata;
        let wants = metadata.backchannel_logout_uri.is_some() || metadata.frontchannel_logout_uri.is_some();
        (wants && grant.scopes.contains("openid")).then(|| Participant {
            client_id: client.id.clone(),
            notice: MessageId::from_random(self.entropy.bytes()),
        })
    }

    /// The resources that the grant is for: when none was named, only those whose scopes the person left ticked (RFC 9068 §3).
    fn resources(&self, begun: &Begun, granted: &Scopes) -> Vec<Resource> {
        let serves = |resource: &Resource| {
            let known = self.config.resources.iter().find(|known| known.resource == *resource);
            known.is_some_and(|known| granted.iter().any(|scope| known.scopes.contains(scope.as_str())))
        };
        let named = !begun.request.resources.is_empty();
        begun.resources.iter().filter(|resource| named || serves(resource)).cloned().collect()
    }

    async fn with_consent(
        &self,
        grant: Grant,
        answer: Answer,
        beside: Beside,
        circumstances: &Circumstances,
    ) -> Result<Result<(), NotIssued>, StorageError> {
        let GrantState::CodeIssued { until } = grant.state else { return Err(StorageError::Serialization) };
        let reason = format!("to {}", grant.scopes);
        let event = self.event(&grant, EventName::ConsentGiven, &reason, circumstances);
        let work = Arc::new((grant, answer, beside, event));
        self.store
            .write(move |connection| {
                let work = work.clone();
                Box::pin(async move {
                    let (grant, answer, beside, event) = work.as_ref();
                    let held = hold(connection, grant, beside).await?;
                    if held.is_err() {
                        return Ok(held);
                    }
                    // what is taken back ends earlier grants, and so comes before the new one
                    let ended = answer.write(connection).await?;
                    insert_code(connection, grant, until, beside).await?;
                    let mut event = event.clone();
                    if ended > 0 {
                        event.reason = format!("{}; {ended} grants that held more ended", event.reason);
                    }
                    audit::record(connection, &event).await?;
                    Ok(held)
                })
            })
            .await
    }

    fn event(
        &self,
        grant: &Grant,
        name: EventName,
        reason: &str,
        circumstances: &Circumstances,
    ) -> crate::model::audit_event::AuditEvent {
        let about = About {
            client_id: Some(grant.client_id.clone()),
            user_id: Some(grant.user_id.clone()),
            session_id: Some(grant.session_id.clone()),
            grant_id: Some(grant.id.clone()),
        };
        self.trail.event(circumstances, name, about, reason, "OpenID Connect Core §3.1.2.4")
    }
}

/// Holds everything that the code leans on until it is written, so that whoever ends any of it either finds the code or prevents
/// it; and spends the pushed request that it would come of.
async fn hold(
    connection: &mut Connection,
    grant: &Grant,
    beside: &Beside,
) -> Result<Result<(), NotIssued>, StorageError> {
    if let Some(id) = &beside.registered
        && !registered_clients::hold(connection, id).await?
    {
        return Ok(Err(NotIssued::ClientGone));
    }
    if !sessions::hold_living(connection, &grant.session_id).await? {
        return Ok(Err(NotIssued::Outrun));
    }
    if let Some(agreed) = &beside.agreed {
        let whose = (&grant.user_id, &grant.client_id);
        let now = consents::hold_agreed(connection, whose, &agreed.resources).await?;
        if !now.is_some_and(|now| agreed.scopes.is_subset(&now)) {
            return Ok(Err(NotIssued::Outrun));
        }
    }
    match &beside.pushed {
        Some(pushed) if !pushed_requests::spend(connection, pushed).await? => Ok(Err(NotIssued::Spent)),
        _ => Ok(Ok(())),
    }
}

/// Writes the code, and beside it the app that hears of the session's end.
async fn insert_code(
    connection: &mut Connection,
    grant: &Grant,
    until: Timestamp,
    beside: &Beside,
) -> Result<(), StorageError> {
    if let Some(participant) = &beside.participant {
        session_clients::join(connection, &grant.session_id, participant, grant.issued_at).await?;
    }
    grants::insert_code(connection, grant, until).await
}
