//! A person's own account: several people in one browser, what was given to whom, sessions, passwords, and recovery by mail. Most of
//! it is about what is refused: forms from elsewhere, forms of somebody else, things of somebody else.

mod granted;
mod mail;
mod password;
pub mod recovery;
mod sessions;
mod several;

use crate::flows::steps::{SECOND, open};
use crate::support::browser::{Browser, attribute};
use crate::support::server::{Answer, TestServer, encode};
use axum::http::{Method, StatusCode};
use portreeve::model::audit_event::EventName;

/// What pressing a button of a page sends: where to, and which fields.
#[derive(Clone, Debug)]
pub struct Pressed {
    pub action: String,
    pub fields: Vec<(String, String)>,
}

impl Pressed {
    /// The button with this id, in its own form.
    pub fn of(page: &Answer, id: &str) -> Self {
        let html = &page.body;
        let at = html.find(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("no {id}: {html}"));
        let start = html[..at].rfind("<form").unwrap_or_else(|| panic!("{id} is in no form: {html}"));
        let end = start + html[start..].find("</form>").expect("its end");
        let form = &html[start..end];
        let action = attribute(form, "action").expect("an action");
        let tags = |name: &str| -> Vec<String> {
            let opening = format!("<{name}");
            let rest = form.split(opening.as_str()).skip(1);
            rest.map(|rest| rest.split('>').next().unwrap_or("").to_owned()).collect()
        };
        let field =
            |tag: &String| Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default()));
        let sent = |tag: &&String| {
            tag.contains("type=\"hidden\"") || (tag.contains("type=\"checkbox\"") && tag.contains("checked"))
        };
        let mut fields: Vec<(String, String)> = tags("input").iter().filter(sent).filter_map(field).collect();
        let button =
            tags("button").into_iter().find(|tag| tag.contains(&format!("id=\"{id}\""))).expect("a button");
        fields.extend(field(&button));
        Self { action, fields }
    }

    /// With another value in a field, or one more field.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(other, _)| other != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without a field.
    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(other, _)| other != name);
        self
    }

    pub fn body(&self) -> String {
        let fields: Vec<(&str, &str)> =
            self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        encode(&fields)
    }

    /// Sends it as the page's own form.
    pub async fn send(&self, server: &TestServer, browser: &mut Browser) -> Answer {
        let fields: Vec<(&str, &str)> =
            self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        browser.post(server, &self.action, &fields).await
    }

    /// Every way in which it must not work: from another site and origin, without its token, with somebody else's, as something
    /// else than a form, with a field twice (threats 28, 135, 149). Yields nothing but 4xx answers, and nothing changes.
    pub async fn assert_guarded(&self, server: &TestServer, browser: &Browser) {
        let form = ("content-type", "application/x-www-form-urlencoded");
        let stranger = open(server, &mut Browser::new(), "/account").await;
        let foreign_token = Pressed::of(&stranger, "login-submit").fields[0].1.clone();
        let twice = format!("{}&form_token=x", self.body());
        type Attempt<'a> = (&'a str, Vec<(&'a str, &'a str)>, String);
        let attempts: Vec<Attempt<'_>> = vec![
            ("another site", vec![("sec-fetch-site", "cross-site")], self.body()),
            ("a sibling site", vec![("sec-fetch-site", "same-site")], self.body()),
            ("another origin", vec![("origin", "https://evil.example")], self.body()),
            ("no token", vec![], self.clone().without("form_token").body()),
            ("no field at all", vec![], String::new()),
            ("a token of nothing", vec![], self.clone().with("form_token", "x").body()),
            ("a stranger's token", vec![], self.clone().with("form_token", &foreign_token).body()),
            ("a field twice", vec![], twice),
        ];
        for (what, headers, body) in attempts {
            let mut browser = browser.clone();
            let answer = browser.request(server, Method::POST, &self.action, Some(body), &headers).await;
            assert!(answer.status.is_client_error(), "{what}: {answer:?}");
        }
        let mut json = browser.clone();
        let headers = [("content-type", "application/json")];
        let answer = json.request(server, Method::POST, &self.action, None, &headers).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
        let mut elsewhere = Browser::new();
        let answer = elsewhere.request(server, Method::POST, &self.action, Some(self.body()), &[form]).await;
        let leads_to_nothing = answer.status.is_client_error()
            || (answer.status == StatusCode::SEE_OTHER && answer.location().starts_with("/account"));
        assert!(leads_to_nothing, "a browser without cookies: {answer:?}");
    }
}

/// Signs somebody in beside whoever is signed in, by the account page's own link.
pub async fn add_account(server: &TestServer, browser: &mut Browser, username: &str) -> Answer {
    let account = open(server, browser, "/account").await;
    let at = account.body.find("id=\"login-other\"").expect("a link");
    let link = attribute(&account.body[at..], "href").expect("a URL");
    let page = open(server, browser, &link).await;
    server.clock.advance(SECOND);
    browser.sign_in(server, &page, username).await
}

/// How many events of this name the trail holds.
pub async fn events(database: &crate::support::database::TestDatabase, name: EventName) -> i64 {
    database.number(&format!("SELECT COUNT(*) FROM audit_events WHERE event = '{}'", name.as_str())).await
}
