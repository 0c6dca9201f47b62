//! `/login`: name and password; the choice of an account is in `account_choice`. It records a fact and returns to `/authorize`, where it is
//! decided anew what is missing; without a request it returns to `/account`.

use super::account_choice::{choice, choose};
use super::answer::{
    layout, page, refuse_authorization, refuse_for_now, see_other, with_cookie, with_retry_after,
};
use super::app::App;
use super::authorization::{Progress, decide, judge, to_page};
use super::client_logo;
use super::cross_origin::admit_load;
use super::extract::{LANGUAGE, Visit};
use super::own_form;
use super::security_headers::PagePolicy;
use crate::audit::Circumstances;
use crate::authorization::begin::Refusal;
use crate::authorization::error::AuthorizationError;
use crate::authorization::interaction::NextStep;
use crate::model::audit_event::EventName;
use crate::model::client::{Client, Provenance};
use crate::model::secret::Secret;
use crate::pages::{Destination, LoginClient, LoginMessage, LoginPage, WebLink};
use crate::protocol::localized::Localized;
use crate::protocol::parameters::Parameters;
use crate::protocol::prompt::Prompt;
use crate::sessions::accounts::{Former, SessionSecrets};
use crate::sessions::anti_forgery::{self, Form};
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
/// Its value for the choice among those who are signed in; every other means the sign-in form.
pub const CHOOSE: &str = "choose";
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
        let chooses = visit.query.as_ref().is_ok_and(|query| query.get(ACCOUNT) == Some(CHOOSE));
        return match wants_another {
            true if chooses => choose_freely(&app, &visit).await,
            true => form(&app, &visit, FormFor::Another(None), "", None),
            false => see_other(&to_page(&visit, "/account", &visit.own())),
        };
    }
    let progress = match judge(&app, &visit, request).await {
        Ok(progress) => progress,
        Err(refusal) => return refuse_authorization(&app, &visit, &refusal),
    };
    let visit = visit.asking(&progress.begun.request.ui_locales);
    // with `prompt=none` no page is ever shown
    let wants_another = wants_another && !progress.begun.request.prompts.contains(Prompt::None);
    match decide(&app, &visit, &progress, progress.known_consent()) {
        _ if wants_another => form(&app, &visit, FormFor::Another(Some(&progress)), "", None),
        NextStep::SelectAccount if progress.accounts.all().next().is_some() => {
            choice(&app, &visit, Some(&progress), &progress.accounts, StatusCode::OK)
        }
        NextStep::Login(_) | NextStep::SelectAccount => {
            form(&app, &visit, FormFor::Anyone(Some(&progress)), "", None)
        }
        _ => see_other(&to_page(&visit, "/authorize", &progress.parameters)),
    }
}

/// The choice without a request, which leads to the person's own account.
async fn choose_freely(app: &App, visit: &Visit) -> Response {
    let sessions = app.sessions(&visit.snapshot.config);
    match sessions.accounts(&visit.secrets, visit.circumstances.now).await {
        Ok(accounts) if accounts.all().next().is_some() => {
            choice(app, visit, None, &accounts, StatusCode::OK)
        }
        Ok(_) => form(app, visit, FormFor::Anyone(None), "", None),
        Err(error) => refuse_for_now(app, visit, EventName::SignInRefused, &error),
    }
}

/// `POST /login`.
pub async fn post(State(app): State<App>, mut visit: Visit, request: Request) -> Response {
    let body = match own_form::receive(&app, &mut visit, EventName::SignInRefused, request).await {
        Ok(body) => body,
        Err(response) => return *response,
    };
    let (request, wants_another) = match own_parameters(&visit) {
        Ok(parts) => parts,
        Err(refusal) => return refuse_authorization(&app, &visit, &refusal),
    };
    let progress = match request.is_empty() {
        true => None,
        false => match judge(&app, &visit, request).await {
            Ok(progress) => Some(progress),
            Err(refusal) => return refuse_authorization(&app, &visit, &refusal),
        },
    };
    let visit = match &progress {
        Some(progress) => visit.asking(&progress.begun.request.ui_locales),
        None => visit,
    };
    if body.get(ACCOUNT).is_some() {
        return choose(&app, &visit, &body, progress.as_ref()).await;
    }
    let form_for = match wants_another {
        true => FormFor::Another(progress.as_ref()),
        false => FormFor::Anyone(progress.as_ref()),
    };
    sign_in(&app, &visit, &body, form_for).await
}

