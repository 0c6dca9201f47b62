//! `/authorize` (RFC 6749 §3.1, OpenID Connect Core §3.1.2): GET decides what is still missing and leads there; POST is the
//! same as a GET, before any cookie is read, as a cross-site POST brings none.

use super::answer::{
    PageRefusal, deliver, refuse_authorization, refuse_body, refuse_on_page, see_other, with_cookie,
};
use super::app::App;
use super::extract::Visit;
use super::limits::{MAXIMUM_URL, read_form};
use super::login::ACCOUNT;
use super::own_form;
use crate::authorization::begin::{Begun, Grounds, Refusal, begin};
use crate::authorization::consent;
use crate::authorization::error::AuthorizationError;
use crate::authorization::finish::{ConsentGiven, Issuance, NotIssued};
use crate::authorization::in_force::in_force;
use crate::authorization::interaction::{ConsentKnown, Finish, NextStep, Situation, next_step, person};
use crate::authorization::marker::{self, Begin};
use crate::authorization::target::{Assent, RedirectTarget};
use crate::model::audit_event::EventName;
use crate::model::client::ConsentPolicy;
use crate::pages::WayOn;
use crate::protocol::error_code::ErrorCode;
use crate::protocol::parameters::Parameters;
use crate::protocol::scope::Scopes;
use crate::sessions::accounts::Accounts;
use crate::sessions::browser::SignedIn;
use crate::sessions::cookies::Cookie;
use crate::storage::error::StorageError;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use std::time::Duration;

/// A request as far as it has come.
pub struct Progress {
    /// Its parameters, the mark included.
    pub parameters: Parameters,
    /// What it comes to.
    pub begun: Begun,
    /// Whom it is about, of those who are signed in.
    pub signed_in: Option<SignedIn>,
    /// Everybody who is signed in here.
    pub accounts: Accounts,
    /// What they agreed to before.
    pub remembered: Option<Scopes>,
}

/// `GET /authorize`.
pub async fn get(State(app): State<App>, visit: Visit, headers: HeaderMap) -> Response {
    if super::cross_origin::admit_load(&headers).is_err() {
        return super::answer::status_only(StatusCode::FORBIDDEN);
    }
    let progress = match progress(&app, &visit).await {
        Ok(progress) => progress,
        Err(refusal) => return refuse_authorization(&app, &visit, &refusal),
    };
    let visit = visit.asking(&progress.begun.request.ui_locales);
    match decide(&app, &visit, &progress, progress.known_consent()) {
        NextStep::Login(_) | NextStep::SelectAccount => lead_to(&app, &visit, "/login", &progress.parameters),
        NextStep::ChangePassword => lead_to(&app, &visit, "/account/password", &progress.parameters),
        NextStep::Consent(_) => lead_to(&app, &visit, "/consent", &progress.parameters),
        NextStep::Finish(finish) => complete(&app, &visit, &progress, &finish, ConsentGiven::Before).await,
        NextStep::Refuse(error) => refuse_authorization(&app, &visit, &progress.refusal(error)),
    }
}

/// `POST /authorize`: 303 to the same as GET.
pub async fn post(State(app): State<App>, visit: Visit, headers: HeaderMap, request: Request) -> Response {
    let body = match read_form(&headers, request.into_body()).await {
        Ok(body) => body,
        Err(error) => return refuse_body(&app, &visit, EventName::AuthorizationRefused, &error),
    };
    match visit.query.clone().and_then(|query| query.and(body)) {
        Ok(parameters) => same_as_get(&app, &visit, "/authorize", &parameters),
        Err(error) => {
            let refusal = Refusal::on_a_page(AuthorizationError::Unreadable(error));
            refuse_authorization(&app, &visit, &refusal)
        }
    }
}

/// Judges the request in the query anew, and finds who is signed in and what they agreed to.
pub async fn progress(app: &App, visit: &Visit) -> Result<Progress, Refusal> {
    let parameters = visit.query.clone();
    let parameters = parameters.map_err(|error| Refusal::on_a_page(AuthorizationError::Unreadable(error)))?;
    judge(app, visit, parameters).await
}

