//! Plays a history against a real server: performs each operation as an app, a person or an operator would, and tells what
//! it saw in the model's words.

use super::history::{App, Decision, Operation, Presentation, nth_latest};
use super::model::{Answer, Model};
use crate::grants::sign_out;
use crate::support::browser::Browser;
use crate::support::database::TestDatabase;
use crate::support::relying_party::RelyingParty;
use crate::support::server::{self, PASSWORD, TestServer};
use axum::http::StatusCode;
use portreeve::model::clock::Clock as _;
use portreeve::model::secret::Secret;
use portreeve::model::user::User;
use portreeve::model::username::CanonicalUsername;
use portreeve::tasks::sweep_expired;
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// A store and the servers on it: every history of a run is played here, each with people of its own.
pub struct Place {
    pub name: &'static str,
    pub database: TestDatabase,
    /// Equal replicas; the steps go to each in turn.
    pub servers: Vec<TestServer>,
}

/// One history in progress.
pub struct Driver<'a> {
    place: &'a Place,
    step: usize,
    people: Vec<(CanonicalUsername, User)>,
    browsers: Vec<Browser>,
    codes: Vec<String>,
    access_tokens: Vec<String>,
    refresh_tokens: Vec<String>,
}

const OTHER_RESOURCE: &str = "https://api.example.com/mail";

