//! The stage of every test here: the server on a port of the loopback, two apps on theirs, and a Chromium before them.

use crate::support::callback_app::{CallbackApp, Received};
use crate::support::chromium::{Chromium, JavaScript};
use crate::support::clock::ManualClock;
use crate::support::configuration::TestConfiguration;
use crate::support::database::TestDatabase;
use crate::support::relying_party::Tokens;
use crate::support::server::{PASSWORD, TestServer};
use axum::http::StatusCode;
use portreeve::http::app::Mode;
use portreeve::http::listener::{Listener, ListenerLimits};
use portreeve::http::router::router;
use portreeve::model::clock::{Clock as _, SystemClock};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// The server, two apps, and a browser in which nobody is signed in.
pub struct Stage {
    pub chromium: Chromium,
    pub server: TestServer,
    /// `album`, which asks for photographs.
    pub album: CallbackApp,
    /// `notes`, which asks for a name and no more.
    pub notes: CallbackApp,
    issuer: String,
    serving: tokio::task::JoinHandle<()>,
    _database: TestDatabase,
}

/// What a test has otherwise than others.
pub struct Setting {
    pub mode: Mode,
    pub javascript: JavaScript,
    /// The name that `album` goes by.
    pub album_name: &'static str,
    /// Clients beside `album` and `notes`.
    pub more_clients: &'static str,
    /// Settings beside the usual ones.
    pub more_settings: String,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            mode: Mode::Serve,
            javascript: JavaScript::On,
            album_name: "Photo album",
            more_clients: "",
            more_settings: String::new(),
        }
    }
}

pub const EVERYTHING: &str = "openid profile email offline_access photos.read photos.write";

impl Stage {
    /// The usual stage, on SQLite: what a browser sees does not depend on the store.
    pub async fn set() -> Self {
        Self::set_with(TestDatabase::sqlite(), Setting::default()).await
    }

    /// A stage on `database`, otherwise than usual. The server's clock begins now, because the browser has one of its own.
    pub async fn set_with(database: TestDatabase, setting: Setting) -> Self {
        let album = CallbackApp::start("album", EVERYTHING).await;
        let notes = CallbackApp::start("notes", "openid profile").await;
        let address = ([127, 0, 0, 1], 0).into();
        let listener = Listener::bind(address, ListenerLimits::default(), None, Vec::new());
        let listener = listener.await.expect("a port");
        let issuer = format!("http://localhost:{}", listener.local_address().port());
        let clients = CLIENTS
            .replace("{album_name}", setting.album_name)
            .replace("{album}", &album.party.redirect_uri)
            .replace("{notes}", &notes.party.redirect_uri)
            + &setting.more_clients.replace("{issuer}", &issuer);
        let configuration = TestConfiguration::with(&database, &issuer, &setting.more_settings, &clients);
        let clock = ManualClock::new();
        clock.set(SystemClock.now());
        let server = TestServer::compose(Arc::new(configuration), clock, setting.mode).await;
        server
            .add_person(
                "ada",
                json!({"name": "Ada Lovelace", "email": "ada@example.com", "email_verified": true}),
            )
            .await;
        server.add_person("grace", json!({"name": "Grace Hopper"})).await;
        let router = router(server.app.clone());
        let serving = tokio::spawn(async move {
            listener.serve(router, std::future::pending()).await.expect("it serves");
        });
        let chromium = Chromium::start(setting.javascript).await;
        Self { chromium, server, album, notes, issuer, serving, _database: database }
    }

    /// The absolute URL of a path of the server.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    /// Time passes between what a person does and what they do next.
    pub fn pause(&self) {
        self.server.clock.advance(Duration::from_secs(2));
    }

    /// Follows the link on an app's page to `/authorize`, with the request changed as in `RelyingParty::request`.
    pub async fn begin(&self, app: &CallbackApp, changes: &[(&str, &str)]) {
        let request = self.url(&app.party.authorize(changes));
        self.chromium.open(&app.page_with_link_to(&request)).await;
        self.chromium.follow("sign-in").await;
        self.pause();
    }

    /// Fills in the form and sends it.
    pub async fn submit_login(&self, username: &str, password: &str) {
        self.pause();
        self.chromium.fill("username", username).await;
        self.chromium.fill("password", password).await;
        self.chromium.follow("login-submit").await;
    }

    /// Signs in at the form that is shown.
    pub async fn sign_in(&self, username: &str) {
        self.submit_login(username, PASSWORD).await;
    }

    /// From an app's page to its consent page, as Ada.
    pub async fn begin_and_sign_in(&self, app: &CallbackApp) {
        self.begin(app, &[]).await;
        self.sign_in("ada").await;
        self.chromium.find("consent-allow").await;
    }

    /// Presses "Allow" or another way back to the app, and yields what the app hears, its response number `number`.
    pub async fn come_back(&self, app: &CallbackApp, button: &str, number: usize) -> Received {
        self.pause();
        self.chromium.follow(button).await;
        self.chromium.find("back-at-the-app").await;
        app.response(number).await
    }

    /// What the app gets for the code: all is in order, and `iss` is the server (RFC 9207 §2.4).
    pub async fn redeem(&self, app: &CallbackApp, received: &Received) -> Tokens {
        assert_eq!(received.get("iss"), Some(self.issuer.as_str()), "{received:?}");
        assert_eq!(received.get("error"), None, "{received:?}");
        let answer = app.party.redeem(&self.server, received.code(), &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        Tokens(answer.json())
    }

    /// Asserts that the app heard of this error, and of nothing else (RFC 6749 §4.1.2.1, RFC 9207 §2).
    pub fn assert_refused(&self, received: &Received, error: &str, state: &str) {
        assert_eq!(received.get("error"), Some(error), "{received:?}");
        assert_eq!(received.get("state"), Some(state), "{received:?}");
        assert_eq!(received.get("iss"), Some(self.issuer.as_str()), "{received:?}");
        assert_eq!(received.get("code"), None, "{received:?}");
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

const CLIENTS: &str = r#"
[[client]]
client_id = "album"
client_name = '''{album_name}'''
redirect_uris = ["{album}"]
grant_types = ["authorization_code", "refresh_token"]
token_endpoint_auth_method = "none"
scope = "openid profile email address phone offline_access groups photos.read photos.write mail.read"

[[client]]
client_id = "notes"
client_name = "Notes"
redirect_uris = ["{notes}"]
grant_types = ["authorization_code"]
token_endpoint_auth_method = "none"
scope = "openid profile"
"#;
