//! Delivers what waits in the outbox. Every replica does: a message is held by one of them at a time. A receiver that is slow
//! or down delays nobody else: each host has few deliveries under way, its other messages wait in the store, and one that
//! could not be reached is left alone for a while (threats 94, 174; F-33).

use super::deliver_mail::mail;
use super::delivery_pace::{Admission, Pace};
use super::pause;
use crate::audit;
use crate::http::app::{App, Snapshot};
use crate::logout::back_channel::{self, Addressee, Unaddressed, Undelivered};
use crate::model::audit_event::{About, AuditEvent, EventName};
use crate::model::outbox::{AfterFailure, HELD_FOR, HeldMessage, MessageKind};
use crate::protocol::identifiers::{ClientId, SessionId, UserId};
use crate::protocol::timestamp::Timestamp;
use crate::storage::error::StorageError;
use crate::storage::outbox::{self, Waiting};
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use std::sync::Arc;
use std::time::Duration;

/// What one round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Messages that arrived.
    pub delivered: u64,
    /// Attempts that failed; there will be others.
    pub failed: u64,
    /// Messages that nobody tries any more.
    pub abandoned: u64,
    /// Messages that wait for their host.
    pub postponed: u64,
    /// Messages that nobody waited for.
    pub discarded: u64,
}

/// How many deliveries are under way at once.
const AT_ONCE: usize = 24;
/// How often new messages are looked for while others are on their way.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// How often a round runs.
const EVERY: Duration = Duration::from_secs(1);

/// One round: until nothing is due and nothing is on its way.
pub async fn run_once(app: &App, pace: &Pace) -> Result<Report, StorageError> {
    let mut report = Report::default();
    if !is_due(app).await? {
        return Ok(report);
    }
    let mut broken = None;
    let mut under_way: FuturesUnordered<BoxFuture<'_, Result<Report, StorageError>>> =
        FuturesUnordered::new();
    loop {
        for kind in MessageKind::ALL {
            let free = AT_ONCE.saturating_sub(under_way.len());
            if free == 0 || broken.is_some() {
                break;
            }
            match claim(app, kind, free).await {
                Ok(held) => under_way.extend(held.into_iter().map(|message| match kind {
                    MessageKind::LogoutToken => {
                        Box::pin(logout_token(app, pace, message)) as BoxFuture<'_, _>
                    }
                    MessageKind::Mail => Box::pin(mail(app, pace, message)),
                })),
                Err(error) => broken = Some(error),
            }
        }
        // what ends at once makes room at once; what does not must not keep the others waiting
        match tokio::time::timeout(LOOK_AGAIN, under_way.next()).await {
            Ok(Some(Ok(one))) => report.add(one),
            Ok(Some(Err(error))) => broken = Some(error),
            Ok(None) => break,
            Err(_) => {}
        }
    }
    pace.forget(app.clock.now());
    match broken {
        Some(error) => Err(error),
        None => Ok(report),
    }
}

/// Rounds, for as long as the server runs.
pub async fn run(app: App) {
    let pace = Pace::default();
    loop {
        pause(&app.entropy, EVERY).await;
        if let Err(error) = run_once(&app, &pace).await {
            tracing::warn!(error = %error, "messages could not be delivered");
        }
    }
}

/// Whether anything is due; what waits, and since when, is told to the metrics.
async fn is_due(app: &App) -> Result<bool, StorageError> {
    let (now, mut is_due) = (app.clock.now(), false);
    for kind in MessageKind::ALL {
        let read = app.store.read(move |connection| Box::pin(outbox::waiting(connection, kind, now)));
        let Waiting { messages, due, since } = read.await?;
        let age = since.map_or(0.0, |since| now.millis().saturating_sub(since) as f64 / 1000.0);
        metrics::gauge!("portreeve_outbox_pending", "kind" => kind.as_str()).set(messages as f64);
        metrics::gauge!("portreeve_outbox_oldest_seconds", "kind" => kind.as_str()).set(age);
        // there from the start: `increase` sees no first step of what begins at one
        metrics::counter!("portreeve_outbox_delivered_total", "kind" => kind.as_str()).increment(0);
        metrics::counter!("portreeve_outbox_failed_attempts_total", "kind" => kind.as_str()).increment(0);
        metrics::counter!("portreeve_outbox_abandoned_total", "kind" => kind.as_str()).increment(0);
        is_due |= due > 0;
    }
    Ok(is_due)
}

