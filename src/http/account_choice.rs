//! The choice of an account (`/login`, OpenID Connect Core §3.1.2.1): among those who are signed in in this browser, and nobody
//! else. Whoever's session ended is not shown, and cannot be chosen.

use super::answer::{layout, page, refuse_authorization, refuse_for_now};
use super::app::App;
use super::authorization::{Progress, to_page};
use super::extract::Visit;
use super::login::{ACCOUNT, FormFor, another_account, form, go_on, policy_of};
use crate::model::audit_event::EventName;
use crate::pages::{Account, AccountChoicePage, LoginMessage, Person};
use crate::protocol::identifiers::SessionId;
use crate::protocol::parameters::Parameters;
use crate::sessions::accounts::Accounts;
use crate::sessions::anti_forgery::{self, Form};
use crate::sessions::browser::SignedIn;
use axum::http::StatusCode;
use axum::response::Response;

/// Takes the choice of an account. The same choice once more, when its answer was lost, is answered as before.
pub async fn choose(app: &App, visit: &Visit, body: &Parameters, progress: Option<&Progress>) -> Response {
    let (sessions, now) = (app.sessions(&visit.snapshot.config), visit.circumstances.now);
    let accounts = match progress {
        Some(progress) => Ok(progress.accounts.clone()),
        None => sessions.accounts(&visit.secrets, now).await,
    };
    let accounts = match accounts {
        Ok(accounts) => accounts,
        Err(error) => return refuse_for_now(app, visit, EventName::SignInRefused, &error),
    };
    let genuine = |active: Option<&SignedIn>| {
        let matter = choice_matter(progress, active);
        let matter: Vec<&str> = matter.iter().map(String::as_str).collect();
        let (token, browser) = (body.get("form_token"), visit.browser.as_deref());
        anti_forgery::verify(&app.secrets.forms, token, Form::AccountChoice, browser, &matter)
    };
    let chosen = body.get(ACCOUNT).and_then(|sid| SessionId::parse(sid).ok());
    let outcome = match (chosen, accounts.active()) {
        (Some(chosen), Some(active)) if genuine(Some(active)) && active.session.id == chosen => {
            sessions.select_account(&chosen, now).await.map(|()| Some(visit.secrets.clone()))
        }
        (Some(chosen), active) if genuine(active) && accounts.is_other(&chosen) => {
            sessions.choose(&accounts, &chosen, now).await
        }
        (Some(chosen), None) => sessions
            .chosen_before(&visit.secrets, &chosen, now)
            .await
            .map(|before| before.filter(|(active, _)| genuine(active.as_ref())).map(|(_, secrets)| secrets)),
        _ => Ok(None),
    };
    match outcome {
        Ok(Some(secrets)) => go_on(visit, progress, &secrets),
        Ok(None) if accounts.all().next().is_some() => {
            choice(app, visit, progress, &accounts, StatusCode::FORBIDDEN)
        }
        Ok(None) => form(app, visit, FormFor::Anyone(progress), "", Some(LoginMessage::FormExpired)),
        Err(error) => match progress {
            Some(progress) => refuse_authorization(app, visit, &progress.refusal(error.into())),
            None => refuse_for_now(app, visit, EventName::SignInRefused, &error),
        },
    }
}

/// The page on which a person chooses among those who are signed in here.
pub fn choice(
    app: &App,
    visit: &Visit,
    progress: Option<&Progress>,
    accounts: &Accounts,
    status: StatusCode,
) -> Response {
    let Some(browser) = visit.browser.clone() else {
        return form(app, visit, FormFor::Anyone(progress), "", None);
    };
    let matter = choice_matter(progress, accounts.active());
    let matter: Vec<&str> = matter.iter().map(String::as_str).collect();
    let form_token = anti_forgery::token(&app.secrets.forms, Form::AccountChoice, &browser, &matter);
    let shown: Vec<Account<'_>> = accounts
        .all()
        .map(|SignedIn { session, user }| Account {
            sid: session.id.as_str(),
            person: Person { name: user.shown_name(), username: &user.username },
        })
        .collect();
    let request = FormFor::Anyone(progress).request();
    let view = AccountChoicePage {
        layout: layout(visit),
        action: &to_page(visit, "/login", &request),
        form_token: &form_token,
        client: progress.map(|progress| visit.name_of(&progress.begun.client)),
        accounts: &shown,
        login_other: &another_account(visit, &request),
    };
    page(status, &view, policy_of(progress))
}

/// What the choice is about: the request, and who was active when the page was shown.
fn choice_matter(progress: Option<&Progress>, active: Option<&SignedIn>) -> [String; 2] {
    let active = active.map(|active| active.session.id.to_string()).unwrap_or_default();
    [FormFor::Anyone(progress).request().encode(), active]
}
