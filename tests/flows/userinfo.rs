//! What `/userinfo` and the endpoints that answer a POST with a GET do with too much, and with the same thing twice (OpenID
//! Connect Core §5.3, RFC 6750 §3.1; threats 9, 156).

use crate::flows::steps::{error_page, still_works};
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::RelyingParty;
use crate::support::server::TestServer;
use axum::http::StatusCode;

on_both_stores! {
    /// RFC 6749 §3.1; RFC 9110 §15.5.14.
    async fn userinfo_refuses_repeated_parameters_and_too_large_a_body_by_their_names(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let tokens = RelyingParty::new("web", "openid").tokens(&server, &mut Browser::new()).await;
        for query in ["a=1&a=2", "access_token=x&access_token=y", "a=%FF", "a=%00"] {
            let answer = server.get_as(&format!("/userinfo?{query}"), tokens.access()).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}: {answer:?}");
            assert_eq!(answer.error(), "invalid_request");
        }
        assert_eq!(server.get_as("/userinfo?a=1&b=1", tokens.access()).await.status, StatusCode::OK);
        let large = "x".repeat(64 * 1024);
        let answer = server.post("/userinfo", None, &[("access_token", tokens.access()), ("x", &large)]).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{answer:?}");
        assert_eq!(answer.error(), "invalid_request");
        let twice = server.post_raw("/userinfo", None, format!("access_token={0}&access_token={0}", tokens.access())).await;
        assert_eq!(twice.status, StatusCode::BAD_REQUEST);
        let answer = server.post("/userinfo", None, &[("access_token", tokens.access())]).await;
        assert_eq!(answer.status, StatusCode::OK);
        still_works(&server).await;
    }

    /// RFC 9110 §15.5.15: what no GET could carry is not redirected to one.
    async fn a_post_that_is_too_long_for_a_url_is_refused_where_it_would_become_a_get(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let long = "x".repeat(40 * 1024);
        for path in ["/authorize", "/logout"] {
            let answer = server.post(path, None, &[("state", &long)]).await;
            error_page(&answer, 414, "invalid_request");
            let answer = server.post(path, None, &[("state", "short")]).await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
        }
    }
}