/// Like [`progress`], for parameters that a page has taken its own out of.
pub async fn judge(app: &App, visit: &Visit, parameters: Parameters) -> Result<Progress, Refusal> {
    let snapshot = &visit.snapshot;
    let ring = app.keys.ring();
    let grounds = Grounds {
        config: &snapshot.config,
        registry: &snapshot.registry,
        ring: &ring,
        now: visit.circumstances.now,
    };
    let began = marker::read(&app.secrets.markers, &parameters, visit.browser.as_deref(), grounds.now);
    let moment = began.map_or(grounds.now, |began| began.0);
    let judged = async {
        let request = in_force(&parameters, &app.sources(snapshot), &grounds, moment).await?;
        Ok((begin(&request.parameters, request.origin, &grounds)?, request.travelling))
    };
    let (mut begun, parameters) = match judged.await {
        Ok(judged) => judged,
        Err(refusal) => return Err(assented(app, visit, refusal).await),
    };
    drop(ring);
    match find_person(app, visit, &mut begun, began).await {
        Ok((accounts, signed_in, remembered)) => {
            Ok(Progress { parameters, begun, signed_in, accounts, remembered })
        }
        Err(error) => {
            let (target, client) = (Some(begun.target), Some(begun.client));
            Err(Refusal { error: error.into(), target, client })
        }
    }
}

/// The refusal, led to the client at once when the person who is signed in agreed to it before (threat 14).
async fn assented(app: &App, visit: &Visit, refusal: Refusal) -> Refusal {
    let (Some(target), Some(client)) = (&refusal.target, &refusal.client) else { return refusal };
    if target.assent() == Assent::Given {
        return refusal;
    }
    let sessions = app.sessions(&visit.snapshot.config);
    let known = async {
        match sessions.accounts(&visit.secrets, visit.circumstances.now).await?.active() {
            Some(signed_in) if !client.always_asks() => {
                consent::known(&app.store, &client.id, signed_in).await
            }
            _ => Ok(false),
        }
    };
    match known.await {
        Ok(true) => Refusal { target: refusal.target.map(RedirectTarget::assented), ..refusal },
        _ => refusal,
    }
}

async fn find_person(
    app: &App,
    visit: &Visit,
    begun: &mut Begun,
    began: Option<Begin>,
) -> Result<(Accounts, Option<SignedIn>, Option<Scopes>), StorageError> {
    let (sessions, now) = (app.sessions(&visit.snapshot.config), visit.circumstances.now);
    let accounts = sessions.accounts(&visit.secrets, now).await?;
    let signed_in = person(begun, &accounts, began, app.subjects()).cloned();
    if let Some(other) = signed_in.as_ref().filter(|one| accounts.is_other(&one.session.id)) {
        sessions.stamp(&other.session.id, now).await?;
    }
    let remembered = match &signed_in {
        Some(signed_in) if begun.client.consent == ConsentPolicy::Asked => {
            if begun.target.assent() == Assent::Needed
                && !begun.client.always_asks()
                && consent::known(&app.store, &begun.client.id, signed_in).await?
            {
                begun.target = begun.target.clone().assented();
            }
            consent::remembered(&app.store, begun, signed_in).await?
        }
        _ => None,
    };
    Ok((accounts, signed_in, remembered))
}

impl Progress {
    /// What is known of the person's consent before they are asked.
    pub fn known_consent(&self) -> ConsentKnown<'_> {
        self.remembered.as_ref().map_or(ConsentKnown::None, ConsentKnown::Remembered)
    }

    /// A refusal that the client hears of.
    pub fn refusal(&self, error: AuthorizationError) -> Refusal {
        // who said no to the client has been told where that leads
        let target = match error {
            AuthorizationError::Denied => self.begun.target.clone().assented(),
            _ => self.begun.target.clone(),
        };
        Refusal { error, target: Some(target), client: Some(self.begun.client.clone()) }
    }
}

