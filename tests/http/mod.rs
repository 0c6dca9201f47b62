//! What every request meets, whichever its purpose: methods, paths, redirects, failures of the store, documents in caches.

mod documents;
mod endpoints;
mod languages;

use crate::support::server::TestServer;
use axum::body::Body;
use axum::http::Request;

/// Sends a request without a body.
async fn send(
    server: &TestServer,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> crate::support::server::Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    server.send(request.body(Body::empty()).expect("a request")).await
}
