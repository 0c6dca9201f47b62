//! One request's way through a connection: who asks, how long its body may take, and when its response is gone.
//!
//! The router is called with [`PeerAddress`] and [`ClientAddress`](super::client_address::ClientAddress) among the request's extensions. A body that is not
//! complete in time ends with [`BodyTimedOut`] and the answer becomes 408 (RFC 9110 §15.5.9); extractors may also see
//! the error and answer 408 themselves. A chunked HTTP/1 request ends its connection, because its end is not checked
//! by `framing` (RFC 9112 §9.3 leaves that to the server).

use super::client_address::{PeerAddress, client_address};
use super::pulse::{InWork, SharedPulse};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, StatusCode, Version, header};
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use ipnet::IpNet;
use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep};
use tower::Service as _;

/// The router as one connection sees it.
#[derive(Clone, Debug)]
pub struct Visits {
    /// Who answers.
    pub router: Router,
    /// The socket's other end.
    pub peer: IpAddr,
    /// Peers whose headers are believed.
    pub trusted_proxies: Arc<[IpNet]>,
    /// How long a whole request body may take.
    pub body_timeout: Duration,
    /// The connection's signs of life.
    pub pulse: SharedPulse,
}

impl hyper::service::Service<Request<Incoming>> for Visits {
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let http2 = request.version() == Version::HTTP_2;
        let mut in_work = self.pulse.request_began(http2);
        let chunked = !http2 && request.headers().contains_key(header::TRANSFER_ENCODING);
        let late = Arc::new(AtomicBool::new(false));
        let client = client_address(self.peer, request.headers(), &self.trusted_proxies);
        let mut request = if request.body().is_end_stream() {
            request.map(|_| Body::empty())
        } else {
            let deadline = Instant::now() + self.body_timeout;
            request.map(|body| {
                let pulse = self.pulse.clone();
                Body::new(RequestBody {
                    body,
                    deadline,
                    sleep: None,
                    late: late.clone(),
                    ended: false,
                    pulse,
                })
            })
        };
        request.extensions_mut().insert(PeerAddress(self.peer));
        request.extensions_mut().insert(client);
        let answer = self.router.clone().call(request);
        Box::pin(async move {
            let Ok(mut response) = answer.await;
            if late.load(Ordering::Relaxed) && response.status() != StatusCode::REQUEST_TIMEOUT {
                response = too_late(response);
            }
            if chunked {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            in_work.answer();
            Ok(response.map(|body| ResponseBody { body, in_work }))
        })
    }
}

/// Whatever the handler made of half a body, the truth is that the rest did not come.
fn too_late(response: Response<Body>) -> Response<Body> {
    let (mut parts, _) = response.into_parts();
    parts.status = StatusCode::REQUEST_TIMEOUT;
    for entity in [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::LOCATION, header::SET_COOKIE] {
        parts.headers.remove(entity);
    }
    Response::from_parts(parts, Body::empty())
}

/// A request's body did not come whole in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request body did not arrive in time")]
pub struct BodyTimedOut;

struct RequestBody {
    body: Incoming,
    deadline: Instant,
    sleep: Option<Pin<Box<Sleep>>>,
    late: Arc<AtomicBool>,
    ended: bool,
    pulse: SharedPulse,
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if !self.ended && !self.body.is_end_stream() {
            self.pulse.stopped_listening();
        }
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        if this.late.load(Ordering::Relaxed) {
            return Poll::Ready(Some(Err(BodyTimedOut.into())));
        }
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            // a drip that is always ready is late as well
            if matches!(&frame, Some(Ok(_))) && !this.body.is_end_stream() && Instant::now() >= this.deadline
            {
                this.late.store(true, Ordering::Relaxed);
                return Poll::Ready(Some(Err(BodyTimedOut.into())));
            }
            this.ended |= frame.is_none();
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let deadline = this.deadline;
        let sleep = this.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        ready!(sleep.as_mut().poll(context));
        this.late.store(true, Ordering::Relaxed);
        Poll::Ready(Some(Err(BodyTimedOut.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A response's body, which keeps its request in work until it is gone.
#[derive(Debug)]
pub struct ResponseBody {
    body: Body,
    in_work: InWork,
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) else {
            this.in_work.await_handler();
            return Poll::Pending;
        };
        this.in_work.offer();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