/// Takes what is due.
async fn claim(app: &App, kind: MessageKind, limit: usize) -> Result<Vec<HeldMessage>, StorageError> {
    let now = app.clock.now();
    let (until, limit) = (now.plus(HELD_FOR), i64::try_from(limit).unwrap_or(1));
    app.store.write_one(move |connection| Box::pin(outbox::claim(connection, kind, now, until, limit))).await
}

async fn logout_token(app: &App, pace: &Pace, held: HeldMessage) -> Result<Report, StorageError> {
    if held.message.expires_at <= app.clock.now() {
        return give_up(app, held, "it would come too late", None).await;
    }
    let named: Vec<ClientId> = ClientId::parse(&held.message.recipient).into_iter().collect();
    let snapshot = app.snapshot.load_full().naming(&app.store, &named).await?;
    let addressee = match back_channel::addressee(&held.message, &snapshot.registry) {
        Ok(addressee) => addressee,
        Err(Unaddressed::NotWanted) => return discard(app, held).await,
        Err(why) => return failed(app, held, &why.to_string()).await,
    };
    let host = addressee.url.authority().to_string();
    match pace.admit(&host, app.clock.now()) {
        Admission::Later(at) => postpone(app, held, at).await,
        Admission::Now(_leave) => {
            let outcome = send(app, &snapshot, &held, &addressee).await;
            pace.note(&host, &outcome, app.clock.now());
            match outcome {
                Ok(()) => delivered(app, held).await,
                Err(why) => failed(app, held, &why.to_string()).await,
            }
        }
    }
}

async fn send(
    app: &App,
    snapshot: &Snapshot,
    held: &HeldMessage,
    addressee: &Addressee,
) -> Result<(), Undelivered> {
    let token = {
        let ring = app.keys.ring();
        let issuer = app.issuer(snapshot, &ring, app.clock.now());
        back_channel::logout_token(&held.message, &addressee.client, &issuer)?
    };
    back_channel::deliver(&snapshot.outbound, &addressee.url, &token).await
}

pub(super) async fn delivered(app: &App, held: HeldMessage) -> Result<Report, StorageError> {
    let (name, reason) = match held.message.kind {
        MessageKind::LogoutToken => (EventName::LogoutTokenDelivered, "the app took the logout token"),
        MessageKind::Mail => (EventName::MailSent, "the mail server took the mail"),
    };
    let event = event(app, &held, name, reason.to_owned());
    let (held, event) = (Arc::new(held), Arc::new(event));
    let (kind, now) = (held.message.kind, event.occurred_at);
    let first = app.store.write(move |connection| {
        let (held, event) = (held.clone(), event.clone());
        Box::pin(async move {
            let first = outbox::deliver(connection, &held.message.id, now).await?;
            if first {
                audit::record(connection, &event).await?;
            }
            Ok(first)
        })
    });
    if first.await? {
        metrics::counter!("portreeve_outbox_delivered_total", "kind" => kind.as_str()).increment(1);
    }
    Ok(Report { delivered: 1, ..Report::default() })
}

