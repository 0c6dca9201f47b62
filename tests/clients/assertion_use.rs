//! Good assertions, and that each opens one door once.

use super::*;
use crate::support::assertion::ASSERTION_TYPE;
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::RelyingParty;
use portreeve::protocol::verification_algorithm::VerificationAlgorithm;
use portreeve::tasks::sweep_expired;
use std::sync::Arc;
use std::time::Duration;

on_both_stores! {
    /// OpenID Connect Core §9: a whole flow, a refresh, a revocation and an introspection of an app that has no secret.
    async fn an_app_signs_its_way_through_a_whole_flow(database: TestDatabase) {
        let Signed { server, signer } = Signed::start(&database).await;
        let app = RelyingParty::signing("signed", "openid offline_access photos.read", Arc::new(signer));
        let tokens = app.tokens(&server, &mut Browser::new()).await;
        let refreshed = app.refresh(&server, tokens.refresh(), &[]).await;
        assert_eq!(refreshed.status, StatusCode::OK, "{refreshed:?}");
        let seen = app.post(&server, "/introspect", &[("token", tokens.access())]).await;
        assert_eq!(seen.json()["active"], true);
        assert_eq!(app.post(&server, "/revoke", &[("token", tokens.refresh())]).await.status, StatusCode::OK);
        let seen = app.post(&server, "/introspect", &[("token", tokens.access())]).await;
        assert_eq!(seen.json(), json!({"active": false}));
    }

    /// RFC 7523 §3: what may be left out may be, and the type that the newer standard names is known.
    async fn an_assertion_may_leave_out_what_it_need_not_say(database: TestDatabase) {
        let signed = Signed::start(&database).await;
        for (path, _) in ENDPOINTS {
            let answer = present(&signed.server, path, &signed.signer.assertion(&signed.server, "signed")).await;
            assert_answered(&answer, path);
        }
        for name in ["iat", "nbf"] {
            signed.assert_taken(&signed.with_claim(name, None), name).await;
        }
        for typ in ["JWT", "jwt", "client-authentication+jwt", "application/client-authentication+jwt"] {
            signed.assert_taken(&signed.with_header("typ", Some(json!(typ))), typ).await;
        }
        signed.assert_taken(&signed.with_header("typ", None), "no typ").await;
        signed.assert_taken(&signed.with_header("kid", None), "the only key needs no name").await;
        signed.assert_taken(&signed.with_claim("jti", Some(json!("x".repeat(256)))), "a long jti").await;
        signed.assert_taken(&signed.with_claim("jti", Some(json!("\0 \u{1f511}"))), "a strange jti").await;
        let (assertion, request) = (signed.signer.assertion(&signed.server, "signed"), ENDPOINTS[0].1);
        let named = [request, &presenting(&assertion), &[("client_id", "signed")]].concat();
        assert_eq!(signed.server.post("/token", None, &named).await.status, StatusCode::OK);
    }

    /// RFC 8725 §3.1: every algorithm that the metadata names, and for a client that registered one, only that.
    async fn every_algorithm_that_is_advertised_is_verified(database: TestDatabase) {
        let signers = VerificationAlgorithm::ALL.map(|algorithm| Signer::of(algorithm, Some(algorithm.as_str())));
        let all: Vec<&Value> = signers.iter().map(Signer::jwk).collect();
        let clients = client_with("signed", &all, "")
            + &client_with("strict", &all, "token_endpoint_auth_signing_alg = \"PS256\"");
        let server = TestServer::start_with(&database, "", &clients).await;
        let metadata = server.get("/.well-known/openid-configuration").await.json();
        for endpoint in ["token", "revocation", "introspection"] {
            let advertised = &metadata[format!("{endpoint}_endpoint_auth_signing_alg_values_supported")];
            assert_eq!(*advertised, json!(VerificationAlgorithm::ALL.map(VerificationAlgorithm::as_str)));
            let methods = metadata[format!("{endpoint}_endpoint_auth_methods_supported")].as_array();
            assert!(methods.expect("a list").contains(&json!("private_key_jwt")));
        }
        for (signer, algorithm) in signers.iter().zip(VerificationAlgorithm::ALL) {
            let answer = present(&server, "/token", &signer.assertion(&server, "signed")).await;
            assert_eq!(answer.status, StatusCode::OK, "{algorithm:?}: {answer:?}");
            let answer = present(&server, "/token", &signer.assertion(&server, "strict")).await;
            match algorithm {
                VerificationAlgorithm::Ps256 => assert_eq!(answer.status, StatusCode::OK, "{answer:?}"),
                other => assert_unknown(&answer, other.as_str()),
            }
        }
    }

    /// RFC 7523 §3 (7), threat 57: once, at whichever endpoint and whichever replica, whatever becomes of the request.
    async fn an_assertion_is_used_once(database: TestDatabase) {
        let signed = Signed::start(&database).await;
        let replica = signed.server.replica().await;
        for (path, _) in ENDPOINTS {
            let assertion = signed.signer.assertion(&signed.server, "signed");
            assert_answered(&present(&signed.server, path, &assertion).await, path);
            for server in [&signed.server, &replica] {
                for (other, _) in ENDPOINTS {
                    assert_unknown(&present(server, other, &assertion).await, "a second use");
                }
            }
        }
        let assertion = signed.signer.assertion(&signed.server, "signed");
        let unsupported = [&[("grant_type", "password")], &presenting(&assertion)[..]].concat();
        assert_eq!(signed.server.post("/token", None, &unsupported).await.error(), "unsupported_grant_type");
        assert_unknown(&signed.present(&assertion).await, "spent by a request that came to nothing else");
        // The jti is what is spent, in whatever token.
        let mut claims = signed.claims();
        signed.assert_taken(&signed.signer.sign(&signed.signer.header(), &claims), "first").await;
        claims["exp"] = json!(claims["exp"].as_i64().expect("a date") + 60);
        assert_unknown(&signed.present(&signed.signer.sign(&signed.signer.header(), &claims)).await, "its jti again");
    }

    /// Threat 57: it is spent after every other check, so that nobody spends what is not theirs.
    async fn a_refused_assertion_spends_nothing(database: TestDatabase) {
        let signed = Signed::start(&database).await;
        let good = signed.claims();
        let mut wrong = good.clone();
        wrong["aud"] = json!("https://other.example.com");
        let forged = Signer::new("one").sign(&signed.signer.header(), &good);
        for assertion in [signed.signer.sign(&signed.signer.header(), &wrong), forged] {
            assert_unknown(&signed.present(&assertion).await, "not good");
        }
        assert_eq!(database.number("SELECT COUNT(*) FROM spent_jtis").await, 0);
        signed.assert_taken(&signed.signer.sign(&signed.signer.header(), &good), "the good one").await;
        assert_eq!(database.number("SELECT COUNT(*) FROM spent_jtis").await, 1);
    }

    /// A `jti` is the client's own: two clients never take each other's.
    async fn two_clients_may_use_the_same_jti(database: TestDatabase) {
        let (one, other) = (Signer::new("one"), Signer::new("other"));
        let clients = client_with("signed", &[one.jwk()], "") + &client_with("other", &[other.jwk()], "");
        let server = TestServer::start_with(&database, "", &clients).await;
        for (signer, client_id) in [(&one, "signed"), (&other, "other")] {
            let mut claims = signer.claims(&server, client_id);
            claims["jti"] = json!("1");
            let assertion = signer.sign(&signer.header(), &claims);
            assert_eq!(present(&server, "/token", &assertion).await.status, StatusCode::OK, "{client_id}");
            assert_unknown(&present(&server, "/token", &assertion).await, client_id);
        }
    }

    /// Threat 193: the table does not grow with use, and sweeping revives nothing.
    async fn what_was_spent_is_swept_when_it_is_too_old_to_be_used(database: TestDatabase) {
        let signed = Signed::start(&database).await;
        let assertion = signed.signer.assertion(&signed.server, "signed");
        signed.assert_taken(&assertion, "first").await;
        for (wait, rows) in [(0, 1), (89, 1), (3600, 1), (2, 0)] {
            signed.server.clock.advance(Duration::from_secs(wait));
            sweep_expired::run_once(&signed.server.app).await.expect("a round");
            assert_eq!(database.number("SELECT COUNT(*) FROM spent_jtis").await, rows, "{wait}");
            assert_unknown(&signed.present(&assertion).await, "used");
        }
    }

    /// F-39: when nobody can tell whether it was used, it is not taken, and the client is told to come again.
    async fn without_the_store_no_assertion_is_taken(database: TestDatabase) {
        let signed = Signed::start(&database).await;
        database.execute("ALTER TABLE spent_jtis RENAME TO away").await;
        let assertion = signed.signer.assertion(&signed.server, "signed");
        for (path, _) in ENDPOINTS {
            let answer = present(&signed.server, path, &assertion).await;
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
            assert_eq!(answer.error(), "temporarily_unavailable");
            assert!(answer.header("retry-after").is_some());
        }
        database.execute("ALTER TABLE away RENAME TO spent_jtis").await;
        signed.assert_taken(&assertion, "nothing was spent").await;
    }
}

