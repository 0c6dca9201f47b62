//! One method, the registered one, for one client (RFC 6749 §2.3).

use super::*;
use crate::support::database::on_both_stores;
use crate::support::server::basic;
use std::time::Duration;

on_both_stores! {
    /// RFC 6749 §2.3, threat 53: never two at once, right or wrong.
    async fn two_methods_in_one_request_are_refused(database: TestDatabase) {
        let signed = Signed::start(&database).await;
        let (server, secret) = (&signed.server, signed.server.secret().to_owned());
        let (of_web, of_signed) = (basic("web", &secret), basic("signed", &secret));
        for (path, request) in ENDPOINTS {
            let assertion = signed.signer.assertion(server, "signed");
            let presented = presenting(&assertion);
            let in_body = [("client_id", "signed"), ("client_secret", secret.as_str())];
            let web_in_body = [("client_id", "web"), ("client_secret", secret.as_str())];
            for (authorization, parameters) in [
                (Some(&of_web), presented.to_vec()),
                (Some(&of_signed), presented.to_vec()),
                (Some(&of_web), vec![presented[0]]),
                (Some(&of_web), vec![presented[1]]),
                (Some(&of_web), web_in_body.to_vec()),
                (None, [&presented[..], &in_body].concat()),
                (None, [&presented[..], &web_in_body].concat()),
                (Some(&of_web), [&presented[..], &in_body].concat()),
            ] {
                let parameters = [request, &parameters].concat();
                let answer = server.post(path, authorization.map(String::as_str), &parameters).await;
                assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
                assert_eq!(answer.error(), "invalid_request", "{answer:?}");
            }
            assert_answered(&present(server, path, &assertion).await, "nothing was spent");
        }
    }

    /// Threat 54: whoever the request names, it is one client.
    async fn names_that_differ_are_refused(database: TestDatabase) {
        let (one, other) = (Signer::new("one"), Signer::new("one"));
        let clients = client_with("signed", &[one.jwk()], "") + &client_with("other", &[other.jwk()], "");
        let server = TestServer::start_with(&database, "", &clients).await;
        for (path, request) in ENDPOINTS {
            for named in ["other", "web", "spa", "nobody", "Signed", "signed ", "usr_x"] {
                let assertion = one.assertion(&server, "signed");
                let parameters = [request, &presenting(&assertion), &[("client_id", named)]].concat();
                assert_unknown(&server.post(path, None, &parameters).await, named);
                assert_answered(&present(&server, path, &assertion).await, "nothing was spent");
            }
            let authorization = basic("web", server.secret());
            let parameters = [request, &[("client_id", "signed")]].concat();
            let answer = server.post(path, Some(&authorization), &parameters).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer:?}");
        }
    }

    /// Threat 56: a client that signs proves itself by nothing less, and no other by signing.
    async fn another_method_than_the_registered_one_is_refused(database: TestDatabase) {
        let signed = Signed::start(&database).await;
        let (server, secret) = (&signed.server, signed.server.secret().to_owned());
        for (path, request) in ENDPOINTS {
            let of_signed = basic("signed", &secret);
            let without_secret = basic("signed", "");
            for (authorization, parameters) in [
                (None, vec![("client_id", "signed"), ("client_secret", secret.as_str())]),
                (None, vec![("client_id", "signed")]),
                (Some(&of_signed), vec![]),
                (Some(&without_secret), vec![]),
            ] {
                let parameters = [request, &parameters].concat();
                let answer = server.post(path, authorization.map(String::as_str), &parameters).await;
                assert_eq!((answer.status, answer.error().as_str()), (StatusCode::UNAUTHORIZED, "invalid_client"));
            }
            for client_id in ["web", "post", "spa", "nobody"] {
                let assertion = signed.signer.assertion(server, client_id);
                assert_unknown(&present(server, path, &assertion).await, client_id);
            }
            assert_answered(&present(server, path, &signed.signer.assertion(server, "signed")).await, path);
        }
        let flow = [("client_id", "web"), ("redirect_uri", "https://web.example.com/callback")];
        let parameters = [&flow[..], &[("grant_type", "authorization_code"), ("code", "x")]].concat();
        let answer = server.post("/token", Some(&basic("web", &secret)), &parameters).await;
        assert_eq!(answer.error(), "invalid_grant", "the others still prove themselves as ever");
    }

    /// Threats 52, 62: failures are slowed where they come from, and nobody else.
    async fn whoever_fails_often_is_told_to_wait_and_a_good_assertion_is_not(database: TestDatabase) {
        let signed = Signed::start(&database).await;
        let guess = async |address: &str, assertion: &str| {
            let parameters = [ENDPOINTS[0].1, &presenting(assertion)].concat();
            signed.server.post_from(address, "/token", None, &parameters).await
        };
        let wrong = || signed.with_claim("aud", Some(json!("https://other.example.com")));
        let mut waits = Vec::new();
        for _ in 0..8 {
            let answer = guess("203.0.113.7", &wrong()).await;
            assert_unknown(&answer, "wrong");
            waits.push(answer.header("retry-after").map(str::to_owned));
        }
        assert!(waits[0].is_none() && waits[7].is_some(), "{waits:?}");
        assert!(guess("198.51.100.9", &wrong()).await.header("retry-after").is_none(), "elsewhere nobody failed");
        let good = signed.signer.assertion(&signed.server, "signed");
        assert_eq!(guess("203.0.113.7", &good).await.status, StatusCode::OK, "a good one is always taken");
        signed.server.clock.advance(Duration::from_secs(3600));
        assert!(guess("203.0.113.7", &wrong()).await.header("retry-after").is_none());
    }
}
