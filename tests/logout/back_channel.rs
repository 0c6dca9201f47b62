//! oidcc-backchannel-rp-initiated-logout-certification-test-plan: what a logout token says, and who gets one (threats 172, 173).

use super::{AFTER, app, deliver, is_signed_in, logout, start};
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::server::{TestServer, claims, header_of};
use portreeve::jose::expectation::{Audience, Expectation, ExpectedType, Expiry};
use portreeve::jose::jwk::PublicJwk;
use portreeve::jose::jwt_type::JwtType;
use portreeve::jose::verification_keys::VerificationKeys;
use portreeve::jose::verify::verify;
use portreeve::model::clock::Clock as _;
use portreeve::protocol::signing_algorithm::SigningAlgorithm;
use portreeve::tasks::deliver_outbox::Report;
use serde_json::json;
use std::time::Duration;

/// Asserts that an app which knows nothing but the JWKS takes the token (§2.6).
async fn assert_genuine(server: &TestServer, token: &str, client_id: &str, algorithm: SigningAlgorithm) {
    let jwks = server.jwks().await;
    let keys = jwks["keys"].as_array().expect("keys").iter();
    let keys = VerificationKeys::named(keys.map(|key| PublicJwk::parse(key).expect("a key")));
    let expectation = Expectation {
        typ: ExpectedType::Only(JwtType::LogoutToken),
        issuer: Some("https://auth.example.com"),
        audience: Audience::Exactly(client_id),
        algorithms: &[algorithm.into()],
        now_seconds: server.clock.now().seconds(),
        leeway_seconds: 0,
        expiry: Expiry::Required,
        maximum_age_seconds: Some(60),
    };
    verify(token, &keys, &expectation).expect("a genuine logout token");
}