pub(super) async fn failed(app: &App, held: HeldMessage, why: &str) -> Result<Report, StorageError> {
    let now = app.clock.now();
    let kind = held.message.kind;
    let [chance] = app.entropy.bytes::<1>();
    metrics::counter!("portreeve_outbox_failed_attempts_total", "kind" => kind.as_str()).increment(1);
    match held.after_failure(now, chance) {
        AfterFailure::Retry(at) => {
            tracing::warn!(
                event = "outbox.attempt_failed",
                message.id = %held.message.id,
                message.kind = kind.as_str(),
                message.recipient = %held.message.recipient,
                request.id = %held.message.request_id,
                attempt = held.attempts.saturating_add(1),
                again_in_s = at.since(now).as_secs(),
                reason = %why.escape_debug(),
            );
            let (held, why) = (Arc::new(held), why.to_owned());
            let written = app.store.write_one(move |connection| {
                let (held, why) = (held.clone(), why.clone());
                Box::pin(async move { outbox::reschedule(connection, &held, at, &why).await })
            });
            written.await?;
            Ok(Report { failed: 1, ..Report::default() })
        }
        AfterFailure::Abandon => abandon(app, held.tried(), why).await,
    }
}

pub(super) async fn abandon(app: &App, held: HeldMessage, why: &str) -> Result<Report, StorageError> {
    give_up(app, held, why, Some(why.to_owned())).await
}

async fn give_up(
    app: &App,
    held: HeldMessage,
    why: &str,
    error: Option<String>,
) -> Result<Report, StorageError> {
    let kind = held.message.kind;
    let reason = format!("after {} attempts that failed: {why}", held.attempts);
    let name = match kind {
        MessageKind::LogoutToken => EventName::LogoutTokenAbandoned,
        MessageKind::Mail => EventName::MailAbandoned,
    };
    let event = event(app, &held, name, reason);
    let work = Arc::new((held, event, error));
    let given_up = app.store.write(move |connection| {
        let work = work.clone();
        Box::pin(async move {
            let (held, event, error) = work.as_ref();
            let given_up = outbox::abandon(connection, held, event.occurred_at, error.as_deref()).await?;
            if given_up {
                audit::record(connection, event).await?;
            }
            Ok(given_up)
        })
    });
    if given_up.await? {
        metrics::counter!("portreeve_outbox_abandoned_total", "kind" => kind.as_str()).increment(1);
    }
    Ok(Report { abandoned: 1, ..Report::default() })
}

pub(super) async fn postpone(app: &App, held: HeldMessage, at: Timestamp) -> Result<Report, StorageError> {
    let held = Arc::new(held);
    let written = app.store.write_one(move |connection| {
        let held = held.clone();
        Box::pin(async move { outbox::postpone(connection, &held, at).await })
    });
    written.await?;
    Ok(Report { postponed: 1, ..Report::default() })
}

pub(super) async fn discard(app: &App, held: HeldMessage) -> Result<Report, StorageError> {
    let id = held.message.id;
    let written = app.store.write_one(move |connection| {
        let id = id.clone();
        Box::pin(async move { outbox::discard(connection, &id).await })
    });
    written.await?;
    Ok(Report { discarded: 1, ..Report::default() })
}

/// An event of the request that the message came from, at this moment.
fn event(app: &App, held: &HeldMessage, name: EventName, reason: String) -> AuditEvent {
    let message = &held.message;
    let circumstances = audit::Circumstances {
        request_id: message.request_id.clone(),
        address: String::new(),
        now: app.clock.now(),
    };
    let text = |name: &str| message.facts.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
    let (about, section) = match message.kind {
        MessageKind::LogoutToken => {
            let about = About {
                client_id: ClientId::parse(&message.recipient).ok(),
                user_id: UserId::parse(text("sub")).ok(),
                session_id: SessionId::parse(text("sid")).ok(),
                grant_id: None,
            };
            (about, "Back-Channel Logout §2.5")
        }
        MessageKind::Mail => {
            (About { user_id: UserId::parse(&message.recipient).ok(), ..About::default() }, "RFC 6409 §3")
        }
    };
    app.trail.event(&circumstances, name, about, reason, section)
}

impl Report {
    fn add(&mut self, other: Self) {
        self.delivered += other.delivered;
        self.failed += other.failed;
        self.abandoned += other.abandoned;
        self.postponed += other.postponed;
        self.discarded += other.discarded;
    }
}
