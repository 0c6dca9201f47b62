//! Documents that clients may keep, and ask about again (RFC 9110 §8.8.3, §13.1.2). What may be kept, and for how long, is
//! decided by whoever serves the document.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use sha2::{Digest, Sha256};

/// A document, whole.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its bytes.
    pub body: Bytes,
    /// Its Content-Type.
    pub content_type: &'static str,
    /// Its Cache-Control.
    pub cache_control: HeaderValue,
    /// Its entity tag, quotes included; none is worth none.
    pub etag: Option<HeaderValue>,
}

impl Document {
    /// The answer to a request with these headers: the document, or 304 when the client has it already. HEAD loses its body
    /// further out.
    pub fn answer(self, request: &HeaderMap) -> Response {
        let kept = self.etag.as_ref().is_some_and(|etag| matches(request, etag));
        let mut response = Response::new(if kept { Body::empty() } else { Body::from(self.body) });
        if kept {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            let content_type = HeaderValue::from_static(self.content_type);
            response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        }
        response.headers_mut().insert(header::CACHE_CONTROL, self.cache_control);
        if let Some(etag) = self.etag {
            response.headers_mut().insert(header::ETAG, etag);
        }
        response
    }
}

/// The short name of some content: the first 72 bits of its SHA-256, as the addresses in pages have it.
pub fn version(content: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(content).get(..9).unwrap_or_default())
}

/// An entity tag of that name.
pub fn etag(version: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("\"{version}\"")).ok()
}

/// If-None-Match, by the weak comparison: a proxy that compresses makes the tag weak (RFC 9110 §13.1.2).
fn matches(request: &HeaderMap, etag: &HeaderValue) -> bool {
    let Ok(own) = etag.to_str() else { return false };
    let lists = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|list| list.to_str().ok());
    let mut tags = lists.flat_map(|list| list.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(if_none_match: Option<&str>) -> StatusCode {
        let mut request = HeaderMap::new();
        if let Some(text) = if_none_match {
            request.insert(header::IF_NONE_MATCH, HeaderValue::from_str(text).expect("a value"));
        }
        let document = Document {
            body: Bytes::from_static(b"{}"),
            content_type: "application/json",
            cache_control: HeaderValue::from_static("public, max-age=300"),
            etag: etag("abc"),
        };
        let response = document.answer(&request);
        assert_eq!(response.headers()[header::CACHE_CONTROL], "public, max-age=300");
        assert_eq!(response.headers()[header::ETAG], "\"abc\"");
        assert_eq!(
            response.headers().contains_key(header::CONTENT_TYPE),
            response.status() == StatusCode::OK
        );
        response.status()
    }

    // RFC 9110 §13.1.2, §15.4.5
    #[test]
    fn who_has_the_document_is_told_so_and_everybody_else_gets_it() {
        for had in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "\"x\" ,W/\"abc\"", "*"] {
            assert_eq!(status(Some(had)), StatusCode::NOT_MODIFIED, "{had}");
        }
        for other in ["\"abd\"", "abc", "\"ABC\"", "", "\"ab\", \"c\"", "w/\"abc\"", "\"a\"\"abc\""] {
            assert_eq!(status(Some(other)), StatusCode::OK, "{other}");
        }
        assert_eq!(status(None), StatusCode::OK);
    }
}
