//! Guessing a person's password over `/login`: slowed, and the person gets in all the same (product.md, passwords; threats 140–142,
//! invariant 33).

use crate::flows::steps::{SECOND, signed_in, still_works};
use crate::support::browser::Browser;
use crate::support::database::on_both_stores;
use crate::support::server::{Answer, PASSWORD, TestServer};
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version};
use axum::http::StatusCode;
use portreeve::model::claims::PersonClaims;
use portreeve::model::secret::Secret;
use portreeve::model::user::PasswordHash;
use portreeve::model::username::CanonicalUsername;
use portreeve::tasks::weigh_passwords;
use portreeve::users::lifecycle::{NewPassword, NewPerson};
use serde_json::json;
use std::time::Duration;

const DEVICE: &str = "__Host-portreeve-device";
const SESSION: &str = "__Host-portreeve-session";

/// A browser at an address, on the page it signs in on.
async fn at(server: &TestServer, address: [u8; 4]) -> (Browser, Answer) {
    let mut browser = Browser { address: Some(address.into()), ..Browser::new() };
    let page = browser.get(server, "/account").await;
    let page = browser.follow(server, page).await;
    (browser, page)
}

async fn ten_guessers(server: &TestServer) -> Vec<(Browser, Answer)> {
    let mut guessers = Vec::new();
    for number in 0..10 {
        guessers.push(at(server, [198, 51, 100, number]).await);
    }
    guessers
}

/// Every guesser asks once a second for this long, and once more at its end, before anybody else does.
async fn guess(server: &TestServer, guessers: &mut [(Browser, Answer)], seconds: u64) {
    for second in 0..=seconds {
        for (browser, page) in guessers.iter_mut() {
            let answer = browser.submit_login(server, page, "ada", "a guess").await;
            assert!([400, 429].contains(&answer.status.as_u16()), "{answer:?}");
        }
        if second < seconds {
            server.clock.advance(SECOND);
        }
    }
}

