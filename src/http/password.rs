//! `/account/password`: a person's other password, the old one asked for through the same throttle as a sign-in. For whoever has to
//! choose another one before anything else it stands between sign-in and app, and leads back to `/authorize`.

use super::account::done;
use super::answer::{
    layout, page, refuse_authorization, refuse_for_now, see_other, status_only, with_retry_after,
};
use super::app::App;
use super::authorization::{Progress, decide, judge, to_page};
use super::cross_origin::admit_load;
use super::extract::Visit;
use super::login::{policy_of, sign_in_desk, with_browser, with_device, with_sessions};
use super::own_form;
use crate::audit::Circumstances;
use crate::authorization::begin::Refusal;
use crate::authorization::error::AuthorizationError;
use crate::authorization::interaction::NextStep;
use crate::model::audit_event::EventName;
use crate::model::secret::Secret;
use crate::pages::{AccountDone, PasswordMessage, PasswordPage};
use crate::protocol::parameters::Parameters;
use crate::sessions::accounts::{Accounts, Former, SessionSecrets};
use crate::sessions::anti_forgery::{self, Form};
use crate::sessions::browser::SignedIn;
use crate::storage::error::StorageError;
use crate::users::device;
use crate::users::lifecycle::LifecycleError;
use crate::users::own_password::{Elsewhere, OwnChange};
use crate::users::password::PasswordError;
use crate::users::sign_in::{Presented, SignInError};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

/// Who asks, and what for.
struct Asked {
    progress: Option<Progress>,
    accounts: Accounts,
    signed_in: SignedIn,
}

/// `GET /account/password`.
pub async fn get(State(app): State<App>, visit: Visit, headers: HeaderMap) -> Response {
    if admit_load(&headers).is_err() {
        return status_only(StatusCode::FORBIDDEN);
    }
    match find(&app, &visit).await {
        Ok(asked) => show(&app, &in_its_language(visit, &asked), &asked, None),
        Err(response) => *response,
    }
}

/// `POST /account/password`.
pub async fn post(State(app): State<App>, mut visit: Visit, request: Request) -> Response {
    let body = match own_form::receive(&app, &mut visit, EventName::AccountChangeRefused, request).await {
        Ok(body) => body,
        Err(response) => return *response,
    };
    // the password and the session's new secret are two writes: both are made though nobody waits any more
    own_form::to_its_end(answer(app, visit, body)).await
}

async fn answer(app: App, visit: Visit, body: Parameters) -> Response {
    let asked = match find(&app, &visit).await {
        Ok(asked) => asked,
        Err(response) => return *response,
    };
    let visit = in_its_language(visit, &asked);
    let matter = matter(&asked);
    let matter: Vec<&str> = matter.iter().map(String::as_str).collect();
    let (token, browser) = (body.get("form_token"), visit.browser.as_deref());
    if !anti_forgery::verify(&app.secrets.forms, token, Form::Password, browser, &matter) {
        return show(&app, &visit, &asked, Some(PasswordMessage::FormExpired));
    }
    match change(&app, &visit, &body, &asked).await {
        Ok((secrets, device)) => {
            let location = match &asked.progress {
                Some(progress) => to_page(&visit, "/authorize", &progress.parameters),
                None => done(&visit, AccountDone::PasswordChanged),
            };
            with_device(&visit, &device, with_sessions(&visit, &secrets, see_other(&location)))
        }
        Err(message) => show(&app, &visit, &asked, Some(message)),
    }
}

/// The visit, in the language that the request asks for.
fn in_its_language(visit: Visit, asked: &Asked) -> Visit {
    match &asked.progress {
        Some(progress) => visit.asking(&progress.begun.request.ui_locales),
        None => visit,
    }
}

/// Finds whose password it is about; without anybody, or with a request that needs no other password, the way leads on.
async fn find(app: &App, visit: &Visit) -> Result<Asked, Box<Response>> {
    let query = visit.query.clone().map_err(|error| {
        let refusal = Refusal::on_a_page(AuthorizationError::Unreadable(error));
        Box::new(refuse_authorization(app, visit, &refusal))
    })?;
    let query = Visit::request_in(query);
    if query.is_empty() {
        let sessions = app.sessions(&visit.snapshot.config);
        let accounts = sessions.accounts(&visit.secrets, visit.circumstances.now).await;
        let accounts = accounts
            .map_err(|error| Box::new(refuse_for_now(app, visit, EventName::AccountChangeRefused, &error)))?;
        let knows_one = |signed_in: &&SignedIn| signed_in.user.password_hash.is_some();
        return match accounts.active().filter(knows_one).cloned() {
            Some(signed_in) => Ok(Asked { progress: None, accounts, signed_in }),
            None => Err(Box::new(see_other(&to_page(visit, "/account", &visit.own())))),
        };
    }
    let progress = judge(app, visit, query).await;
    let progress = progress.map_err(|refusal| Box::new(refuse_authorization(app, visit, &refusal)))?;
    match (decide(app, visit, &progress, progress.known_consent()), progress.signed_in.clone()) {
        (NextStep::ChangePassword, Some(signed_in)) => {
            Ok(Asked { accounts: progress.accounts.clone(), signed_in, progress: Some(progress) })
        }
        _ => Err(Box::new(see_other(&to_page(visit, "/authorize", &progress.parameters)))),
    }
}

