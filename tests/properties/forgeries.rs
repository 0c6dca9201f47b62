//! What this server gives out cannot be changed, and none of it is good for anything but its own purpose (threats 50, 51).

use super::hold;
use crate::support::browser::{Browser, form};
use crate::support::database::{TestDatabase, on_both_stores};
use crate::support::relying_party::{RelyingParty, Tokens};
use crate::support::server::{TestServer, parameter};
use axum::http::StatusCode;
use proptest::prelude::*;
use serde_json::json;
use tokio::runtime::Runtime;

/// A change of a text: a character replaced, put in or taken out, an end cut off or grown, the case turned.
#[derive(Clone, Debug)]
enum Change {
    Replace(prop::sample::Index, char),
    Insert(prop::sample::Index, char),
    Remove(prop::sample::Index),
    Cut(prop::sample::Index),
    CutFront(prop::sample::Index),
    TurnCase(prop::sample::Index),
    Twice,
}

fn change() -> impl Strategy<Value = Change> {
    let (at, character) =
        (any::<prop::sample::Index>, "[A-Za-z0-9_.~=-]".prop_map(|c| c.chars().next().unwrap_or('A')));
    prop_oneof![
        6 => (at(), character.clone()).prop_map(|(at, character)| Change::Replace(at, character)),
        2 => (at(), character).prop_map(|(at, character)| Change::Insert(at, character)),
        2 => at().prop_map(Change::Remove),
        1 => at().prop_map(Change::Cut),
        1 => at().prop_map(Change::CutFront),
        2 => at().prop_map(Change::TurnCase),
        1 => Just(Change::Twice),
    ]
}

impl Change {
    fn of(&self, text: &str) -> String {
        let mut letters: Vec<char> = text.chars().collect();
        match self {
            Self::Replace(at, character) => letters[at.index(text.len())] = *character,
            Self::Insert(at, character) => letters.insert(at.index(text.len() + 1), *character),
            Self::Remove(at) => drop(letters.remove(at.index(text.len()))),
            Self::Cut(at) => letters.truncate(at.index(text.len())),
            Self::CutFront(at) => drop(letters.drain(..=at.index(text.len()))),
            Self::TurnCase(at) => {
                let letter = &mut letters[at.index(text.len())];
                *letter = if letter.is_lowercase() {
                    letter.to_ascii_uppercase()
                } else {
                    letter.to_ascii_lowercase()
                };
            }
            Self::Twice => letters.extend(text.chars()),
        }
        letters.into_iter().collect()
    }
}

/// Threat 50: codes, refresh tokens, access tokens and session cookies, changed anywhere. Refresh tokens and codes are
/// told apart from nonsense by nothing, and the genuine ones live on.
#[test]
fn nothing_that_was_changed_counts() {
    let runtime = Runtime::new().unwrap();
    let database = TestDatabase::sqlite();
    let server = runtime.block_on(TestServer::start(&database));
    let app = RelyingParty::new("spa", "openid offline_access photos.read");
    let mut browser = Browser::new();
    let tokens = runtime.block_on(app.tokens(&server, &mut browser));
    let code = runtime.block_on(app.code(&server, &mut browser));
    let (name, cookie) =
        browser.cookies.iter().find(|(name, _)| name.contains("session")).expect("a session").to_owned();
    hold(256, &change(), |change| {
        runtime.block_on(async {
            let changed = change.of(&code);
            if changed != code {
                let answer = app.redeem(&server, &changed, &[]).await;
                let expected = if changed.is_empty() { "invalid_request" } else { "invalid_grant" };
                prop_assert_eq!(
                    (answer.status.as_u16(), answer.error()),
                    (400, expected.to_owned()),
                    "{}",
                    changed
                );
            }
            let changed = change.of(tokens.refresh());
            if changed != tokens.refresh() && !changed.is_empty() {
                let answer = app.refresh(&server, &changed, &[]).await;
                prop_assert_eq!(
                    (answer.status.as_u16(), answer.error()),
                    (400, "invalid_grant".to_owned()),
                    "{}",
                    changed
                );
            }
            let changed = change.of(tokens.access());
            if changed != tokens.access() && !changed.is_empty() {
                prop_assert_eq!(
                    server.introspect_as("photos-api", &changed).await,
                    json!({"active": false}),
                    "{}",
                    changed
                );
                let status = server.get_as("/userinfo", &changed).await.status;
                prop_assert!(matches!(status.as_u16(), 400 | 401), "{status} for {changed}");
            }
            let changed = change.of(cookie);
            if changed != *cookie {
                let mut thief = browser.clone();
                thief.cookies.insert(name.clone(), changed.clone());
                let page = thief.get(&server, "/account").await;
                prop_assert!(
                    !page.body.contains("Ada Lovelace") && !page.body.contains(">ada<"),
                    "{}",
                    changed
                );
            }
            Ok(())
        })
    });
    runtime.block_on(async {
        assert!(browser.get(&server, "/account").await.body.contains("Ada Lovelace"));
        assert_eq!(server.get_as("/userinfo", tokens.access()).await.status, StatusCode::OK);
        assert_eq!(app.refresh(&server, tokens.refresh(), &[]).await.status, StatusCode::OK);
        assert_eq!(app.redeem(&server, &code, &[]).await.status, StatusCode::OK);
    });
}

