//! The files that pages load, all from here (threats 152, 153). What they hold is decided in `pages` and by the operator.

use super::app::{App, Mode, Snapshot};
use super::entity_tag::{Document, etag, version};
use crate::config::Logo;
use crate::pages::{ASSETS, PLAYGROUND_SCRIPT, mark_svg, theme_css};
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;

/// GET `/assets/{file}`. An address with the content's version may be kept for ever; any other is asked about again.
pub async fn asset(
    State(app): State<App>,
    Path(file): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let snapshot = app.snapshot.load();
    let Some((content_type, body)) = content(&file, &snapshot, app.mode) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let version = version(&body);
    // an older or newer replica may have been asked for its own version: that must not be kept under its name
    let named = query.as_deref().and_then(|query| query.strip_prefix("v=")) == Some(&version);
    let cache_control = if named { "public, max-age=31536000, immutable" } else { "no-cache" };
    let document = Document {
        body,
        content_type,
        cache_control: HeaderValue::from_static(cache_control),
        etag: etag(&version),
    };
    let mut response = document.answer(&headers);
    if file == LOGO {
        // an image in a page all the same; opened by itself it is a file to save
        let attachment = HeaderValue::from_static("attachment");
        response.headers_mut().insert(header::CONTENT_DISPOSITION, attachment);
    }
    response
}

/// The address of the operator's logo below the issuer's path; it digests the whole picture.
pub fn logo_url(issuer_path: &str, logo: &Logo) -> String {
    format!("{issuer_path}/assets/{LOGO}?v={}", version(&logo.bytes))
}

fn content(file: &str, snapshot: &Snapshot, mode: Mode) -> Option<(&'static str, Bytes)> {
    let pages = &snapshot.config.pages;
    let accent = pages.accent.as_deref();
    match file {
        "theme.css" => Some(("text/css; charset=utf-8", theme_css(accent).into())),
        "mark.svg" => Some(("image/svg+xml", mark_svg(accent).into())),
        LOGO => pages.logo.as_ref().map(|logo| (logo.media_type, Bytes::copy_from_slice(&logo.bytes))),
        _ => {
            let script = (mode == Mode::Dev).then_some(PLAYGROUND_SCRIPT);
            let asset = ASSETS.into_iter().chain(script).find(|asset| asset.name == file)?;
            Some((asset.content_type, Bytes::from_static(asset.body.as_bytes())))
        }
    }
}

/// The operator's picture, whatever its kind.
const LOGO: &str = "logo";

#[cfg(test)]
#[path = "assets_tests.rs"]
mod tests;
