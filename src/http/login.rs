//! `/login`: name and password, or the choice of an account. It records a fact and returns to `/authorize`, where it is
//! decided anew what is missing; without a request it returns to `/account`.

use super::answer::{
    layout, page, refuse_authorization, refuse_body, refuse_foreign, see_other, with_cookie, with_retry_after,
};
use super::app::App;
use super::authorization::{Progress, decide, judge, to_page};
use super::client_logo;
use super::cross_origin::{admit_form, admit_load};
use super::extract::Visit;
use super::limits::read_form;
use super::security_headers::PagePolicy;
use crate::audit::Circumstances;
use crate::authorization::begin::Refusal;
use crate::authorization::error::AuthorizationError;
use crate::authorization::interaction::NextStep;
use crate::model::audit_event::EventName;
use crate::model::client::Client;
use crate::model::secret::Secret;
use crate::pages::{
    Account, AccountChoicePage, Destination, LoginClient, LoginMessage, LoginPage, Person, WebLink,
};
use crate::protocol::localized::Localized;
use crate::protocol::parameters::Parameters;
use crate::protocol::prompt::Prompt;
use crate::sessions::anti_forgery::{self, Form};
use crate::sessions::browser::SignedIn;
use crate::sessions::cookies::Cookie;
use crate::storage::error::StorageError;
use crate::users::device::{self, DEVICE_LIFE};
use crate::users::sign_in::{Presented, SignIn, SignInError};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use std::time::Duration;

/// The page's own parameter: the person wants another account than the one signed in. Never handed on.
pub const ACCOUNT: &str = "account";
/// How often a password is checked anew because the stored hash became another meanwhile.
const SIGN_IN_ATTEMPTS: usize = 2;

/// `GET /login`.
pub async fn get(State(app): State<App>, visit: Visit, headers: HeaderMap) -> Response {
    if admit_load(&headers).is_err() {
        return super::answer::status_only(StatusCode::FORBIDDEN);
    }
    let (request, wants_another) = match own_parameters(&visit) {
        Ok(parts) => parts,
        Err(refusal) => return refuse_authorization(&app, &visit, &refusal),
    };
    if request.is_empty() {
        return see_other(&to_page(&visit, "/account", &request));
    }
    let progress = match judge(&app, &visit, request).await {
        Ok(progress) => progress,
        Err(refusal) => return refuse_authorization(&app, &visit, &refusal),
    };
    // with `prompt=none` no page is ever shown
    let wants_another = wants_another && !progress.begun.request.prompts.contains(Prompt::None);
    let step = decide(&app, &visit, &progress, progress.known_consent());
    match (step, &progress.signed_in) {
        (NextStep::SelectAccount, Some(signed_in)) if !wants_another => {
            choice(&app, &visit, &progress, signed_in)
        }
        (NextStep::Login(_) | NextStep::SelectAccount, _) => form(&app, &visit, Some(&progress), "", None),
        _ if wants_another => form(&app, &visit, Some(&progress), "", None),
        _ => see_other(&to_page(&visit, "/authorize", &progress.parameters)),
    }
}

/// `POST /login`.
pub async fn post(
    State(app): State<App>,
    mut visit: Visit,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let issuer = &visit.snapshot.config.issuer;
    if let Err(foreign) = admit_form(&headers, issuer) {
        return refuse_foreign(&app, &visit, EventName::SignInRefused, foreign);
    }
    let body = match read_form(&headers, request.into_body()).await {
        Ok(body) => body,
        Err(error) => return refuse_body(&app, &visit, EventName::SignInRefused, &error),
    };
    visit.arrived(&app);
    let (request, _) = match own_parameters(&visit) {
        Ok(parts) => parts,
        Err(refusal) => return refuse_authorization(&app, &visit, &refusal),
    };
    let progress = match request.is_empty() {
        true => None,
        false => match judge(&app, &visit, request.clone()).await {
            Ok(progress) => Some(progress),
            Err(refusal) => return refuse_authorization(&app, &visit, &refusal),
        },
    };
    if body.get("account").is_some() {
        return choose(&app, &visit, &body, progress.as_ref()).await;
    }
    sign_in(&app, &visit, &body, &request, progress.as_ref()).await
}

