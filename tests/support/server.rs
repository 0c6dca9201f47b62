//! A whole server in memory: the real router on a real store, with a clock in the test's hand. It can be asked directly, or
//! listen on a socket, and another replica can stand beside it on the same store.

use crate::support::clock::ManualClock;
use crate::support::configuration::{ISSUER, TestConfiguration};
use crate::support::database::TestDatabase;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http_body_util::BodyExt as _;
use portreeve::audit::Refusals;
use portreeve::cli::composition::{Composition, Ingredients, compose};
use portreeve::config::Environment;
use portreeve::http::app::{App, Mode};
use portreeve::http::client_address::ClientAddress;
use portreeve::http::listener::{Listener, ListenerLimits};
use portreeve::http::router::router;
use portreeve::model::claims::PersonClaims;
use portreeve::model::clock::Clock as _;
use portreeve::model::entropy::SystemEntropy;
use portreeve::model::secret::Secret;
use portreeve::model::user::User;
use portreeve::model::username::CanonicalUsername;
use portreeve::storage::Store;
use portreeve::tasks::reload_configuration::{self, Source};
use portreeve::users::lifecycle::{NewPassword, NewPerson, People};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::{Mutex, oneshot};
use tower::ServiceExt as _;
use url::form_urlencoded;

/// Ada's password in every test.
pub const PASSWORD: &str = "a password of ada's own";

/// A server in memory.
pub struct TestServer {
    /// What its handlers share.
    pub app: App,
    /// Its clock.
    pub clock: ManualClock,
    /// Its configuration's files.
    pub configuration: Arc<TestConfiguration>,
    /// What strangers were refused, until somebody reads it.
    pub refusals: Mutex<Refusals>,
    router: Router,
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: String,
}

impl Answer {
    /// The Location header.
    pub fn location(&self) -> &str {
        self.header("location").unwrap_or_else(|| panic!("no Location: {self:?}"))
    }

    /// A header's first value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// The parameter `name` of the Location.
    pub fn parameter(&self, name: &str) -> Option<String> {
        parameter(self.location(), name)
    }

    /// The `error` of a JSON answer.
    pub fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_else(|| panic!("no error: {self:?}")).to_owned()
    }
}

/// The parameter `name` of a URL's query.
pub fn parameter(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let query = query.split('#').next()?;
    form_urlencoded::parse(query.as_bytes())
        .find(|(other, _)| other == name)
        .map(|(_, value)| value.into_owned())
}

/// Writes parameters as a query or a body.
pub fn encode(parameters: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

/// The value of an Authorization header for a client (RFC 6749 §2.3.1).
pub fn basic(client_id: &str, secret: &str) -> String {
    let form = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", form(client_id), form(secret))))
}

/// The claims of a JSON Web Token, unverified.
pub fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap_or_else(|| panic!("not a token: {token}"));
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("JSON")
}

impl TestServer {
    /// A server with the usual configuration, and Ada in it.
    pub async fn start(database: &TestDatabase) -> Self {
        Self::with(database, TestConfiguration::new(database)).await
    }

    /// A server under a configuration, and Ada in it.
    pub async fn with(database: &TestDatabase, configuration: TestConfiguration) -> Self {
        let server = Self::without_people(database, configuration).await;
        server.add_person("ada", json!({"name": "Ada Lovelace", "email": "ada@example.com", "email_verified": true, "groups": ["staff", "maths"]})).await;
        server
    }

    /// A server under a configuration, with nobody in it.
    pub async fn without_people(_: &TestDatabase, configuration: TestConfiguration) -> Self {
        Self::compose(Arc::new(configuration), ManualClock::new(), Mode::Serve).await
    }

    /// Another replica on the same store, with the same clock.
    pub async fn replica(&self) -> Self {
        Self::compose(self.configuration.clone(), self.clock.clone(), Mode::Serve).await
    }

    /// A server put together from its parts.
    pub async fn compose(configuration: Arc<TestConfiguration>, clock: ManualClock, mode: Mode) -> Self {
        let config = configuration.load();
        let store = Store::open(config.database.url.expose(), config.database.max_connections)
            .await
            .expect("a store");
        store.migrate(clock.now()).await.expect("migrations run");
        let entropy = Arc::new(SystemEntropy);
        let ingredients = Ingredients { config, store, clock: Arc::new(clock.clone()), entropy, mode };
        let Composition { app, refusals } = compose(ingredients).await.expect("a server");
        let router = router(app.clone());
        Self { app, clock, configuration, refusals: Mutex::new(refusals), router }
    }

    /// Adds a person whose password is [`PASSWORD`].
    pub async fn add_person(&self, username: &str, claims: Value) -> User {
        let Value::Object(claims) = claims else { panic!("an object") };
        let person = NewPerson {
            username: CanonicalUsername::parse(username).expect("a username"),
            claims: PersonClaims::from_object(claims).expect("claims"),
            password: NewPassword::Clear(Secret::new(PASSWORD)),
            must_change_password: false,
        };
        self.people().add(person, &self.app.circumstances("")).await.expect("a person")
    }

