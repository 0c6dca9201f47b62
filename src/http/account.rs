//! `/account`: what a person gave to whom, and where they are signed in; both end here. Whoever is not signed in gets the choice
//! among those who are, or the sign-in form. To give less access than there is needs no fresh sign-in; another password does, in
//! `password`.

use super::account_choice::choice;
use super::answer::{PageRefusal, layout, page, refuse_for_now, refuse_on_page, see_other, status_only};
use super::app::App;
use super::authorization::to_page;
use super::consent::words_of;
use super::cross_origin::admit_load;
use super::end_session::without_kept_pages;
use super::extract::Visit;
use super::login::{FormFor, another_account, form, with_sessions};
use super::own_form;
use super::security_headers::PagePolicy;
use crate::config::Config;
use crate::model::audit_event::EventName;
use crate::model::session::Session;
use crate::pages::{AccountDone, AccountPage, AccountPaths, GrantedApp, OpenSession, Person, Since, WayOn};
use crate::protocol::error_code::ErrorCode;
use crate::protocol::identifiers::{ClientId, SessionId};
use crate::protocol::parameters::Parameters;
use crate::sessions::accounts::Accounts;
use crate::sessions::anti_forgery::{self, Form};
use crate::sessions::browser::SignedIn;
use crate::storage::error::StorageError;
use crate::users::granted::{self, Granted};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

/// The page's own parameter: what was just done.
const DONE: &str = "done";

/// `GET /account`.
pub async fn get(State(app): State<App>, mut visit: Visit, headers: HeaderMap) -> Response {
    if admit_load(&headers).is_err() {
        return status_only(StatusCode::FORBIDDEN);
    }
    let (sessions, now) = (app.sessions(&visit.snapshot.config), visit.circumstances.now);
    let accounts = match sessions.accounts(&visit.secrets, now).await {
        Ok(accounts) => accounts,
        Err(error) => return unavailable(&app, &visit, &error),
    };
    let Some(signed_in) = accounts.active() else {
        return match accounts.others.is_empty() {
            true => form(&app, &visit, FormFor::Anyone(None), "", None),
            false => choice(&app, &visit, None, &accounts, StatusCode::OK),
        };
    };
    if signed_in.user.must_change_password {
        return see_other(&to_page(&visit, "/account/password", &visit.own()));
    }
    let granted = granted::list(&app.store, &signed_in.user.id, now).await;
    let (granted, open) = match (granted, sessions.list(&signed_in.user.id, now).await) {
        (Ok(granted), Ok(open)) => (granted, open),
        (Err(error), _) | (_, Err(error)) => return unavailable(&app, &visit, &error),
    };
    // the apps that registered themselves have names as well
    let apps: Vec<_> = granted.iter().map(|granted| granted.client_id.clone()).collect();
    if let Err(error) = visit.name(&app, &apps).await {
        return unavailable(&app, &visit, &error);
    }
    show(&app, &visit, &accounts, signed_in, (&granted, &open))
}

fn show(
    app: &App,
    visit: &Visit,
    accounts: &Accounts,
    signed_in: &SignedIn,
    (granted, open): (&[Granted], &[Session]),
) -> Response {
    let browser = own_form::browser(app, visit);
    let matter = [signed_in.session.id.as_str()];
    let none = visit.own();
    let path = |page| to_page(visit, page, &none);
    let password = signed_in.user.password_hash.as_ref().map(|_| path("/account/password"));
    let apps: Vec<GrantedApp<'_>> = granted.iter().map(|one| app_of(visit, one)).collect();
    let mut sessions: Vec<OpenSession<'_>> = open
        .iter()
        .map(|session| OpenSession {
            sid: session.id.as_str(),
            is_here: session.id == signed_in.session.id,
            since: Since(session.authentication.at),
            seen: Since(session.last_seen_at),
        })
        .collect();
    sessions.sort_by_key(|session| !session.is_here);
    let done = visit.query.as_ref().ok().and_then(|query| query.get(DONE));
    let view = AccountPage {
        layout: layout(visit),
        person: Person { name: signed_in.user.shown_name(), username: &signed_in.user.username },
        since: Since(signed_in.session.authentication.at),
        done: AccountDone::ALL.into_iter().find(|one| Some(one.word()) == done),
        form_token: &anti_forgery::token(&app.secrets.forms, Form::Account, &browser, &matter),
        apps: &apps,
        sessions: &sessions,
        has_others: !accounts.others.is_empty(),
        paths: AccountPaths {
            grants: &path("/account/grants"),
            sessions: &path("/account/sessions"),
            password: password.as_deref(),
            switch: &to_page(visit, "/login", &none.with(super::login::ACCOUNT, super::login::CHOOSE)),
            login_other: &another_account(visit, &none),
            sign_out: &path("/logout"),
        },
    };
    super::login::with_browser(visit, &browser, page(StatusCode::OK, &view, PagePolicy::own_forms()))
}

