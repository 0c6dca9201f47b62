//! `/logout` (RP-Initiated Logout §2): ends the session of this browser, after asking where the request does not show that it
//! is about it, and leads on. A client's POST is the same as a GET, before any cookie is read.

use super::answer::{
    PageRefusal, layout, page, refuse_body, refuse_foreign, refuse_on_page, see_other, status_only,
    with_retry_after,
};
use super::app::App;
use super::authorization::to_page;
use super::cross_origin::{admit_form, admit_load};
use super::extract::Visit;
use super::limits::{MAXIMUM_URL, read_form};
use super::login::{with_browser, with_sessions};
use super::own_form;
use super::security_headers::PagePolicy;
use crate::logout::end_session::{self, ConfirmReason, EndSession, NextStep, Onward, Surroundings};
use crate::logout::error::LogoutError;
use crate::logout::front_channel::Frames;
use crate::model::audit_event::EventName;
use crate::pages::{self, Destination, LoggedOutPage, LogoutPage, Person, ReturnLink, WayOn};
use crate::protocol::end_session_request::EndSessionRequest;
use crate::protocol::identifiers::SessionId;
use crate::protocol::parameters::Parameters;
use crate::sessions::accounts::Accounts;
use crate::sessions::anti_forgery::{self, Form};
use crate::sessions::browser::SignedIn;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;

/// How long the logged-out page gives the apps' frames, in seconds.
const FRAMES_TAKE: u32 = 3;

/// `GET /logout`.
pub async fn get(State(app): State<App>, visit: Visit, headers: HeaderMap) -> Response {
    if admit_load(&headers).is_err() {
        return status_only(StatusCode::FORBIDDEN);
    }
    let (request, ending, accounts) = match judge(&app, &visit).await {
        Ok(judged) => judged,
        Err(error) => return refuse(&app, &visit, &error),
    };
    let signed_in = ending.session(&accounts, app.subjects());
    match (ending.next_step(signed_in, app.subjects()), signed_in) {
        (NextStep::Confirm(reason), Some(signed_in)) => {
            ask(&app, &visit, &request, &ending, &accounts, signed_in, reason)
        }
        (NextStep::End, Some(signed_in)) => end(&app, &visit, &ending, &accounts, &[signed_in]).await,
        (NextStep::Nothing(onward), _) => lead_on(&visit, &ending, &Frames::default(), onward),
        (NextStep::Confirm(_) | NextStep::End, None) => {
            lead_on(&visit, &ending, &Frames::default(), Onward::ByButton)
        }
    }
}

/// `POST /logout`: the form of our own page ends the session; a client's request is the same as a GET.
pub async fn post(State(app): State<App>, visit: Visit, headers: HeaderMap, request: Request) -> Response {
    let body = match read_form(&headers, request.into_body()).await {
        Ok(body) => body,
        Err(error) => return refuse_body(&app, &visit, EventName::LogoutRefused, &error),
    };
    if body.get("form_token").is_none() {
        return match visit.query.clone().and_then(|query| query.and(body)) {
            Ok(parameters) => {
                let location = to_page(&visit, "/logout", &parameters);
                if location.len() > MAXIMUM_URL {
                    return refuse(&app, &visit, &LogoutError::TooLong);
                }
                see_other(&location)
            }
            Err(error) => refuse(&app, &visit, &LogoutError::Unreadable(error)),
        };
    }
    if let Err(foreign) = admit_form(&headers, &visit.snapshot.config.issuer) {
        return refuse_foreign(&app, &visit, EventName::LogoutRefused, foreign);
    }
    let (request, ending, accounts) = match judge(&app, &visit).await {
        Ok(judged) => judged,
        Err(error) => return refuse(&app, &visit, &error),
    };
    if ending.session(&accounts, app.subjects()).is_none() {
        return lead_on(&visit, &ending, &Frames::default(), Onward::ByButton);
    }
    // several sessions are several writes: all are made though nobody waits any more
    own_form::to_its_end(confirmed(app, visit, (request, ending, accounts), body)).await
}

/// What the person confirmed on the page that asks.
async fn confirmed(
    app: App,
    visit: Visit,
    (request, ending, accounts): (Parameters, EndSession, Accounts),
    body: Parameters,
) -> Response {
    let form_token = body.get("form_token").unwrap_or_default();
    let Some(signed_in) = ending.session(&accounts, app.subjects()) else {
        return lead_on(&visit, &ending, &Frames::default(), Onward::ByButton);
    };
    let shown = request.encode();
    let matter = [signed_in.session.id.as_str(), &shown];
    let browser = visit.browser.as_deref();
    if !anti_forgery::verify(&app.secrets.forms, Some(form_token), Form::Logout, browser, &matter) {
        return refuse(&app, &visit, &LogoutError::FormForeign);
    }
    // "all" is everybody in this browser
    let ends: Vec<&SignedIn> = match body.get("all") {
        Some(_) => accounts.all().collect(),
        None => vec![signed_in],
    };
    end(&app, &visit, &ending, &accounts, &ends).await
}

