//! An app with a port of its own: it sends people to the server by a link on its page, and keeps what they come back with.

use crate::support::relying_party::{Method, RelyingParty};
use axum::extract::{Query, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Html;
use axum::routing::get;
use axum::{Form, Router};
use portreeve::model::entropy::{Entropy as _, SystemEntropy};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use url::form_urlencoded;

/// What the app was sent at its redirect URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// By which mode.
    pub by: By,
    /// The parameters, in their order.
    pub parameters: Vec<(String, String)>,
    /// The address that the browser says it comes from.
    pub referer: Option<String>,
}

/// How a response came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// In the query.
    Query,
    /// In a form.
    Form,
}

impl Received {
    /// The parameter `name`, which is there at most once.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.parameters.iter().filter(|(other, _)| other == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert_eq!(values.next(), None, "{name} is there twice: {self:?}");
        value
    }

    /// The code.
    pub fn code(&self) -> &str {
        self.get("code").unwrap_or_else(|| panic!("no code: {self:?}"))
    }
}

type Shelf = Arc<Mutex<Vec<Received>>>;

/// An app that listens on the loopback until it is dropped.
pub struct CallbackApp {
    /// Its side of the protocol.
    pub party: RelyingParty,
    origin: String,
    shelf: Shelf,
    task: tokio::task::JoinHandle<()>,
}

impl CallbackApp {
    /// The app registered as `client_id`, a public client that asks for `scope`.
    pub async fn start(client_id: &'static str, scope: &str) -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let shelf = Shelf::default();
        let router = Router::new()
            .route("/", get(front_page))
            .route("/frame", get(frame))
            .route("/callback", get(by_query).post(by_form))
            .with_state(shelf.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        let mut verifier = [0; 32];
        SystemEntropy.fill(&mut verifier);
        let party = RelyingParty {
            client_id,
            redirect_uri: format!("{origin}/callback"),
            verifier: verifier.iter().map(|byte| format!("{byte:02x}")).collect(),
            scope: scope.to_owned(),
            method: Method::None,
        };
        Self { party, origin, shelf, task }
    }

    /// The app's page with a link, of the id `sign-in`, to an address of the server.
    pub fn page_with_link_to(&self, url: &str) -> String {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("to", url).finish();
        format!("{}/?{query}", self.origin)
    }

    /// A page that shows an address of the server in a frame of its own.
    pub fn page_with_frame_of(&self, url: &str) -> String {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("of", url).finish();
        format!("{}/frame?{query}", self.origin)
    }

    /// What it was sent so far.
    pub fn received(&self) -> Vec<Received> {
        self.shelf.lock().expect("the shelf").clone()
    }

    /// The response number `number`, from 1, as soon as it is there; nothing may have come after it.
    pub async fn response(&self, number: usize) -> Received {
        for _ in 0..1500 {
            let mut received = self.received();
            assert!(received.len() <= number, "more than {number}: {received:?}");
            if received.len() == number {
                return received.pop().expect("one");
            }
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
        panic!("the app did not hear {number} times: {:?}", self.received());
    }
}

impl Drop for CallbackApp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

async fn front_page(Query(query): Query<HashMap<String, String>>) -> Html<String> {
    let to = query.get("to").map(|to| escape(to)).unwrap_or_default();
    Html(format!("<!doctype html><title>An app</title><a id=\"sign-in\" href=\"{to}\">Sign in</a>"))
}

async fn frame(Query(query): Query<HashMap<String, String>>) -> Html<String> {
    let of = query.get("of").map(|of| escape(of)).unwrap_or_default();
    Html(format!("<!doctype html><title>A trap</title><iframe id=\"frame\" src=\"{of}\"></iframe>"))
}

async fn by_query(
    State(shelf): State<Shelf>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Html<&'static str> {
    let parameters = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
    keep(&shelf, By::Query, parameters, &headers)
}

async fn by_form(
    State(shelf): State<Shelf>,
    headers: HeaderMap,
    Form(parameters): Form<Vec<(String, String)>>,
) -> Html<&'static str> {
    keep(&shelf, By::Form, parameters, &headers)
}

fn keep(shelf: &Shelf, by: By, parameters: Vec<(String, String)>, headers: &HeaderMap) -> Html<&'static str> {
    let referer = headers.get("referer").map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    shelf.lock().expect("the shelf").push(Received { by, parameters, referer });
    Html("<!doctype html><title>An app</title><p id=\"back-at-the-app\">You are back.</p>")
}
