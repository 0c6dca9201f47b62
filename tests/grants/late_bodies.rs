//! A request is judged when it has arrived whole: a body may take ten seconds, in which codes and sessions end (threats 27, 32).

use super::assert_refused;
use crate::support::browser::{Browser, form};
use crate::support::clock::ManualClock;
use crate::support::database::on_both_stores;
use crate::support::relying_party::RelyingParty;
use crate::support::server::{Answer, TestServer, basic, encode};
use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode, header};
use futures_util::stream;
use std::time::Duration;

/// A body in two halves, between which time passes.
fn dripping(body: String, clock: ManualClock, pause: Duration) -> Body {
    let (first, second) = body.split_at(body.len() / 2);
    let halves = [first.to_owned(), second.to_owned()];
    Body::from_stream(stream::iter(halves.into_iter().enumerate().map(move |(number, half)| {
        if number == 1 {
            clock.advance(pause);
        }
        Ok::<_, std::io::Error>(Bytes::from(half))
    })))
}

async fn post(server: &TestServer, path: &str, more: &[(header::HeaderName, String)], body: Body) -> Answer {
    let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    for (name, value) in more {
        request = request.header(name, value);
    }
    server.send(request.body(body).expect("a request")).await
}

on_both_stores! {
    /// RFC 6749 §4.1.2: a code that ends while the body arrives has ended.
    async fn a_code_that_expires_while_the_body_arrives_is_not_redeemed(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("web", "openid");
        for (pause, status) in [(8, StatusCode::OK), (10, StatusCode::BAD_REQUEST)] {
            let code = app.code(&server, &mut Browser::new()).await;
            server.clock.advance(Duration::from_millis(51_000));
            let parameters = encode(&[
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", &app.redirect_uri),
                ("code_verifier", &app.verifier),
            ]);
            let body = dripping(parameters, server.clock.clone(), Duration::from_secs(pause));
            let proof = [(header::AUTHORIZATION, basic("web", server.secret()))];
            let answer = post(&server, "/token", &proof, body).await;
            assert_eq!(answer.status, status, "{answer:?}");
            if status != StatusCode::OK {
                assert_refused(&answer, "invalid_grant");
            }
        }
    }

    /// RFC 7662 §2.2, OpenID Connect Core §5.3.
    async fn a_token_that_expires_while_the_body_arrives_has_expired(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let tokens = RelyingParty::new("web", "openid").tokens(&server, &mut Browser::new()).await;
        server.clock.advance(Duration::from_secs(595));
        let body = dripping(encode(&[("token", tokens.access())]), server.clock.clone(), Duration::from_secs(5));
        let proof = [(header::AUTHORIZATION, basic("web", server.secret()))];
        let answer = post(&server, "/introspect", &proof, body).await;
        assert_eq!(answer.json()["active"], false);
        let tokens = RelyingParty::new("web", "openid").tokens(&server, &mut Browser::new()).await;
        server.clock.advance(Duration::from_secs(595));
        let body = dripping(encode(&[("access_token", tokens.access())]), server.clock.clone(), Duration::from_secs(5));
        assert_eq!(post(&server, "/userinfo", &[], body).await.status, StatusCode::UNAUTHORIZED);
    }

    /// A session that ends while its consent arrives gives no code.
    async fn a_session_that_ends_while_the_consent_arrives_gives_nothing(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("web", "openid");
        let mut browser = Browser::new();
        let answer = browser.get(&server, &app.authorize(&[])).await;
        let page = browser.follow(&server, answer).await;
        let page = browser.sign_in(&server, &page, "ada").await;
        let shown = form(&page);
        let mut fields: Vec<(&str, &str)> = shown.hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        fields.extend([("decision", "allow"), ("scope", "openid")]);
        server.clock.advance(Duration::from_secs(12 * 3_600 - 5));
        let cookies: Vec<String> = browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let headers = [(header::COOKIE, cookies.join("; ")), (header::ORIGIN, server.issuer())];
        let body = dripping(encode(&fields), server.clock.clone(), Duration::from_secs(5));
        let answer = post(&server, &shown.action, &headers, body).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
        assert!(answer.location().starts_with("/authorize?"), "{answer:?}");
    }
}