/// What an app has, in words; one that is not registered any more is told by its name in the store.
fn app_of<'a>(visit: &'a Visit, granted: &'a Granted) -> GrantedApp<'a> {
    let config: &Config = &visit.snapshot.config;
    let client_id = granted.client_id.as_str();
    GrantedApp {
        client_id,
        name: visit
            .snapshot
            .registry
            .find(&granted.client_id)
            .map_or(client_id, |client| visit.name_of(client)),
        scopes: granted
            .scopes
            .iter()
            .map(|scope| words_of(scope.as_str(), config, &visit.languages))
            .collect(),
        resources: granted.resources.iter().map(|resource| resource.as_str()).collect(),
        since: Since(granted.since),
        used: granted.used_at.map(Since),
    }
}

/// `POST /account/grants`: takes back what an app was given.
pub async fn take_back(State(app): State<App>, mut visit: Visit, request: Request) -> Response {
    let (signed_in, _, body) = match receive(&app, &mut visit, request).await {
        Ok(received) => received,
        Err(response) => return *response,
    };
    let Some(client) = body.get("client").and_then(|client| ClientId::parse(client).ok()) else {
        return refuse(&app, &visit, "client names no app");
    };
    let (user, circumstances) = (&signed_in.user.id, &visit.circumstances);
    match granted::take_back(&app.store, &app.trail, user, &client, circumstances).await {
        Ok(_) => see_other(&done(&visit, AccountDone::TakenBack)),
        Err(error) => unavailable(&app, &visit, &error),
    }
}

/// `POST /account/sessions`: signs the person out somewhere else, or everywhere.
pub async fn end_sessions(State(app): State<App>, mut visit: Visit, request: Request) -> Response {
    let (signed_in, accounts, body) = match receive(&app, &mut visit, request).await {
        Ok(received) => received,
        Err(response) => return *response,
    };
    let sessions = app.sessions(&visit.snapshot.config);
    let account = to_page(&visit, "/account", &visit.own());
    let here = &signed_in.session.id;
    if body.get("everywhere").is_some() {
        return match sessions.sign_out_everywhere(&signed_in, &visit.circumstances).await {
            Ok(_) => {
                without_kept_pages(with_sessions(&visit, &accounts.without(&[here]), see_other(&account)))
            }
            Err(error) => unavailable(&app, &visit, &error),
        };
    }
    let Some(id) = body.get("session").and_then(|id| SessionId::parse(id).ok()) else {
        return refuse(&app, &visit, "session names no session");
    };
    match sessions.end_one(&signed_in, &id, &visit.circumstances).await {
        Ok(_) if id == *here => {
            without_kept_pages(with_sessions(&visit, &accounts.without(&[here]), see_other(&account)))
        }
        Ok(_) => see_other(&done(&visit, AccountDone::SessionEnded)),
        Err(error) => unavailable(&app, &visit, &error),
    }
}

/// Reads a form of the page: from our own page, of this person in this browser (threats 28, 135).
async fn receive(
    app: &App,
    visit: &mut Visit,
    request: Request,
) -> Result<(SignedIn, Accounts, Parameters), Box<Response>> {
    let body = own_form::receive(app, visit, EventName::AccountChangeRefused, request).await?;
    let sessions = app.sessions(&visit.snapshot.config);
    let accounts = sessions.accounts(&visit.secrets, visit.circumstances.now).await;
    let accounts = accounts.map_err(|error| Box::new(unavailable(app, visit, &error)))?;
    let again = to_page(visit, "/account", &visit.own());
    let Some(signed_in) = accounts.active().cloned() else { return Err(Box::new(see_other(&again))) };
    let (token, browser) = (body.get("form_token"), visit.browser.as_deref());
    let matter = [signed_in.session.id.as_str()];
    if !anti_forgery::verify(&app.secrets.forms, token, Form::Account, browser, &matter) {
        let why = "the form is not the one that this browser was shown for this person";
        return Err(Box::new(refuse_with(app, visit, StatusCode::FORBIDDEN, why)));
    }
    if signed_in.user.must_change_password {
        return Err(Box::new(see_other(&again)));
    }
    Ok((signed_in, accounts, body))
}

/// The page, saying what was done.
pub fn done(visit: &Visit, done: AccountDone) -> String {
    to_page(visit, "/account", &visit.own().with(DONE, done.word()))
}

fn refuse(app: &App, visit: &Visit, reason: &str) -> Response {
    refuse_with(app, visit, StatusCode::BAD_REQUEST, reason)
}

fn refuse_with(app: &App, visit: &Visit, status: StatusCode, reason: &str) -> Response {
    let again = to_page(visit, "/account", &visit.own());
    let refusal = PageRefusal {
        event: EventName::AccountChangeRefused,
        status,
        code: ErrorCode::InvalidRequest,
        reason,
        section: "RFC 9700 §4.7",
        way_on: WayOn::Link { url: &again, words: "account-title", lead: "error-stale" },
    };
    refuse_on_page(app, visit, &refusal)
}

fn unavailable(app: &App, visit: &Visit, error: &StorageError) -> Response {
    refuse_for_now(app, visit, EventName::AccountChangeRefused, error)
}
