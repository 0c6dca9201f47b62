//! The metadata document, at the addresses where clients look for it (RFC 8414 §3, OpenID Discovery §4). What it says is
//! decided in `protocol::server_metadata`; it is written once for each configuration, and no request changes a byte of it
//! (threats 162, 163, 170).

use super::app::{App, Snapshot};
use super::entity_tag::{Document, etag, version};
use super::jwks::public_for_seconds;
use crate::config::Config;
use crate::keys::key_ring::JWKS_MAX_AGE;
use crate::model::claims::standard_claims_of;
use crate::model::session::ACR_PASSWORD;
use crate::pages::Language;
use crate::protocol::issuer::Issuer;
use crate::protocol::scope::BUILT_IN;
use crate::protocol::server_metadata::{Advertised, DynamicRegistration, ServerMetadata, path};
use arc_swap::ArcSwapOption;
use axum::Router;
use axum::extract::State;
use axum::http::header::HeaderMap;
use axum::routing::get;
use bytes::Bytes;
use std::sync::{Arc, Weak};

/// The routes of the document for this issuer, as whole paths: not to be nested below the issuer's own. OpenID Discovery
/// §4.1 appends to the issuer, RFC 8414 §3.1 inserts before its path; clients that append there too are answered as well.
pub fn routes(issuer: &Issuer) -> Router<App> {
    let mut paths = vec![
        format!("{}{}", issuer.path(), path::OPENID_CONFIGURATION),
        format!("{}{}", path::OAUTH_AUTHORIZATION_SERVER, issuer.path()),
        format!("{}{}", issuer.path(), path::OAUTH_AUTHORIZATION_SERVER),
    ];
    paths.dedup();
    let written: Arc<ArcSwapOption<Written>> = Arc::default();
    paths.into_iter().fold(Router::new(), |router, path| {
        let written = written.clone();
        let answer = |State(app): State<App>, headers: HeaderMap| async move {
            document(&app, &written).answer(&headers)
        };
        router.route(&path, get(answer))
    })
}

/// The document of a configuration.
struct Written {
    snapshot: Weak<Snapshot>,
    document: Document,
}

fn document(app: &App, written: &ArcSwapOption<Written>) -> Document {
    let snapshot = app.snapshot.load_full();
    if let Some(written) = &*written.load()
        && std::ptr::eq(written.snapshot.as_ptr(), Arc::as_ptr(&snapshot))
    {
        return written.document.clone();
    }
    let json = metadata_json(&snapshot.config);
    let document = Document {
        etag: etag(&version(json.as_bytes())),
        body: Bytes::from(json),
        content_type: "application/json",
        cache_control: public_for_seconds(JWKS_MAX_AGE.as_secs()),
    };
    // the weak pointer keeps the address from being given to another snapshot
    let latest = Written { snapshot: Arc::downgrade(&snapshot), document: document.clone() };
    written.store(Some(Arc::new(latest)));
    document
}

/// The document's JSON for a configuration.
pub fn metadata_json(config: &Config) -> String {
    let declared = config.scopes.keys().map(String::as_str);
    let scopes = BUILT_IN.into_iter().chain(declared.filter(|scope| !BUILT_IN.contains(scope))).collect();
    let mut claims = OF_THE_ID_TOKEN.to_vec();
    for (scope, definition) in &config.scopes {
        let standard = standard_claims_of(scope).unwrap_or_default().iter().copied();
        for claim in standard.chain(definition.claims.iter().map(String::as_str)) {
            if !claims.contains(&claim) {
                claims.push(claim);
            }
        }
    }
    ServerMetadata::of(Advertised {
        issuer: &config.issuer,
        scopes,
        claims,
        signing_alg_values: &config.signing_keys.algorithms,
        acr_values: vec![ACR_PASSWORD],
        ui_locales: Language::ALL.map(Language::tag).to_vec(),
        front_channel_logout: config.front_channel_logout,
        registration: match config.registration {
            Some(_) => DynamicRegistration::On,
            None => DynamicRegistration::Off,
        },
    })
    .to_json()
}

/// What an ID token says of every sign-in (OpenID Connect Core §2).
const OF_THE_ID_TOKEN: [&str; 11] =
    ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash"];

#[cfg(test)]
#[path = "metadata_tests.rs"]
mod tests;