    /// The rule behind `portreeve user`.
    pub fn people(&self) -> People {
        People {
            store: self.app.store.clone(),
            entropy: self.app.entropy.clone(),
            passwords: self.app.passwords.clone(),
            trail: self.app.trail.clone(),
        }
    }

    /// The issuer.
    pub fn issuer(&self) -> String {
        self.app.snapshot.load().config.issuer.as_str().to_owned()
    }

    /// The secret of every confidential client.
    pub fn secret(&self) -> &str {
        &self.configuration.client_secret
    }

    /// Sends a request.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let answer = self.send_whatever_comes(request).await;
        assert!(answer.status != StatusCode::INTERNAL_SERVER_ERROR, "500: {}", answer.body);
        answer
    }

    /// Sends a request whose answer may be that the server met what it did not expect.
    pub async fn send_whatever_comes(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        let body = String::from_utf8(body.to_vec()).expect("text");
        Answer { status: head.status, headers: head.headers, body }
    }

    /// GETs a path.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).expect("a request")).await
    }

    /// GETs a path with a Bearer token.
    pub async fn get_as(&self, path: &str, token: &str) -> Answer {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
        self.send(request.body(Body::empty()).expect("a request")).await
    }

    /// POSTs a form, with an Authorization header if one is given.
    pub async fn post(&self, path: &str, authorization: Option<&str>, parameters: &[(&str, &str)]) -> Answer {
        self.post_raw(path, authorization, encode(parameters)).await
    }

    /// POSTs a body as it is, as a form.
    pub async fn post_raw(&self, path: &str, authorization: Option<&str>, body: String) -> Answer {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        self.send(request.body(Body::from(body)).expect("a request")).await
    }

    /// POSTs to an endpoint as a confidential client, by Basic.
    pub async fn post_as(&self, client_id: &str, path: &str, parameters: &[(&str, &str)]) -> Answer {
        self.post(path, Some(&basic(client_id, self.secret())), parameters).await
    }

    /// What introspection tells the token's own client.
    pub async fn introspect_as(&self, client_id: &str, token: &str) -> Value {
        let answer = self.post_as(client_id, "/introspect", &[("token", token)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.json()
    }

    /// Listens on a free port of the loopback until the returned value is dropped.
    pub async fn listen(&self) -> Listening {
        let address: SocketAddr = ([127, 0, 0, 1], 0).into();
        let listener = Listener::bind(address, ListenerLimits::default(), None, Vec::new()).await;
        self.listen_on(listener.expect("a port"))
    }

    /// Listens on what was bound before, for a server whose issuer has to name the port.
    pub fn listen_on(&self, listener: Listener) -> Listening {
        let address = listener.local_address();
        let (stop, stopped) = oneshot::channel::<()>();
        let router = self.router.clone();
        let task = tokio::spawn(async move {
            let until = async move {
                let _ = stopped.await;
            };
            listener.serve(router, until).await
        });
        Listening { address, _stop: stop, _task: task }
    }
}

/// A server that listens.
pub struct Listening {
    /// Where.
    pub address: SocketAddr,
    _stop: oneshot::Sender<()>,
    _task: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl TestServer {
    /// The usual server, with more settings and more clients.
    pub async fn start_with(database: &TestDatabase, more_settings: &str, more_clients: &str) -> Self {
        let configuration = TestConfiguration::with(database, ISSUER, more_settings, more_clients);
        Self::with(database, configuration).await
    }

    /// Rewrites the configuration's files and loads them, as a running server does when they change.
    pub fn reload(&self, settings: &str, clients: &str) -> reload_configuration::Report {
        let folder = self.configuration.folder.path();
        std::fs::write(folder.join("portreeve.toml"), settings).expect("the file can be written");
        std::fs::write(folder.join("clients/clients.toml"), clients).expect("the file can be written");
        let environment = Environment::new(BTreeMap::<String, String>::new(), folder);
        reload_configuration::run_once(&self.app, &Source { path: self.configuration.path(), environment })
    }

    /// POSTs a form as if from `address`, with an Authorization header if one is given.
    pub async fn post_from(
        &self,
        address: &str,
        path: &str,
        authorization: Option<&str>,
        parameters: &[(&str, &str)],
    ) -> Answer {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request = match authorization {
            Some(authorization) => request.header(header::AUTHORIZATION, authorization),
            None => request,
        };
        let mut request = request.body(Body::from(encode(parameters))).expect("a request");
        request.extensions_mut().insert(ClientAddress(address.parse().expect("an address")));
        self.send(request).await
    }

    /// The public keys, as a resource server gets them.
    pub async fn jwks(&self) -> Value {
        self.get("/.well-known/jwks.json").await.json()
    }

    /// Asserts that nothing opens with the token any more, as everybody sees it.
    pub async fn assert_dead(&self, client_id: &str, access_token: &str) {
        assert_eq!(self.introspect_as(client_id, access_token).await, json!({"active": false}));
        assert_eq!(self.get_as("/userinfo", access_token).await.status, StatusCode::UNAUTHORIZED);
    }
}

/// The header of a JSON Web Token, unverified.
pub fn header_of(token: &str) -> Value {
    let header = token.split('.').next().expect("a header");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).expect("base64url")).expect("JSON")
}
