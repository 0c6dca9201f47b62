//! `/recovery`: whoever forgot their password asks for a link by mail. The answer is the same, and as fast, whoever they are or
//! are not: what is to be done is done after it (threat 139). Without `[mail]` there is no such page.

use super::answer::{PageRefusal, layout, page, refuse_on_page, see_other, status_only, with_retry_after};
use super::app::App;
use super::authorization::to_page;
use super::cross_origin::admit_load;
use super::extract::{LANGUAGE, Visit};
use super::login::with_browser;
use super::own_form;
use super::security_headers::PagePolicy;
use crate::model::audit_event::{About, EventName};
use crate::model::throttle::Device;
use crate::model::username::SignInName;
use crate::pages::{RecoveryMessage, RecoveryPage, RecoverySentPage, WayOn};
use crate::protocol::error_code::ErrorCode;
use crate::protocol::parameters::Parameters;
use crate::sessions::anti_forgery::{self, Form};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use std::sync::Arc;

/// `GET /recovery`.
pub async fn get(State(app): State<App>, visit: Visit, headers: HeaderMap) -> Response {
    if admit_load(&headers).is_err() {
        return status_only(StatusCode::FORBIDDEN);
    }
    match absent(&app, &visit) {
        Some(response) => response,
        None => show(&app, &visit, "", None),
    }
}

/// `POST /recovery`.
pub async fn post(State(app): State<App>, mut visit: Visit, request: Request) -> Response {
    if let Some(response) = absent(&app, &visit) {
        return response;
    }
    let body = match own_form::receive(&app, &mut visit, EventName::RecoveryRefused, request).await {
        Ok(body) => body,
        Err(response) => return *response,
    };
    let typed = body.get("username").unwrap_or_default();
    let (token, browser) = (body.get("form_token"), visit.browser.as_deref());
    if !anti_forgery::verify(&app.secrets.forms, token, Form::Recovery, browser, &[]) {
        return show(&app, &visit, typed, Some(RecoveryMessage::FormExpired));
    }
    let name = SignInName::parse(typed);
    // counted by what was typed: to look the person up first would tell by the wait who is known
    let attempt = app.recovery_throttle.check(&name.throttle_key(), &visit.address_key, Device::Unknown);
    match attempt {
        Ok(attempt) => {
            app.recovery_throttle.failed(attempt);
        }
        Err(wait) => {
            let (event, reason) = (EventName::RecoveryRefused, format!("{} s to wait", wait.seconds));
            let about = About::default();
            app.trail.refused(app.trail.event(&visit.circumstances, event, about, reason, "RFC 6819 §4.3.3"));
            return show(&app, &visit, typed, Some(RecoveryMessage::Wait { seconds: wait.seconds }));
        }
    }
    let Ok(place) = Arc::clone(&app.recoveries).try_acquire_owned() else {
        return show(&app, &visit, typed, Some(RecoveryMessage::Busy));
    };
    let (recovery, circumstances) = (app.recovery(), visit.circumstances.clone());
    let language = visit.languages.page().tag();
    tokio::spawn(async move {
        let _place = place;
        if let Err(error) = recovery.request(&name, language, &circumstances).await {
            tracing::error!(request.id = %circumstances.request_id, error = %error, "a link could not be made");
        }
    });
    see_other(&to_page(&visit, "/recovery/sent", &request_of(&visit)))
}

/// `GET /recovery/sent`.
pub async fn sent(State(app): State<App>, visit: Visit, headers: HeaderMap) -> Response {
    if admit_load(&headers).is_err() {
        return status_only(StatusCode::FORBIDDEN);
    }
    if let Some(response) = absent(&app, &visit) {
        return response;
    }
    let sign_in = to_page(&visit, "/login", &request_of(&visit).without(LANGUAGE));
    let view = RecoverySentPage { layout: layout(&visit), sign_in: &sign_in };
    page(StatusCode::OK, &view, PagePolicy::no_forms())
}

/// The answer where no mail can be sent.
pub fn absent(app: &App, visit: &Visit) -> Option<Response> {
    if visit.snapshot.mailer.is_some() {
        return None;
    }
    let sign_in = to_page(visit, "/account", &visit.own());
    let refusal = PageRefusal {
        event: EventName::RecoveryRefused,
        status: StatusCode::NOT_FOUND,
        code: ErrorCode::InvalidRequest,
        reason: "this server sends no mail; ask whoever runs it for another password",
        section: "RFC 9110 §15.5.5",
        way_on: WayOn::Link { url: &sign_in, words: "login-submit", lead: "recovery-absent" },
    };
    Some(refuse_on_page(app, visit, &refusal))
}

/// The authorization request that waits, to go back to; it is judged there.
fn request_of(visit: &Visit) -> Parameters {
    visit.query.clone().unwrap_or_default()
}

fn show(app: &App, visit: &Visit, typed: &str, message: Option<RecoveryMessage>) -> Response {
    let browser = own_form::browser(app, visit);
    let view = RecoveryPage {
        layout: layout(visit),
        action: &to_page(visit, "/recovery", &request_of(visit)),
        form_token: &anti_forgery::token(&app.secrets.forms, Form::Recovery, &browser, &[]),
        username: typed,
        message,
        sign_in: &to_page(visit, "/login", &request_of(visit).without(LANGUAGE)),
    };
    let answer = |status| with_browser(visit, &browser, page(status, &view, PagePolicy::own_forms()));
    match message {
        None => answer(StatusCode::OK),
        Some(RecoveryMessage::FormExpired) => answer(StatusCode::FORBIDDEN),
        Some(RecoveryMessage::Wait { seconds }) => {
            with_retry_after(answer(StatusCode::TOO_MANY_REQUESTS), seconds)
        }
        Some(RecoveryMessage::Busy) => with_retry_after(answer(StatusCode::SERVICE_UNAVAILABLE), 2),
    }
}