/// Judges the request in the query anew, and finds who is signed in.
async fn judge(app: &App, visit: &Visit) -> Result<(Parameters, EndSession, Accounts), LogoutError> {
    let query = visit.query.clone().map_err(LogoutError::Unreadable)?;
    // whatever else a link says does not travel on with our form
    let parameters = query.only(&EndSessionRequest::PARAMETERS);
    let (config, registry) = (&visit.snapshot.config, &visit.snapshot.registry);
    let now = visit.circumstances.now;
    let ending = {
        let ring = app.keys.ring();
        let surroundings = Surroundings { config, registry, ring: &ring, now };
        end_session::judge(&EndSessionRequest::read(&parameters), surroundings)?
    };
    let accounts = app.sessions(config).accounts(&visit.secrets, now).await?;
    Ok((parameters, ending, accounts))
}

/// The page that asks.
fn ask(
    app: &App,
    visit: &Visit,
    request: &Parameters,
    ending: &EndSession,
    accounts: &Accounts,
    signed_in: &SignedIn,
    reason: ConfirmReason,
) -> Response {
    let browser = own_form::browser(app, visit);
    let shown = request.encode();
    let matter = [signed_in.session.id.as_str(), &shown];
    let target = ending.target();
    let view = LogoutPage {
        layout: layout(visit),
        action: &to_page(visit, "/logout", request),
        form_token: &anti_forgery::token(&app.secrets.forms, Form::Logout, &browser, &matter),
        client: ending.client().map(|client| visit.name_of(client)),
        about_another: reason == ConfirmReason::OtherSession,
        destination: target.map(|target| Destination::of(target.uri())),
        person: Some(Person { name: signed_in.user.shown_name(), username: &signed_in.user.username }),
        has_others: accounts.all().nth(1).is_some(),
        stay: &to_page(visit, "/account", &visit.own()),
    };
    let policy = target.map_or_else(PagePolicy::own_forms, |target| PagePolicy::leading_to(target.uri()));
    with_browser(visit, &browser, page(StatusCode::OK, &view, policy))
}

/// Ends sessions of this browser, and leads on.
async fn end(
    app: &App,
    visit: &Visit,
    ending: &EndSession,
    accounts: &Accounts,
    ends: &[&SignedIn],
) -> Response {
    let config = &visit.snapshot.config;
    let asked_by = ending.client().map(|client| &client.id);
    let mut frames = Frames::default();
    for signed_in in ends {
        match app.sessions(config).sign_out(signed_in, asked_by, &visit.circumstances).await {
            Ok(apps) => {
                // The session has ended, come what may: an app that cannot be told of now is one that shows nothing.
                let known = visit.snapshot.naming(&app.store, &apps).await;
                let registry = &known.as_ref().unwrap_or(&visit.snapshot).registry;
                frames.add(Frames::of(config, registry, app.subjects(), &apps, &signed_in.session.id));
            }
            Err(error) => return refuse(app, visit, &error.into()),
        }
    }
    let ended: Vec<&SessionId> = ends.iter().map(|signed_in| &signed_in.session.id).collect();
    let response = lead_on(visit, ending, &frames, Onward::AtOnce);
    without_kept_pages(with_sessions(visit, &accounts.without(&ended), response))
}

/// The response, with the order to forget this server's pages (Clear Site Data §3.1): browsers keep some for the back button,
/// `no-store` or not, and whoever uses the device next would see the account.
pub fn without_kept_pages(mut response: Response) -> Response {
    response.headers_mut().insert(CLEAR_SITE_DATA, HeaderValue::from_static("\"cache\""));
    response
}

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// Where the person goes when nobody is signed in here any more.
fn lead_on(visit: &Visit, ending: &EndSession, frames: &Frames, onward: Onward) -> Response {
    let location = ending.target().map(end_session::PostLogoutTarget::location);
    if let (Some(location), Onward::AtOnce, true) = (&location, onward, frames.is_empty()) {
        return see_other(location);
    }
    let link = location.as_deref().and_then(ReturnLink::parse);
    let client = ending.client().map(|client| visit.name_of(client));
    let view = LoggedOutPage {
        layout: layout(visit),
        sign_in: &to_page(visit, "/account", &visit.own()),
        frames: &frames.urls,
        onward: link.zip(client).map(|(link, client)| pages::Onward {
            link,
            client,
            after_seconds: (onward == Onward::AtOnce).then_some(FRAMES_TAKE),
        }),
    };
    page(StatusCode::OK, &view, PagePolicy::framing(frames.origins.clone()))
}

/// The error page, from which a person can still sign out.
fn refuse(app: &App, visit: &Visit, error: &LogoutError) -> Response {
    let verdict = error.verdict();
    if matches!(error, LogoutError::Unavailable(_) | LogoutError::Internal(_)) {
        let id = &visit.circumstances.request_id;
        tracing::error!(request.id = %id, error = %error.reason(), "a session could not be ended");
    }
    let again = to_page(visit, "/logout", &visit.own());
    let lead = match error {
        LogoutError::FormForeign => "error-stale",
        _ => "error-request-lead",
    };
    let refusal = PageRefusal {
        event: EventName::LogoutRefused,
        status: StatusCode::from_u16(verdict.status).unwrap_or(StatusCode::BAD_REQUEST),
        code: verdict.code,
        reason: &verdict.description,
        section: verdict.section,
        way_on: WayOn::Link { url: &again, words: "logout-confirm", lead },
    };
    let response = refuse_on_page(app, visit, &refusal);
    if verdict.status == 503 { with_retry_after(response, 2) } else { response }
}
