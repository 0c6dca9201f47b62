//! `/consent` (OpenID Connect Core §3.1.2.4): shows what an app asks for, and takes the answer. The decision counts only for
//! the session, the person and the request that the page showed.

use super::answer::{PageRefusal, layout, page, refuse_authorization, refuse_on_page, see_other};
use super::app::App;
use super::authorization::{Progress, complete, decide, progress, to_page};
use super::client_logo;
use super::cross_origin::admit_load;
use super::extract::Visit;
use super::login::another_account;
use super::own_form;
use super::security_headers::PagePolicy;
use crate::authorization::consent::{self, Answer, Decision, matter};
use crate::authorization::error::AuthorizationError;
use crate::authorization::finish::ConsentGiven;
use crate::authorization::interaction::{ConsentKnown, NextStep};
use crate::config::Config;
use crate::model::audit_event::{About, EventName};
use crate::model::client::Provenance;
use crate::pages::{
    ConsentClient, ConsentPage, ConsentScope, Destination, Languages, Person, Standing, WayOn, WebLink,
};
use crate::protocol::error_code::ErrorCode;
use crate::sessions::anti_forgery::{self, Form};
use crate::sessions::browser::SignedIn;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

/// `GET /consent`.
pub async fn get(State(app): State<App>, visit: Visit, headers: HeaderMap) -> Response {
    if admit_load(&headers).is_err() {
        return super::answer::status_only(StatusCode::FORBIDDEN);
    }
    let progress = match progress(&app, &visit).await {
        Ok(progress) => progress,
        Err(refusal) => return refuse_authorization(&app, &visit, &refusal),
    };
    let visit = visit.asking(&progress.begun.request.ui_locales);
    let step = decide(&app, &visit, &progress, progress.known_consent());
    match (step, &progress.signed_in, &visit.browser) {
        (NextStep::Consent(_), Some(signed_in), Some(browser)) => {
            show(&app, &visit, &progress, signed_in, browser)
        }
        _ => see_other(&to_page(&visit, "/authorize", &progress.parameters)),
    }
}

/// `POST /consent`.
pub async fn post(State(app): State<App>, mut visit: Visit, request: Request) -> Response {
    let body =
        match own_form::receive_boxes(&app, &mut visit, EventName::AuthorizationRefused, request, "scope")
            .await
        {
            Ok(body) => body,
            Err(response) => return *response,
        };
    let progress = match progress(&app, &visit).await {
        Ok(progress) => progress,
        Err(refusal) => return refuse_authorization(&app, &visit, &refusal),
    };
    let visit = visit.asking(&progress.begun.request.ui_locales);
    let again = to_page(&visit, "/authorize", &progress.parameters);
    let Some(signed_in) = &progress.signed_in else { return see_other(&again) };
    let browser = visit.browser.as_deref();
    let shown = matter(signed_in, &progress.begun, &progress.parameters);
    let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
    let holds = |name, matter: &[&str]| {
        anti_forgery::verify(&app.secrets.forms, body.get(name), Form::Consent, browser, matter)
    };
    if !holds("form_token", &[]) || !holds("request_digest", &shown) {
        let refusal = PageRefusal {
            event: EventName::AuthorizationRefused,
            status: StatusCode::FORBIDDEN,
            code: ErrorCode::InvalidRequest,
            reason: "the form is not the one that this browser was shown for this request",
            section: "RFC 9700 §4.7",
            way_on: WayOn::Link { url: &again, words: "error-look-again", lead: "error-stale" },
        };
        return refuse_on_page(&app, &visit, &refusal);
    }
    match Decision::of(body.get("decision"), body.all("scope"), &progress.begun) {
        Some(Decision::Allow(scopes)) => {
            match decide(&app, &visit, &progress, ConsentKnown::JustGiven(&scopes)) {
                NextStep::Finish(finish) => {
                    complete(&app, &visit, &progress, &finish, ConsentGiven::Now).await
                }
                NextStep::Refuse(AuthorizationError::Denied) => {
                    let now = visit.circumstances.now;
                    let answer = Answer::yes(&progress.begun, signed_in, &scopes, now);
                    say_no(&app, &visit, &progress, signed_in, answer).await
                }
                NextStep::Refuse(error) => refuse_authorization(&app, &visit, &progress.refusal(error)),
                _ => see_other(&again),
            }
        }
        Some(Decision::Deny) => {
            let answer = Answer::no(&progress.begun, signed_in, visit.circumstances.now);
            say_no(&app, &visit, &progress, signed_in, answer).await
        }
        None => {
            let refusal = PageRefusal {
                event: EventName::AuthorizationRefused,
                status: StatusCode::BAD_REQUEST,
                code: ErrorCode::InvalidRequest,
                reason: "decision must be allow or deny",
                section: "OpenID Connect Core §3.1.2.4",
                way_on: WayOn::Link { url: &again, words: "error-look-again", lead: "error-stale" },
            };
            refuse_on_page(&app, &visit, &refusal)
        }
    }
}

