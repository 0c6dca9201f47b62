//! One request and its answer over a connection that is used once: the request says nothing but what is asked, and the answer
//! is read no further than it may be long (threats 89, 90, 91).

use super::error::OutboundError;
use super::reach::Secured;
use super::{Document, Expected, OutboundUrl};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper::header::{self, HeaderMap, HeaderName};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::time::Duration;

/// How long the head of an answer may be, in bytes.
const LARGEST_HEAD: usize = 16 * 1024;
/// How many headers it may have.
const MOST_HEADERS: usize = 64;

/// What this server calls itself.
const USER_AGENT: &str = "portreeve";

type Question = Request<Full<Bytes>>;

/// The request for a document.
pub(super) fn get(url: &OutboundUrl, accept: &str) -> Result<Question, OutboundError> {
    question(Method::GET, url, (header::ACCEPT, accept), Bytes::new())
}

/// The request that posts a form.
pub(super) fn post(url: &OutboundUrl, form: String) -> Result<Question, OutboundError> {
    let content_type = (header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    question(Method::POST, url, content_type, form.into())
}

fn question(
    method: Method,
    url: &OutboundUrl,
    (name, value): (HeaderName, &str),
    body: Bytes,
) -> Result<Question, OutboundError> {
    Request::builder()
        .method(method)
        .uri(url.path_and_query())
        .header(header::HOST, url.authority().as_header())
        .header(header::USER_AGENT, USER_AGENT)
        .header(header::ACCEPT_ENCODING, "identity")
        .header(header::CONNECTION, "close")
        .header(name, value)
        .body(Full::new(body))
        .map_err(|why| OutboundError::Exchange(why.to_string()))
}

/// Sends a request and reads the document that is its answer.
pub(super) async fn fetch(
    stream: Secured,
    request: Question,
    expected: &Expected,
) -> Result<Document, OutboundError> {
    exchange(stream, request, async |response: Response<Incoming>| {
        if response.status() != StatusCode::OK {
            return Err(OutboundError::Status(response.status().as_u16()));
        }
        let headers = response.headers();
        if headers
            .get_all(header::CONTENT_ENCODING)
            .iter()
            .any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
        {
            return Err(OutboundError::Encoded);
        }
        let media_type = media_type(headers, expected.media_types)?;
        let max_age = max_age(headers);
        let bytes = read(response.into_body(), expected.largest).await?;
        Ok(Document { bytes, media_type, max_age })
    })
    .await
}

/// Sends a request and reads the status of its answer; of the rest nothing is wanted.
pub(super) async fn post_status(stream: Secured, request: Question) -> Result<StatusCode, OutboundError> {
    exchange(stream, request, async |response: Response<Incoming>| Ok(response.status())).await
}

/// Sends a request and lets `read` have the answer. The connection ends with the future: nothing of it runs elsewhere.
async fn exchange<T>(
    stream: Secured,
    request: Question,
    read: impl AsyncFnOnce(Response<Incoming>) -> Result<T, OutboundError>,
) -> Result<T, OutboundError> {
    let mut builder = http1::Builder::new();
    builder.max_headers(MOST_HEADERS).max_header_size(LARGEST_HEAD).max_buf_size(LARGEST_HEAD * 2);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let driven = async {
        // What went wrong on it, the answer says as well.
        let _ = connection.await;
        std::future::pending::<()>().await;
    };
    let answered = async { read(sender.send_request(request).await.map_err(broken)?).await };
    tokio::select! {
        answer = answered => answer,
        () = driven => Err(OutboundError::Exchange("the connection ended".into())),
    }
}

fn broken(why: hyper::Error) -> OutboundError {
    use std::error::Error as _;
    match why.source() {
        Some(source) => OutboundError::Exchange(format!("{why}: {source}")),
        None => OutboundError::Exchange(why.to_string()),
    }
}

async fn read(mut body: Incoming, largest: usize) -> Result<Bytes, OutboundError> {
    if body.size_hint().lower() > largest as u64 {
        return Err(OutboundError::TooLarge(largest));
    }
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        if bytes.len() + data.len() > largest {
            return Err(OutboundError::TooLarge(largest));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.into())
}

/// The one media type, when it is among those expected (RFC 9110 §8.3).
fn media_type(headers: &HeaderMap, expected: &[&'static str]) -> Result<&'static str, OutboundError> {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(OutboundError::MediaType("none, or several".into()));
    };
    let text = value.to_str().unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim();
    let found = expected.iter().copied().find(|name| name.eq_ignore_ascii_case(essence));
    found.ok_or_else(|| OutboundError::MediaType(essence.chars().take(100).collect()))
}

/// For how long an answer may be kept (RFC 9111 §4.2.1, §5.2.2); what contradicts itself may not be.
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let texts = headers.get_all(header::CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let mut life = None;
    for directive in texts.flat_map(|text| text.split(',')) {
        let (name, value) = directive.trim().split_once('=').unwrap_or((directive.trim(), ""));
        let seconds = match name.to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => 0,
            "max-age" => value.trim_matches('"').parse::<u32>().unwrap_or(0),
            _ => continue,
        };
        life = Some(life.map_or(seconds, |other: u32| other.min(seconds)));
    }
    let age =
        headers.get(header::AGE).and_then(|value| value.to_str().ok()?.parse::<u32>().ok()).unwrap_or(0);
    life.map(|seconds| Duration::from_secs(seconds.saturating_sub(age).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), header::HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn a_life_is_the_shortest_that_is_told() {
        for (pairs, life) in [
            (&[("cache-control", "public, max-age=600")][..], Some(600)),
            (&[("cache-control", "Max-Age=\"60\"")], Some(60)),
            (&[("cache-control", "max-age=600"), ("age", "100")], Some(500)),
            (&[("cache-control", "max-age=600"), ("age", "700")], Some(0)),
            (&[("cache-control", "max-age=600, max-age=60")], Some(60)),
            (&[("cache-control", "max-age=600"), ("cache-control", "no-store")], Some(0)),
            (&[("cache-control", "no-cache=\"set-cookie\"")], Some(0)),
            (&[("cache-control", "max-age=-1")], Some(0)),
            (&[("cache-control", "max-age=soon")], Some(0)),
            (&[("cache-control", "s-maxage=600")], None),
            (&[("age", "1")], None),
            (&[], None),
        ] {
            assert_eq!(max_age(&headers(pairs)).map(|life| life.as_secs()), life, "{pairs:?}");
        }
    }

    #[test]
    fn a_media_type_is_the_one_that_is_told() {
        let expected = &["application/json", "application/jwk-set+json"];
        for told in ["application/json", "Application/JSON; charset=utf-8", "application/json ;x=1"] {
            assert_eq!(media_type(&headers(&[("content-type", told)]), expected), Ok("application/json"));
        }
        for told in ["text/html", "application/json5", "application/json, text/html", "", ";application/json"]
        {
            assert!(media_type(&headers(&[("content-type", told)]), expected).is_err(), "{told}");
        }
        let twice = headers(&[("content-type", "application/json"), ("content-type", "application/json")]);
        assert!(media_type(&twice, expected).is_err());
        assert!(media_type(&headers(&[]), expected).is_err());
    }
}
