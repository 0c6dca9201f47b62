//! `/logout`: asks, then ends the session of this browser, with its unspent codes and the grants that do not outlive it.

use super::answer::{
    PageRefusal, layout, page, refuse_body, refuse_for_now, refuse_foreign, refuse_on_page, see_other,
    with_cookie,
};
use super::app::App;
use super::authorization::to_page;
use super::cross_origin::{admit_form, admit_load};
use super::extract::Visit;
use super::limits::read_form;
use super::login::with_browser;
use super::security_headers::PagePolicy;
use crate::model::audit_event::EventName;
use crate::pages::{LoggedOutPage, LogoutPage, Person, WayOn};
use crate::protocol::error_code::ErrorCode;
use crate::sessions::anti_forgery::{self, Form};
use crate::sessions::cookies::Cookie;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;

/// `GET /logout`: changes nothing.
pub async fn get(State(app): State<App>, visit: Visit, headers: HeaderMap) -> Response {
    if admit_load(&headers).is_err() {
        return super::answer::status_only(StatusCode::FORBIDDEN);
    }
    let sessions = app.sessions(&visit.snapshot.config);
    let base = visit.snapshot.config.issuer.path();
    match sessions.find(visit.session.as_deref(), visit.circumstances.now).await {
        Ok(Some(signed_in)) => {
            let browser = visit.browser.clone().unwrap_or_else(|| app.entropy.text::<32>());
            let matter = [signed_in.session.id.as_str()];
            let view = LogoutPage {
                layout: layout(&visit),
                action: &format!("{base}/logout"),
                form_token: &anti_forgery::token(&app.secrets.forms, Form::Logout, &browser, &matter),
                client: None,
                person: Some(Person {
                    name: signed_in.user.shown_name(),
                    username: &signed_in.user.username,
                }),
                stay: &format!("{base}/account"),
            };
            with_browser(&visit, &browser, page(StatusCode::OK, &view, PagePolicy::own_forms()))
        }
        Ok(None) => signed_out(&visit),
        Err(error) => refuse_for_now(&app, &visit, EventName::AuthorizationRefused, &error),
    }
}

/// `POST /logout`: our own form ends the session; a client's request is the same as a GET.
pub async fn post(State(app): State<App>, visit: Visit, headers: HeaderMap, request: Request) -> Response {
    let body = match read_form(&headers, request.into_body()).await {
        Ok(body) => body,
        Err(error) => return refuse_body(&app, &visit, EventName::AuthorizationRefused, &error),
    };
    let Some(form_token) = body.get("form_token") else {
        return see_other(&to_page(&visit, "/logout", &body));
    };
    if let Err(foreign) = admit_form(&headers, &visit.snapshot.config.issuer) {
        return refuse_foreign(&app, &visit, EventName::AuthorizationRefused, foreign);
    }
    let sessions = app.sessions(&visit.snapshot.config);
    let signed_in = match sessions.find(visit.session.as_deref(), visit.circumstances.now).await {
        Ok(Some(signed_in)) => signed_in,
        Ok(None) => return signed_out(&visit),
        Err(error) => return refuse_for_now(&app, &visit, EventName::AuthorizationRefused, &error),
    };
    let matter = [signed_in.session.id.as_str()];
    let browser = visit.browser.as_deref();
    if !anti_forgery::verify(&app.secrets.forms, Some(form_token), Form::Logout, browser, &matter) {
        let again = to_page(&visit, "/logout", &Default::default());
        let refusal = PageRefusal {
            event: EventName::AuthorizationRefused,
            status: StatusCode::FORBIDDEN,
            code: ErrorCode::InvalidRequest,
            reason: "the form is not the one that this browser was shown",
            section: "RP-Initiated Logout §2",
            way_on: WayOn::Link { url: &again, words: "logout-confirm" },
        };
        return refuse_on_page(&app, &visit, &refusal);
    }
    match sessions.sign_out(&signed_in, &visit.circumstances).await {
        Ok(()) => without_kept_pages(with_cookie(signed_out(&visit), &visit.jar.clear(Cookie::Session))),
        Err(error) => refuse_for_now(&app, &visit, EventName::AuthorizationRefused, &error),
    }
}

/// The response, with the order to forget this server's pages (Clear Site Data §3.1): browsers keep some for the back button,
/// `no-store` or not, and whoever uses the device next would see the account.
fn without_kept_pages(mut response: Response) -> Response {
    response.headers_mut().insert(CLEAR_SITE_DATA, HeaderValue::from_static("\"cache\""));
    response
}

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

fn signed_out(visit: &Visit) -> Response {
    let sign_in = format!("{}/account", visit.snapshot.config.issuer.path());
    let view = LoggedOutPage { layout: layout(visit), sign_in: &sign_in };
    page(StatusCode::OK, &view, PagePolicy::own_forms())
}