/// RFC 7523 §2.2: the name of the type is exact, and one does not go without the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assertion_of_another_type_is_refused() {
    let database = TestDatabase::sqlite();
    let signed = Signed::start(&database).await;
    let assertion = signed.signer.assertion(&signed.server, "signed");
    let saml = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer";
    let (upper, spaced) = (ASSERTION_TYPE.to_uppercase(), format!("{ASSERTION_TYPE} "));
    let ours = ("client_id", "signed");
    for parameters in [
        vec![("client_assertion_type", saml), ("client_assertion", &assertion)],
        vec![("client_assertion_type", &upper), ("client_assertion", &assertion)],
        vec![("client_assertion_type", &spaced), ("client_assertion", &assertion)],
        vec![("client_assertion_type", ""), ("client_assertion", &assertion)],
        vec![("client_assertion", &assertion)],
        vec![("client_assertion", &assertion), ours],
        vec![("client_assertion_type", ASSERTION_TYPE)],
        vec![("client_assertion_type", ASSERTION_TYPE), ours],
        vec![("client_assertion_type", ASSERTION_TYPE), ("client_assertion", "")],
        vec![ours],
    ] {
        for (path, request) in ENDPOINTS {
            let answer = signed.server.post(path, None, &[request, &parameters].concat()).await;
            assert_unknown(&answer, &format!("{parameters:?}"));
        }
    }
    signed.assert_taken(&assertion, "it was never spent").await;
}
