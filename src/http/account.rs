//! `/account`: who is signed in here. Without a session it is the sign-in form.

use super::answer::{layout, page, refuse_for_now};
use super::app::App;
use super::cross_origin::admit_load;
use super::extract::Visit;
use super::login::form;
use super::security_headers::PagePolicy;
use crate::model::audit_event::EventName;
use crate::pages::{AccountPage, Person, Since};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

/// `GET /account`.
pub async fn get(State(app): State<App>, visit: Visit, headers: HeaderMap) -> Response {
    if admit_load(&headers).is_err() {
        return super::answer::status_only(StatusCode::FORBIDDEN);
    }
    let sessions = app.sessions(&visit.snapshot.config);
    match sessions.find(visit.session.as_deref(), visit.circumstances.now).await {
        Ok(Some(signed_in)) => {
            let sign_out = format!("{}/logout", visit.snapshot.config.issuer.path());
            let view = AccountPage {
                layout: layout(&visit),
                person: Person { name: signed_in.user.shown_name(), username: &signed_in.user.username },
                since: Since(signed_in.session.authentication.at),
                sign_out: &sign_out,
            };
            page(StatusCode::OK, &view, PagePolicy::own_forms())
        }
        Ok(None) => form(&app, &visit, None, "", None),
        Err(error) => refuse_for_now(&app, &visit, EventName::AuthorizationRefused, &error),
    }
}
