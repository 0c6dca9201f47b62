//! What an app learns of a person by the scopes that were granted; claims that are asked for one by one are in `openid`.

use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::relying_party::RelyingParty;
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