on_both_stores! {
    /// Threat 141, invariant 33: a device that nobody knows waits as it is told, a minute at most, and is in.
    async fn a_person_who_comes_back_when_told_gets_in_however_many_others_guess(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let mut guessers = ten_guessers(&server).await;
        guess(&server, &mut guessers, 90).await;
        let (mut ada, page) = at(&server, [203, 0, 113, 7]).await;
        let mut waited = 0;
        let answer = loop {
            let answer = ada.submit_login(&server, &page, "ada", PASSWORD).await;
            if answer.status != StatusCode::TOO_MANY_REQUESTS {
                break answer;
            }
            let seconds: u64 = answer.header("retry-after").expect("a time").parse().expect("seconds");
            waited += seconds;
            assert!((1..=60).contains(&waited), "{waited}");
            guess(&server, &mut guessers, seconds).await;
        };
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
        assert!(waited > 0, "the guessers were slowed");
    }

    /// Threat 141: a device that this person has signed in on is let in at once, with or without a session, for a year.
    async fn a_known_device_signs_in_at_once_whatever_strangers_do(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let mut known = signed_in(&server, "ada").await;
        known.cookies.remove(SESSION);
        let mut guessers = ten_guessers(&server).await;
        guess(&server, &mut guessers, 30).await;
        let page = known.get(&server, "/account").await;
        let page = known.follow(&server, page).await;
        let mut forgotten = known.clone();
        forgotten.cookies.remove(DEVICE);
        let answer = forgotten.submit_login(&server, &page, "ada", PASSWORD).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{answer:?}");
        let answer = known.submit_login(&server, &page, "ada", PASSWORD).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
        server.clock.advance(Duration::from_secs(365 * 86_400));
        guess(&server, &mut guessers, 30).await;
        let page = known.get(&server, "/account").await;
        let page = known.follow(&server, page).await;
        let answer = known.submit_login(&server, &page, "ada", PASSWORD).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "a year later it is a stranger's: {answer:?}");
    }

    /// Threat 140: whoever knew a password that is another now guesses the new one no faster than any stranger.
    async fn a_device_is_known_by_the_password_it_signed_in_with(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let mut thieves = Vec::new();
        for number in 1..=4 {
            let (mut browser, page) = at(&server, [203, 0, 113, number]).await;
            assert_eq!(browser.submit_login(&server, &page, "ada", PASSWORD).await.status, StatusCode::SEE_OTHER);
            browser.cookies.remove(SESSION);
            thieves.push(browser);
        }
        let (people, circumstances) = (server.people(), server.app.circumstances(""));
        let name = CanonicalUsername::parse("ada").expect("a username");
        people.set_password(&name, Secret::new("another password of hers"), &circumstances).await.expect("set");
        let mut looked_at = 0;
        for browser in &mut thieves {
            for number in 0..5 {
                let page = browser.get(&server, "/account").await;
                let answer = browser.submit_login(&server, &page, "ada", &format!("guess number {number}")).await;
                looked_at += usize::from(answer.status == StatusCode::BAD_REQUEST);
            }
        }
        assert!((1..=6).contains(&looked_at), "{looked_at}");
    }

    /// Threats 130, 131: the cookie is guarded like the others, says nothing and opens nothing.
    async fn the_devices_cookie_is_guarded_and_opens_nothing(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let (mut browser, page) = at(&server, [203, 0, 113, 8]).await;
        let answer = browser.submit_login(&server, &page, "ada", "a guess").await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(!browser.cookies.contains_key(DEVICE), "who failed is not known");
        let answer = browser.submit_login(&server, &page, "ada", PASSWORD).await;
        let set = answer.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
        let set: Vec<&str> = set.filter(|value| value.starts_with(DEVICE)).collect();
        assert_eq!(set.len(), 1, "{answer:?}");
        for guard in ["; Path=/", "; Max-Age=31536000", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
            assert!(set[0].contains(guard), "{set:?}");
        }
        assert!(!set[0].contains("ada"));
        browser.cookies.remove(SESSION);
        let account = browser.get(&server, "/account").await;
        assert!(browser.follow(&server, account).await.body.contains("login-submit"));
        still_works(&server).await;
    }

    /// Threat 141: whoever sits at a signed-in browser has the device's small budget, and no fresh one for another browser cookie.
    async fn who_holds_a_session_guesses_its_persons_password_no_faster_than_others(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let holder = signed_in(&server, "ada").await;
        for keep_device in [true, false] {
            let mut looked_at = 0;
            for number in 0..40 {
                let mut browser = holder.clone();
                browser.cookies.remove("__Host-portreeve-browser");
                if !keep_device {
                    browser.cookies.remove(DEVICE);
                }
                let page = browser.get(&server, "/login?account=other&client_id=web&redirect_uri=https%3A%2F%2Fweb.example.com%2Fcallback&response_type=code&scope=openid&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256").await;
                assert!(page.body.contains("login-submit"), "{page:?}");
                let answer = browser.submit_login(&server, &page, "ada", &format!("guess number {number}")).await;
                looked_at += usize::from(answer.status == StatusCode::BAD_REQUEST);
            }
            assert_eq!(looked_at, 6, "{keep_device}");
        }
    }

    /// Threat 139: one hash of every cost is read, and people with each of them sign in as before.
    async fn the_costs_of_hashes_in_use_are_learned_from_the_store(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        server.add_person("bob", json!({})).await;
        assert_eq!(weigh_passwords::run_once(&server.app).await, Ok(weigh_passwords::Report { costs: 1 }));
        for (name, memory_kib, passes) in [("dear", 32_768, 2), ("as_dear", 32_768, 2), ("cheap", 7_168, 5), ("cheapest", 8, 1)] {
            let params = Params::new(memory_kib, passes, 1, Some(32)).expect("lawful");
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let hash = argon2.hash_password_with_salt(PASSWORD.as_bytes(), format!("a salt of {name:<16}").as_bytes());
            let person = NewPerson {
                must_change_password: false,
                username: CanonicalUsername::parse(name).expect("a username"),
                claims: PersonClaims::from_object(Default::default()).expect("claims"),
                password: NewPassword::Hashed(PasswordHash(hash.expect("hashes").to_string())),

            };
            server.people().add(person, &server.app.circumstances("")).await.expect("a person");
        }
        assert_eq!(weigh_passwords::run_once(&server.app).await, Ok(weigh_passwords::Report { costs: 4 }));
        for name in ["ada", "dear", "as_dear", "cheap", "cheapest"] {
            signed_in(&server, name).await;
        }
        let weigh = weigh_passwords::run_once(&server.app).await;
        assert_eq!(weigh, Ok(weigh_passwords::Report { costs: 2 }), "the cheap ones were replaced");
    }
}
