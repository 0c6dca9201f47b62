//! Recovery by a one-time link (threats 139, 147, 150): who is sent one cannot be told, looking at it spends nothing, and it works once.

use super::{Pressed, events};
use crate::flows::steps::{
    SECOND, begin, disable, error_page, is_login, open, set_claim, signed_in, still_works, text_of,
};
use crate::grants::ada;
use crate::races::together;
use crate::support::browser::{Browser, attribute};
use crate::support::database::on_both_stores;
use crate::support::relying_party::RelyingParty;
use crate::support::server::{Answer, PASSWORD, TestServer};
use axum::http::{Method, StatusCode};
use portreeve::model::audit_event::EventName;
use portreeve::model::claims::PersonClaims;
use portreeve::model::outbox::MessageKind;
use portreeve::model::secret::Secret;
use portreeve::model::username::CanonicalUsername;
use portreeve::storage::outbox;
use portreeve::users::lifecycle::{Change, NewPassword, NewPerson};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

pub const NEW: &str = "a password that will be remembered";

/// Nobody listens there: these tests read what would be sent.
pub const MAIL: &str =
    "[mail]\nserver = \"localhost\"\nport = 1\nsecurity = \"none\"\nfrom = \"no-reply@example.com\"\n";

async fn start(database: &crate::support::database::TestDatabase) -> TestServer {
    TestServer::start_with(database, MAIL, "").await
}

/// Asks for a link, as a browser of its own and from `address`, and yields the answer.
pub async fn ask_from(server: &TestServer, address: [u8; 4], name: &str) -> Answer {
    let mut browser = Browser { address: Some(address.into()), ..Browser::new() };
    let page = open(server, &mut browser, "/recovery").await;
    Pressed::of(&page, "recovery-submit").with("username", name).send(server, &mut browser).await
}

/// Asks for a link, and waits until that is worked on.
pub async fn ask(server: &TestServer, name: &str) -> Answer {
    let answer = ask_from(server, [192, 0, 2, 1], name).await;
    settled(server).await;
    answer
}

/// Waits until every request for a link is worked on.
async fn settled(server: &TestServer) {
    let all = Arc::clone(&server.app.recoveries);
    let permits = u32::try_from(8).expect("a number");
    let waiting = tokio::time::timeout(Duration::from_secs(20), all.acquire_many(permits));
    drop(waiting.await.expect("in time").expect("open"));
}

/// The tokens of the mails that wait.
async fn tokens(server: &TestServer) -> Vec<String> {
    let now = portreeve::model::clock::Clock::now(&server.clock);
    let claimed = server.app.store.write_one(move |connection| {
        Box::pin(outbox::claim(connection, MessageKind::Mail, now, now.plus(Duration::from_millis(1)), 50))
    });
    let mut tokens = Vec::new();
    for held in claimed.await.expect("a store") {
        let mail = server.app.recovery().mail(&held.message, now).await.expect("a store");
        tokens.extend(mail.map(|mail| mail.token.expose().to_owned()));
    }
    tokens
}

/// The token of the one mail that waits for Ada.
pub async fn token(server: &TestServer) -> String {
    ask(server, "ada").await;
    let mut tokens = tokens(server).await;
    tokens.dedup();
    assert_eq!(tokens.len(), 1, "one link is living");
    tokens.remove(0)
}

fn link(token: &str) -> String {
    format!("/recovery/new-password?token={token}")
}

/// The form behind a link, filled in.
pub async fn filled(server: &TestServer, browser: &mut Browser, token: &str) -> Pressed {
    let page = open(server, browser, &link(token)).await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    Pressed::of(&page, "password-submit").with("new_password", NEW)
}

pub async fn signs_in(server: &TestServer, password: &str) -> bool {
    let mut browser = Browser { address: Some([198, 51, 100, 7].into()), ..Browser::new() };
    let page = browser.get(server, "/account").await;
    browser.submit_login(server, &page, "ada", password).await.status == StatusCode::SEE_OTHER
}

