//! A refresh never reaches further than the grant: not for another client, not for more scopes, not for another resource,
//! and not with a token that anybody changed.

use super::assert_refused;
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::{RelyingParty, Tokens};
use crate::support::server::{TestServer, claims};
use axum::http::StatusCode;
use serde_json::Value;
use std::time::Duration;

on_both_stores! {
    /// RFC 6749 §10.4; threat 44: no client refreshes with another's token, nor ends its grant.
    async fn a_refresh_token_is_of_no_use_to_another_client(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        for name in ["web", "spa"] {
            let app = RelyingParty::new(name, "openid offline_access photos.read");
            let tokens = app.tokens(&server, &mut Browser::new()).await;
            let stolen = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh())];
            for thief in ["ours", "staff"] {
                assert_refused(&server.post_as(thief, "/token", &stolen).await, "invalid_grant");
            }
            assert_refused(&server.post_as("service", "/token", &stolen).await, "unauthorized_client");
            let public = [stolen.as_slice(), &[("client_id", "native")]].concat();
            assert_refused(&server.post("/token", None, &public).await, "invalid_grant");
            let unproven = [stolen.as_slice(), &[("client_id", "web")]].concat();
            assert_refused(&server.post("/token", None, &unproven).await, "invalid_client");
            assert_refused(&app.post(&server, "/token", &[("grant_type", "refresh_token")]).await, "invalid_request");
            assert_eq!(app.refresh(&server, tokens.refresh(), &[]).await.status, StatusCode::OK);
        }
    }

    /// Threat 50: any flipped bit, cut, extension or change of case fails, and harms nothing.
    async fn a_refresh_token_that_was_changed_anywhere_is_refused(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("spa", "openid offline_access");
        let tokens = app.tokens(&server, &mut Browser::new()).await;
        let token = tokens.refresh();
        let mut mutations: Vec<String> = Vec::new();
        for at in 0..token.len() {
            for other in ['A', 'z', '7', '_'] {
                let mut changed: Vec<char> = token.chars().collect();
                changed[at] = other;
                mutations.push(changed.into_iter().collect());
            }
        }
        mutations.extend((1..token.len()).step_by(7).map(|length| token[..length].to_owned()));
        mutations.extend((1..20).map(|start| token[start..].to_owned()));
        mutations.extend(["A", "=", "==", " ", ".", "%"].map(|more| format!("{token}{more}")));
        mutations.extend([token.to_uppercase(), token.to_lowercase(), format!(" {token}"), token.repeat(2)]);
        mutations.retain(|changed| changed != token);
        assert!(mutations.len() > 400);
        for changed in mutations {
            let answer = app.refresh(&server, &changed, &[]).await;
            assert_eq!((answer.status.as_u16(), answer.error().as_str()), (400, "invalid_grant"), "{changed}");
        }
        assert_eq!(app.refresh(&server, token, &[]).await.status, StatusCode::OK);
    }

    /// RFC 6749 §6; threat 42: narrower is given, wider is not, and what is left out means what was granted at first.
    async fn a_refresh_narrows_its_scope_and_never_widens_it(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("spa", "openid profile offline_access photos.read");
        let tokens = app.tokens(&server, &mut Browser::new()).await;
        let narrow = app.refresh(&server, tokens.refresh(), &[("scope", "photos.read")]).await;
        assert_eq!(narrow.json()["scope"], "photos.read");
        let narrow = Tokens(narrow.json());
        assert_eq!(claims(narrow.access())["scope"], "photos.read");
        assert_eq!(narrow.0.get("id_token"), None, "openid was not asked for");
        assert_eq!(server.get_as("/userinfo", narrow.access()).await.status, StatusCode::FORBIDDEN);
        for wider in ["photos.write", "photos.read photos.write", "openid email", "unknown", "photos.read mail.read"] {
            let answer = app.refresh(&server, narrow.refresh(), &[("scope", wider)]).await;
            assert_refused(&answer, "invalid_scope");
        }
        for malformed in ["a\"b", "a\\b", "é", "a\nb"] {
            let answer = app.refresh(&server, narrow.refresh(), &[("scope", malformed)]).await;
            assert_refused(&answer, "invalid_scope");
        }
        // Nothing was rotated by what was refused: the token is still the fresh one, outside any window.
        server.clock.advance(Duration::from_secs(120));
        let whole = app.refresh(&server, narrow.refresh(), &[]).await;
        assert_eq!(whole.json()["scope"], "openid profile offline_access photos.read");
        let same = app.refresh(&server, Tokens(whole.json()).refresh(), &[("scope", "openid photos.read")]).await;
        assert_eq!(same.json()["scope"], "openid photos.read");
    }

    /// RFC 8707 §2.2; threat 43.
    async fn a_refresh_is_for_a_resource_that_was_granted_and_for_one_at_a_time(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let (photos, mail) = ("https://api.example.com/photos", "https://api.example.com/mail");
        for name in ["web", "spa"] {
            let app = RelyingParty::new(name, "openid offline_access photos.read");
            let tokens = app.tokens(&server, &mut Browser::new()).await;
            for wrong in [mail, "https://unknown.example", "https://api.example.com/PHOTOS", "photos", "https://a.example/#x"] {
                let answer = app.refresh(&server, tokens.refresh(), &[("resource", wrong)]).await;
                assert_refused(&answer, "invalid_target");
            }
            let two = app.refresh(&server, tokens.refresh(), &[("resource", photos), ("resource", mail)]).await;
            assert_refused(&two, "invalid_target");
            server.clock.advance(Duration::from_secs(120));
            let right = app.refresh(&server, tokens.refresh(), &[("resource", photos)]).await;
            assert_eq!(right.status, StatusCode::OK, "nothing was rotated by what was refused: {right:?}");
            assert_eq!(claims(Tokens(right.json()).access())["aud"], photos);
        }
    }

    /// OpenID Connect Core §12.2: the same sign-in, told again.
    async fn a_refreshed_id_token_keeps_the_sign_in_and_has_no_nonce(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        for name in ["web", "post", "spa"] {
            let app = RelyingParty::new(name, "openid offline_access");
            let tokens = app.tokens(&server, &mut Browser::new()).await;
            server.clock.advance(Duration::from_secs(7_200));
            let later = Tokens(app.refresh(&server, tokens.refresh(), &[]).await.json());
            let (first, second) = (claims(tokens.id()), claims(later.id()));
            for kept in ["iss", "sub", "aud", "auth_time", "acr", "amr", "sid"] {
                assert!(!first[kept].is_null(), "{kept}");
                assert_eq!(first[kept], second[kept], "{kept}");
            }
            let moved = |name: &str| second[name].as_i64().unwrap() - first[name].as_i64().unwrap();
            assert_eq!((moved("iat"), moved("exp")), (7_200, 7_200));
            assert_eq!(first["nonce"], "the nonce");
            assert_eq!(second.get("nonce"), None::<&Value>);
            assert_ne!(first["at_hash"], second["at_hash"]);
            assert_eq!(claims(later.access())["auth_time"], first["auth_time"]);
        }
    }
}
