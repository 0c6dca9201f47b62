//! `/recovery/new-password`: where the link of a mail leads. To open the page spends nothing, however often a mail scanner does it
//! (threat 147); the form does. The link's token is in the URL of this page only, which tells it to nobody (`no-referrer`; threat 150).

use super::answer::{PageRefusal, layout, page, refuse_for_now, refuse_on_page, see_other, status_only};
use super::app::App;
use super::authorization::to_page;
use super::cross_origin::admit_load;
use super::extract::Visit;
use super::login::with_browser;
use super::own_form;
use super::password::{message, with_status};
use super::recovery::absent;
use super::security_headers::PagePolicy;
use crate::audit::Circumstances;
use crate::model::audit_event::EventName;
use crate::model::secret::Secret;
use crate::model::user::User;
use crate::pages::{NewPasswordPage, PasswordMessage, RecoveredPage, WayOn};
use crate::protocol::error_code::ErrorCode;
use crate::sessions::anti_forgery::{self, Form};
use crate::users::recovery::RecoveryError;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

/// The parameter of the link.
pub const TOKEN: &str = "token";

/// `GET /recovery/new-password`.
pub async fn get(State(app): State<App>, visit: Visit, headers: HeaderMap) -> Response {
    if admit_load(&headers).is_err() {
        return status_only(StatusCode::FORBIDDEN);
    }
    if let Some(response) = absent(&app, &visit) {
        return response;
    }
    let token = visit.query.as_ref().ok().and_then(|query| query.get(TOKEN)).unwrap_or_default().to_owned();
    match app.recovery().look_at(&token, visit.circumstances.now).await {
        Ok(Some(user)) => show(&app, &visit, &token, &user, None),
        Ok(None) => not_a_link(&app, &visit),
        Err(error) => refuse_for_now(&app, &visit, EventName::RecoveryRefused, &error),
    }
}

/// `POST /recovery/new-password`.
pub async fn post(State(app): State<App>, mut visit: Visit, request: Request) -> Response {
    if let Some(response) = absent(&app, &visit) {
        return response;
    }
    let body = match own_form::receive(&app, &mut visit, EventName::RecoveryRefused, request).await {
        Ok(body) => body,
        Err(response) => return *response,
    };
    let (recovery, token) = (app.recovery(), body.get(TOKEN).unwrap_or_default());
    let user = match recovery.look_at(token, visit.circumstances.now).await {
        Ok(Some(user)) => user,
        Ok(None) => return not_a_link(&app, &visit),
        Err(error) => return refuse_for_now(&app, &visit, EventName::RecoveryRefused, &error),
    };
    let (form_token, browser) = (body.get("form_token"), visit.browser.as_deref());
    if !anti_forgery::verify(&app.secrets.forms, form_token, Form::NewPassword, browser, &[token]) {
        return show(&app, &visit, token, &user, Some(PasswordMessage::FormExpired));
    }
    let password = Secret::new(body.get("new_password").unwrap_or_default());
    let circumstances = Circumstances { now: app.clock.now(), ..visit.circumstances.clone() };
    match recovery.set_password(token, password, &circumstances).await {
        Ok(_) => see_other(&to_page(&visit, "/recovery/done", &visit.own())),
        Err(RecoveryError::NotALink) => not_a_link(&app, &visit),
        Err(RecoveryError::NotSet(why)) => show(&app, &visit, token, &user, Some(message(&why))),
    }
}

/// `GET /recovery/done`.
pub async fn done(State(app): State<App>, visit: Visit, headers: HeaderMap) -> Response {
    if admit_load(&headers).is_err() {
        return status_only(StatusCode::FORBIDDEN);
    }
    if let Some(response) = absent(&app, &visit) {
        return response;
    }
    let sign_in = to_page(&visit, "/account", &visit.own());
    let view = RecoveredPage { layout: layout(&visit), sign_in: &sign_in };
    page(StatusCode::OK, &view, PagePolicy::no_forms())
}

/// One answer for a link that was never sent, was used, replaced or is too old.
fn not_a_link(app: &App, visit: &Visit) -> Response {
    let again = to_page(visit, "/recovery", &visit.own());
    let refusal = PageRefusal {
        event: EventName::RecoveryRefused,
        status: StatusCode::BAD_REQUEST,
        code: ErrorCode::InvalidRequest,
        reason: "this link does not work: it was used already, or it is too old",
        section: "NIST SP 800-63B §4.2",
        way_on: WayOn::Link { url: &again, words: "recovery-again", lead: "recovery-dead-link" },
    };
    refuse_on_page(app, visit, &refusal)
}

fn show(app: &App, visit: &Visit, token: &str, user: &User, message: Option<PasswordMessage>) -> Response {
    let browser = own_form::browser(app, visit);
    let view = NewPasswordPage {
        layout: layout(visit),
        action: &to_page(visit, "/recovery/new-password", &visit.own()),
        form_token: &anti_forgery::token(&app.secrets.forms, Form::NewPassword, &browser, &[token]),
        token,
        username: &user.username,
        message,
    };
    with_status(message, |status| with_browser(visit, &browser, page(status, &view, PagePolicy::own_forms())))
}