impl<'a> Driver<'a> {
    pub async fn begin(place: &'a Place, number: u32) -> Self {
        let mut people = Vec::new();
        for name in ["ada", "bob"] {
            let username = format!("{name}-{number}");
            let user = place.servers[0].add_person(&username, json!({})).await;
            people.push((CanonicalUsername::parse(&username).expect("a username"), user));
        }
        // Failed sign-ins are counted by address too: each history has its own.
        let address = IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + number));
        let browsers = vec![Browser { address: Some(address), ..Browser::new() }; 2];
        let (codes, access_tokens, refresh_tokens) = (vec![], vec![], vec![]);
        Self { place, step: 0, people, browsers, codes, access_tokens, refresh_tokens }
    }

    fn server(&self) -> &'a TestServer {
        &self.place.servers[self.step % self.place.servers.len()]
    }

    /// Performs an operation and compares what is answered with what is `expected`. Yields what was answered, as it must be on
    /// every store.
    pub async fn perform(
        &mut self,
        operation: &Operation,
        expected: &Answer,
        model: &Model,
    ) -> Result<String, String> {
        self.step += 1;
        if *expected == Answer::Nothing {
            return Ok(String::new());
        }
        let (seen, told) = match *operation {
            Operation::SignIn { browser, person } => self.sign_in(browser, person).await,
            Operation::SignOut { browser } => {
                sign_out_if_signed_in(self.server(), &mut self.browsers[browser]).await;
                done()
            }
            Operation::Authorize { browser, app, offline, decision } => {
                self.authorize(browser, app, offline, decision).await
            }
            Operation::Redeem { code, how } => {
                let code = nth_latest(self.codes.len(), code).ok_or("a code is missing")?;
                let answer = self.redeem(model.app_of_grant(code), &self.codes[code], how).await;
                self.tokens(&answer)
            }
            Operation::Refresh { token, how } => {
                let token = nth_latest(self.refresh_tokens.len(), token).ok_or("a token is missing")?;
                let app = model.app_of_refresh_token(token);
                let answer = self.refresh(app, &self.refresh_tokens[token], how).await;
                self.tokens(&answer)
            }
            Operation::RevokeRefreshToken { token, by_owner } => {
                let token = nth_latest(self.refresh_tokens.len(), token).ok_or("a token is missing")?;
                self.revoke(model.app_of_refresh_token(token), &self.refresh_tokens[token], by_owner).await
            }
            Operation::RevokeAccessToken { token, by_owner } => {
                let token = nth_latest(self.access_tokens.len(), token).ok_or("a token is missing")?;
                self.revoke(model.app_of_access_token(token), &self.access_tokens[token], by_owner).await
            }
            Operation::Disable { .. }
            | Operation::Enable { .. }
            | Operation::SetPassword { .. }
            | Operation::ForgetConsents { .. }
            | Operation::Advance { .. }
            | Operation::Sweep => {
                self.administer(operation).await;
                done()
            }
        };
        if agrees(expected, &seen) {
            Ok(told)
        } else {
            Err(format!("the model says {expected:?}, the server {seen:?}: {told}"))
        }
    }

    async fn sign_in(&mut self, browser: usize, person: usize) -> (Answer, String) {
        let (server, username) = (self.server(), self.people[person].0.to_string());
        let browser = &mut self.browsers[browser];
        let request = RelyingParty::new("ours", "openid").authorize(&[("prompt", "login")]);
        let page = browser.get(server, &request).await;
        let page = browser.follow(server, page).await;
        let answer = browser.submit_login(server, &page, &username, PASSWORD).await;
        let seen = match answer.status {
            StatusCode::SEE_OTHER => Answer::Done,
            _ => Answer::Refused,
        };
        (seen, answer.status.to_string())
    }

    async fn authorize(
        &mut self,
        browser: usize,
        app: App,
        offline: bool,
        decision: Decision,
    ) -> (Answer, String) {
        let (server, party) = (self.server(), RelyingParty::new(app.client_id(), app.scope(offline)));
        let browser = &mut self.browsers[browser];
        let mut answer = browser.get(server, &party.authorize(&[])).await;
        answer = browser.follow(server, answer).await;
        if answer.body.contains("id=\"login-submit\"") {
            return (Answer::LoginPage, answer.status.to_string());
        }
        let asked = answer.body.contains("id=\"consent-allow\"");
        if asked {
            let all: Vec<&str> = app.scope(offline).split(' ').collect();
            let without: Vec<&str> = all.iter().copied().filter(|scope| *scope != "offline_access").collect();
            answer = match decision {
                Decision::Allow => browser.decide_with(server, &answer, "allow", &all).await,
                Decision::AllowWithoutOffline => {
                    browser.decide_with(server, &answer, "allow", &without).await
                }
                Decision::Deny => browser.decide(server, &answer, "deny").await,
            };
        }
        assert!(answer.location().starts_with(&party.redirect_uri), "invariant 24: {answer:?}");
        assert_eq!(answer.parameter("state").as_deref(), Some("the state"), "invariant 25");
        assert_eq!(answer.parameter("iss"), Some(server.issuer()), "invariant 25");
        let (code, error) = (answer.parameter("code"), answer.parameter("error"));
        assert!(code.is_some() != error.is_some(), "invariant 26: {answer:?}");
        match code {
            Some(code) => {
                self.codes.push(code);
                (Answer::Code { asked }, format!("a code, asked: {asked}"))
            }
            None => (Answer::Denied, error.unwrap_or_default()),
        }
    }

    async fn redeem(&self, app: App, code: &str, how: Presentation) -> server::Answer {
        let own = RelyingParty::new(app.client_id(), "");
        let other = RelyingParty {
            redirect_uri: own.redirect_uri.clone(),
            ..RelyingParty::new(app.other().client_id(), "")
        };
        let another_verifier = "another-verifier-of-the-tests-that-is-long-enough-0123";
        let (who, changes) = match how {
            Presentation::Right => (&own, vec![]),
            Presentation::OtherClient => (&other, vec![]),
            Presentation::OtherBinding => (&own, vec![("code_verifier", another_verifier)]),
            Presentation::OtherResource => (&own, vec![("resource", OTHER_RESOURCE)]),
        };
        who.redeem(self.server(), code, &changes).await
    }

    async fn refresh(&self, app: App, token: &str, how: Presentation) -> server::Answer {
        let party = |app: App| RelyingParty::new(app.client_id(), "");
        let more = [("scope", "openid profile")];
        let (who, more) = match how {
            Presentation::Right => (party(app), &[][..]),
            Presentation::OtherClient => (party(app.other()), &[][..]),
            Presentation::OtherBinding => (party(app), &more[..]),
            Presentation::OtherResource => (party(app), &[("resource", OTHER_RESOURCE)][..]),
        };
        who.refresh(self.server(), token, more).await
    }

    /// What the token endpoint answered; its tokens are kept.
    fn tokens(&mut self, answer: &server::Answer) -> (Answer, String) {
        let json = answer.json();
        let told = format!("{} {}", answer.status, shape(&json));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        if answer.status != StatusCode::OK {
            let known = ["invalid_grant", "invalid_scope", "invalid_target", "invalid_client"];
            let error = answer.error();
            let error = known.iter().position(|known| *known == error).map(|at| known_error(at));
            return (error.map_or(Answer::Nothing, Answer::Errors), told);
        }
        let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
        self.access_tokens.push(text("access_token"));
        let refresh = text("refresh_token");
        let refresh_token = self.refresh_tokens.iter().position(|known| *known == refresh);
        let refresh_token = refresh_token.unwrap_or_else(|| {
            self.refresh_tokens.push(refresh);
            self.refresh_tokens.len() - 1
        });
        (Answer::Tokens { scope: text("scope"), refresh_token }, told)
    }

    async fn revoke(&self, app: App, token: &str, by_owner: bool) -> (Answer, String) {
        let app = if by_owner { app } else { app.other() };
        let party = RelyingParty::new(app.client_id(), "");
        let answer = party.post(self.server(), "/revoke", &[("token", token)]).await;
        let seen = if answer.status == StatusCode::OK { Answer::Done } else { Answer::Nothing };
        (seen, answer.status.to_string())
    }

    async fn administer(&self, operation: &Operation) {
        let (server, people) = (self.server(), self.server().people());
        let circumstances = server.app.circumstances("");
        match *operation {
            Operation::Disable { person } => {
                people.disable(&self.people[person].0, &circumstances).await.expect("disabled");
            }
            Operation::Enable { person } => {
                people.enable(&self.people[person].0, &circumstances).await.expect("enabled");
            }
            Operation::SetPassword { person } => {
                let password = Secret::new(PASSWORD);
                people
                    .set_password(&self.people[person].0, password, &circumstances)
                    .await
                    .expect("a password");
            }
            Operation::ForgetConsents { person } => {
                let user = &self.people[person].1.id;
                self.place.database.execute(&format!("DELETE FROM consents WHERE user_id = '{user}'")).await;
            }
            Operation::Advance { milliseconds } => {
                server.clock.advance(Duration::from_millis(milliseconds.unsigned_abs()));
            }
            _ => drop(sweep_expired::run_once(&server.app).await.expect("swept")),
        }
    }

    /// Holds what introspection and userinfo say of every token against the model (invariants 5, 7, 18), at the replica that
    /// did not take the last step.
    pub async fn check(&self, model: &Model) -> Result<(), String> {
        let server = &self.place.servers[(self.step + 1) % self.place.servers.len()];
        for (number, token) in self.access_tokens.iter().enumerate() {
            let lives = model.access_token_lives(number);
            let app = model.app_of_access_token(number);
            let told = server.introspect_as(app.introspector(), token).await;
            let opened = server.get_as("/userinfo", token).await.status;
            let dead = told == json!({"active": false}) && opened == StatusCode::UNAUTHORIZED;
            if lives != (told["active"] == true && opened == StatusCode::OK) || lives == dead {
                return Err(format!(
                    "access token {number} of {app:?}: lives {lives}, but {told} and {opened}"
                ));
            }
            let foreign = server.introspect_as("staff", token).await;
            if foreign != json!({"active": false}) {
                return Err(format!("access token {number}: a stranger is told {foreign}"));
            }
        }
        for (number, token) in self.refresh_tokens.iter().enumerate() {
            let app = model.app_of_refresh_token(number);
            if app == App::Spa {
                continue; // a public client may not introspect
            }
            let lives = model.refresh_token_lives(number);
            let party = RelyingParty::new(app.client_id(), "");
            let told = party.post(server, "/introspect", &[("token", token)]).await.json();
            if lives != (told["active"] == true) || !lives && told != json!({"active": false}) {
                return Err(format!("refresh token {number} of {app:?}: lives {lives}, but {told}"));
            }
        }
        Ok(())
    }

    /// The moment it is in this place.
    pub fn now(place: &Place) -> i64 {
        place.servers[0].clock.now().millis()
    }
}

async fn sign_out_if_signed_in(server: &TestServer, browser: &mut Browser) {
    let page = browser.get(server, "/logout").await;
    if page.body.contains("id=\"logout-confirm\"") {
        sign_out(server, browser).await;
    }
}

fn done() -> (Answer, String) {
    (Answer::Done, String::new())
}

fn known_error(at: usize) -> &'static [&'static str] {
    [&["invalid_grant"][..], &["invalid_scope"], &["invalid_target"], &["invalid_client"]][at]
}

fn agrees(expected: &Answer, seen: &Answer) -> bool {
    match (expected, seen) {
        (Answer::Errors(some), Answer::Errors(one)) => one.iter().all(|one| some.contains(one)),
        _ => expected == seen,
    }
}

/// The members of an answer, without what is random in it.
fn shape(json: &serde_json::Value) -> String {
    let Some(members) = json.as_object() else { return json.to_string() };
    let told = members.iter().map(|(name, value)| match name.as_str() {
        "access_token" | "refresh_token" | "id_token" => name.clone(),
        _ => format!("{name}={value}"),
    });
    told.collect::<Vec<_>>().join(" ")
}
