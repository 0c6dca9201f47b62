//! What a handler learns of its request: the snapshot it keeps to its end, where it came from, its cookies and its query,
//! parsed. Below this room nobody sees a header.

use super::answer::refuse_visit;
use super::app::{App, Snapshot};
use super::client_address::{ClientAddress, throttle_key};
use crate::audit::Circumstances;
use crate::clients::named;
use crate::model::client::Client;
use crate::model::secret::Secret;
use crate::pages::Languages;
use crate::protocol::claims_request::parse_locales;
use crate::protocol::identifiers::ClientId;
use crate::protocol::parameters::{ParameterError, Parameters};
use crate::sessions::accounts::SessionSecrets;
use crate::sessions::cookies::{Cookie, CookieJar};
use crate::storage::error::StorageError;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use std::sync::Arc;

/// One request.
pub struct Visit {
    /// The configuration that it sees.
    pub snapshot: Arc<Snapshot>,
    /// Its name, its address and its moment.
    pub circumstances: Circumstances,
    /// Its address, as failures are counted.
    pub address_key: String,
    /// Its query.
    pub query: Result<Parameters, ParameterError>,
    /// The names of this server's cookies.
    pub jar: CookieJar,
    /// The browser's own cookie.
    pub browser: Option<String>,
    /// The secrets of whoever is signed in here.
    pub secrets: SessionSecrets,
    /// The device's cookie.
    pub device: Option<String>,
    /// The languages that the person reads: those of the query's `ui_locales` and of the browser.
    pub languages: Languages,
}

/// What the person reads, best first (OpenID Connect Core §3.1.2.1).
const UI_LOCALES: &str = "ui_locales";
/// The same, beside a request that says it elsewhere; a parameter of the pages' own.
pub const LANGUAGE: &str = "language";

impl Visit {
    /// Takes the moment of the request anew, when it has arrived whole: a body may take ten seconds, in which codes and sessions end.
    pub fn arrived(&mut self, app: &App) {
        self.circumstances.now = app.clock.now();
    }

    /// The same visit, for a request whose `ui_locales` may have come by another way than the query.
    pub fn asking(self, ui_locales: &[String]) -> Self {
        Self { languages: self.languages.asking(ui_locales), ..self }
    }

    /// What a page of this server's own is asked for with, which no app's request is behind: what the person reads.
    pub fn own(&self) -> Parameters {
        match self.languages.asked() {
            [] => Parameters::default(),
            asked => Parameters::default().with(UI_LOCALES, asked.join(" ")),
        }
    }

    /// The request of an app in `query`, if there is one: a language alone is none.
    pub fn request_in(query: Parameters) -> Parameters {
        if query.without(UI_LOCALES).is_empty() { Parameters::default() } else { query }
    }

    /// What the person reads as the client's name.
    pub fn name_of<'a>(&self, client: &'a Client) -> &'a str {
        self.languages.best(&client.metadata.client_name).unwrap_or(client.id.as_str())
    }

    /// Has the clients at hand that registered themselves and that a request names.
    pub async fn meet(
        &mut self,
        app: &App,
        parameters: &Parameters,
        authorization: Option<&str>,
    ) -> Result<(), StorageError> {
        match self.snapshot.registry.registered() {
            Some(_) => self.name(app, &named::clients(parameters, authorization)).await,
            None => Ok(()),
        }
    }

    /// Has those of `names` at hand that registered themselves.
    pub async fn name(&mut self, app: &App, names: &[ClientId]) -> Result<(), StorageError> {
        self.snapshot = self.snapshot.naming(&app.store, names).await?;
        Ok(())
    }
}

impl FromRequestParts<App> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let snapshot = app.snapshot.load_full();
        let address = parts.extensions.get::<ClientAddress>().map(|address| address.0);
        let jar = CookieJar::of(&snapshot.config.issuer);
        let cookie = |cookie| jar.read(texts(&parts.headers, &header::COOKIE), cookie).map(str::to_owned);
        let (browser, device) = (cookie(Cookie::Browser), cookie(Cookie::Device));
        let others = cookie(Cookie::Others).unwrap_or_default();
        let secrets = SessionSecrets {
            active: cookie(Cookie::Session).map(Secret::new),
            others: others.split('.').filter(|secret| !secret.is_empty()).map(Secret::new).collect(),
        };
        let query = Parameters::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let asked = query
            .as_ref()
            .ok()
            .and_then(|query| query.get(UI_LOCALES).or_else(|| query.get(LANGUAGE)))
            .unwrap_or_default();
        let accepted = texts(&parts.headers, &header::ACCEPT_LANGUAGE);
        let mut visit = Self {
            languages: Languages::new(&parse_locales(asked), accepted),
            circumstances: app.circumstances(address.map(|address| address.to_string()).unwrap_or_default()),
            address_key: address.map(|address| throttle_key(address).to_string()).unwrap_or_default(),
            query,
            snapshot,
            jar,
            browser,
            secrets,
            device,
        };
        // most requests name nobody who could have registered
        let named = match (visit.snapshot.registry.registered(), &visit.query) {
            (Some(_), Ok(query)) => named::clients(query, None),
            _ => Vec::new(),
        };
        match visit.name(app, &named).await {
            Ok(()) => Ok(visit),
            Err(error) => Err(refuse_visit(app, &visit, parts.uri.path(), &error)),
        }
    }
}

/// The values of a header that are visible ASCII.
pub fn texts<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> impl Iterator<Item = &'a str> {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
}

/// The Authorization header; two of them, or one that is not text, are as bad as a wrong one.
pub fn authorization(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (None, _) => None,
        (Some(one), None) => Some(one.to_str().unwrap_or("")),
        _ => Some(""),
    }
}