/// Notes that the person said no, where something had been agreed to before, and tells the client.
async fn say_no(
    app: &App,
    visit: &Visit,
    progress: &Progress,
    signed_in: &SignedIn,
    answer: Answer,
) -> Response {
    let about = About {
        client_id: Some(progress.begun.client.id.clone()),
        user_id: Some(signed_in.user.id.clone()),
        session_id: Some(signed_in.session.id.clone()),
        ..About::default()
    };
    let (name, section) = (EventName::ConsentDenied, "RFC 6749 §4.1.2.1");
    let event = app.trail.event(&visit.circumstances, name, about, "the person said no", section);
    if progress.remembered.is_none() && !answer.takes_back() {
        app.trail.refused(event);
    } else if let Err(error) = consent::refuse(&app.store, answer, event).await {
        return refuse_authorization(app, visit, &progress.refusal(error.into()));
    }
    refuse_authorization(app, visit, &progress.refusal(AuthorizationError::Denied))
}

fn show(app: &App, visit: &Visit, progress: &Progress, signed_in: &SignedIn, browser: &str) -> Response {
    let (config, begun) = (&visit.snapshot.config, &progress.begun);
    let shown = matter(signed_in, &progress.begun, &progress.parameters);
    let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
    let words: Vec<String> =
        begun.shown.iter().map(|scope| words_of(scope.as_str(), config, &visit.languages)).collect();
    let scopes: Vec<ConsentScope<'_>> = begun
        .shown
        .iter()
        .zip(&words)
        .map(|(scope, words)| ConsentScope { token: scope.as_str(), words })
        .collect();
    let resources: Vec<&str> = begun.resources.iter().map(|resource| resource.as_str()).collect();
    let metadata = &begun.client.metadata;
    let link = |uri| visit.languages.best(uri).and_then(WebLink::parse);
    let logo = client_logo::url(app, visit, &begun.client);
    let view = ConsentPage {
        layout: layout(visit),
        action: &to_page(visit, "/consent", &progress.parameters),
        form_token: &anti_forgery::token(&app.secrets.forms, Form::Consent, browser, &[]),
        request_digest: &anti_forgery::token(&app.secrets.forms, Form::Consent, browser, &shown),
        person: Person { name: signed_in.user.shown_name(), username: &signed_in.user.username },
        not_you: &another_account(visit, &progress.parameters),
        client: ConsentClient {
            name: visit.name_of(&begun.client),
            // of a client that nobody vouches for, only the host that it leads to says anything
            host: link(&metadata.client_uri).map(WebLink::host).filter(|host| {
                begun.client.provenance == Provenance::Configured
                    || Destination::of(begun.target.uri()) == Destination::Host(host)
            }),
            logo: logo.as_deref(),
            standing: match begun.client.provenance {
                Provenance::Configured => Standing::Configured,
                Provenance::Registered => Standing::Unverified,
            },
            policy: link(&metadata.policy_uri),
            terms: link(&metadata.tos_uri),
        },
        destination: Destination::of(begun.target.uri()),
        scopes: &scopes,
        resources: &resources,
    };
    page(StatusCode::OK, &view, PagePolicy::leading_to(begun.target.uri()))
}

/// What a scope lets the client do: in our words when it is built in, in the operator's otherwise.
pub fn words_of(scope: &str, config: &Config, languages: &Languages) -> String {
    languages.page().built_in_scope(scope).unwrap_or_else(|| {
        let declared = config.scopes.get(scope).and_then(|known| languages.best(&known.description));
        declared.unwrap_or(scope).to_owned()
    })
}