async fn choose(app: &App, visit: &Visit, body: &Parameters, progress: Option<&Progress>) -> Response {
    let Some((progress, signed_in)) =
        progress.and_then(|progress| Some((progress, progress.signed_in.as_ref()?)))
    else {
        return form(app, visit, progress, "", None);
    };
    let sid = signed_in.session.id.as_str();
    let matter = progress.parameters.encode();
    let browser = visit.browser.as_deref();
    let genuine = anti_forgery::verify(
        &app.secrets.forms,
        body.get("form_token"),
        Form::AccountChoice,
        browser,
        &[&matter, sid],
    );
    if !genuine || body.get("account") != Some(sid) {
        return form(app, visit, Some(progress), "", Some(LoginMessage::FormExpired));
    }
    let sessions = app.sessions(&visit.snapshot.config);
    match sessions.select_account(&signed_in.session.id, visit.circumstances.now).await {
        Ok(()) => see_other(&to_page(visit, "/authorize", &progress.parameters)),
        Err(error) => refuse_authorization(app, visit, &progress.refusal(error.into())),
    }
}

async fn sign_in(
    app: &App,
    visit: &Visit,
    body: &Parameters,
    request: &Parameters,
    progress: Option<&Progress>,
) -> Response {
    let typed = body.get("username").unwrap_or_default();
    let matter = request.encode();
    let token = body.get("form_token");
    if !anti_forgery::verify(&app.secrets.forms, token, Form::Login, visit.browser.as_deref(), &[&matter]) {
        return form(app, visit, progress, typed, Some(LoginMessage::FormExpired));
    }
    let sessions = app.sessions(&visit.snapshot.config);
    let before = match sessions.find(visit.session.as_deref(), visit.circumstances.now).await {
        Ok(before) => before,
        Err(_) => return form(app, visit, progress, typed, Some(LoginMessage::Busy)),
    };
    let presented = Presented {
        username: typed,
        password: Secret::new(body.get("password").unwrap_or_default()),
        address_key: &visit.address_key,
        device: visit.device.as_deref(),
    };
    match begin_session(app, visit, &presented, before.as_ref()).await {
        Ok(cookies) => {
            let page = if request.is_empty() { "/account" } else { "/authorize" };
            cookies.iter().fold(see_other(&to_page(visit, page, request)), |response, cookie| {
                with_cookie(response, cookie)
            })
        }
        Err(SignInError::Refused) => form(app, visit, progress, typed, Some(LoginMessage::Refused)),
        Err(SignInError::Wait(seconds)) => {
            with_retry_after(form(app, visit, progress, typed, Some(LoginMessage::Wait { seconds })), seconds)
        }
        Err(SignInError::Busy(seconds)) => {
            with_retry_after(form(app, visit, progress, typed, Some(LoginMessage::Busy)), seconds)
        }
        Err(SignInError::Storage(_)) => {
            with_retry_after(form(app, visit, progress, typed, Some(LoginMessage::Busy)), 2)
        }
    }
}