on_both_stores! {
    /// oidcc-backchannel-rp-initiated-logout; §2.4
    async fn every_app_that_took_part_gets_its_logout_token(database: TestDatabase) {
        let (server, receiver) = start(&database).await;
        let mut browser = Browser::new();
        let tokens = app("app").tokens(&server, &mut browser).await;
        let others = app("other").tokens(&server, &mut browser).await;
        // an app that came twice took part once, and one that wants no tokens is not told
        app("app").tokens(&server, &mut browser).await;
        app("third").code(&server, &mut browser).await;
        assert_eq!(deliver(&server).await, Report::default(), "nothing ended yet");
        let parameters = [("id_token_hint", tokens.id()), ("post_logout_redirect_uri", AFTER), ("state", "x")];
        assert_eq!(logout(&server, &mut browser, &parameters).await.location(), format!("{AFTER}?state=x"));
        assert!(!is_signed_in(&server, &mut browser).await);
        assert_eq!(deliver(&server).await, Report { delivered: 2, ..Report::default() });
        assert_eq!(deliver(&server).await, Report::default(), "once");
        let got = receiver.tokens();
        assert_eq!(got.len(), 2);
        for (client_id, id_token, algorithm) in
            [("app", tokens.id(), SigningAlgorithm::Rs256), ("other", others.id(), SigningAlgorithm::Es256)]
        {
            let token = got.iter().find(|token| claims(token)["aud"] == client_id).expect("its token");
            assert_genuine(&server, token, client_id, algorithm).await;
            let (said, id) = (claims(token), claims(id_token));
            assert_eq!(header_of(token)["typ"], "logout+jwt");
            assert_eq!((&said["sub"], &said["sid"], &said["iss"]), (&id["sub"], &id["sid"], &id["iss"]));
            assert_eq!(said["events"], json!({"http://schemas.openid.net/event/backchannel-logout": {}}));
            assert!(said["jti"].as_str().is_some_and(|jti| jti.len() >= 16));
            let life = said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap();
            assert!((1..=120).contains(&life), "two minutes at most: {life}");
            let names: Vec<&String> = said.as_object().unwrap().keys().collect();
            assert_eq!(names.len(), 8, "no nonce, and nothing else: {names:?}");
        }
        assert_ne!(claims(&got[0])["jti"], claims(&got[1])["jti"]);
    }

    /// OpenID Connect Core §8: the token names the person as the client's ID tokens do
    async fn a_client_with_pairwise_subjects_reads_its_own(database: TestDatabase) {
        let receiver = crate::logout::Receiver::start().await;
        let pairwise = crate::logout::clients(&receiver.server.url(""))
            .replace("backchannel_logout_session_required = true", "subject_type = \"pairwise\"");
        let server = TestServer::start_with(&database, &receiver.server.settings(), &pairwise).await;
        let mut browser = Browser::new();
        let tokens = app("app").tokens(&server, &mut browser).await;
        let others = app("other").tokens(&server, &mut browser).await;
        // the hint of such a client is one of its session too
        crate::logout::assert_logged_out_page(&logout(&server, &mut browser, &[("id_token_hint", tokens.id())]).await);
        assert_eq!(deliver(&server).await.delivered, 2);
        assert_ne!(claims(tokens.id())["sub"], claims(others.id())["sub"]);
        for token in receiver.tokens() {
            let own = if claims(&token)["aud"] == "app" { tokens.id() } else { others.id() };
            assert_eq!(claims(&token)["sub"], claims(own)["sub"]);
            assert_eq!(claims(&token)["sid"], claims(own)["sid"]);
        }
        // threat 137: a session's name would join the two as well as the person's
        assert_ne!(claims(tokens.id())["sid"], claims(others.id())["sid"]);
    }

    /// §2.3: who learns nothing of the session is told nothing of its end; and no row is written for them
    async fn an_app_that_wants_no_token_or_knows_no_session_takes_no_part(database: TestDatabase) {
        let (server, receiver) = start(&database).await;
        let mut browser = Browser::new();
        let code = crate::logout::app_asking("app", "photos.read").code(&server, &mut browser).await;
        assert_eq!(crate::logout::app_asking("app", "photos.read").redeem(&server, &code, &[]).await.status, 200);
        app("third").code(&server, &mut browser).await;
        crate::support::relying_party::RelyingParty::new("web", "openid").tokens(&server, &mut browser).await;
        assert_eq!(database.number("SELECT COUNT(*) FROM session_clients").await, 0);
        crate::grants::sign_out(&server, &mut browser).await;
        assert_eq!(database.number("SELECT COUNT(*) FROM outbox").await, 0);
        assert_eq!(deliver(&server).await, Report::default());
        assert!(receiver.tokens().is_empty());
    }

    /// F-21: what the configuration says when the news is sent decides
    async fn an_app_that_wants_no_tokens_any_more_is_left_alone_and_one_that_is_gone_is_waited_for(database: TestDatabase) {
        let (server, receiver) = start(&database).await;
        let mut browser = Browser::new();
        app("app").tokens(&server, &mut browser).await;
        app("other").tokens(&server, &mut browser).await;
        crate::grants::sign_out(&server, &mut browser).await;
        let clients = server.configuration.clients.clone();
        let changed = clients.replace("client_id = \"app\"", "client_id = \"renamed\"");
        let uri = format!("backchannel_logout_uri = \"{}\"", receiver.server.url("/other"));
        server.reload(&server.configuration.settings, &changed.replace(&uri, ""));
        assert_eq!(deliver(&server).await, Report { failed: 1, discarded: 1, ..Report::default() });
        assert_eq!(database.number("SELECT COUNT(*) FROM outbox WHERE state = 'pending'").await, 1);
        // a reverted commit brings the app back, and it hears of it
        server.reload(&server.configuration.settings, &clients);
        server.clock.advance(Duration::from_secs(60));
        assert_eq!(deliver(&server).await, Report { delivered: 1, ..Report::default() });
        assert_eq!(claims(&receiver.tokens()[0])["aud"], "app");
    }

    /// threat 186: neither the database nor the audit trail holds a token
    async fn tokens_are_made_when_they_are_sent_and_lie_nowhere(database: TestDatabase) {
        let (server, receiver) = start(&database).await;
        let mut browser = Browser::new();
        let tokens = app("app").tokens(&server, &mut browser).await;
        receiver.answer(500);
        crate::grants::sign_out(&server, &mut browser).await;
        assert_eq!(deliver(&server).await, Report { failed: 1, ..Report::default() });
        for query in [
            "SELECT COUNT(*) FROM outbox WHERE facts LIKE '%eyJ%' OR last_error LIKE '%eyJ%' OR recipient LIKE '%eyJ%'",
            "SELECT COUNT(*) FROM audit_events WHERE reason LIKE '%eyJ%' OR detail LIKE '%eyJ%'",
            "SELECT COUNT(*) FROM outbox WHERE sealed IS NOT NULL",
        ] {
            assert_eq!(database.number(query).await, 0, "{query}");
        }
        assert_eq!(claims(tokens.id())["sid"], claims(&receiver.tokens()[0])["sid"]);
    }
}
