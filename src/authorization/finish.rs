//! The end of a visit: a code, and in one transaction with it the grant it will open, the consent that was given, and its
//! event (RFC 6749 §4.1.2).

use crate::audit::{self, Circumstances, Trail};
use crate::authorization::begin::Begun;
use crate::authorization::consent::Answer;
use crate::authorization::interaction::Finish;
use crate::config::Config;
use crate::model::audit_event::{About, EventName};
use crate::model::client::{Client, Provenance};
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
use crate::storage::{Store, grants, pushed_requests, registered_clients, session_clients};
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

/// What is written in the transaction of a code.
#[derive(Clone, Debug)]
struct Beside {
    /// The pushed request that it spends.
    pushed: Option<PushedRequestId>,
    /// The app that hears of the session's end.
    participant: Option<Participant>,
    /// The client that registered itself, which may be deleted at this moment, on another replica too.
    registered: Option<ClientId>,
}

impl Beside {
    fn is_empty(&self) -> bool {
        self.pushed.is_none() && self.participant.is_none() && self.registered.is_none()
    }
}

/// How long a row outlives its unspent code: long enough to tell a late redemption from nonsense.
const AFTER_THE_CODE: Duration = Duration::from_secs(600);

impl Issuance<'_> {
    /// Issues the code that `finish` allows; none when the pushed request that it would spend is spent, or the client deleted.
    pub async fn issue(
        &self,
        begun: &Begun,
        signed_in: &SignedIn,
        finish: &Finish,
        consent: ConsentGiven,
        circumstances: &Circumstances,
    ) -> Result<Option<String>, StorageError> {
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
        let beside = Beside {
            pushed: begun.pushed.clone(),
            participant: self.participant(&begun.client, &grant),
            registered: is_registered.then(|| begun.client.id.clone()),
        };
        match consent {
            ConsentGiven::Before => {
                let grant = Arc::new(grant);
                if !self.without_consent(grant.clone(), until, beside).await? {
                    return Ok(None);
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
                if !self.with_consent(grant, answer, beside, circumstances).await? {
                    return Ok(None);
                }
            }
        }
        Ok(Some(code))
    }

    /// One statement needs no transaction, and most visits are one.
    async fn without_consent(
        &self,
        grant: Arc<Grant>,
        until: Timestamp,
        beside: Beside,
    ) -> Result<bool, StorageError> {
        if beside.is_empty() {
            let write = self.store.write_one(move |connection| {
                let grant = grant.clone();
                Box::pin(async move { grants::insert_code(connection, &grant, until).await })
            });
            return write.await.map(|()| true);
        }
        let work = Arc::new((grant, beside));
        self.store
            .write(move |connection| {
                let work = work.clone();
                Box::pin(async move {
                    let spent = spend(connection, &work.1).await?;
                    if spent {
                        insert_code(connection, &work.0, until, &work.1).await?;
                    }
                    Ok(spent)
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
    ) -> Result<bool, StorageError> {
        let GrantState::CodeIssued { until } = grant.state else { return Err(StorageError::Serialization) };
        let reason = format!("to {}", grant.scopes);
        let event = self.event(&grant, EventName::ConsentGiven, &reason, circumstances);
        let work = Arc::new((grant, answer, beside, event));
        self.store
            .write(move |connection| {
                let work = work.clone();
                Box::pin(async move {
                    let (grant, answer, beside, event) = work.as_ref();
                    if !spend(connection, beside).await? {
                        return Ok(false);
                    }
                    // what is taken back ends earlier grants, and so comes before the new one
                    let ended = answer.write(connection).await?;
                    insert_code(connection, grant, until, beside).await?;
                    let mut event = event.clone();
                    if ended > 0 {
                        event.reason = format!("{}; {ended} grants that held more ended", event.reason);
                    }
                    audit::record(connection, &event).await?;
                    Ok(true)
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

/// Spends the pushed request that the code would come of; false when it is spent, or when the client is no more, and then there is
/// no code (threats 77, 119).
async fn spend(connection: &mut Connection, beside: &Beside) -> Result<bool, StorageError> {
    if let Some(id) = &beside.registered
        && !registered_clients::hold(connection, id).await?
    {
        return Ok(false);
    }
    match &beside.pushed {
        Some(pushed) => pushed_requests::spend(connection, pushed).await,
        None => Ok(true),
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
