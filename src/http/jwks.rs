//! The public keys (RFC 7517 §5). Which are shown, and when, is decided in `keys`.

use super::app::App;
use super::entity_tag::Document;
use crate::keys::key_ring::JWKS_MAX_AGE;
use axum::extract::State;
use axum::http::header::{HeaderMap, HeaderValue};
use axum::response::Response;
use bytes::Bytes;

/// GET `/.well-known/jwks.json`.
pub async fn jwks(State(app): State<App>, headers: HeaderMap) -> Response {
    let ring = app.keys.ring();
    let document = Document {
        body: Bytes::copy_from_slice(ring.jwks().as_bytes()),
        content_type: "application/json",
        cache_control: public_for_seconds(JWKS_MAX_AGE.as_secs()),
        etag: HeaderValue::from_str(ring.etag()).ok(),
    };
    document.answer(&headers)
}

/// A Cache-Control that lets everybody keep the answer.
pub(super) fn public_for_seconds(seconds: u64) -> HeaderValue {
    HeaderValue::try_from(format!("public, max-age={seconds}"))
        .unwrap_or(HeaderValue::from_static("no-cache"))
}