/// Back to the request, or to the person's own account, with what the cookies are to hold.
pub fn go_on(visit: &Visit, progress: Option<&Progress>, secrets: &SessionSecrets) -> Response {
    let response = match progress {
        Some(progress) => see_other(&to_page(visit, "/authorize", &progress.parameters)),
        None => see_other(&to_page(visit, "/account", &visit.own())),
    };
    with_sessions(visit, secrets, response)
}

async fn sign_in(app: &App, visit: &Visit, body: &Parameters, form_for: FormFor<'_>) -> Response {
    let typed = body.get("username").unwrap_or_default();
    let matter = form_for.request().encode();
    let token = body.get("form_token");
    if !anti_forgery::verify(&app.secrets.forms, token, Form::Login, visit.browser.as_deref(), &[&matter]) {
        return form(app, visit, form_for, typed, Some(LoginMessage::FormExpired));
    }
    let presented = Presented {
        username: typed,
        password: Secret::new(body.get("password").unwrap_or_default()),
        address_key: &visit.address_key,
        device: visit.device.as_deref(),
    };
    match begin_session(app, visit, &presented, form_for).await {
        Ok((secrets, device)) => with_device(visit, &device, go_on(visit, form_for.progress(), &secrets)),
        Err(SignInError::Refused) => form(app, visit, form_for, typed, Some(LoginMessage::Refused)),
        Err(SignInError::Wait(seconds)) => {
            with_retry_after(form(app, visit, form_for, typed, Some(LoginMessage::Wait { seconds })), seconds)
        }
        Err(SignInError::Busy(seconds)) => {
            with_retry_after(form(app, visit, form_for, typed, Some(LoginMessage::Busy)), seconds)
        }
        Err(SignInError::Storage(_)) => {
            with_retry_after(form(app, visit, form_for, typed, Some(LoginMessage::Busy)), 2)
        }
    }
}

