//! `/assets/client-logo/{client_id}`: a client's logo, as this server has made it anew. The page that shows it does not wait
//! for it to be fetched; this answer does.

use super::app::App;
use super::entity_tag::{Document, etag, version};
use super::extract::Visit;
use crate::clients::logos::LogoKnown;
use crate::model::client::Client;
use crate::protocol::identifiers::ClientId;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Where logos are, below the issuer.
pub const PATH: &str = "/assets/client-logo/";

/// `GET /assets/client-logo/{client_id}`.
pub async fn get(
    State(app): State<App>,
    visit: Visit,
    Path(client_id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Ok(id) = ClientId::parse(&client_id) else { return StatusCode::NOT_FOUND.into_response() };
    let Ok(snapshot) = visit.snapshot.naming(&app.store, std::slice::from_ref(&id)).await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let Some(client) = snapshot.registry.find(&id) else { return StatusCode::NOT_FOUND.into_response() };
    match app.logos.png(client, &snapshot.outbound, visit.circumstances.now).await {
        None => StatusCode::NOT_FOUND.into_response(),
        Some(png) => {
            let document = Document {
                etag: etag(&version(&png)),
                body: png,
                content_type: "image/png",
                cache_control: HeaderValue::from_static("public, max-age=3600"),
            };
            let mut response = document.answer(&headers);
            // an image in a page all the same; opened by itself it is a file to save
            let attachment = HeaderValue::from_static("attachment");
            response.headers_mut().insert(header::CONTENT_DISPOSITION, attachment);
            response
        }
    }
}

/// The address of the client's logo, for a page; nothing for one that has none, or whose logo cannot be had.
pub fn url(app: &App, visit: &Visit, client: &Client) -> Option<String> {
    match app.logos.known(client, visit.circumstances.now) {
        LogoKnown::Absent => None,
        LogoKnown::Likely => {
            let id = utf8_percent_encode(client.id.as_str(), NON_ALPHANUMERIC);
            Some(format!("{}{PATH}{id}", visit.snapshot.config.issuer.path()))
        }
    }
}
