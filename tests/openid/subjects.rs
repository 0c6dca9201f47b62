//! Subjects by sector (OpenID Connect Core §8, threat 137).

use super::{redeemed, tokens_of, userinfo};
use crate::flows::steps::signed_in;
use crate::support::database::on_both_stores;
use crate::support::relying_party::{Method, RelyingParty};
use crate::support::server::{TestServer, claims};
use serde_json::{Value, json};

/// Two clients of one sector, one of another.
const PAIRWISE: &str = r#"
[[client]]
client_id = "one"
redirect_uris = ["https://one.example.com/callback"]
grant_types = ["authorization_code", "refresh_token"]
client_secrets = [{ sha256 = "{hash}" }]
scope = "openid offline_access photos.read"
subject_type = "pairwise"
sector_identifier_uri = "https://sector.example.com/members.json"

[[client]]
client_id = "two"
redirect_uris = ["https://two.example.com/callback", "https://two.example.org/callback"]
client_secrets = [{ sha256 = "{hash}" }]
scope = "openid"
subject_type = "pairwise"
sector_identifier_uri = "https://sector.example.com/members.json"

[[client]]
client_id = "three"
redirect_uris = ["https://three.example.com/callback"]
client_secrets = [{ sha256 = "{hash}" }]
scope = "openid"
subject_type = "pairwise"
"#;

fn app(client_id: &'static str) -> RelyingParty {
    RelyingParty {
        client_id,
        redirect_uri: format!("https://{client_id}.example.com/callback"),
        method: Method::Basic,
        ..RelyingParty::new("web", "openid")
    }
}

async fn subject(server: &TestServer, app: &RelyingParty) -> Value {
    claims(tokens_of(server, app, &[]).await.id())["sub"].clone()
}

/// The subject of somebody, in a browser of their own.
async fn subject_of(server: &TestServer, app: &RelyingParty, username: &str) -> Value {
    let mut browser = signed_in(server, username).await;
    let answer = app.visit(server, &mut browser, &[]).await;
    claims(redeemed(server, app, &answer).await.id())["sub"].clone()
}

on_both_stores! {
    async fn a_sector_knows_a_person_by_a_subject_of_its_own(database: TestDatabase) {
        let server = TestServer::start_with(&database, "", PAIRWISE).await;
        let public = subject(&server, &RelyingParty::new("web", "openid")).await;
        let (one, two, three) =
            (subject(&server, &app("one")).await, subject(&server, &app("two")).await, subject(&server, &app("three")).await);
        assert_eq!(one, two, "clients of one sector know the same person");
        assert!(one != three && one != public && three != public);
        // every replica says the same, and so does the server after a restart
        assert_eq!(subject(&server.replica().await, &app("one")).await, one);
        // and by another for everybody
        let bob = server.add_person("bob", json!({})).await;
        let (of_one, of_two, of_three) = (
            subject_of(&server, &app("one"), "bob").await,
            subject_of(&server, &app("two"), "bob").await,
            subject_of(&server, &app("three"), "bob").await,
        );
        assert_eq!(of_one, of_two);
        assert!(of_one != one && of_three != three && of_one != of_three);
        for subject in [&of_one, &of_three] {
            assert!(*subject != bob.id.as_str() && subject.as_str().is_some_and(|text| !text.contains("bob")));
        }
    }

    /// The same in every token and at every endpoint, so that nothing links two sectors.
    async fn every_answer_to_a_sector_names_its_own_subject(database: TestDatabase) {
        let server = TestServer::start_with(&database, "", PAIRWISE).await;
        let app = RelyingParty { scope: "openid offline_access photos.read".to_owned(), ..app("one") };
        let public = subject(&server, &RelyingParty::new("web", "openid")).await;
        let tokens = tokens_of(&server, &app, &[]).await;
        let sub = claims(tokens.id())["sub"].clone();
        assert_eq!(claims(tokens.access())["sub"], sub);
        assert_eq!(userinfo(&server, &tokens).await["sub"], sub);
        for token in [tokens.access(), tokens.refresh()] {
            let told = server.introspect_as("one", token).await;
            assert_eq!((&told["sub"], told.get("username")), (&sub, None), "a name would link two sectors");
        }
        let refreshed = app.refresh(&server, tokens.refresh(), &[]).await;
        assert_eq!(claims(refreshed.json()["id_token"].as_str().expect("an ID token"))["sub"], sub);
        assert!(!refreshed.body.contains(public.as_str().expect("text")));
        // a hint is told apart by it as well
        let mut browser = crate::support::browser::Browser::new();
        app.visit(&server, &mut browser, &[]).await;
        let silent = app.authorize(&[("prompt", "none"), ("id_token_hint", tokens.id())]);
        assert!(browser.get(&server, &silent).await.parameter("code").is_some());
    }

    async fn a_person_who_comes_back_under_the_same_name_is_somebody_else(database: TestDatabase) {
        let server = TestServer::start_with(&database, "", PAIRWISE).await;
        let before = (subject(&server, &app("one")).await, subject(&server, &RelyingParty::new("web", "openid")).await);
        database.execute("DELETE FROM users").await;
        server.add_person("ada", json!({})).await;
        let after = (subject(&server, &app("one")).await, subject(&server, &RelyingParty::new("web", "openid")).await);
        assert!(before.0 != after.0 && before.1 != after.1);
    }
}