/// Checks the old password, sets the new one, and renews the session, whose secret changes with it (threat 130).
async fn change(
    app: &App,
    visit: &Visit,
    body: &Parameters,
    asked: &Asked,
) -> Result<(SessionSecrets, String), PasswordMessage> {
    let signed_in = &asked.signed_in;
    let old = Secret::new(body.get("old_password").unwrap_or_default());
    let presented = Presented {
        username: &signed_in.user.username,
        password: old.clone(),
        address_key: &visit.address_key,
        device: visit.device.as_deref(),
    };
    let user = sign_in_desk(app).check(presented, &visit.circumstances).await.map_err(|why| match why {
        SignInError::Refused => PasswordMessage::Refused,
        SignInError::Wait(seconds) => PasswordMessage::Wait { seconds },
        SignInError::Busy(_) | SignInError::Storage(_) => PasswordMessage::Busy,
    })?;
    if user.id != signed_in.user.id {
        return Err(PasswordMessage::Refused);
    }
    let own = OwnChange {
        old,
        new: Secret::new(body.get("new_password").unwrap_or_default()),
        here: signed_in.session.id.clone(),
        // a password that somebody else gave is known to others, who may be signed in with it
        elsewhere: match body.get("end_sessions").is_some() || signed_in.user.must_change_password {
            true => Elsewhere::Ends,
            false => Elsewhere::GoesOn,
        },
    };
    let circumstances = Circumstances { now: app.clock.now(), ..visit.circumstances.clone() };
    let user =
        app.people().change_own_password(&user, own, &circumstances).await.map_err(|why| message(&why))?;
    let sessions = app.sessions(&visit.snapshot.config);
    let renewed = sessions.sign_in(&user, &asked.accounts, Former::Stays, &circumstances).await;
    let secrets = renewed.map_err(|_| PasswordMessage::Busy)?;
    let fresh = app.entropy.bytes();
    Ok((secrets, device::attest(&app.secrets.devices, None, (&user).into(), fresh, circumstances.now)))
}

/// What the page says of a password that cannot be one.
pub fn message(why: &LifecycleError) -> PasswordMessage {
    match why {
        LifecycleError::Password(PasswordError::TooShort) => PasswordMessage::TooShort,
        LifecycleError::Password(PasswordError::TooLong) => PasswordMessage::TooLong,
        LifecycleError::Password(PasswordError::Disallowed) => PasswordMessage::Disallowed,
        LifecycleError::Password(PasswordError::SameAsUsername) => PasswordMessage::SameAsUsername,
        LifecycleError::Password(PasswordError::SameAsBefore) => PasswordMessage::SameAsBefore,
        LifecycleError::Storage(StorageError::Conflict(_)) => PasswordMessage::Refused,
        _ => PasswordMessage::Busy,
    }
}

/// The page's answer to a message: its status, and when it is worth trying again.
pub fn with_status(
    message: Option<PasswordMessage>,
    answer: impl FnOnce(StatusCode) -> Response,
) -> Response {
    match message {
        None => answer(StatusCode::OK),
        Some(PasswordMessage::FormExpired) => answer(StatusCode::FORBIDDEN),
        Some(PasswordMessage::Wait { seconds }) => {
            with_retry_after(answer(StatusCode::TOO_MANY_REQUESTS), seconds)
        }
        Some(PasswordMessage::Busy) => with_retry_after(answer(StatusCode::SERVICE_UNAVAILABLE), 2),
        Some(_) => answer(StatusCode::BAD_REQUEST),
    }
}

fn show(app: &App, visit: &Visit, asked: &Asked, message: Option<PasswordMessage>) -> Response {
    let browser = own_form::browser(app, visit);
    let matter = matter(asked);
    let matter: Vec<&str> = matter.iter().map(String::as_str).collect();
    let request = if asked.progress.is_some() { request(asked) } else { visit.own() };
    let is_forced = asked.signed_in.user.must_change_password;
    let view = PasswordPage {
        layout: layout(visit),
        action: &to_page(visit, "/account/password", &request),
        form_token: &anti_forgery::token(&app.secrets.forms, Form::Password, &browser, &matter),
        username: &asked.signed_in.user.username,
        is_forced,
        message,
        stay: &to_page(visit, if is_forced { "/logout" } else { "/account" }, &visit.own()),
    };
    let policy = policy_of(asked.progress.as_ref());
    with_status(message, |status| with_browser(visit, &browser, page(status, &view, policy)))
}

fn request(asked: &Asked) -> Parameters {
    asked.progress.as_ref().map(|progress| progress.parameters.clone()).unwrap_or_default()
}

/// What the form is about: the session, and the request that waits.
fn matter(asked: &Asked) -> [String; 2] {
    [asked.signed_in.session.id.to_string(), request(asked).encode()]
}