/// Decides what happens next.
pub fn decide(app: &App, visit: &Visit, progress: &Progress, consent: ConsentKnown<'_>) -> NextStep {
    let now = visit.circumstances.now;
    next_step(&Situation {
        begun: &progress.begun,
        signed_in: progress.signed_in.as_ref(),
        accounts: progress.accounts.all().count(),
        begin: marker::read(&app.secrets.markers, &progress.parameters, visit.browser.as_deref(), now),
        consent,
        subjects: app.subjects(),
        now,
    })
}

/// Issues the code and sends it on its way.
pub async fn complete(
    app: &App,
    visit: &Visit,
    progress: &Progress,
    finish: &Finish,
    consent: ConsentGiven,
) -> Response {
    let Some(signed_in) = &progress.signed_in else {
        return refuse_authorization(app, visit, &progress.refusal(AuthorizationError::LoginRequired));
    };
    let config = &visit.snapshot.config;
    let issuance = Issuance { store: &app.store, entropy: &app.entropy, trail: &app.trail, config };
    match issuance.issue(&progress.begun, signed_in, finish, consent, &visit.circumstances).await {
        Ok(Ok(code)) => {
            let response = progress.begun.target.success(code, config.issuer.as_str());
            deliver(visit, &response, &progress.begun.client)
        }
        // nobody is led back: whoever has the name of a spent request may not be who pushed it
        Ok(Err(NotIssued::Spent)) => {
            let spent = "request_uri is unknown, expired or spent".to_owned();
            let client = Some(progress.begun.client.clone());
            let error = AuthorizationError::InvalidRequestUri(spent);
            refuse_authorization(app, visit, &Refusal { error, target: None, client })
        }
        Ok(Err(NotIssued::ClientGone)) => {
            refuse_authorization(app, visit, &Refusal::on_a_page(AuthorizationError::UnknownClient))
        }
        Ok(Err(NotIssued::Outrun)) => see_other(&to_page(visit, "/authorize", &progress.parameters)),
        Err(error) => refuse_authorization(app, visit, &progress.refusal(error.into())),
    }
}

/// Leads to a page with the request and its mark; a browser that has no cookie of its own yet gets one.
fn lead_to(app: &App, visit: &Visit, page: &str, parameters: &Parameters) -> Response {
    let now = visit.circumstances.now;
    let browser = own_form::browser(app, visit);
    // a parameter of the page's own that the app happens to send means nothing here, and would unsettle the mark
    let parameters = parameters.without(ACCOUNT);
    let marked = match marker::read(&app.secrets.markers, &parameters, Some(&browser), now) {
        Some(_) => parameters,
        None => marker::mark(&app.secrets.markers, &parameters, &browser, now),
    };
    let location = to_page(visit, page, &marked);
    if location.len() > MAXIMUM_URL {
        return too_long(app, visit);
    }
    let response = see_other(&location);
    match visit.browser {
        Some(_) => response,
        None => with_cookie(response, &visit.jar.set(Cookie::Browser, &browser, Duration::ZERO)),
    }
}

/// Answers a POST that another site's page made: 303 to the same as GET, unless that is too long for a URL.
fn same_as_get(app: &App, visit: &Visit, page: &str, parameters: &Parameters) -> Response {
    let location = to_page(visit, page, parameters);
    if location.len() > MAXIMUM_URL { too_long(app, visit) } else { see_other(&location) }
}

fn too_long(app: &App, visit: &Visit) -> Response {
    let refusal = PageRefusal {
        event: EventName::AuthorizationRefused,
        status: StatusCode::URI_TOO_LONG,
        code: ErrorCode::InvalidRequest,
        reason: "the request is too long for a URL; make it shorter, or push it (RFC 9126)",
        section: "RFC 9110 §15.5.15",
        way_on: WayOn::BackToApp,
    };
    refuse_on_page(app, visit, &refusal)
}

/// The path of a page on this server, with the request in its query.
pub fn to_page(visit: &Visit, page: &str, parameters: &Parameters) -> String {
    let path = visit.snapshot.config.issuer.path();
    if parameters.is_empty() {
        format!("{path}{page}")
    } else {
        format!("{path}{page}?{}", parameters.encode())
    }
}