/// Something that this server gave out, and whether a use of it worked.
async fn uses(
    server: &TestServer,
    app: &RelyingParty,
    browser: &Browser,
    token: &str,
) -> [(&'static str, bool); 6] {
    let redeemed = app.redeem(server, token, &[]).await.status;
    let refreshed = app.refresh(server, token, &[]).await.status;
    let userinfo = server.get_as("/userinfo", token).await.status;
    let introspected = server.introspect_as("web", token).await;
    let mut stranger = Browser::new();
    let session = browser.cookies.keys().find(|name| name.contains("session")).expect("a session").clone();
    stranger.cookies.insert(session, token.to_owned());
    let account = stranger.get(server, "/account").await;
    let as_client = server
        .post(
            "/token",
            Some(&crate::support::server::basic("service", token)),
            &[("grant_type", "client_credentials")],
        )
        .await
        .status;
    [
        ("code", redeemed == StatusCode::OK),
        ("refresh token", refreshed == StatusCode::OK),
        ("access token", userinfo == StatusCode::OK),
        ("introspected token", introspected != json!({"active": false})),
        ("session", account.body.contains("Ada Lovelace")),
        ("client secret", as_client == StatusCode::OK),
    ]
}

on_both_stores! {
    /// Threat 51; RFC 9068 §5, RFC 8725 §3.11: every kind of thing that is given out, in every place that takes one.
    async fn nothing_counts_where_it_does_not_belong(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let app = RelyingParty::new("web", "openid offline_access photos.read");
        let mut browser = Browser::new();
        let page = browser.get(&server, &app.authorize(&[])).await;
        let page = browser.follow(&server, page).await;
        let login = form(&page);
        let marker = parameter(&login.action, "marker").expect("a marker");
        let form_token = login.hidden[0].1.clone();
        let consent = browser.sign_in(&server, &page, "ada").await;
        let digest = form(&consent).hidden.into_iter().map(|(_, value)| value).collect::<Vec<_>>();
        let first = browser.decide(&server, &consent, "allow").await.parameter("code").expect("a code");
        let tokens = Tokens(app.redeem(&server, &first, &[]).await.json());
        let code = app.code(&server, &mut browser).await;
        let cookie = |kind: &str| {
            browser.cookies.iter().find(|(name, _)| name.contains(kind)).map(|(_, value)| value.clone()).expect("a cookie")
        };
        let secret = server.secret().to_owned();
        let service = server.post_as("service", "/token", &[("grant_type", "client_credentials")]).await;
        let mut kinds: Vec<(&str, String, &[&str])> = vec![
            ("ID token", tokens.id().to_owned(), &[]),
            ("service's access token", Tokens(service.json()).access().to_owned(), &[]),
            ("browser cookie", cookie("browser"), &[]),
            ("marker", marker, &[]),
            ("sign-in form's token", form_token, &[]),
            ("spent code", first, &[]),
            ("jti", crate::support::server::claims(tokens.access())["jti"].as_str().unwrap().to_owned(), &[]),
            ("sid", crate::support::server::claims(tokens.id())["sid"].as_str().unwrap().to_owned(), &[]),
            ("session cookie", cookie("session"), &["session"]),
            ("client secret", secret, &["client secret"]),
            ("access token", tokens.access().to_owned(), &["access token", "introspected token"]),
            ("refresh token", tokens.refresh().to_owned(), &["refresh token", "introspected token"]),
        ];
        kinds.extend(digest.into_iter().map(|value| ("consent form's token", value, &[][..])));
        kinds.push(("code", code, &["code"]));
        for (kind, token, lawful) in kinds {
            for (place, worked) in uses(&server, &app, &browser, &token).await {
                assert_eq!(worked, lawful.contains(&place), "{kind} as {place}");
            }
        }
    }
}