/// Checks the password and begins the session; yields what the session cookies hold then, and the device's.
async fn begin_session(
    app: &App,
    visit: &Visit,
    presented: &Presented<'_>,
    form_for: FormFor<'_>,
) -> Result<(SessionSecrets, String), SignInError> {
    let sessions = app.sessions(&visit.snapshot.config);
    let accounts = match form_for.progress() {
        Some(progress) => progress.accounts.clone(),
        None => sessions.accounts(&visit.secrets, visit.circumstances.now).await?,
    };
    let former = form_for.former();
    for _ in 0..SIGN_IN_ATTEMPTS {
        let user = sign_in_desk(app).check(presented.clone(), &visit.circumstances).await?;
        // The moment of the sign-in is when the password was found right, not when the form arrived.
        let now = app.clock.now();
        let circumstances = Circumstances { now, ..visit.circumstances.clone() };
        match sessions.sign_in(&user, &accounts, former, &circumstances).await {
            Ok(secrets) => {
                let fresh = app.entropy.bytes();
                let device = visit.device.as_deref();
                return Ok((
                    secrets,
                    device::attest(&app.secrets.devices, device, (&user).into(), fresh, now),
                ));
            }
            // Another hash than the one just compared: a new password, or only more work for the same. The password that was
            // typed is held against it.
            Err(StorageError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(SignInError::Refused)
}

/// Where passwords are checked.
pub fn sign_in_desk(app: &App) -> SignIn<'_> {
    SignIn {
        store: &app.store,
        passwords: &app.passwords,
        throttle: &app.throttle,
        devices: &app.secrets.devices,
        trail: &app.trail,
    }
}

/// Whom the sign-in form is for, and for which request; without one it leads to the person's own account.
#[derive(Clone, Copy)]
pub enum FormFor<'a> {
    /// Whoever is there.
    Anyone(Option<&'a Progress>),
    /// Somebody beside those who are signed in.
    Another(Option<&'a Progress>),
}

impl<'a> FormFor<'a> {
    /// The request, as far as it has come.
    pub fn progress(self) -> Option<&'a Progress> {
        let (Self::Anyone(progress) | Self::Another(progress)) = self;
        progress
    }

    /// The request's parameters.
    pub fn request(self) -> Parameters {
        self.progress().map(|progress| progress.parameters.clone()).unwrap_or_default()
    }

    /// Where the form goes.
    fn action(self, visit: &Visit) -> String {
        let request = if self.progress().is_some() { self.request() } else { visit.own() };
        match self {
            Self::Anyone(_) => to_page(visit, "/login", &request),
            Self::Another(_) => another_account(visit, &request),
        }
    }

    /// What becomes of whoever is active, when somebody else signs in: they stay where the request or the person asked for another
    /// account beside theirs, and else make room.
    fn former(self) -> Former {
        let asks = |progress: &Progress| {
            progress.begun.request.prompts.contains(Prompt::SelectAccount)
                || progress.begun.expected_subject.is_some()
        };
        match self {
            Self::Another(_) => Former::Stays,
            Self::Anyone(progress) if progress.is_some_and(asks) => Former::Stays,
            Self::Anyone(_) => Former::Leaves,
        }
    }
}

/// The sign-in form.
pub fn form(
    app: &App,
    visit: &Visit,
    form_for: FormFor<'_>,
    typed: &str,
    message: Option<LoginMessage>,
) -> Response {
    let progress = form_for.progress();
    let browser = own_form::browser(app, visit);
    let matter = form_for.request().encode();
    let form_token = anti_forgery::token(&app.secrets.forms, Form::Login, &browser, &[&matter]);
    let hint = progress.and_then(|progress| progress.begun.request.login_hint.as_deref()).unwrap_or_default();
    let status = match &message {
        None => StatusCode::OK,
        Some(LoginMessage::Refused) => StatusCode::BAD_REQUEST,
        Some(LoginMessage::FormExpired) => StatusCode::FORBIDDEN,
        Some(LoginMessage::Wait { .. }) => StatusCode::TOO_MANY_REQUESTS,
        Some(LoginMessage::Busy) => StatusCode::SERVICE_UNAVAILABLE,
    };
    let logo = progress.and_then(|progress| client_logo::url(app, visit, &progress.begun.client));
    let recovery =
        visit.snapshot.mailer.as_ref().map(|_| to_page(visit, "/recovery", &for_recovery(visit, progress)));
    let view = LoginPage {
        layout: layout(visit),
        action: &form_for.action(visit),
        form_token: &form_token,
        client: progress.map(|progress| client_of(visit, &progress.begun.client, logo.as_deref())),
        destination: progress.map(|progress| Destination::of(progress.begun.target.uri())),
        username: if typed.is_empty() { hint } else { typed },
        message,
        recovery: recovery.as_deref(),
    };
    with_browser(visit, &browser, page(status, &view, policy_of(progress)))
}

/// The request that waits, for the pages of recovery. They do not judge it, so that a language that does not stand in the URL goes
/// with it.
fn for_recovery(visit: &Visit, progress: Option<&Progress>) -> Parameters {
    let Some(progress) = progress else { return visit.own() };
    match (progress.parameters.get("ui_locales"), visit.languages.asked()) {
        (None, asked) if !asked.is_empty() => progress.parameters.with(LANGUAGE, asked.join(" ")),
        _ => progress.parameters.clone(),
    }
}

/// The client as the page names it.
fn client_of<'a>(visit: &Visit, client: &'a Client, logo: Option<&'a str>) -> LoginClient<'a> {
    let link = |uri: &'a Localized| visit.languages.best(uri).and_then(WebLink::parse);
    let (policy, terms) = (link(&client.metadata.policy_uri), link(&client.metadata.tos_uri));
    let is_unverified = client.provenance == Provenance::Registered;
    LoginClient { name: visit.name_of(client), is_unverified, logo, policy, terms }
}

/// What the pages of signing in need: their forms lead to the client in the end.
pub fn policy_of(progress: Option<&Progress>) -> PagePolicy {
    match progress {
        Some(progress) => PagePolicy::leading_to(progress.begun.target.uri()),
        None => PagePolicy::own_forms(),
    }
}

/// The link to the sign-in form for somebody else than who is signed in.
pub fn another_account(visit: &Visit, request: &Parameters) -> String {
    to_page(visit, "/login", &request.with(ACCOUNT, "other"))
}

/// The response, with the cookies of whoever is signed in from now on.
pub fn with_sessions(visit: &Visit, secrets: &SessionSecrets, response: Response) -> Response {
    let life = visit.snapshot.config.lifetimes.session_absolute;
    let cookies = visit.jar.hold(&visit.secrets, secrets, life);
    cookies.iter().fold(response, |response, cookie| with_cookie(response, cookie))
}

/// The response, with the cookie that says whose device this is.
pub fn with_device(visit: &Visit, device: &str, response: Response) -> Response {
    with_cookie(response, &visit.jar.set(Cookie::Device, device, DEVICE_LIFE))
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
    Ok((Visit::request_in(query.without(ACCOUNT)), query.get(ACCOUNT).is_some()))
}
