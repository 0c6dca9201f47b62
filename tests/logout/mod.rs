//! The three logouts of OpenID Connect: asked for by an app (RP-Initiated Logout), told to apps from server to server
//! (Back-Channel Logout) and by the browser (Front-Channel Logout). Each module of the certification plans has a test here.

mod back_channel;
mod confirmation;
mod delivery;
mod endings;
mod front_channel;
mod hints;
mod hostile;
mod operators;
mod rp_initiated;

use crate::support::browser::{Browser, form};
use crate::support::database::TestDatabase;
use crate::support::https_server::HttpsServer;
use crate::support::relying_party::RelyingParty;
use crate::support::server::{Answer, TestServer, encode, parameter};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use portreeve::tasks::deliver_outbox::{self, Report};
use portreeve::tasks::delivery_pace::Pace;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

/// Where `app` wants people afterwards.
const AFTER: &str = "https://app.example.com/post_logout_redirect";

/// What a receiver got: the media type and the body.
type Got = Arc<Mutex<Vec<(String, String)>>>;

/// The back-channel receiver of the apps.
pub struct Receiver {
    pub server: HttpsServer,
    got: Got,
    status: Arc<AtomicU16>,
}

impl Receiver {
    pub async fn start() -> Self {
        let (got, status) = (Got::default(), Arc::new(AtomicU16::new(200)));
        let router = Router::new()
            .route("/backchannel", post(receive))
            .route("/other", post(receive))
            .with_state((got.clone(), status.clone()));
        Self { server: HttpsServer::start(router).await, got, status }
    }

    /// Answers with `status` from now on.
    fn answer(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// The logout tokens that arrived, in their order; each came alone in a form.
    pub fn tokens(&self) -> Vec<String> {
        let got = self.got.lock().expect("whole");
        got.iter()
            .map(|(media_type, body)| {
                assert_eq!(media_type, "application/x-www-form-urlencoded");
                assert_eq!(body.matches('&').count(), 0, "logout_token is all there is (§2.5)");
                parameter(&format!("?{body}"), "logout_token").expect("a logout token")
            })
            .collect()
    }
}

async fn receive(
    State((got, status)): State<(Got, Arc<AtomicU16>)>,
    headers: HeaderMap,
    body: String,
) -> StatusCode {
    let media_type = headers["content-type"].to_str().expect("text").to_owned();
    got.lock().expect("whole").push((media_type, body));
    StatusCode::from_u16(status.load(Ordering::SeqCst)).expect("a status")
}

/// Two apps that hear of logouts: `app` asks for consent, `other` does not and wants ES256; `third` has its own way back.
pub fn clients(receiver: &str) -> String {
    r#"
[[client]]
client_id = "app"
client_name = "The App"
redirect_uris = ["https://app.example.com/callback"]
post_logout_redirect_uris = ["https://app.example.com/post_logout_redirect", "https://app.example.com/out?a=1"]
grant_types = ["authorization_code", "refresh_token"]
token_endpoint_auth_method = "client_secret_basic"
client_secrets = [{ sha256 = "{hash}" }]
scope = "openid profile offline_access photos.read"
backchannel_logout_uri = "{receiver}/backchannel"
backchannel_logout_session_required = true
frontchannel_logout_uri = "https://app.example.com/frontchannel_logout"
frontchannel_logout_session_required = true

[[client]]
client_id = "other"
redirect_uris = ["https://other.example.com/callback"]
grant_types = ["authorization_code", "refresh_token"]
token_endpoint_auth_method = "client_secret_basic"
client_secrets = [{ sha256 = "{hash}" }]
scope = "openid profile offline_access photos.read"
first_party = true
id_token_signed_response_alg = "ES256"
backchannel_logout_uri = "{receiver}/other"
frontchannel_logout_uri = "https://other.example.com/out?keep=1"

[[client]]
client_id = "third"
redirect_uris = ["https://third.example.com/callback"]
post_logout_redirect_uris = ["https://third.example.com/"]
token_endpoint_auth_method = "client_secret_basic"
client_secrets = [{ sha256 = "{hash}" }]
scope = "openid"
first_party = true
"#
    .replace("{receiver}", receiver)
}

/// A server whose apps have their receiver, and the receiver.
async fn start(database: &TestDatabase) -> (TestServer, Receiver) {
    start_with(database, "").await
}

/// The same, with more settings.
async fn start_with(database: &TestDatabase, more: &str) -> (TestServer, Receiver) {
    let receiver = Receiver::start().await;
    let settings = format!("{more}\n{}", receiver.server.settings());
    let server = TestServer::start_with(database, &settings, &clients(&receiver.server.url(""))).await;
    (server, receiver)
}

/// The app `client_id`, asking for `scope`.
fn app_asking(client_id: &'static str, scope: &str) -> RelyingParty {
    let redirect_uri = format!("https://{client_id}.example.com/callback");
    RelyingParty { client_id, redirect_uri, ..RelyingParty::new("web", scope) }
}

/// The app `client_id`.
pub fn app(client_id: &'static str) -> RelyingParty {
    app_asking(client_id, "openid")
}

/// Sends the browser to `/logout`, as an app does.
async fn logout(server: &TestServer, browser: &mut Browser, parameters: &[(&str, &str)]) -> Answer {
    let url =
        if parameters.is_empty() { "/logout".to_owned() } else { format!("/logout?{}", encode(parameters)) };
    browser.get(server, &url).await
}

/// Presses the button of the page that asks.
async fn confirm(server: &TestServer, browser: &mut Browser, page: &Answer) -> Answer {
    assert!(asks(page), "{page:?}");
    let form = form(page);
    let fields: Vec<(&str, &str)> =
        form.hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.post(server, &form.action, &fields).await
}

/// Whether this is the page that asks.
fn asks(page: &Answer) -> bool {
    page.status == StatusCode::OK && page.body.contains("id=\"logout-confirm\"")
}

/// Asserts that this is the page that says that it is done, and that it leads nowhere by itself.
fn assert_logged_out_page(page: &Answer) {
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    let goes_on =
        ["login-again", "logout-continue"].iter().any(|id| page.body.contains(&format!("id=\"{id}\"")));
    assert!(goes_on, "{page:?}");
    assert!(page.header("location").is_none() && !page.body.contains("http-equiv"), "{page:?}");
}

/// Asserts an error page that says what is wrong in words, leads nowhere by itself, and offers to sign out all the same.
fn assert_error_page(page: &Answer, words: &str) {
    assert_eq!(page.status, StatusCode::BAD_REQUEST, "{page:?}");
    assert!(page.body.contains("id=\"error-reason\"") && page.body.contains(words), "{page:?}");
    assert!(page.body.contains("href=\"/logout\"") && page.header("location").is_none(), "{page:?}");
}

/// Whether the browser's person is signed in, as `prompt=none` tells an app.
pub async fn is_signed_in(server: &TestServer, browser: &mut Browser) -> bool {
    let answer = browser.get(server, &app("third").authorize(&[("prompt", "none")])).await;
    match answer.parameter("error").as_deref() {
        None => answer.parameter("code").is_some(),
        Some(error) => {
            assert_eq!(error, "login_required", "{answer:?}");
            false
        }
    }
}

/// One round of the task that delivers.
async fn deliver(server: &TestServer) -> Report {
    deliver_outbox::run_once(&server.app, &Pace::default()).await.expect("a round")
}