const MAILS: &str = "SELECT COUNT(*) FROM outbox WHERE kind = 'mail'";

on_both_stores! {
    /// Threat 139: known, unknown, without an address, without a password and disabled are one answer.
    async fn nobody_learns_from_an_answer_whether_a_person_exists(database: TestDatabase) {
        let server = start(&database).await;
        server.add_person("unverified", json!({"email": "u@example.com"})).await;
        server.add_person("mailless", json!({})).await;
        server.add_person("disabled", json!({"email": "d@example.com", "email_verified": true})).await;
        disable(&server, "disabled").await;
        let claims = json!({"email": "p@example.com", "email_verified": true});
        let person = NewPerson {
            username: CanonicalUsername::parse("passwordless").expect("a username"),
            claims: PersonClaims::from_object(claims.as_object().cloned().expect("an object")).expect("claims"),
            password: NewPassword::Absent,
            must_change_password: false,
        };
        server.people().add(person, &server.app.circumstances("")).await.expect("added");
        let mut told = Vec::new();
        let names = [
            "ada", "Ada@Example.com", "nobody", "nobody@example.com", "unverified", "u@example.com", "mailless", "disabled",
            "d@example.com", "passwordless", "p@example.com", "", " ", "a b c", "\u{202e}ada", "'; DROP TABLE users; --",
        ];
        for (number, name) in names.into_iter().enumerate() {
            let answer = ask_from(&server, [192, 0, 2, number as u8], name).await;
            settled(&server).await;
            let headers: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
            told.push((answer.status, answer.location().to_owned(), answer.body, headers));
        }
        told.dedup();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].1, "/recovery/sent");
        settled(&server).await;
        // the first two are one person: one mail within a minute
        assert_eq!(database.number(MAILS).await, 1);
        assert_eq!(events(&database, EventName::RecoveryRequested).await, 1);
        still_works(&server).await;
    }

    /// Threats 147, 150: a mail scanner spends nothing; the form does, once; it ends every session and grant, and signs nobody in.
    async fn a_link_sets_a_password_once_and_ends_what_the_old_one_opened(database: TestDatabase) {
        let server = start(&database).await;
        let mut phone = signed_in(&server, "ada").await;
        let app = RelyingParty::new("spa", "openid photos.read offline_access");
        let there = app.tokens(&server, &mut phone).await;
        let token = token(&server).await;
        for _ in 0..3 {
            let mut scanner = Browser::new();
            assert_eq!(scanner.get(&server, &link(&token)).await.status, StatusCode::OK);
            scanner.request(&server, Method::HEAD, &link(&token), None, &[]).await;
        }
        let mut browser = Browser::new();
        let pressed = filled(&server, &mut browser, &token).await;
        let answer = pressed.send(&server, &mut browser).await;
        assert_eq!(answer.location(), "/recovery/done", "{answer:?}");
        assert!(!browser.cookies.contains_key("__Host-portreeve-session"));
        assert!(browser.follow(&server, answer).await.body.contains("id=\"recovery-done\""));
        assert!(signs_in(&server, NEW).await && !signs_in(&server, PASSWORD).await);
        assert!(is_login(&open(&server, &mut phone, "/account").await));
        assert_eq!(app.refresh(&server, there.refresh(), &[]).await.error(), "invalid_grant");
        assert_eq!(server.get_as("/userinfo", there.access()).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(events(&database, EventName::PasswordRecovered).await, 1);
        // once is once
        error_page(&pressed.send(&server, &mut browser).await, 400, "invalid_request");
        error_page(&browser.get(&server, &link(&token)).await, 400, "invalid_request");
        assert_eq!(events(&database, EventName::PasswordRecovered).await, 1);
    }

    /// Threats 28, 135, 147, 149, 150.
    async fn a_link_that_is_none_and_a_form_from_elsewhere_change_nothing(database: TestDatabase) {
        let server = start(&database).await;
        let token = token(&server).await;
        let mut browser = Browser::new();
        let good = filled(&server, &mut browser, &token).await;
        let mut altered = token.clone();
        let last = altered.pop();
        altered.push(if last == Some('A') { 'B' } else { 'A' });
        let mut bodies = Vec::new();
        for wrong in ["", "x", altered.as_str(), &"a".repeat(43), &"a".repeat(5000), &format!("{token}A"), &token[1..]] {
            let answer = browser.get(&server, &link(wrong)).await;
            error_page(&answer, 400, "invalid_request");
            bodies.push(text_of(&answer, "error-reason"));
            let answer = good.clone().with("token", wrong).send(&server, &mut browser).await;
            error_page(&answer, 400, "invalid_request");
            bodies.push(text_of(&answer, "error-reason"));
        }
        bodies.dedup();
        assert_eq!(bodies.len(), 1);
        error_page(&browser.get(&server, "/recovery/new-password").await, 400, "invalid_request");
        error_page(&browser.get(&server, &format!("{}&token={token}", link(&token))).await, 400, "invalid_request");
        good.assert_guarded(&server, &browser).await;
        // another browser's form, though the link is right
        let other = filled(&server, &mut Browser::new(), &token).await;
        assert_eq!(other.send(&server, &mut browser).await.status, StatusCode::FORBIDDEN);
        for (new, told) in [("", "too short"), ("short", "too short"), ("ada", "too short")] {
            let answer = good.clone().with("new_password", new).send(&server, &mut browser).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST);
            assert!(text_of(&answer, "password-message").contains(told), "{answer:?}");
        }
        assert!(signs_in(&server, PASSWORD).await);
        assert_eq!(events(&database, EventName::PasswordRecovered).await, 0);
        // none of it spent the link
        assert_eq!(good.send(&server, &mut browser).await.status, StatusCode::SEE_OTHER);
    }

    /// What lies in the database opens nothing (threats 147, 177).
    async fn the_database_holds_no_token(database: TestDatabase) {
        let server = start(&database).await;
        let token = token(&server).await;
        let held = format!(
            "SELECT COUNT(*) FROM outbox WHERE facts LIKE '%{token}%' OR recipient LIKE '%{token}%' OR recipient LIKE '%@%'
             OR sealed IS NOT NULL OR facts <> '{{\"language\":\"en\"}}'"
        );
        assert_eq!(database.number(&held).await, 0);
        let audited = format!("SELECT COUNT(*) FROM audit_events WHERE reason LIKE '%{token}%' OR reason LIKE '%@%'");
        assert_eq!(database.number(&audited).await, 0);
        // the digest is another value, and the seed leads nowhere without the server's key
        assert_eq!(database.number("SELECT COUNT(*) FROM recovery_tokens WHERE length(token_hash) = 32 AND length(seed) = 16").await, 1);
        let digest = hex_of(&token);
        let hash = if database.is_postgres() { "encode(token_hash, 'hex')" } else { "lower(hex(token_hash))" };
        assert_eq!(database.number(&format!("SELECT COUNT(*) FROM recovery_tokens WHERE {hash} = '{digest}'")).await, 0);
    }

    async fn a_link_lives_for_half_an_hour(database: TestDatabase) {
        let server = start(&database).await;
        let token = token(&server).await;
        let mut browser = Browser::new();
        server.clock.advance(Duration::from_secs(30 * 60 - 1));
        let good = filled(&server, &mut browser, &token).await;
        server.clock.advance(SECOND);
        error_page(&browser.get(&server, &link(&token)).await, 400, "invalid_request");
        error_page(&good.send(&server, &mut browser).await, 400, "invalid_request");
        assert!(signs_in(&server, PASSWORD).await);
        // and a new one may be asked for
        let next = self::token(&server).await;
        assert_ne!(next, token);
        assert_eq!(filled(&server, &mut browser, &next).await.send(&server, &mut browser).await.status, StatusCode::SEE_OTHER);
    }

    /// One living link for a person; whoever asks again, and again, neither floods nor spoils it.
    async fn asking_again_sends_the_same_link_and_not_too_often(database: TestDatabase) {
        let server = start(&database).await;
        let first = token(&server).await;
        ask(&server, "ada").await;
        assert_eq!(database.number(MAILS).await, 1);
        server.clock.advance(Duration::from_secs(61));
        assert_eq!(token_again(&server).await, [first.clone(), first.clone()]);
        assert_eq!(database.number("SELECT COUNT(*) FROM recovery_tokens").await, 1);
        // ever rarer
        for _ in 0..20 {
            server.clock.advance(Duration::from_secs(30));
            ask_from(&server, [203, 0, 113, 5], "ada@example.com").await;
            settled(&server).await;
        }
        assert!(database.number(MAILS).await <= 5, "a flood");
        let mut browser = Browser::new();
        assert_eq!(browser.get(&server, &link(&first)).await.status, StatusCode::OK);
        // late in its life a new one takes its place, and the old one is none any more
        server.clock.advance(Duration::from_secs(16 * 60));
        ask(&server, "ada").await;
        error_page(&browser.get(&server, &link(&first)).await, 400, "invalid_request");
        let last = tokens(&server).await.pop().expect("a token");
        assert_eq!(browser.get(&server, &link(&last)).await.status, StatusCode::OK);
    }

    /// Threat 150: a link is for the password, the address and the standing of its time.
    async fn a_change_of_password_address_or_standing_makes_a_link_worthless(database: TestDatabase) {
        let server = start(&database).await;
        let mut browser = Browser::new();
        for step in 0..4 {
            let mut ada_s = signed_in(&server, "ada").await;
            let token = token(&server).await;
            let good = filled(&server, &mut browser, &token).await;
            match step {
                0 => {
                    let page = open(&server, &mut ada_s, "/account/password").await;
                    let change = Pressed::of(&page, "password-submit").with("old_password", PASSWORD).with("new_password", NEW);
                    assert_eq!(change.send(&server, &mut ada_s).await.status, StatusCode::SEE_OTHER);
                    let circumstances = server.app.circumstances("");
                    server.people().set_password(&ada(), Secret::new(PASSWORD), &circumstances).await.expect("set");
                }
                1 => {
                    let circumstances = server.app.circumstances("");
                    server.people().set_password(&ada(), Secret::new(PASSWORD), &circumstances).await.expect("set");
                }
                2 => {
                    set_claim(&server, "ada", "email", json!("other@example.com")).await;
                    let change = Change { set: vec![("email_verified".to_owned(), json!(true))], ..Change::default() };
                    server.people().change(&ada(), change, &server.app.circumstances("")).await.expect("changed");
                }
                _ => {
                    disable(&server, "ada").await;
                    server.people().enable(&ada(), &server.app.circumstances("")).await.expect("enabled");
                }
            }
            error_page(&browser.get(&server, &link(&token)).await, 400, "invalid_request");
            error_page(&good.send(&server, &mut browser).await, 400, "invalid_request");
            assert!(tokens(&server).await.is_empty(), "a mail with a dead link waits");
            server.clock.advance(Duration::from_secs(2 * 86_400));
        }
        assert!(signs_in(&server, PASSWORD).await);
    }

    /// Threat 147: of many at once with one link, one sets its password.
    async fn of_many_that_use_one_link_at_once_exactly_one_sets_a_password(database: TestDatabase) {
        let server = Arc::new(start(&database).await);
        let token = token(&server).await;
        let outcomes = together(8, |number| {
            let (server, token) = (server.clone(), token.clone());
            async move {
                let circumstances = server.app.circumstances("");
                let password = format!("{NEW} {number}");
                let set = server.app.recovery().set_password(&token, Secret::new(password.clone()), &circumstances).await;
                set.is_ok().then_some(password)
            }
        })
        .await;
        let set: Vec<String> = outcomes.into_iter().flatten().collect();
        assert_eq!(set.len(), 1, "{set:?}");
        assert!(signs_in(&server, &set[0]).await);
        assert_eq!(events(&database, EventName::PasswordRecovered).await, 1);
    }

    /// The same for whoever asks: one mail, whatever the number of requests.
    async fn of_many_requests_at_once_one_mail_comes(database: TestDatabase) {
        let server = Arc::new(start(&database).await);
        together(6, |number| {
            let server = server.clone();
            async move { ask_from(&server, [192, 0, 2, 10 + number as u8], "ada").await.status }
        })
        .await;
        settled(&server).await;
        assert_eq!(database.number(MAILS).await, 1);
        assert_eq!(tokens(&server).await.len(), 1);
    }

    /// Threats 140–142: by address, and by name whoever asks for it.
    async fn whoever_asks_too_often_waits(database: TestDatabase) {
        let server = start(&database).await;
        for number in 0..6 {
            ask_from(&server, [192, 0, 2, 1], &format!("guess{number}")).await;
        }
        let answer = ask_from(&server, [192, 0, 2, 1], "ada").await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{answer:?}");
        assert!(answer.header("retry-after").is_some() && answer.body.contains("id=\"recovery-message\""));
        settled(&server).await;
        assert_eq!(database.number(MAILS).await, 0);
        // elsewhere nobody waits, and after a while nobody does
        assert_eq!(ask_from(&server, [203, 0, 113, 1], "ada").await.status, StatusCode::SEE_OTHER);
        server.clock.advance(61 * SECOND);
        assert_eq!(ask_from(&server, [192, 0, 2, 1], "ada").await.status, StatusCode::SEE_OTHER);
        settled(&server).await;
        still_works(&server).await;
    }

    /// Threats 13, 28, 135: the request for a link is a form of ours too, and leads nowhere else.
    async fn a_request_for_a_link_from_elsewhere_sends_nothing(database: TestDatabase) {
        let server = start(&database).await;
        let mut browser = Browser::new();
        let page = open(&server, &mut browser, "/recovery").await;
        let good = Pressed::of(&page, "recovery-submit").with("username", "ada");
        good.assert_guarded(&server, &browser).await;
        settled(&server).await;
        assert_eq!(database.number(MAILS).await, 0);
        for query in ["next=//evil.example", "return_to=https:evil.example", "rd=/\\evil.example"] {
            for path in ["/recovery", "/recovery/sent", "/recovery/done", "/account/password"] {
                let answer = open(&server, &mut browser, &format!("{path}?{query}")).await;
                let leads = answer.body.split("href=\"").skip(1).chain(answer.body.split("action=\"").skip(1));
                for target in leads.map(|rest| rest.split('"').next().unwrap_or("")) {
                    assert!(target.starts_with('/') && !target.starts_with("//"), "{path}: {target}");
                }
            }
        }
    }

    /// The request of an app waits at the sign-in page that the person goes back to.
    async fn the_login_page_leads_to_recovery_and_back_to_the_app_s_request(database: TestDatabase) {
        let server = start(&database).await;
        let app = RelyingParty::new("web", "openid photos.read");
        let mut browser = Browser::new();
        let login = begin(&server, &mut browser, &app, &[]).await;
        let href = |page: &Answer, id: &str| {
            let at = page.body.find(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("no {id}: {page:?}"));
            attribute(&page.body[at..], "href").expect("a URL")
        };
        let page = open(&server, &mut browser, &href(&login, "forgot-password")).await;
        let answer = Pressed::of(&page, "recovery-submit").with("username", "ada").send(&server, &mut browser).await;
        let sent = browser.follow(&server, answer).await;
        assert!(sent.body.contains("id=\"recovery-sent\""), "{sent:?}");
        let login = open(&server, &mut browser, &href(&sent, "recovery-back")).await;
        assert!(is_login(&login) && login.body.contains("Photo editor"), "{login:?}");
        settled(&server).await;
    }

    /// Threat 147: one link, one use, also when it is asked for again at the very moment.
    async fn a_link_that_is_being_used_is_not_sent_again(database: TestDatabase) {
        let server = start(&database).await;
        for round in 0..5 {
            let token = token(&server).await;
            server.clock.advance(Duration::from_secs(10 * 60));
            let mut browser = Browser::new();
            let form = filled(&server, &mut browser, &token).await.with("new_password", &format!("password number {round}"));
            let (used, asked) = tokio::join!(form.send(&server, &mut browser), ask(&server, "ada"));
            assert_eq!((used.status, asked.status), (StatusCode::SEE_OTHER, StatusCode::SEE_OTHER));
            error_page(&Browser::new().get(&server, &link(&token)).await, 400, "invalid_request");
            server.clock.advance(Duration::from_secs(20 * 60));
        }
    }

    /// The person's own language comes before that of whoever asked for the mail; the link and what follows it are in the mail's.
    async fn the_link_and_its_pages_are_in_the_language_of_the_mail(database: TestDatabase) {
        let server = start(&database).await;
        let mut browser = Browser::new();
        let page = browser.get(&server, "/recovery?ui_locales=de").await;
        assert!(page.body.contains("<html lang=\"de\""), "{page:?}");
        let back = browser.get(&server, "/login?ui_locales=de").await;
        let back = browser.follow(&server, back).await;
        assert!(back.status == StatusCode::OK && back.body.contains("<html lang=\"de\""), "{back:?}");
        let token = token(&server).await;
        let (link, done) = (format!("/recovery/new-password?ui_locales=ja&token={token}"), "/recovery/done?ui_locales=ja");
        let page = open(&server, &mut browser, &link).await;
        assert!(page.body.contains("<html lang=\"ja\""), "{page:?}");
        let short = Pressed::of(&page, "password-submit").with("new_password", "x").send(&server, &mut browser).await;
        assert!(short.status == StatusCode::BAD_REQUEST && short.body.contains("<html lang=\"ja\""), "{short:?}");
        let set = Pressed::of(&short, "password-submit").with("new_password", NEW).send(&server, &mut browser).await;
        assert_eq!((set.status, set.location()), (StatusCode::SEE_OTHER, done));
        let page = open(&server, &mut browser, done).await;
        assert!(page.body.contains("<html lang=\"ja\"") && page.body.contains("/account?ui_locales=ja"), "{page:?}");
        let dead = open(&server, &mut browser, &link).await;
        assert!(dead.body.contains("<html lang=\"ja\"") && dead.body.contains("/recovery?ui_locales=ja"), "{dead:?}");
    }

    /// Without `[mail]` there is nothing of it.
    async fn without_a_mail_server_there_is_no_recovery(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        let mut browser = Browser::new();
        let login = open(&server, &mut browser, "/account").await;
        assert!(is_login(&login) && !login.body.contains("forgot-password") && !login.body.contains("/recovery"));
        for path in ["/recovery", "/recovery/sent", "/recovery/new-password?token=x", "/recovery/done"] {
            error_page(&browser.get(&server, path).await, 404, "invalid_request");
        }
        for path in ["/recovery", "/recovery/new-password"] {
            let answer = browser.post(&server, path, &[("username", "ada"), ("token", "x")]).await;
            error_page(&answer, 404, "invalid_request");
        }
        assert_eq!(database.number(MAILS).await, 0);
    }
}

/// Asks once more, and yields the tokens of all mails that wait.
async fn token_again(server: &TestServer) -> Vec<String> {
    ask(server, "ada").await;
    tokens(server).await
}

fn hex_of(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}
