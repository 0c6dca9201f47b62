//! What an app learns of a person: the claims of the scopes that were granted, and no others, however it asks.

use crate::flows::steps::still_works;
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::{RelyingParty, Tokens};
use crate::support::server::{TestServer, claims};
use serde_json::Value;

const PERSONAL: [&str; 8] = [
    "name",
    "email",
    "email_verified",
    "groups",
    "address",
    "phone_number",
    "preferred_username",
    "updated_at",
];

fn told(json: &Value) -> Vec<&'static str> {
    PERSONAL.into_iter().filter(|name| json.get(name).is_some()).collect()
}

on_both_stores! {
    /// OpenID Connect Core §5.5: `claims` is not supported (and metadata says so), so it adds nothing; threat 129.
    async fn the_claims_parameter_gives_an_app_nothing_that_its_scopes_do_not(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        for asked in [
            r#"{"userinfo":{"groups":{"essential":true},"email":null},"id_token":{"groups":null,"email":null}}"#,
            r#"{"id_token":{"acr":{"essential":true,"values":["urn:portreeve:acr:password"]}},"userinfo":{"name":null}}"#,
            r#"{"userinfo":{"sub":{"value":"usr_somebody_else"}}}"#,
        ] {
            let app = RelyingParty::new("spa", "openid");
            let mut browser = Browser::new();
            let answer = app.visit(&server, &mut browser, &[("claims", asked)]).await;
            let code = answer.parameter("code").expect("a code");
            let tokens = Tokens(app.redeem(&server, &code, &[]).await.json());
            let userinfo = server.get_as("/userinfo", tokens.access()).await.json();
            for json in [&userinfo, &claims(tokens.id()), &claims(tokens.access())] {
                assert_eq!(told(json), Vec::<&str>::new(), "{asked}: {json}");
            }
            assert_eq!(userinfo["sub"], claims(tokens.id())["sub"]);
        }
        still_works(&server).await;
    }

    /// OpenID Connect Core §5.4; threat 129: each scope brings its own claims, at userinfo and nowhere else.
    async fn each_scope_brings_its_own_claims(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        for (scope, expected) in [
            ("openid", &[][..]),
            ("openid email", &["email", "email_verified"]),
            ("openid groups", &["groups"]),
            ("openid profile", &["name", "preferred_username", "updated_at"]),
            ("openid address phone", &[]),
        ] {
            let app = RelyingParty::new("web", scope);
            let tokens = app.tokens(&server, &mut Browser::new()).await;
            let userinfo = server.get_as("/userinfo", tokens.access()).await.json();
            assert_eq!(told(&userinfo), expected, "{scope}");
            assert_eq!(told(&claims(tokens.id())), Vec::<&str>::new(), "{scope}");
        }
        // who may not have a scope does not get its claims by asking for more at the refresh
        let app = RelyingParty::new("web", "openid offline_access");
        let tokens = app.tokens(&server, &mut Browser::new()).await;
        let wider = app.refresh(&server, tokens.refresh(), &[("scope", "openid groups")]).await;
        assert_eq!(wider.error(), "invalid_scope");
    }
}