/// Checks the password and begins the session; yields the cookies of both session and device.
async fn begin_session(
    app: &App,
    visit: &Visit,
    presented: &Presented<'_>,
    before: Option<&SignedIn>,
) -> Result<[String; 2], SignInError> {
    let desk = SignIn {
        store: &app.store,
        passwords: &app.passwords,
        throttle: &app.throttle,
        devices: &app.secrets.devices,
        trail: &app.trail,
    };
    let (config, device) = (&visit.snapshot.config, visit.device.as_deref());
    for _ in 0..SIGN_IN_ATTEMPTS {
        let user = desk.check(presented.clone(), &visit.circumstances).await?;
        // The moment of the sign-in is when the password was found right, not when the form arrived.
        let now = app.clock.now();
        let circumstances = Circumstances { now, ..visit.circumstances.clone() };
        match app.sessions(config).sign_in(&user, before, &circumstances).await {
            Ok(secret) => {
                let fresh = app.entropy.bytes();
                let device = device::attest(&app.secrets.devices, device, &user.id, fresh, now);
                return Ok([
                    visit.jar.set(Cookie::Session, &secret, config.lifetimes.session_absolute),
                    visit.jar.set(Cookie::Device, &device, DEVICE_LIFE),
                ]);
            }
            // Another hash than the one just compared: a new password, or only more work for the same. The password that was
            // typed is held against it.
            Err(StorageError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(SignInError::Refused)
}

/// The sign-in form, for a request or, without one, for the person's own account.
pub fn form(
    app: &App,
    visit: &Visit,
    progress: Option<&Progress>,
    typed: &str,
    message: Option<LoginMessage>,
) -> Response {
    let empty = Parameters::default();
    let request = progress.map_or(&empty, |progress| &progress.parameters);
    let browser = visit.browser.clone().unwrap_or_else(|| app.entropy.text::<32>());
    let form_token = anti_forgery::token(&app.secrets.forms, Form::Login, &browser, &[&request.encode()]);
    let hint = progress.and_then(|progress| progress.begun.request.login_hint.as_deref()).unwrap_or_default();
    let action = to_page(visit, "/login", request);
    let status = match &message {
        None => StatusCode::OK,
        Some(LoginMessage::Refused) => StatusCode::BAD_REQUEST,
        Some(LoginMessage::FormExpired) => StatusCode::FORBIDDEN,
        Some(LoginMessage::Wait { .. }) => StatusCode::TOO_MANY_REQUESTS,
        Some(LoginMessage::Busy) => StatusCode::SERVICE_UNAVAILABLE,
    };
    let logo = progress.and_then(|progress| client_logo::url(app, visit, &progress.begun.client));
    let view = LoginPage {
        layout: layout(&visit.snapshot),
        action: &action,
        form_token: &form_token,
        client: progress.map(|progress| client_of(&progress.begun.client, logo.as_deref())),
        destination: progress.map(|progress| Destination::of(progress.begun.target.uri())),
        username: if typed.is_empty() { hint } else { typed },
        message,
    };
    let policy = match progress {
        Some(progress) => PagePolicy::leading_to(progress.begun.target.uri()),
        None => PagePolicy::own_forms(),
    };
    with_browser(visit, &browser, page(status, &view, policy))
}

/// The client as the page names it.
fn client_of<'a>(client: &'a Client, logo: Option<&'a str>) -> LoginClient<'a> {
    let link = |uri: &'a Localized| uri.best(&[]).and_then(WebLink::parse);
    let (policy, terms) = (link(&client.metadata.policy_uri), link(&client.metadata.tos_uri));
    LoginClient { name: client.shown_name(), logo, policy, terms }
}

fn choice(app: &App, visit: &Visit, progress: &Progress, signed_in: &SignedIn) -> Response {
    let sid = signed_in.session.id.as_str();
    let Some(browser) = visit.browser.clone() else { return form(app, visit, Some(progress), "", None) };
    let matter = progress.parameters.encode();
    let form_token = anti_forgery::token(&app.secrets.forms, Form::AccountChoice, &browser, &[&matter, sid]);
    let user = &signed_in.user;
    let accounts = [Account { sid, person: Person { name: user.shown_name(), username: &user.username } }];
    let view = AccountChoicePage {
        layout: layout(&visit.snapshot),
        action: &to_page(visit, "/login", &progress.parameters),
        form_token: &form_token,
        client: Some(progress.begun.client.shown_name()),
        accounts: &accounts,
        login_other: &another_account(visit, &progress.parameters),
    };
    page(StatusCode::OK, &view, PagePolicy::leading_to(progress.begun.target.uri()))
}

/// The link to the sign-in form for somebody else than who is signed in.
pub fn another_account(visit: &Visit, request: &Parameters) -> String {
    to_page(visit, "/login", &request.with(ACCOUNT, "other"))
}

/// The response, with the browser's own cookie when it has none yet.
pub fn with_browser(visit: &Visit, browser: &str, response: Response) -> Response {
    match visit.browser {
        Some(_) => response,
        None => with_cookie(response, &visit.jar.set(Cookie::Browser, browser, Duration::ZERO)),
    }
}

/// The request without the page's own parameter, and whether that was there.
fn own_parameters(visit: &Visit) -> Result<(Parameters, bool), Refusal> {
    let query = visit.query.clone();
    let query = query.map_err(|error| Refusal::on_a_page(AuthorizationError::Unreadable(error)))?;
    Ok((query.without(ACCOUNT), query.get(ACCOUNT).is_some()))
}
