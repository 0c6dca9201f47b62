//! A browser, as far as the server can tell: it keeps cookies, reads forms, follows what it is told.

use crate::support::server::{Answer, PASSWORD, TestServer, encode};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use portreeve::http::client_address::ClientAddress;
use std::collections::BTreeMap;

/// A browser with its cookies.
#[derive(Clone, Default)]
pub struct Browser {
    /// The cookies, by name.
    pub cookies: BTreeMap<String, String>,
    /// The address it comes from; none for one that the server cannot tell.
    pub address: Option<std::net::IpAddr>,
}

/// A form as a page shows it.
#[derive(Clone, Debug)]
pub struct PageForm {
    /// Where it goes.
    pub action: String,
    /// Its hidden fields.
    pub hidden: Vec<(String, String)>,
    /// Its ticked boxes named `scope`.
    pub scopes: Vec<String>,
}

impl Browser {
    /// A browser without cookies.
    pub fn new() -> Self {
        Self::default()
    }

    /// GETs a path or URL of the server.
    pub async fn get(&mut self, server: &TestServer, url: &str) -> Answer {
        self.request(server, Method::GET, url, None, &[]).await
    }

    /// POSTs a form of the server's own page.
    pub async fn post(&mut self, server: &TestServer, url: &str, fields: &[(&str, &str)]) -> Answer {
        let origin = server.issuer();
        let headers = [("origin", origin.as_str()), ("sec-fetch-site", "same-origin")];
        self.request(server, Method::POST, url, Some(encode(fields)), &headers).await
    }

    /// Sends whatever a test wants to send, with this browser's cookies.
    pub async fn request(
        &mut self,
        server: &TestServer,
        method: Method,
        url: &str,
        body: Option<String>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let issuer = server.issuer();
        let path = url.strip_prefix(issuer.as_str()).unwrap_or(url);
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !self.cookies.is_empty() {
            let cookies: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        if let Some(address) = self.address {
            request = request.extension(ClientAddress(address));
        }
        let answer =
            server.send(request.body(Body::from(body.unwrap_or_default())).expect("a request")).await;
        self.keep_cookies(&answer);
        answer
    }

    fn keep_cookies(&mut self, answer: &Answer) {
        for value in answer.headers.get_all(header::SET_COOKIE) {
            let text = value.to_str().expect("text");
            let (pair, attributes) = text.split_once(';').expect("attributes");
            let (name, value) = pair.split_once('=').expect("a pair");
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// Follows redirects on the server itself; stops at a page or where it is led elsewhere.
    pub async fn follow(&mut self, server: &TestServer, mut answer: Answer) -> Answer {
        for _ in 0..10 {
            if answer.status != StatusCode::SEE_OTHER || !answer.location().starts_with('/') {
                return answer;
            }
            let location = answer.location().to_owned();
            answer = self.get(server, &location).await;
        }
        panic!("too many redirects: {answer:?}");
    }

    /// Signs in on the page that is shown, and follows.
    pub async fn sign_in(&mut self, server: &TestServer, page: &Answer, username: &str) -> Answer {
        let answer = self.submit_login(server, page, username, PASSWORD).await;
        self.follow(server, answer).await
    }

    /// Submits the sign-in form that is shown.
    pub async fn submit_login(
        &mut self,
        server: &TestServer,
        page: &Answer,
        username: &str,
        password: &str,
    ) -> Answer {
        let form = form(page);
        let mut fields: Vec<(&str, &str)> =
            form.hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        fields.extend([("username", username), ("password", password)]);
        self.post(server, &form.action, &fields).await
    }

    /// Answers the consent page that is shown, with the boxes as they are.
    pub async fn decide(&mut self, server: &TestServer, page: &Answer, decision: &str) -> Answer {
        let form = form(page);
        let ticked: Vec<&str> = form.scopes.iter().map(String::as_str).collect();
        self.decide_with(server, page, decision, &ticked).await
    }

    /// Answers the consent page that is shown, with these boxes ticked.
    pub async fn decide_with(
        &mut self,
        server: &TestServer,
        page: &Answer,
        decision: &str,
        scopes: &[&str],
    ) -> Answer {
        let form = form(page);
        let mut fields: Vec<(&str, &str)> =
            form.hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        fields.push(("decision", decision));
        fields.extend(scopes.iter().map(|scope| ("scope", *scope)));
        self.post(server, &form.action, &fields).await
    }
}

/// The form of a page.
pub fn form(page: &Answer) -> PageForm {
    let html = &page.body;
    let start = html.find("<form").unwrap_or_else(|| panic!("no form: {html}"));
    let action = attribute(&html[start..], "action").unwrap_or_else(|| panic!("no action: {html}"));
    let inputs: Vec<&str> =
        html.split("<input").skip(1).map(|rest| rest.split('>').next().unwrap_or("")).collect();
    let named = |tag: &str| Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default()));
    let hidden =
        inputs.iter().filter(|tag| tag.contains("type=\"hidden\"")).filter_map(|tag| named(tag)).collect();
    let scopes = inputs
        .iter()
        .filter(|tag| tag.contains("type=\"checkbox\"") && tag.contains("checked"))
        .filter_map(|tag| named(tag))
        .filter(|(name, _)| name == "scope")
        .map(|(_, value)| value)
        .collect();
    PageForm { action, hidden, scopes }
}

/// The value of an attribute in the first tag of `html`, its entities resolved.
pub fn attribute(html: &str, name: &str) -> Option<String> {
    let start = html.find(&format!(" {name}=\""))? + name.len() + 3;
    let end = html[start..].find('"')?;
    Some(unescape(&html[start..start + end]))
}

/// Resolves the entities that the templates write, each once.
pub fn unescape(text: &str) -> String {
    const ENTITIES: [(&str, char); 10] = [
        ("&#38;", '&'),
        ("&#60;", '<'),
        ("&#62;", '>'),
        ("&#34;", '"'),
        ("&#39;", '\''),
        ("&lt;", '<'),
        ("&gt;", '>'),
        ("&quot;", '"'),
        ("&#x27;", '\''),
        ("&amp;", '&'),
    ];
    let mut resolved = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        resolved.push_str(&rest[..at]);
        rest = &rest[at..];
        match ENTITIES.iter().find(|(entity, _)| rest.starts_with(entity)) {
            Some((entity, character)) => {
                resolved.push(*character);
                rest = &rest[entity.len()..];
            }
            None => {
                resolved.push('&');
                rest = &rest[1..];
            }
        }
    }
    resolved + rest
}
